"""What becomes of people about whom nobody decided in time: never an end."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from tracker.cohorts.models import Enrollment, Stage
from tracker.decisions.models import Outcome, StageDecision
from tracker.decisions.models.decisions import SECOND_READING_WINDOW
from tracker.errors import RuleBroken

logger = logging.getLogger(__name__)

# Whoever was about to be ended and was not is decided about by a person first, if one comes in this time.
TIME_TO_DECIDE_AGAIN = timedelta(days=7)


def keep_dates() -> int:
    """Apply defaults, let unseconded ends lapse, and give effect to ends whose appeal is over."""
    return apply_defaults() + end_what_is_due() + lapse_what_nobody_seconded()


def apply_defaults() -> int:
    undecided = list(undecided_in_time())
    people = Enrollment.objects.select_related("person", "cohort").in_bulk({one for one, _ in undecided})
    stages = Stage.objects.select_related("cohort__program", "admission_round").in_bulk(
        {stage for _, stage in undecided}
    )
    by_silence = StageDecision.objects.by_silence
    return sum(is_done(partial(by_silence, people[one], stages[stage])) for one, stage in undecided)


def undecided_in_time() -> "QuerySet[Enrollment, tuple[int, int]]":
    """Who is in, with each stage that should have decided about them and did not.

    An admission decides nothing by silence: an application stays open until somebody decides.
    """
    today = timezone.localdate()
    decided = StageDecision.objects.filter(enrollment=OuterRef("pk"), stage=OuterRef("stage_pk"))
    waits = Q(outcome=Outcome.MORE_EVIDENCE, again_on__lt=today)
    undone = Q(replaced_at__gte=timezone.now() - TIME_TO_DECIDE_AGAIN)
    due = Enrollment.objects.active().filter(
        cohort__stages__decisions_due_on__lt=today,
        cohort__stages__decisions_due_on__gte=F("joined_on"),
        cohort__stages__admission_round=None,
        cohort__archived_at=None,
    )
    return (
        due.annotate(stage_pk=F("cohort__stages__pk"))
        .exclude(Exists(decided.standing().exclude(waits)))
        .exclude(Exists(decided.filter(undone).exclude(undone=StageDecision.Undone.DECIDED_AGAIN)))
        .order_by("pk", "stage_pk")
        .values_list("pk", "stage_pk")
    )


def end_what_is_due() -> int:
    """Ends that were seconded and that nobody appealed against in time."""
    due = StageDecision.objects.awaiting_effect().filter(appeal=None, appeal_until__lte=timezone.now())
    return sum(is_done(one.take_effect) for one in with_places(due))


def lapse_what_nobody_seconded() -> int:
    late = timezone.now() - SECOND_READING_WINDOW
    waiting = StageDecision.objects.awaiting_a_second_reader().filter(decided_at__lte=late)
    return sum(is_done(one.lapse) for one in with_places(waiting))


def with_places(decisions: QuerySet[StageDecision]) -> QuerySet[StageDecision]:
    related = ("enrollment__person", "stage__cohort__program", "stage__admission_round", "decider")
    return decisions.select_related(*related)


def is_done(deed: Callable[[], object]) -> bool:
    """Whether it was still to be done; somebody may have come first."""
    try:
        deed()
    except RuleBroken as broken:
        logger.info("Left as it is: %s", broken.message)
        return False
    return True
