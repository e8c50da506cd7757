"""Reproduction: the submitted code re-run in the jail over several seeds, and how much the seed matters.

var(value) = between seeds / k + within (items);  equivalent if the interval of the difference lies in a margin
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import NormalDist, fmean, variance
from typing import Any

from evals.grading.archives import read_member, zip_members
from evals.grading.benchmarks import Benchmark
from evals.grading.frames import Frame
from evals.grading.jail import Cell, isolation
from evals.grading.jobs import Arrays, checked, room
from evals.grading.limits import MEBIBYTE
from evals.grading.refusals import Refused
from evals.grading.running import Watch, run_job
from evals.grading.texts import pack_texts

SCRIPT = "train.py"
SCRATCH_BYTES = 256 * MEBIBYTE
LEVEL = 0.90


@dataclass(frozen=True)
class Reproduced:
    """A claimed value beside what k runs gave."""

    value: float
    standard_error: float
    between_seeds: float
    within: float
    seeds: int
    claimed: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    equivalent: bool | None = None


def rerun(path: Path, benchmark: Benchmark, *, seed: int, watch: Watch) -> Arrays:
    """The answers of one run of the submitted code; needs full isolation."""
    if not isolation().is_full:
        raise Refused("needs-isolation")
    files = submitted_files(path, benchmark)
    characters, ends = pack_texts(benchmark.ids)
    header = {
        "job": "code",
        "seed": seed,
        "task": benchmark.task,
        "classes": list(benchmark.classes),
        "quantiles": list(benchmark.quantiles),
        "limits": asdict(benchmark.limits),
    }
    cell = Cell(
        benchmark.limits.memory_bytes, benchmark.limits.code_seconds, scratch=SCRATCH_BYTES, threads=2
    )
    job = Frame(header, {"id_characters": characters, "id_ends": ends})
    found = run_job(job, files, cell, output=room(benchmark), watch=watch)
    return checked(found.arrays, benchmark, len(benchmark.ids))


def submitted_files(path: Path, benchmark: Benchmark) -> dict[str, bytes]:
    """The files of the submission, with the benchmark's public files beside them under data/."""
    with path.open("rb") as stream:
        members = zip_members(stream, benchmark.limits)
        files = {member.name: read_member(stream, member) for member in members}
    if SCRIPT not in files or any(name.startswith("data/") for name in files):
        raise Refused("bad-output", names=("train.py must lie at the top, nothing under data/",))
    return files | public_files(benchmark)


def public_files(benchmark: Benchmark) -> dict[str, bytes]:
    """The declared inputs, and train.* where the benchmark has one; never anything hidden."""
    paths = [benchmark.inputs_path, *sorted(benchmark.folder.glob("train.*"))]
    return {f"data/{path.name}": path.read_bytes() for path in paths}


def combine(
    values: Sequence[float], errors: Sequence[float], *, claimed: float | None = None, margin: float = 0.0
) -> Reproduced:
    """What k runs say together; equivalence by two one-sided tests, not by equality.

    ``errors`` are the items' standard errors; all runs share the items, so theirs does not shrink with k.
    """
    if len(values) < 2 or len(values) != len(errors):
        raise ValueError("Reproduction needs at least two runs, each with its standard error.")
    between = variance(values)
    within = fmean(error**2 for error in errors)
    error = math.sqrt(between / len(values) + within)
    found = Reproduced(fmean(values), error, between, within, len(values))
    if claimed is None:
        return found
    reach = NormalDist().inv_cdf((1 + LEVEL) / 2) * error
    gap = claimed - found.value
    values_now: dict[str, Any] = asdict(found)
    values_now |= {"claimed": claimed, "difference": gap, "low": gap - reach, "high": gap + reach}
    return Reproduced(**values_now | {"equivalent": -margin < gap - reach and gap + reach < margin})


def over_seeds(runs: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    """One row per metric and slice from the rows of several runs, the seeds' spread in its error."""
    rows = []
    for same in zip(*runs, strict=True):
        values = [row["value"] for row in same]
        found = combine(values, [row["standard_error"] for row in same])
        reach = NormalDist().inv_cdf(0.975) * found.standard_error
        rows.append(
            {
                **same[0],
                "value": found.value,
                "standard_error": found.standard_error,
                "low": found.value - reach,
                "high": found.value + reach,
                "method": f"{len(values)} seeds; {same[0]['method']}",
                "seeds": values,
                "between_seeds": found.between_seeds,
                "analytic": [],
            }
        )
    return rows
