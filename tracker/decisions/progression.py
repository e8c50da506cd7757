"""How many went on after the same stage of earlier cohorts: what people are told before they commit."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from evals.statistics.shares import ShareInterval, wilson
from tracker.cohorts.models import Cohort, Stage
from tracker.decisions.models import Outcome, StageDecision

SMALLEST_SHOWN = 5
WENT_ON = Count("pk", filter=Q(outcome=Outcome.GO_ON))


@dataclass(frozen=True)
class Progression:
    """17 of 26 went on. Counts that could tell who it was are hidden from those below a lead."""

    interval: ShareInterval
    is_in_full: bool

    @property
    def is_hidden(self) -> bool:
        return not self.is_in_full and self.interval.of < SMALLEST_SHOWN

    @property
    def few_went_on(self) -> bool:
        return not self.is_in_full and 0 < self.interval.count < SMALLEST_SHOWN

    @property
    def few_did_not(self) -> bool:
        return not self.is_in_full and 0 < self.interval.of - self.interval.count < SMALLEST_SHOWN

    @property
    def few(self) -> int:
        return SMALLEST_SHOWN


def progression_of(stage: Stage, *, in_full: bool = False) -> Progression | None:
    """After stages of the same name, or place where no name is the same, in earlier cohorts of the program."""
    earlier = Stage.objects.filter(
        cohort__program=stage.cohort.program_id, notice_on__lt=timezone.localdate()
    ).exclude(cohort=stage.cohort_id)
    same = earlier.filter(name__iexact=stage.name)
    counted = counts_after(same) or counts_after(earlier.filter(position=stage.position))
    return Progression(wilson(*counted), in_full) if counted else None


def progressions_of(cohort: Cohort) -> list[tuple[Stage, Progression | None]]:
    """The same of every stage of a cohort at once, for who has yet to commit to it."""
    earlier = Q(stage__cohort__program=cohort.program_id, stage__notice_on__lt=timezone.localdate()) & ~Q(
        stage__cohort=cohort
    )
    by_name = tally(earlier, Lower("stage__name"))
    by_position = tally(earlier, F("stage__position"))
    found = []
    for stage in cohort.stages.order_by("position"):
        counted = by_name.get(stage.name.lower()) or by_position.get(stage.position)
        found.append((stage, Progression(wilson(*counted), is_in_full=False) if counted else None))
    return found


def tally(decided_after: Q, key: Any) -> dict[Any, tuple[int, int]]:
    """How many went on of how many, by what their stages have in common."""
    rows = settled().filter(decided_after).annotate(key=key).order_by().values_list("key")
    return {key: (went, of) for key, went, of in rows.annotate(went=WENT_ON, of=Count("pk"))}


def counts_after(stages: QuerySet[Stage]) -> tuple[int, int] | None:
    found = settled().filter(stage__in=stages).aggregate(went=WENT_ON, of=Count("pk"))
    return (found["went"], found["of"]) if found["of"] else None


def settled() -> QuerySet[StageDecision]:
    """What was decided and has taken effect."""
    in_effect = StageDecision.objects.standing().filter(took_effect_at__isnull=False)
    return in_effect.exclude(outcome=Outcome.MORE_EVIDENCE)
