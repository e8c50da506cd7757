"""What a submission's senders say they measured, and whether it can be checked at all."""

from typing import Any

from evals.grading.claims import parse_claim
from evals.grading.graders import RANGES, range_in_words
from evals.grading.refusals import Refused
from tracker.errors import RuleBroken
from tracker.grading.models.benchmarks import Benchmark

LARGEST_CLAIM = 1e12


def check_claims(claims: dict[str, Any], benchmark: Benchmark) -> None:
    """A claim names one of the benchmark's metrics and gives a value that it can have."""
    for metric, claim in claims.items():
        if metric not in benchmark.spec["metrics"]:
            known = ", ".join(benchmark.spec["metrics"])
            raise RuleBroken(
                f"A claim names an unknown metric: use {known}.", code="unknown-metric", field="claims"
            )
        if not is_claim(claim):
            raise RuleBroken(
                f"Claim {metric} as a finite number with what stands behind it, such as"
                ' {"value": 0.93, "seeds": 3, "n": 797}.',
                code="bad-claim",
                field="claims",
            )
        low, high = RANGES.get(metric, (-LARGEST_CLAIM, LARGEST_CLAIM))
        if not low <= claim["value"] <= high:
            raise RuleBroken(
                f"Claim {metric} as a number {range_in_words(metric)}: it can be nothing else.",
                code="bad-claim",
                field="claims",
            )


def is_claim(claim: Any) -> bool:
    """Whether it has a value of a size that metrics have, and counts that are counts."""
    if not isinstance(claim, dict) or "metric" in claim:
        return False
    numbers: list[Any] = [claim.get("value"), claim.get("standard_error") or 0.0]
    try:
        parse_claim({**claim, "metric": ""}, 1)
    except Refused:
        return False
    numbers += [claim.get(name) or 1 for name in ("seeds", "n")]
    return all(abs(number) <= LARGEST_CLAIM for number in numbers)
