"""What one fit sees: scores, headline measurements, credit, and the people it is about."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from django.db.models import Sum

from tracker.cohorts.models import Enrollment, Stage
from tracker.estimates.covariates import OF_THE_READING, chosen
from tracker.grading.models import Measurement
from tracker.people.models import Person, Program
from tracker.projects.models import Credit
from tracker.ratings.models import Criterion, Rating, Score


@dataclass(frozen=True)
class Measured:
    """One benchmark's results, and whether they enter the fit."""

    instrument: str
    outputs: int
    rated_too: int
    needed: int

    @property
    def joins(self) -> bool:
        return self.rated_too >= self.needed

    def as_record(self) -> dict[str, Any]:
        return {
            "instrument": self.instrument,
            "outputs": self.outputs,
            "rated_too": self.rated_too,
            "needed": self.needed,
            "joins": self.joins,
        }


@dataclass(frozen=True)
class Aim:
    """What one stage asks of those who are to go on, and who stands before it."""

    stage: int
    places: int | None
    bar: float | None
    members: tuple[int, ...]


@dataclass(frozen=True)
class Evidence:
    """Rows in the words of the noise model; ids are primary keys of persons and outputs."""

    rows: list[dict[str, Any]]
    credit: list[tuple[int, int, float]]
    people: list[int]
    limits: dict[Any, tuple[float, float]]
    measured: list[Measured] = field(default_factory=list)
    aims: list[Aim] = field(default_factory=list)
    readings: list[tuple[int, int]] = field(default_factory=list)

    @property
    def content_hash(self) -> str:
        measured = [entry.as_record() for entry in self.measured]
        limits = sorted(self.limits.items())
        content = [self.rows, sorted(self.credit), sorted(self.people), limits, measured, self.readings]
        content += [asdict(aim) for aim in self.aims]
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def is_enough(self) -> bool:
        """A fit needs an observation and two people to tell apart."""
        return bool(self.rows) and len(self.people) >= 2

    def different_readers(self) -> dict[int, set[int]]:
        """By person: who read something of theirs, of those who count as different readers."""
        readers: dict[int, set[int]] = defaultdict(set)
        owners = defaultdict(list)
        for output, person, share in self.credit:
            if share > 0:
                owners[output].append(person)
        for output, reader in self.readings:
            for person in owners[output]:
                readers[person].add(reader)
        return readers

    def sources(self) -> dict[int, set[Any]]:
        """By output: who read it, of those who count as different readers, and what measured it."""
        found: dict[int, set[Any]] = defaultdict(set)
        for output, reader in self.readings:
            found[output].add(reader)
        for row in self.rows:
            if row["rater"] is None:
                found[row["output"]].add((row["instrument"], row["output"]))
        return found

    def scores(self) -> list[dict[str, Any]]:
        """The readers' rows alone."""
        return [row for row in self.rows if row["rater"] is not None]


def evidence_of(program: Program) -> Evidence:
    """Everything that stands in a program now, in an order that data alone decide."""
    scores = score_rows(program)
    results, measured = measurement_rows(program, rated={row["output"] for row in scores})
    rows = scores + results
    credit = credit_of({row["output"] for row in rows})
    people = {person for _, person, _ in credit} | set(enrolled_in(program))
    return Evidence(
        rows=rows,
        credit=credit,
        people=sorted(people),
        limits=limits_of(program),
        measured=measured,
        aims=aims_of(program),
        readings=readings_in(program),
    )


def aims_of(program: Program) -> list[Aim]:
    """Every gate of the program, with those who stand before it."""
    stages = Stage.objects.with_a_gate().filter(cohort__program=program)
    found = []
    for stage in stages.select_related("admission_round").order_by("pk"):
        members = Enrollment.objects.of_stage(stage).order_by("person").values_list("person", flat=True)
        found.append(Aim(stage.pk, stage.places, stage.bar, tuple(members)))
    return found


def score_rows(program: Program) -> list[dict[str, Any]]:
    """Without what the model is not to see."""
    unused = OF_THE_READING.keys() - set(chosen())
    rows = Score.objects.evidence(program).as_observations()
    return [{name: value for name, value in row.items() if name not in unused} | {"se": None} for row in rows]


def readings_in(program: Program) -> list[tuple[int, int]]:
    """Pairs of output and reader that count where different readers are counted."""
    counted = Rating.objects.evidence().different_readers()
    counted = counted.filter(program=program, output__retracted_at=None)
    return sorted(counted.order_by().values_list("output", "rater"))


def measurement_rows(program: Program, *, rated: set[int]) -> tuple[list[dict[str, Any]], list[Measured]]:
    """Headline measurements, one per project and benchmark; a benchmark too few readers share stays beside."""
    by_instrument = defaultdict(list)
    for row in Measurement.objects.standing().filter(run__submission__program=program).as_observations():
        by_instrument[row["instrument"]].append(row)
    joined, measured = [], []
    for instrument, rows in sorted(by_instrument.items()):
        both = sum(row["output"] in rated for row in rows)
        entry = Measured(instrument, len(rows), both, program.measurements_join_from)
        measured.append(entry)
        if entry.joins:
            joined += rows
    return joined, measured


def credit_of(outputs: set[int]) -> list[tuple[int, int, float]]:
    """Each person's share: kinds of credit averaged over those present, summing to 1 per output."""
    shares = Credit.objects.filter(output__in=outputs).values_list("output", "person")
    rows: Iterable[tuple[int, int, float]] = shares.annotate(summed=Sum("share")).order_by("output", "person")
    rows = list(rows)
    totals: dict[int, float] = defaultdict(float)
    for output, _, share in rows:
        totals[output] += share
    return [(output, person, share / totals[output]) for output, person, share in rows]


def enrolled_in(program: Program) -> Iterable[int]:
    """Everybody in a cohort, who left too: leaving them out would make the rest look worse."""
    enrolled = Enrollment.objects.filter(cohort__program=program)
    return Person.objects.filter(pk__in=enrolled.values("person")).values_list("pk", flat=True)


def limits_of(program: Program) -> dict[Any, tuple[float, float]]:
    criteria = Criterion.objects.filter(rubric__program=program).select_related("rubric")
    return {criterion.instrument: (criterion.lowest, criterion.highest) for criterion in criteria}
