"""1,000 small submissions through two real workers, on SQLite and the embedded broker: none lost, none doubled.

python -m bench.grading_queue [SUBMISSIONS]

The bars hold on two free cores, so the processor time that the workers took for a submission is printed beside the
clock's; that of the jails, a sixth of a second each, their namespaces keep for themselves. Exits 1 below the bars.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db.models import Count

import bench.throwaway  # noqa: F401 (starts Django)
from tests.factories import make_cohort, make_program, make_project
from tracker.grading.installing import install_benchmark
from tracker.grading.intake import receive
from tracker.grading.models import Benchmark, Measurement, Run, Submission
from tracker.projects.models import Project

SUBMISSIONS, PROJECTS, WORKERS, ALONE = 1_000, 10, 2, 15
PER_SECOND, MEDIAN_SECONDS = 5.0, 1.5
DIGITS = Path("evals/grading/demo/digits")
WORKER = "-m celery -A tracker worker -P prefork -c 1 -Q grade.cpu --without-gossip --without-mingle -l ERROR"


def world() -> tuple[Benchmark, list[Project]]:
    call_command("migrate", verbosity=0)
    program = make_program()
    cohort, benchmark = make_cohort(program), install_benchmark(program, DIGITS, slug="digits")
    benchmark.spec["limits"]["submissions_per_day"] = 10 * SUBMISSIONS
    return benchmark, [make_project(cohort) for _ in range(PROJECTS)]


def tables(ids: list[str]) -> Iterator[bytes]:
    """Answers by chance, each table another."""
    rng = np.random.default_rng(1)
    while True:
        answers = rng.integers(0, 10, len(ids))
        rows = "".join(f"{name},{answer}\n" for name, answer in zip(ids, answers, strict=True))
        yield f"id,pred\n{rows}".encode()


def submit(benchmark: Benchmark, project: Project, table: bytes) -> Submission:
    artifact = receive(ContentFile(table, name="answers.csv"), benchmark)
    return Submission.objects.submit(
        project=project, benchmark=benchmark, artifact=artifact, filename="answers.csv", by=None
    )


@contextmanager
def workers() -> Iterator[None]:
    started = [
        subprocess.Popen(
            [sys.executable, *WORKER.split(), "-n", f"grading{number}@%h"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for number in range(WORKERS)
    ]
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)


def wait_until_all_have_ended() -> None:
    while Run.objects.open().exists():
        time.sleep(0.05)


def lost_or_doubled(count: int) -> list[str]:
    """What is not as it must be: three phases of each, each once, and one accuracy."""
    wrong = []
    walks = Submission.objects.annotate(phases=Count("runs"), kinds=Count("runs__phase", distinct=True))
    if walks.filter(phases=3, kinds=3).count() != count:
        wrong.append("Some did not go through each phase once.")
    if Run.objects.filter(state=Run.State.SUCCEEDED).count() != 3 * count:
        wrong.append("Some did not succeed.")
    accuracies = Measurement.objects.filter(metric="accuracy", slice="")
    if (accuracies.count(), accuracies.values("run__submission").distinct().count()) != (count, count):
        wrong.append("Some have no score, or two.")
    return wrong


def heap(benchmark: Benchmark, projects: list[Project], made: Iterator[bytes], count: int) -> float:
    """How many a second two workers grade that find all of them waiting."""
    for number in range(count):
        submit(benchmark, projects[number % PROJECTS], next(made))
    with workers():
        while not Run.objects.filter(state=Run.State.SUCCEEDED).exists():
            time.sleep(0.05)
        began = time.perf_counter()
        wait_until_all_have_ended()
        seconds = time.perf_counter() - began
    return count / seconds


def alone(benchmark: Benchmark, project: Project, made: Iterator[bytes]) -> float:
    """How long one waits that comes to an idle, warm worker: the median."""
    seconds = []
    with workers():
        for _ in range(ALONE + 2):
            began = time.perf_counter()
            submit(benchmark, project, next(made))
            wait_until_all_have_ended()
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[2:])


def main(count: int) -> int:
    benchmark, projects = world()
    with (DIGITS / "inputs.npz").open("rb") as file:
        made = tables([str(name) for name in np.load(file)["id"]])
    rate = heap(benchmark, projects, made, count)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    wrong = lost_or_doubled(count)
    each = (used.ru_utime + used.ru_stime) / count
    print(
        f"{count} small tables, {WORKERS} workers: {rate:.1f} a second (bar {PER_SECOND:g}), {each:.2f} s of processor "
        f"time of the workers each, {'; '.join(wrong) or 'none lost, none doubled'}; load {os.getloadavg()[0]:.1f}"
    )
    median = alone(benchmark, projects[0], made)
    print(f"submit to result, alone: median {median:.2f} s (bar {MEDIAN_SECONDS:g})")
    return 0 if rate >= PER_SECOND and median <= MEDIAN_SECONDS and not wrong else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else SUBMISSIONS))
