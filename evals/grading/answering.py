"""A submission's answers, read or computed in the jail; kept for the next phase of the same artifact."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from evals.grading.benchmarks import Benchmark
from evals.grading.intake import Artifact
from evals.grading.jobs import Arrays, Run, read_table, run_weights
from evals.grading.limits import MEBIBYTE
from evals.grading.running import Watch

KEPT_BYTES = 64 * MEBIBYTE
WHOLE_IF_SECONDS = 1.0


@dataclass(frozen=True)
class Question:
    """Which submission is asked, and under which conditions its answers stay the same."""

    benchmark: Benchmark
    path: Path
    artifact: Artifact
    artifact_hash: str
    seed: int
    device: str
    corruption: str = ""
    submitter: str = ""

    @property
    def model_key(self) -> tuple[str, ...]:
        """Equal keys have equal models, sent by the same submitter."""
        return (self.submitter, self.artifact_hash, self.artifact.format, self.benchmark.content_hash)

    @property
    def key(self) -> tuple[str, ...]:
        """Equal keys have equal answers."""
        return (*self.model_key, str(self.seed), self.device, self.corruption)


@dataclass(frozen=True)
class Answered:
    """Answers to the first ``items`` items, and the seconds that they took."""

    arrays: Arrays
    items: int
    seconds: float

    @property
    def bytes(self) -> int:
        return sum(array.nbytes for array in self.arrays.values())


@dataclass
class Kept:
    """Whole answers of the last submissions, so that no jail is started anew for every phase.

    As many as have room: those of a thousand small tables are a few megabytes.
    """

    entries: OrderedDict[tuple[str, ...], Answered] = field(default_factory=OrderedDict)

    def get(self, key: tuple[str, ...]) -> Answered | None:
        """The answers under a key, which then count as the most recent."""
        if key in self.entries:
            self.entries.move_to_end(key)
        return self.entries.get(key)

    def put(self, key: tuple[str, ...], answered: Answered) -> None:
        """Keep answers, and forget the oldest until all of them have room."""
        self.entries.pop(key, None)
        if answered.bytes > KEPT_BYTES:
            return
        self.entries[key] = answered
        held = sum(kept.bytes for kept in self.entries.values())
        while held > KEPT_BYTES:
            _, oldest = self.entries.popitem(last=False)
            held -= oldest.bytes


KEPT = Kept()


def answered(question: Question, *, phase: str, items: int, watch: Watch) -> Answered:
    """Answers for at least the first ``items`` items; small models answer for all at once."""
    total = len(question.benchmark.ids)
    if kept := KEPT.get(question.key):
        return kept
    found = asked(question, phase=phase, items=min(items, total), watch=watch)
    if found.items == total:
        KEPT.put(question.key, found)
    return found


def asked(question: Question, *, phase: str, items: int, watch: Watch) -> Answered:
    """The same, from the jail."""
    benchmark = question.benchmark
    seconds = benchmark.limits.seconds(phase)
    if question.artifact.is_table:
        started = time.monotonic()
        arrays = read_table(question.path, question.artifact.format, benchmark, seconds=seconds, watch=watch)
        return Answered(arrays, len(benchmark.ids), time.monotonic() - started)
    run = Run(
        items=items,
        whole_if_seconds=WHOLE_IF_SECONDS,
        seconds=seconds,
        seed=question.seed,
        key=question.model_key,
        device=question.device,
        corruption=question.corruption,
    )
    arrays, taken = run_weights(
        question.path, question.artifact.facts["architecture"], benchmark, run=run, watch=watch
    )
    return Answered(arrays, len(arrays["classes"]), taken)
