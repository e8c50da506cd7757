"""Readers who are too close: to the person they read, or to each other, so that two of them tell less than two.

Closeness is refused where somebody is asked to read and where they rate; teams and conflicts change after that. Every
night what is still to be read is taken from whoever has come too close; what was read already is told to who decides.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from django.utils import timezone

from tracker.cohorts.models import Stage
from tracker.events.models import Event
from tracker.people.models import Person
from tracker.projects.models import TeamMember
from tracker.ratings.handing_out import TOO_CLOSE, hand_out
from tracker.ratings.models import Assignment, Rating, RatingQuerySet, ReadingPlan


@dataclass(frozen=True)
class Near:
    """Of whose work, which readers, and why they tell less than others."""

    person: Person
    readers: tuple[Person, ...]
    reason: str


def near_readers(stage: Stage, ratings: RatingQuerySet) -> list[Near]:
    """Among these ratings of a stage; by the name of whose work was read."""
    standing = ratings.standing().filter(output__stage=stage, output__retracted_at=None)
    found = [*too_close_to_the_person(standing), *close_to_each_other(standing)]
    return sorted(found, key=lambda near: (near.person.name, [reader.name for reader in near.readers]))


def too_close_to_the_person(ratings: RatingQuerySet) -> Iterator[Near]:
    readers = people_read(ratings.too_close())
    known = Person.objects.in_bulk({*readers, *(reader for some in readers.values() for reader in some)})
    for person, some in readers.items():
        for reader in sorted(some):
            yield Near(known[person], (known[reader],), "too close to the person: counts as no reader")


def close_to_each_other(ratings: RatingQuerySet) -> Iterator[Near]:
    """Two who are on one team now, as fellow mentors or as mentor and mentee."""
    readers = people_read(ratings.different_readers())
    everybody = {reader for some in readers.values() for reader in some}
    teams: dict[int, set[int]] = defaultdict(set)
    members = TeamMember.objects.active().filter(person__in=everybody)
    for project, member in members.values_list("project", "person"):
        teams[project].add(member)
    together = {pair for team in teams.values() for pair in combinations(sorted(team), 2)}
    known = Person.objects.in_bulk({*readers, *everybody}) if together else {}
    for person, some in readers.items():
        for one, other in combinations(sorted(some), 2):
            if (one, other) in together:
                yield Near(
                    known[person], (known[one], known[other]), "on one team: not two independent readers"
                )


def people_read(ratings: RatingQuerySet) -> dict[int, set[int]]:
    """By person: who read something of theirs."""
    readers: dict[int, set[int]] = defaultdict(set)
    of_whom = ratings.filter(output__credits__share__gt=0).order_by()
    for person, reader in of_whom.values_list("output__credits__person", "rater").distinct():
        readers[person].add(reader)
    return dict(readers)


def check_closeness() -> int:
    """The nightly check; how many readings were taken back. What was found is an event for each stage."""
    now, today = timezone.now(), timezone.localdate()
    taken_back = 0
    open_stages = Stage.objects.filter(reading_opens_at__lte=now, decisions_due_on__gte=today)
    for stage in open_stages.select_related("cohort__program"):
        count = Assignment.objects.open().filter(stage=stage).too_close().withdraw(TOO_CLOSE)
        near = near_readers(stage, Rating.objects.all())
        if count or near:
            Event.objects.write(
                "closeness.found",
                program=stage.cohort.program.public_id,
                subject=stage.public_id,
                taken_back=count,
                near=len(near),
            )
        taken_back += count
    for plan in ReadingPlan.objects.filter(stage__in=Stage.objects.reading()):
        hand_out(plan)
    return taken_back
