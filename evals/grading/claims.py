"""A submission's claims beside what was measured, with a test of the difference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from evals.grading.benchmarks import Benchmark
from evals.grading.refusals import Refused

CLAIM_KEYS = frozenset(("metric", "value", "seeds", "n", "standard_error", "slice"))
MAXIMUM_CLAIMS = 50
SURE = 0.05
SHARES = frozenset(
    [
        "accuracy",
        "balanced_accuracy",
        "exact_match",
        "subset_accuracy",
        "macro_f1",
        "micro_f1",
        "mean_iou",
        "auroc",
        "rouge_l",
    ]
)


@dataclass(frozen=True)
class Claim:
    """What a submitter states: a metric's value, and how sure they were."""

    metric: str
    value: float
    slice: str = ""
    seeds: int | None = None
    n: int | None = None
    standard_error: float | None = None

    @property
    def error(self) -> float:
        """The claim's own standard error: stated, else of a share over n items, else none."""
        if self.standard_error is not None:
            return self.standard_error
        if self.n and self.metric in SHARES and 0 <= self.value <= 1:
            return math.sqrt(self.value * (1 - self.value) / self.n)
        return 0.0


@dataclass(frozen=True)
class CheckedClaim:
    """A claim beside its measurement: difference, its standard error, and how surprising it is."""

    claim: Claim
    measured: float | None
    difference: float | None = None
    standard_error: float | None = None
    p_value: float | None = None
    verdict: str = "not measured"


def parse_claims(values: Any) -> list[Claim]:
    """Claims from JSON, refused where they are not what a claim is."""
    if not isinstance(values, list) or len(values) > MAXIMUM_CLAIMS:
        raise Refused("bad-claims")
    return [parse_claim(entry, number) for number, entry in enumerate(values, start=1)]


def parse_claim(entry: Any, number: int) -> Claim:
    """One claim, every value of it checked."""
    if not isinstance(entry, dict) or set(entry) - CLAIM_KEYS or not isinstance(entry.get("metric"), str):
        raise Refused("bad-claims", item=number)
    if not is_number(entry.get("value")):
        raise Refused("bad-claims", item=number)
    for key in ("seeds", "n"):
        if entry.get(key) is not None and (type(entry[key]) is not int or entry[key] < 1):
            raise Refused("bad-claims", item=number)
    error = entry.get("standard_error")
    if error is not None and (not is_number(error) or error < 0):
        raise Refused("bad-claims", item=number)
    if not isinstance(entry.get("slice", ""), str):
        raise Refused("bad-claims", item=number)
    return Claim(**entry)


def check_known(claims: Iterable[Claim], benchmark: Benchmark) -> None:
    """Refuse a claim of a metric that the benchmark does not measure, and say which it does."""
    known = tuple(metric.name for metric in benchmark.metrics)
    for number, claim in enumerate(claims, start=1):
        if claim.metric not in known:
            raise Refused("bad-claims", names=known, item=number)


def is_number(value: Any) -> bool:
    """A finite number that is not a truth value."""
    return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)


def check_claims(claims: Iterable[Claim], measurements: Iterable[Mapping[str, Any]]) -> list[CheckedClaim]:
    """Each claim beside the measured value; z = difference / sqrt(both errors squared)."""
    found = {(row["metric"], row["slice"]): row for row in measurements}
    return [compared(claim, found.get((claim.metric, claim.slice))) for claim in claims]


def compared(claim: Claim, row: Mapping[str, Any] | None) -> CheckedClaim:
    """One claim beside one measurement."""
    if row is None or row["value"] is None:
        return CheckedClaim(claim, None)
    difference = claim.value - row["value"]
    error = math.hypot(claim.error, row["standard_error"] or 0.0)
    p_value = (
        (1.0 if difference == 0 else 0.0) if error == 0 else 2 * NormalDist().cdf(-abs(difference) / error)
    )
    verdict = "differs" if p_value < SURE else "agrees"
    return CheckedClaim(claim, row["value"], difference, error, p_value, verdict)
