"""What the list of a stage's decisions shows: who is decided about, who is not, and who should be read next."""

from dataclasses import dataclass

from tracker.cohorts.models import Enrollment, Stage
from tracker.decisions.following import Following, following_at
from tracker.decisions.models import Appeal, GateRule, Leaning, StageDecision
from tracker.estimates.models import READERS_BEHIND_A_RELEASE, GateChance
from tracker.people.models import Person, Visitor
from tracker.ratings.models import Rating
from tracker.ratings.nearness import Near, near_readers


@dataclass(frozen=True)
class Row:
    """One person before the gate. No answer is told here: it is shown after a leaning alone.

    ``readers`` is unknown until a rule stands and a fit has counted who read what by it.
    """

    person: Person
    readers: int | None
    floor: int
    decision: StageDecision | None
    has_leant: bool

    @property
    def is_early(self) -> bool:
        return self.readers is not None and self.readers < self.floor


@dataclass(frozen=True)
class Sitting:
    """Everything about a stage's decisions that one decider sees."""

    stage: Stage
    rule: GateRule | None
    rows: list[Row]
    following: list[Following]
    to_second: list[StageDecision]
    appeals: list[Appeal]
    near: list[Near]

    @property
    def read_next(self) -> list[Row]:
        """Those under the floor come before anybody else, whoever has fewest readers first."""
        waiting = [row for row in self.rows if row.decision is None and row.is_early]
        return sorted(waiting, key=lambda row: (row.readers or 0, row.person.name))

    @property
    def undecided(self) -> int:
        return sum(row.decision is None for row in self.rows)

    @property
    def may_draw(self) -> bool:
        rule = self.rule
        return (
            rule is not None
            and rule.middle == GateRule.Middle.LOTTERY
            and rule.places is not None
            and self.stage.has_been_read
            and not hasattr(rule, "lottery")
        )


def sitting_of(stage: Stage, user: Visitor) -> Sitting:
    rule = GateRule.objects.standing().filter(stage=stage).select_related("lottery").first()
    floor = READERS_BEHIND_A_RELEASE if rule is None else rule.floor
    chances = GateChance.objects.current().visible_to(user).filter(stage=stage)
    counted = dict(chances.values_list("person", "readers"))
    nobody = 0 if counted else None
    decisions = StageDecision.objects.visible_to(user).standing().filter(stage=stage)
    decided = {one.enrollment_id: one for one in decisions.select_related("decider")}
    own = Leaning.objects.open().filter(stage=stage, decider__in=Person.objects.of(user))
    leant = set(own.values_list("enrollment", flat=True))
    members = (
        Enrollment.objects.of_stage(stage).besides(user).select_related("person").order_by("person__name")
    )
    return Sitting(
        stage=stage,
        rule=rule,
        rows=[
            Row(one.person, counted.get(one.person_id, nobody), floor, decided.get(one.pk), one.pk in leant)
            for one in members
        ],
        following=following_at(stage, user),
        to_second=list(decisions.awaiting_a_second_reader().select_related("enrollment__person", "decider")),
        appeals=list(
            Appeal.objects.visible_to(user)
            .open()
            .filter(decision__stage=stage)
            .select_related("decision__enrollment__person")
        ),
        near=near_readers(stage, Rating.objects.visible_to(user)),
    )
