"""Benchmark, Submission, Run, Attempt, Clearance, Measurement, Mistakes, Resemblance, Regrade*, Worker."""

from tracker.grading.models.artifacts import Artifact
from tracker.grading.models.attempts import Attempt
from tracker.grading.models.benchmarks import Benchmark
from tracker.grading.models.clearances import Clearance
from tracker.grading.models.measurements import Measurement
from tracker.grading.models.plans import RegradePlan
from tracker.grading.models.requests import RegradeRequest
from tracker.grading.models.resemblances import Mistakes, Resemblance
from tracker.grading.models.runs import Run
from tracker.grading.models.submissions import Submission
from tracker.grading.models.workers import Queue, Worker

__all__ = (
    "Artifact",
    "Attempt",
    "Benchmark",
    "Clearance",
    "Measurement",
    "Mistakes",
    "Queue",
    "RegradePlan",
    "RegradeRequest",
    "Resemblance",
    "Run",
    "Submission",
    "Worker",
)
