"""Worker: a process that grades, and when it was last seen. Queue: what kind of machine a run waits for."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now

from tracker.grading.models.benchmarks import Benchmark
from tracker.people.models import Visitor

# A worker says that it is there every sweep, of 15 seconds; one that missed three is taken for gone.
GONE_AFTER = timedelta(seconds=50)
TABLES = ("csv", "jsonl", "npz", "parquet")


class Queue(models.TextChoices):
    CPU = "grade.cpu", "any machine"
    GPU = "grade.gpu", "a machine with a GPU"


# The task that a worker of each queue hears.
BELLS = {Queue.CPU: "tracker.grading.tasks.grade", Queue.GPU: "tracker.grading.tasks.grade_on_gpu"}


class WorkerQuerySet(models.QuerySet["Worker"]):
    def visible_to(self, user: Visitor) -> Self:
        return self if user.is_active and user.is_superuser else self.none()

    def alive(self) -> Self:
        return self.filter(seen_at__gt=Now() - GONE_AFTER)

    def serving(self, queue: str) -> bool:
        return any(queue in worker.queues for worker in self)

    def see(self, name: str, *, queues: list[str]) -> None:
        """This worker is there; those that are long gone are forgotten."""
        self.update_or_create(name=name, defaults={"queues": queues, "seen_at": Now()})
        self.filter(seen_at__lt=Now() - 20 * GONE_AFTER).delete()


class Worker(models.Model):
    name = models.CharField(max_length=200, unique=True)
    queues = models.JSONField(default=list)
    seen_at = models.DateTimeField(db_default=Now())

    objects = WorkerQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


def queue_for(benchmark: Benchmark, *, format: str, phase: str) -> Queue:
    """Tables need no GPU; weights go where their benchmark wants them, if somebody is there."""
    if benchmark.gpu == Benchmark.Gpu.NO or format in TABLES:
        return Queue.CPU
    if benchmark.gpu == Benchmark.Gpu.NEEDS:
        return Queue.GPU
    is_worth_it = phase == "thorough" and Worker.objects.alive().serving(Queue.GPU)
    return Queue.GPU if is_worth_it else Queue.CPU
