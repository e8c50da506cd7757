"""What must hold in the database as a whole, each a query for the rows that break it.

Rules within one row or one table are constraints; here is what spans tables. Those that hold after every transaction
are asked after every test; those that give a worker time to act first are asked by the nightly check alone.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Now

from tracker.cohorts.models import Enrollment
from tracker.decisions.models import Appeal, Proposal, StageDecision
from tracker.estimates.models import Fit, FitRequest, Release
from tracker.estimates.refresh import CHANGES
from tracker.events.history import Tracked
from tracker.events.models import Consumer, Delivery, Event
from tracker.grading.models import Measurement, Run
from tracker.projects.models import Credit, Output, ReleaseReview, StatedShare, TeamMember
from tracker.projects.models.shares import SHARE_TOLERANCE
from tracker.ratings.models import Rating, Score

logger = logging.getLogger(__name__)
NIGHT_BEGINS_AT_HOUR = 3
# By then every worker, sweep and tick has had its turn many times over.
TIME_TO_ACT = timedelta(minutes=30)
EXAMPLES_SHOWN = 5
Rows = QuerySet[Any, Any]


@dataclass(frozen=True)
class Invariant:
    """``broken`` asks for the rows that break it; the sentence says what they are and what to do."""

    name: str
    sentence: str
    broken: Callable[[], Rows]
    holds_at_once: bool = True


INVARIANTS: dict[str, Invariant] = {}
# What the database itself refuses at any time, by the name of the constraint.
BY_CONSTRAINT = {
    "one standing rating per reader and output": "one_standing_rating_per_reader_and_output",
    "one open run for each submission": "one_open_run_per_submission",
    "one value per run, metric and slice": "one_value_per_run_metric_and_slice",
    "a run is leased exactly while it runs": "a_run_is_leased_exactly_while_it_runs",
    "one current fit in a program": "one_current_fit_in_a_program",
    "nobody is ended by silence": "nobody_is_ended_by_silence",
    "a decision has reasons": "a_decision_has_reasons",
    "no end without a person": "only_a_person_ends",
    "no end without a second reader": "an_end_takes_effect_with_a_second_reader",
    "no end before its appeal is over": "an_end_takes_effect_after_its_appeal",
    "no decision before a leaning": "whoever_decides_says_first_and_forecasts",
    "one standing decision per person and stage": "one_standing_decision_per_person_and_stage",
}


def invariant(sentence: str, *, holds_at_once: bool = True) -> Callable[[Callable[[], Rows]], None]:
    def register(broken: Callable[[], Rows]) -> None:
        name = broken.__name__.replace("_", "-")
        INVARIANTS[name] = Invariant(name, sentence, broken, holds_at_once)

    return register


@invariant("The shares of these outputs' credit do not sum to 1: set their credit again.")
def shares_sum_to_1() -> Rows:
    sums = Credit.objects.order_by().values("output", "kind").annotate(total=Sum("share"))
    return sums.exclude(total__range=(1 - SHARE_TOLERANCE, 1 + SHARE_TOLERANCE)).values_list(
        "output", flat=True
    )


@invariant("The shares of these statements of credit do not sum to 1: the team states them again.")
def stated_shares_sum_to_1() -> Rows:
    sums = StatedShare.objects.order_by().values("statement", "kind").annotate(total=Sum("share"))
    return sums.exclude(total__range=(1 - SHARE_TOLERANCE, 1 + SHARE_TOLERANCE)).values_list(
        "statement", flat=True
    )


@invariant("Nobody is to look at these private outputs: flag them again, so that a review is opened.")
def private_outputs_have_a_review() -> Rows:
    reviews = ReleaseReview.objects.filter(output=OuterRef("pk"))
    return Output.objects.filter(~Exists(reviews), private_at__isnull=False).values_list("pk", flat=True)


@invariant("These outputs are seen by others while their release review is open: flag them again.")
def open_reviews_keep_outputs_private() -> Rows:
    seen = ReleaseReview.objects.unanswered().filter(output__private_at=None)
    return seen.values_list("output", flat=True)


@invariant("These release reviews wait for somebody of the team: a lead asks another.", holds_at_once=False)
def reviewers_are_outside_the_team() -> Rows:
    team = TeamMember.objects.filter(project=OuterRef("output__project"), person=OuterRef("reviewer"))
    return ReleaseReview.objects.unanswered().filter(Exists(team)).values_list("pk", flat=True)


@invariant("These ratings were given while their output was private: retract them.")
def nobody_rates_what_is_private() -> Rows:
    return (
        Rating.objects.standing()
        .filter(output__private_at__lt=F("submitted_at"))
        .values_list("pk", flat=True)
    )


@invariant("These standing outputs are credited to nobody: set their credit.")
def outputs_are_somebodys() -> Rows:
    credited = Credit.objects.filter(output=OuterRef("pk"))
    return Output.objects.standing().filter(~Exists(credited)).values_list("pk", flat=True)


@invariant("These ratings reach into another program: their output, reader and rubric are to be of one.")
def ratings_stay_in_their_program() -> Rows:
    own = Q(output__program=F("program"), rater__program=F("program"), rubric__program=F("program"))
    return Rating.objects.exclude(own).values_list("pk", flat=True)


@invariant("These team members are of another program than their project: end their membership.")
def teams_stay_in_their_program() -> Rows:
    return TeamMember.objects.exclude(person__program=F("project__program")).values_list("pk", flat=True)


@invariant("These people are enrolled in a cohort of another program: end the enrollment.")
def enrollments_stay_in_their_program() -> Rows:
    return Enrollment.objects.exclude(person__program=F("cohort__program")).values_list("pk", flat=True)


@invariant("These outputs belong to another program than their project, or to a stage of another cohort.")
def outputs_stay_in_their_cohort() -> Rows:
    elsewhere = Q(stage__isnull=False) & ~Q(stage__cohort=F("project__cohort"))
    return Output.objects.filter(~Q(program=F("project__program")) | elsewhere).values_list("pk", flat=True)


@invariant("These scores lie off the scale of their criterion: retract their ratings.")
def scores_are_on_their_scale() -> Rows:
    off = Q(value__lt=F("criterion__lowest")) | Q(value__gt=F("criterion__highest"))
    return Score.objects.filter(off).values_list("pk", flat=True)


@invariant("These scores answer a criterion of another rubric than their rating's.")
def scores_answer_their_rubric() -> Rows:
    return Score.objects.exclude(criterion__rubric=F("rating__rubric")).values_list("pk", flat=True)


@invariant(
    "These releases stand while the reading of their stage is open: close the reading.", holds_at_once=False
)
def released_after_the_reading() -> Rows:
    return Release.objects.filter(stage__reading_closes_at__gt=F("released_at")).values_list("pk", flat=True)


@invariant("These releases show the fit of another program.")
def releases_stay_in_their_program() -> Rows:
    return Release.objects.exclude(fit__program=F("stage__cohort__program")).values_list("pk", flat=True)


@invariant("These decisions rest on a leaning or proposal about somebody else, or by another decider.")
def decisions_follow_their_own_leaning() -> Rows:
    own = Q(
        leaning__enrollment=F("enrollment"),
        leaning__stage=F("stage"),
        leaning__decider=F("decider"),
        proposal__leaning=F("leaning"),
    )
    return StageDecision.objects.filter(origin="person").exclude(own).values_list("pk", flat=True)


@invariant(
    "These proposals call a gate passed without a rule, a fit, or as many different readers as its rule asks for."
)
def no_gate_is_passed_without_evidence() -> Rows:
    passed = Proposal.objects.filter(answer__in=("clear_yes", "clear_no"))
    groundless = Q(rule=None) | Q(fit=None) | Q(readers__lt=F("rule__floor"))
    return passed.filter(groundless).values_list("pk", flat=True)


@invariant("These appeals name others than who decided and who seconded: one of these may have heard them.")
def appeals_know_who_had_a_part() -> Rows:
    same = Q(decided_by=F("decision__decider"), seconded_by=F("decision__second_reader"))
    return Appeal.objects.exclude(same).values_list("pk", flat=True)


@invariant("Runs that have not succeeded have measurements: none of them may count.")
def only_finished_runs_measure() -> Rows:
    return Measurement.objects.exclude(run__state=Run.State.SUCCEEDED).values_list("pk", flat=True)


@invariant("These fits are older than what is known, and nothing says so: ask for a fit.")
def no_estimate_is_older_than_its_data_without_a_mark() -> Rows:
    newer = Rating.objects.standing().filter(
        program=OuterRef("program"), submitted_at__gt=OuterRef("created_at")
    )
    return unmarked().filter(Exists(newer)).values_list("pk", flat=True)


@invariant(
    "These fits are older than what was measured or taken back, and nothing says so: ask for a fit.",
    holds_at_once=False,
)
def no_estimate_counts_what_was_taken_back() -> Rows:
    retracted = Rating.objects.filter(
        program=OuterRef("program"),
        retracted_at__gt=OuterRef("created_at"),
        submitted_at__lt=OuterRef("created_at"),
    )
    measured = Measurement.objects.standing().filter(
        run__submission__program=OuterRef("program"), run__ended_at__gt=OuterRef("created_at")
    )
    return unmarked().filter(Exists(retracted) | Exists(measured)).values_list("pk", flat=True)


def unmarked() -> QuerySet[Fit]:
    """Fits shown as the newest. Marks are one on the fit, an open request, a failed one, and an event on its way."""
    program = {"program": OuterRef("program")}
    marked = FitRequest.objects.filter(**program).filter(
        Q(done_at=None, failed_at=None) | Q(failed_at__gte=OuterRef("created_at"))
    )
    coming = untaken().filter(kind__in=CHANGES, program=OuterRef("program__public_id"))
    return Fit.objects.current().filter(~Exists(marked), ~Exists(coming), stale_at=None)


@invariant("These runs' workers are gone and nobody took them over: run manage.py reap.", holds_at_once=False)
def no_run_without_a_successor() -> Rows:
    return Run.objects.filter(state=Run.State.RUNNING, lease_ends_at__lt=Now() - TIME_TO_ACT).values_list(
        "pk", flat=True
    )


@invariant(
    "These submissions passed a phase and the next was not opened: grade them again.", holds_at_once=False
)
def no_submission_stands_still() -> Rows:
    newest = Run.objects.filter(submission=OuterRef("submission"), pk__gt=OuterRef("pk"))
    passed = Run.objects.filter(state=Run.State.SUCCEEDED, ended_at__lt=Now() - TIME_TO_ACT)
    unheld = passed.filter(submission__held_at=None, submission__is_check_only=False)
    stuck = unheld.exclude(phase=Run.Phase.THOROUGH).filter(~Exists(newest))
    return stuck.values_list("submission", flat=True)


@invariant("These fits were leased and left: run manage.py reap.", holds_at_once=False)
def no_fit_is_left_behind() -> Rows:
    return FitRequest.objects.filter(lease_ends_at__lt=Now() - TIME_TO_ACT).values_list("pk", flat=True)


@invariant("These events have waited for a day: start a worker or manage.py tick.", holds_at_once=False)
def events_are_taken() -> Rows:
    return untaken().filter(created_at__lt=Now() - timedelta(days=1)).values_list("pk", flat=True)


def untaken() -> QuerySet[Event]:
    """Events on their way to the estimates."""
    taken = Delivery.objects.filter(event=OuterRef("pk"), consumer__name="estimates")
    settled = Consumer.objects.filter(name="estimates").values("settled_to")[:1]
    return Event.objects.filter(~Exists(taken), pk__gt=Coalesce(Subquery(settled), 0))


def history_of(model: Any) -> Callable[[], Rows]:
    """Rows that nothing is kept of: they were made past the model's QuerySet."""

    def broken() -> Rows:
        kept = model.history.model.objects.filter(id=OuterRef("pk"))
        rows: Rows = model._default_manager.order_by().filter(~Exists(kept)).values_list("pk", flat=True)
        return rows

    return broken


def every_change_is_kept() -> Iterator[Invariant]:
    for model in apps.get_models():
        if issubclass(model, Tracked):
            name = f"{model._meta.model_name}-history-begins-with-the-row"
            sentence = "Nothing is kept of how these came to be: run manage.py populate_history --auto."
            yield Invariant(name, sentence, history_of(model))


@cache
def invariants() -> tuple[Invariant, ...]:
    return (*INVARIANTS.values(), *every_change_is_kept())


@cache
def one_question(vendor: str) -> tuple[str, tuple[Any, ...]]:
    """All that hold at once as one statement that answers with the names of the broken: it costs one query."""
    asked, values = [], []
    for number, kept in enumerate(invariants()):
        if kept.holds_at_once:
            sql, params = kept.broken().query.get_compiler(connection=connection).as_sql()
            asked.append(f"SELECT {number} WHERE EXISTS ({sql})")
            values += params
    return " UNION ALL ".join(asked), tuple(values)


def broken_at_once() -> list[Invariant]:
    """Which of those that hold after every transaction do not hold now."""
    question, values = one_question(connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return [invariants()[number] for (number,) in cursor.fetchall()]


@dataclass(frozen=True)
class Breach:
    """An invariant that does not hold, with the first rows that break it."""

    kept: Invariant
    rows: tuple[Any, ...]

    def __str__(self) -> str:
        named = ", ".join(map(str, self.rows[:EXAMPLES_SHOWN]))
        more = ", …" if len(self.rows) > EXAMPLES_SHOWN else ""
        return f"{self.kept.name}: {self.kept.sentence} (rows {named}{more})"


def breaches() -> list[Breach]:
    """Every invariant asked for its rows."""
    asked = ((kept, tuple(kept.broken()[: EXAMPLES_SHOWN + 1])) for kept in invariants())
    return [Breach(kept, rows) for kept, rows in asked if rows]


def check_tonight() -> list[Breach]:
    """The nightly check: its result is an event, and what does not hold is an error in the operators' log."""
    found = breaches()
    for breach in found:
        logger.error("An invariant does not hold: %s", breach)
    Event.objects.write("invariants.checked", broken=[breach.kept.name for breach in found])
    return found


def is_due(now: datetime) -> bool:
    """Once a night, whichever process comes first."""
    begins = now.replace(hour=NIGHT_BEGINS_AT_HOUR, minute=0, second=0, microsecond=0)
    if now < begins:
        begins -= timedelta(days=1)
    return not Event.objects.filter(kind="invariants.checked", created_at__gte=begins).exists()
