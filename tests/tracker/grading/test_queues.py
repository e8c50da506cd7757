"""Where a run waits, and that nothing waits for ever for a machine that is not there."""

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from tests.factories import make_artifact, make_benchmark, make_project, make_submission, make_user
from tracker.grading import presence, tasks
from tracker.grading.models import Queue, Run, Submission, Worker
from tracker.grading.models.runs import LONGEST_WAIT_FOR_A_GPU, OVERDUE
from tracker.ops import doctor

pytestmark = pytest.mark.django_db


def sent(gpu: str, *, format: str = "safetensors") -> Submission:
    project = make_project()
    benchmark = make_benchmark(project.program)
    benchmark.spec["gpu"] = gpu
    benchmark.save(update_fields=["spec"])
    return make_submission(project, benchmark, artifact=make_artifact(format=format))


def there_is_a_gpu() -> None:
    Worker.objects.see("grading@gpu", queues=[Queue.GPU])


def walk(submission: Submission) -> list[str]:
    """Which queue each phase waits in."""
    for _ in range(3):
        run = submission.runs.get(state=Run.State.QUEUED)
        taken = Run.objects.take(run.pk, owner=uuid4())
        taken.succeed(measurements=[], record={}, claims=[])
    return [run.queue for run in submission.runs.order_by("pk")]


def wait(submission: Submission, time: timedelta = OVERDUE) -> None:
    at = Now() - time - timedelta(seconds=1)
    submission.runs.filter(state=Run.State.QUEUED).update(not_before=at, queued_at=at)


@pytest.mark.parametrize(
    ("gpu", "format", "queues"),
    [
        ("no", "safetensors", [Queue.CPU, Queue.CPU, Queue.CPU]),
        ("prefers", "safetensors", [Queue.CPU, Queue.CPU, Queue.GPU]),
        ("needs", "safetensors", [Queue.GPU, Queue.GPU, Queue.GPU]),
        ("needs", "csv", [Queue.CPU, Queue.CPU, Queue.CPU]),
    ],
)
def test_a_run_waits_where_its_benchmark_wants_it(gpu, format, queues):
    there_is_a_gpu()

    assert walk(sent(gpu, format=format)) == queues


def test_without_a_gpu_what_prefers_one_is_graded_anywhere():
    assert walk(sent("prefers")) == [Queue.CPU] * 3


def test_a_worker_takes_runs_of_its_own_queue_and_is_rung_by_it(
    quiet_bell, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        sent("needs")

    assert "tracker.grading.tasks.grade_on_gpu" in quiet_bell
    assert Run.objects.lease_next(uuid4()) is None
    assert Run.objects.lease_next(uuid4(), queue=Queue.GPU) is not None


def test_when_the_gpu_goes_away_what_preferred_it_comes_back():
    there_is_a_gpu()
    submission = sent("prefers")
    submission.runs.update(queue=Queue.GPU)
    wait(submission)

    Run.objects.reap()
    assert submission.runs.get().queue == Queue.GPU
    Worker.objects.update(seen_at=Now() - timedelta(minutes=5))
    Run.objects.reap()

    assert submission.runs.get().queue == Queue.CPU


def test_what_needs_a_gpu_waits_a_day_and_then_fails_by_our_fault():
    submission = sent("needs")
    wait(submission, timedelta(hours=1))
    Run.objects.reap()
    assert submission.runs.get().state == Run.State.QUEUED

    wait(submission, LONGEST_WAIT_FOR_A_GPU)
    Run.objects.reap()

    run = submission.runs.get()
    assert (run.state, run.code) == (Run.State.FAILED, "no-gpu")
    assert not Submission.objects.costing_quota().exists()


def test_operators_are_told_at_once(client):
    submission = sent("needs")
    wait(submission)
    Worker.objects.see("grading@cpu", queues=[Queue.CPU])
    client.force_login(make_user(is_staff=True, is_superuser=True))

    page = client.get(reverse("admin:grading_run_changelist"))

    assert "start one for grade.gpu" in doctor.queues().advice
    assert "Runs that need a GPU" in page.content.decode()
    there_is_a_gpu()
    assert doctor.queues().is_well


def test_operators_are_told_that_no_worker_comes():
    wait(make_submission())

    assert "Start a worker" in doctor.queues().advice


@pytest.mark.parametrize(
    ("device", "is_there", "has"),
    [("auto", True, True), ("auto", False, False), ("cpu", True, False), ("cuda", False, True)],
)
def test_a_gpu_is_seen_without_torch(settings, monkeypatch, tmp_path, device, is_there, has):
    settings.GRADING_DEVICE = device
    monkeypatch.setattr(presence, "GPU_DEVICE", tmp_path if is_there else tmp_path / "none")

    assert presence.has_gpu() is has


def test_a_machine_without_a_gpu_leaves_its_runs_to_others(monkeypatch):
    sent("needs")
    monkeypatch.setattr(tasks, "has_gpu", lambda: False)

    tasks.grade_on_gpu()

    assert Run.objects.get().state == Run.State.QUEUED


def test_a_worker_says_which_queues_it_serves(monkeypatch):
    told = {}
    monkeypatch.setattr(presence, "has_gpu", lambda: False)
    monkeypatch.setattr(presence.Rounds, "_go", lambda self, name, queues: told.update({name: queues}))
    consumed = {"grade.cpu": None, "grade.gpu": None, "fit": None}
    app = SimpleNamespace(amqp=SimpleNamespace(queues=SimpleNamespace(consume_from=consumed)))

    tasks.begin_rounds(sender=SimpleNamespace(app=app, hostname="grading@here"))
    tasks.end_rounds()

    assert told == {"grading@here": ["grade.cpu"]}


def test_a_round_says_that_the_worker_is_there_and_sweeps():
    submission = make_submission()
    lost = Run.objects.lease_next(uuid4())
    Run.objects.filter(pk=lost.pk).update(lease_ends_at=Now() - timedelta(seconds=1))

    presence.one_round("grading@here", ["grade.cpu"])

    assert Worker.objects.alive().serving(Queue.CPU)
    assert submission.runs.get().state == Run.State.QUEUED


def test_a_worker_of_long_ago_is_forgotten():
    Worker.objects.see("old", queues=[])
    Worker.objects.update(seen_at=Now() - timedelta(days=1))

    Worker.objects.see("new", queues=[])

    assert [worker.name for worker in Worker.objects.all()] == ["new"]
