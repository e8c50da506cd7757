"""How the command line tells a result: as JSON in the documented form, and as a readable table."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from evals.grading.benchmarks import Benchmark
from evals.grading.claims import CheckedClaim
from evals.grading.phases import PhaseResult

out = Console()


def as_json(results: list[PhaseResult], checked: list[CheckedClaim]) -> dict[str, Any]:
    """The result in the documented form, per-item numbers included for paired comparisons."""
    last = results[-1]
    items, clusters = last.items, last.clusters
    return {
        "phases": [
            {
                "name": result.phase,
                "state": result.state,
                "code": result.code,
                "message": result.message,
                "seconds": result.seconds,
            }
            for result in results
        ],
        "measurements": [row for result in results for row in result.measurements],
        "claims": [asdict(claim) for claim in checked],
        "record": {name: value for result in results for name, value in result.record.items()},
        "items": None if items is None else items.tolist(),
        "clusters": None if clusters is None else clusters.tolist(),
    }


def show(benchmark: Benchmark, results: list[PhaseResult], checked: list[CheckedClaim]) -> None:
    """A readable table of what was measured, and a line for each phase that did not succeed."""
    table = Table("metric", "slice", "value", "likely range", "n", title=benchmark.name)
    for result in results:
        for row in result.measurements:
            span = f"{row['low']:.4g} to {row['high']:.4g}"
            table.add_row(row["metric"], row["slice"] or "all", f"{row['value']:.4g}", span, str(row["n"]))
    if table.row_count:
        out.print(table)
    for entry in checked:
        measured = (
            "" if entry.measured is None else f", measured {entry.measured:.4g}, p = {entry.p_value:.2g}"
        )
        out.print(
            f"claim {entry.claim.metric} {entry.claim.value:g}: {entry.verdict}{measured}", markup=False
        )
    for result in results:
        if "contamination" in result.record:
            out.print(training_in_words(result.record["contamination"]))
        if result.state != "succeeded":
            out.print(f"{result.phase} {result.state} {result.code}: {result.message}", markup=False)


def training_in_words(found: dict[str, Any]) -> str:
    """What declared training data shares with the benchmark's texts."""
    if "unread" in found:
        return f"declared training data: they could not be read ({found['unread']})"
    if not found:
        return "declared training data: this benchmark has no texts to look for in it"
    return (
        f"declared training data: {found['any_overlap']} of {found['texts']} texts share {found['words']} "
        f"words in a row with it, {found['half_covered']} are covered by half or more"
    )
