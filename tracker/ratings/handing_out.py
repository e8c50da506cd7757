"""Hand out the reading of a stage: who reads what, drawn by the plan's seed, and in each reader's own order."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from tracker.cohorts.models import Stage
from tracker.events.models import Event
from tracker.people.models import Person, Role
from tracker.projects.models import Credit, Output
from tracker.ratings.models import Assignment, Closeness, Rating, ReadingPlan

Reason = Assignment.Reason
TOO_CLOSE = "The reader is too close to it now."

# What can leave somebody without enough readers, or a reader without anything to read.
CHANGES = ("output.published", "conflict.declared", "person.joined", "role.ended", "person.left")


def take_event(event: Event) -> None:
    """A consumer of events: the reading that goes on is handed out anew wherever something is wanting."""
    if event.kind in CHANGES and event.program is not None:
        reading = Stage.objects.reading().filter(cohort__program__public_id=event.program)
        for plan in ReadingPlan.objects.filter(stage__in=reading):
            hand_out(plan)


def hand_out(plan: ReadingPlan, *, by: UUID | None = None) -> list[Assignment]:
    """Give what is still wanting; what was given stays where it is in everybody's order.

    First every person gets enough different readers, then every reader the samples, then the pieces that the lot
    falls on one more reader. Readings whose reader has come too close, or reads no more, are taken back first.
    """
    with transaction.atomic():
        stage = Stage.objects.select_for_update().select_related("cohort__program").get(pk=plan.stage_id)
        unread = Assignment.objects.open().filter(stage=stage)
        unread.too_close().withdraw(TOO_CLOSE)
        unread.of_former_readers().withdraw("The reader reads here no more.")
        draw = Draw.of(plan, stage)
        draw.serve_everybody(plan.readers_each)
        draw.serve_samples(set(plan.samples.values_list("pk", flat=True)))
        draw.serve_second_readers(plan.second_share)
        given = in_order(draw.fresh, plan, stage)
        Assignment.objects.bulk_create(given, batch_size=1000)
        if given:
            counts = Counter(str(row.reason) for row in given)
            Event.objects.write(
                "reading.handed_out",
                program=stage.cohort.program.public_id,
                subject=stage.public_id,
                actor=by,
                seed=plan.seed,
                **counts,
            )
    return given


@dataclass
class Draw:
    """Who reads what already, and what is added; every choice follows from the seed and what is on record."""

    seed: int
    outputs: Sequence[Output]
    readers: Sequence[Person]
    closeness: Closeness
    people: dict[int, list[int]]
    readers_of: dict[int, set[int]]
    load: Counter[int]
    fresh: list[tuple[int, int, Reason]] = field(default_factory=list)

    @classmethod
    def of(cls, plan: ReadingPlan, stage: Stage) -> "Draw":
        program = stage.cohort.program
        outputs = list(Output.objects.standing().released().filter(stage=stage).order_by("pk"))
        readers = Person.objects.filter(program=program, kind=Person.Kind.HUMAN).active_as(Role.MENTOR)
        given = Assignment.objects.standing().different_readers().filter(stage=stage)
        rated = Rating.objects.different_readers().filter(output__stage=stage, retracted_at=None)
        readers_of: dict[int, set[int]] = {output.pk: set() for output in outputs}
        known = (*given.values_list("output", "reader"), *rated.values_list("output", "rater"))
        for output, reader in known:
            readers_of.setdefault(output, set()).add(reader)
        people: dict[int, list[int]] = {}
        credited = Credit.objects.filter(output__in=outputs, share__gt=0).order_by("output", "person")
        for output, person in credited.values_list("output", "person").distinct():
            people.setdefault(person, []).append(output)
        return cls(
            seed=plan.seed,
            outputs=outputs,
            readers=list(readers.order_by("pk")),
            closeness=Closeness.of(program, outputs=outputs),
            people=people,
            readers_of=readers_of,
            load=Counter(reader for known in readers_of.values() for reader in known),
        )

    def lot(self, *names: object) -> float:
        """From 0 to 1, the same whenever it is drawn for the same thing."""
        return random.Random(f"{self.seed}:{':'.join(map(str, names))}").random()

    def serve_everybody(self, readers_each: int) -> None:
        """Rounds, so that nobody gets a third reader before everybody has a second."""
        by_pk = {output.pk: output for output in self.outputs}
        for wanted in range(1, readers_each + 1):
            for person in sorted(self.people, key=lambda person: self.lot("person", person)):
                own = [by_pk[output] for output in self.people[person]]
                known = set().union(*(self.readers_of[output.pk] for output in own))
                if len(known) < wanted:
                    self.give_one_of(own, known, Reason.FLOOR)

    def serve_samples(self, samples: set[int]) -> None:
        for output in self.outputs:
            for reader in self.readers if output.pk in samples else ():
                if self.is_free(output, reader):
                    self.give(output, reader, Reason.SAMPLE)

    def serve_second_readers(self, share: float) -> None:
        """One more reader than else for each piece that the lot falls on, once."""
        drawn = [output for output in self.outputs if self.lot("second", output.public_id) < share]
        had = Assignment.objects.standing().filter(output__in=drawn, reason=Reason.SECOND)
        served = set(had.values_list("output", flat=True))
        for output in drawn:
            if output.pk not in served:
                self.give_one_of([output], set(), Reason.SECOND)

    def give_one_of(self, outputs: Iterable[Output], known: set[int], reason: Reason) -> None:
        """The piece with the fewest readers, to whoever has the fewest pieces; ties are decided by lot."""
        free = [
            (
                len(self.readers_of[output.pk]),
                self.load[reader.pk],
                self.lot(output.public_id, reader.public_id),
                output,
                reader,
            )
            for output in outputs
            for reader in self.readers
            if reader.pk not in known and self.is_free(output, reader)
        ]
        if free:
            *_, output, reader = min(free, key=lambda choice: choice[:3])
            self.give(output, reader, reason)

    def is_free(self, output: Output, reader: Person) -> bool:
        return reader.pk not in self.readers_of[output.pk] and self.closeness.allows(output, reader)

    def give(self, output: Output, reader: Person, reason: Reason) -> None:
        self.readers_of[output.pk].add(reader.pk)
        self.load[reader.pk] += 1
        self.fresh.append((output.pk, reader.pk, reason))


def in_order(fresh: list[tuple[int, int, Reason]], plan: ReadingPlan, stage: Stage) -> list[Assignment]:
    """Each reader's new pieces shuffled, what a person needs first, after everything they were given before."""
    last = Assignment.objects.filter(stage=stage).order_by().values_list("reader").annotate(Max("position"))
    places = Counter(dict(last))
    lots = {
        (output, reader): random.Random(f"{plan.seed}:order:{reader}:{output}").random()
        for output, reader, _ in fresh
    }
    rows = []
    for output, reader, reason in sorted(
        fresh, key=lambda row: (row[1], row[2] != Reason.FLOOR, lots[row[0], row[1]])
    ):
        places[reader] += 1
        rows.append(
            Assignment(
                output_id=output, reader_id=reader, stage=stage, position=places[reader], reason=reason
            )
        )
    return rows
