"""Failed objective checks: measurements that speak against what was claimed, or find no skill."""

from typing import Any

from tracker.grading.models import Measurement, Run
from tracker.people.models import Person

# As ``evals.grading.claims`` says of a claim that the measurement contradicts.
CONTRADICTED = "differs"


def has_failed_check(person: Person) -> bool:
    """Whether a counting submission of theirs was claimed too high, or is no better than no skill."""
    measured = (
        Measurement.objects.standing()
        .filter(run__submission__output__credits__person=person)
        .select_related("run__submission__benchmark")
        .distinct()
    )
    runs = {row.run_id: row.run for row in measured}
    return any(map(claims_too_much, runs.values())) or any(map(shows_no_skill, measured))


def claims_too_much(run: Run) -> bool:
    benchmark = run.submission.benchmark
    return any(
        checked.get("verdict") == CONTRADICTED
        and is_better(checked.get("difference"), benchmark.higher_is_better(checked["claim"]["metric"]))
        for checked in run.claims
    )


def is_better(difference: Any, higher_is_better: bool) -> bool:
    """Whether what was claimed lies on the better side of what was measured."""
    return difference is not None and (difference > 0) == higher_is_better


def shows_no_skill(row: Measurement) -> bool:
    """Whether the whole interval of the headline metric lies on the worse side of no skill."""
    benchmark = row.run.submission.benchmark
    if row.metric != benchmark.headline or row.low is None or row.high is None:
        return False
    start, _ = benchmark.anchors
    return row.high < start if benchmark.higher_is_better(row.metric) else row.low > start
