"""Each invariant is silent where all is well, and speaks up for one planted row."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import (
    make_cohort,
    make_output,
    make_person,
    make_project,
    make_rating,
    make_rubric,
    make_stage,
    make_submission,
    make_thorough_run,
)
from tests.tracker.api.test_estimates import make_fit
from tests.tracker.gate_world import UNLIKELY, appealed, decide, fix_gate, make_chances, second
from tracker.cohorts.models import Enrollment
from tracker.decisions.models import Appeal, Proposal, StageDecision
from tracker.estimates.models import Fit, FitRequest, Release
from tracker.events.models import Event
from tracker.grading.models import Measurement, Run
from tracker.ops.invariants import (
    BY_CONSTRAINT,
    INVARIANTS,
    breaches,
    broken_at_once,
    check_tonight,
    invariants,
    is_due,
)
from tracker.ops.tick import Tick
from tracker.people.models import Person, Role
from tracker.projects.models import Credit, CreditStatement, Output, StatedShare, TeamMember
from tracker.ratings.models import Criterion, Rating, Score

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(days=3)


def past_the_rules(rows: QuerySet, **values) -> None:
    """As somebody with a database client would."""
    assert QuerySet(rows.model).filter(pk__in=list(rows.values_list("pk", flat=True))).update(**values)


@pytest.fixture
def rating(cohort) -> Rating:
    return make_rating(make_output(make_project(cohort), stage=make_stage(cohort)))


def credit_is_lost(rating: Rating) -> None:
    past_the_rules(Credit.objects.filter(output=rating.output), share=0.5)


def a_stated_share_is_lost(rating: Rating) -> None:
    project = rating.output.project
    author = project.authors().get()
    CreditStatement.objects.state(project, {"idea": {author: 1.0}}, by=author)
    past_the_rules(StatedShare.objects.all(), share=0.5)


def an_output_is_private_without_a_review(rating: Rating) -> None:
    past_the_rules(Output.objects.filter(pk=make_output(rating.output.project).pk), private_at=timezone.now())


def an_output_under_review_is_shown(rating: Rating) -> None:
    output = make_output(rating.output.project, hazards=["misuse"])
    past_the_rules(Output.objects.filter(pk=output.pk), private_at=None)


def a_reviewer_joins_the_team(rating: Rating) -> None:
    output = make_output(rating.output.project, hazards=["misuse"])
    past_the_rules(output.reviews.all(), reviewer=output.project.authors().get())


def a_private_output_is_rated(rating: Rating) -> None:
    rating.output.flag(["misuse"])
    past_the_rules(Rating.objects.filter(pk=rating.pk), submitted_at=timezone.now() + timedelta(hours=1))


def nobody_is_credited(rating: Rating) -> None:
    rating.output.credits.all().delete()


def a_reader_comes_from_elsewhere(rating: Rating) -> None:
    past_the_rules(Rating.objects.filter(pk=rating.pk), rater=make_person(Role.MENTOR))


def a_team_takes_somebody_from_elsewhere(rating: Rating) -> None:
    TeamMember.objects.create(project=rating.output.project, person=make_person(Role.MENTEE))


def a_cohort_takes_somebody_from_elsewhere(rating: Rating) -> None:
    Enrollment.objects.create(cohort=make_cohort(rating.program), person=make_person(Role.MENTEE))


def an_output_moves_to_another_cohort(rating: Rating) -> None:
    past_the_rules(Output.objects.filter(pk=rating.output.pk), stage=make_stage())


def a_score_leaves_its_scale(rating: Rating) -> None:
    past_the_rules(Score.objects.filter(rating=rating), value=99)


def a_score_answers_another_rubric(rating: Rating) -> None:
    other = make_rubric(make_person().program)
    past_the_rules(
        Score.objects.filter(rating=rating)[:1], criterion=Criterion.objects.filter(rubric=other)[0]
    )


def a_reading_opens_again(rating: Rating) -> None:
    release = Release(stage=rating.output.stage, fit=make_fit(rating.program), released_by=rating.rater)
    release.save()


def another_programs_fit_is_released(rating: Rating) -> None:
    stage = make_stage(make_cohort(rating.program), reading_closes_at=timezone.now() - timedelta(hours=1))
    Release.objects.create(stage=stage, fit=make_fit(make_person().program), released_by=rating.rater)


def a_run_that_failed_has_measured(rating: Rating) -> None:
    run = make_submission(rating.output.project).runs.get()
    Measurement.objects.create(run=run, metric="accuracy", value=0.5, n=10, method="exact")


def a_rating_was_never_heard_of(rating: Rating) -> None:
    make_fit(rating.program)
    past_the_rules(Fit.objects.all(), created_at=timezone.now() - LONG_AGO)
    Event.objects.all().delete()


def a_retraction_was_never_heard_of(rating: Rating) -> None:
    make_fit(rating.program)
    rating.retract(reason="A slip.")
    Event.objects.all().delete()


def a_worker_left_its_run(rating: Rating) -> None:
    run = make_submission(rating.output.project).runs.get()
    values = {"owner": run.public_id, "lease_ends_at": timezone.now() - LONG_AGO}
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, **values)


def a_next_phase_was_not_opened(rating: Rating) -> None:
    run = make_submission(rating.output.project).runs.get()
    Run.objects.filter(pk=run.pk).update(state=Run.State.SUCCEEDED, ended_at=timezone.now() - LONG_AGO)


def a_fit_was_left(rating: Rating) -> None:
    values = {"owner": rating.public_id, "lease_ends_at": timezone.now() - LONG_AGO}
    FitRequest.objects.create(program=rating.program, **values)


def an_event_was_not_taken(rating: Rating) -> None:
    Event.objects.update(created_at=timezone.now() - LONG_AGO)


def ended(rating: Rating) -> StageDecision:
    """An end, decided by one and seconded by another."""
    stage, program = rating.output.stage, rating.program
    lead, reader = make_person(Role.LEAD, program=program), make_person(Role.COMMITTEE, program=program)
    fix_gate(stage, lead, reason="Late.")
    author = rating.output.project.authors().get()
    make_chances(stage, {author: UNLIKELY})
    return second(decide(stage, author, lead, "end"), reader)


def a_decision_changes_hands(rating: Rating) -> None:
    decision = ended(rating)
    past_the_rules(
        StageDecision.objects.all(), decider=make_person(Role.LEAD, program=decision.person.program)
    )


def a_gate_is_passed_on_one_reader(rating: Rating) -> None:
    proposal = ended(rating).proposal
    proposal.pk, proposal.public_id, proposal.readers = None, uuid4(), 2
    QuerySet(Proposal).bulk_create([proposal])


def an_appeal_forgets_who_seconded(rating: Rating) -> None:
    past_the_rules(Appeal.objects.filter(pk=appealed(ended(rating)).pk), seconded_by=rating.rater)


PLANTED: dict[str, Callable[[Rating], None]] = {
    "shares-sum-to-1": credit_is_lost,
    "stated-shares-sum-to-1": a_stated_share_is_lost,
    "private-outputs-have-a-review": an_output_is_private_without_a_review,
    "open-reviews-keep-outputs-private": an_output_under_review_is_shown,
    "reviewers-are-outside-the-team": a_reviewer_joins_the_team,
    "nobody-rates-what-is-private": a_private_output_is_rated,
    "outputs-are-somebodys": nobody_is_credited,
    "ratings-stay-in-their-program": a_reader_comes_from_elsewhere,
    "teams-stay-in-their-program": a_team_takes_somebody_from_elsewhere,
    "enrollments-stay-in-their-program": a_cohort_takes_somebody_from_elsewhere,
    "outputs-stay-in-their-cohort": an_output_moves_to_another_cohort,
    "scores-are-on-their-scale": a_score_leaves_its_scale,
    "scores-answer-their-rubric": a_score_answers_another_rubric,
    "released-after-the-reading": a_reading_opens_again,
    "releases-stay-in-their-program": another_programs_fit_is_released,
    "decisions-follow-their-own-leaning": a_decision_changes_hands,
    "no-gate-is-passed-without-evidence": a_gate_is_passed_on_one_reader,
    "appeals-know-who-had-a-part": an_appeal_forgets_who_seconded,
    "only-finished-runs-measure": a_run_that_failed_has_measured,
    "no-estimate-is-older-than-its-data-without-a-mark": a_rating_was_never_heard_of,
    "no-estimate-counts-what-was-taken-back": a_retraction_was_never_heard_of,
    "no-run-without-a-successor": a_worker_left_its_run,
    "no-submission-stands-still": a_next_phase_was_not_opened,
    "no-fit-is-left-behind": a_fit_was_left,
    "events-are-taken": an_event_was_not_taken,
}


def test_every_invariant_has_a_way_to_break_it():
    assert set(PLANTED) == set(INVARIANTS)


@pytest.mark.plants
@pytest.mark.parametrize("name", PLANTED)
def test_it_speaks_up_for_a_planted_row(name, rating):
    assert name not in {breach.kept.name for breach in breaches()}

    PLANTED[name](rating)

    found = {breach.kept.name: breach for breach in breaches()}
    assert name in found
    assert (name in {kept.name for kept in broken_at_once()}) == INVARIANTS[name].holds_at_once


@pytest.mark.plants
@pytest.mark.parametrize("missing", ["rule", "fit"])
def test_a_gate_is_passed_by_a_rule_and_a_fit(rating, missing):
    ended(rating)
    assert "no-gate-is-passed-without-evidence" not in {kept.name for kept in broken_at_once()}

    proposal = Proposal.objects.get()
    proposal.pk, proposal.public_id = None, uuid4()
    setattr(proposal, missing, None)
    QuerySet(Proposal).bulk_create([proposal])

    assert "no-gate-is-passed-without-evidence" in {kept.name for kept in broken_at_once()}


@pytest.mark.plants
def test_a_measurement_nobody_heard_of_is_found_unless_the_fit_says_so(rating):
    make_fit(rating.program)
    run = make_thorough_run(make_submission(rating.output.project))
    Measurement.objects.create(run=run, metric="accuracy", value=0.5, n=10, method="exact")
    Event.objects.all().delete()
    assert "no-estimate-counts-what-was-taken-back" in {breach.kept.name for breach in breaches()}

    Fit.objects.current().mark_stale()

    assert "no-estimate-counts-what-was-taken-back" not in {breach.kept.name for breach in breaches()}


@pytest.mark.plants
def test_a_row_made_past_its_queryset_is_found(program):
    QuerySet(Person).bulk_create([Person(program=program, name="Ghost")])

    assert [kept.name for kept in broken_at_once()] == ["person-history-begins-with-the-row"]


def test_what_the_database_itself_refuses_is_there():
    names = {constraint.name for model in apps.get_models() for constraint in model._meta.constraints}

    assert set(BY_CONSTRAINT.values()) <= names


def test_all_that_hold_at_once_cost_one_query(rating):
    with CaptureQueriesContext(connection) as queries:
        assert broken_at_once() == []

    assert len(queries) == 1


def test_names_are_unique_and_sentences_say_something():
    names = [kept.name for kept in invariants()]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Z].+\.", kept.sentence) for kept in invariants())


class TestTheCommand:
    def test_it_says_that_all_is_well(self, rating):
        out = StringIO()
        call_command("check_invariants", stdout=out)

        assert "invariants hold" in out.getvalue()

    @pytest.mark.plants
    def test_it_fails_with_a_list(self, rating):
        credit_is_lost(rating)
        told = StringIO()

        with pytest.raises(CommandError, match="1 of"):
            call_command("check_invariants", stderr=told)

        assert "shares-sum-to-1: The shares of these outputs' credit" in told.getvalue()
        assert str(rating.output.pk) in told.getvalue()


class TestTheNight:
    @pytest.mark.plants
    def test_it_is_an_event_and_an_error_in_the_log(self, rating, caplog):
        credit_is_lost(rating)

        check_tonight()

        assert Event.objects.get(kind="invariants.checked").payload == {"broken": ["shares-sum-to-1"]}
        assert "shares-sum-to-1" in caplog.text

    def test_it_is_due_once_a_night(self, rating):
        now = timezone.now()

        assert is_due(now)
        check_tonight()
        assert not is_due(now)
        assert is_due(now + timedelta(days=1, hours=1))

    def test_the_tick_looks_after_it(self, rating, quiet_bell):
        rounds = Tick()

        rounds.round(0.0)
        rounds.round(1.0)

        assert Event.objects.filter(kind="invariants.checked").count() == 1
