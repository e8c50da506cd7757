"""Benchmark, Submission, Run, Attempt, Measurement."""

from tracker.grading.models.benchmarks import Benchmark
from tracker.grading.models.measurements import Measurement
from tracker.grading.models.runs import Attempt, Run
from tracker.grading.models.submissions import Artifact, Submission

__all__ = ("Artifact", "Attempt", "Benchmark", "Measurement", "Run", "Submission")
