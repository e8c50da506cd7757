"""A gate's rule is fixed before results are seen, and never changes in silence."""

import hashlib

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.factories import (
    make_mentee,
    make_output,
    make_person,
    make_project,
    make_rating,
    make_submission,
)
from tests.tracker.gate_world import fix_gate
from tracker.cohorts.models import Stage
from tracker.decisions.middle import middle_of, spreads_of, usual_pieces
from tracker.decisions.models import GateRule
from tracker.errors import RuleBroken
from tracker.estimates.models import FitRequest
from tracker.estimates.refresh import refresh_estimates, take_event
from tracker.events.delivery import deliver_to
from tracker.events.models import Event
from tracker.grading.models import Measurement, Run
from tracker.people.models import Role

pytestmark = pytest.mark.django_db


def test_a_lead_fixes_it_and_the_stage_aims_for_it(stage, lead):
    rule = fix_gate(stage, lead, places=4, planned_readers=5)

    assert (rule.version, rule.is_after_results) == (1, False)
    stage = Stage.objects.get()
    assert (stage.places, stage.bar, stage.planned_readers) == (4, None, 5)
    assert Event.objects.filter(kind="gate.fixed", actor=lead.public_id).count() == 1


@pytest.mark.parametrize("role", [Role.COMMITTEE, Role.MENTOR, Role.RESEARCH_MANAGER])
def test_nobody_else_fixes_it(stage, role):
    with pytest.raises(RuleBroken, match="only a lead fixes"):
        fix_gate(stage, make_person(role, program=stage.cohort.program))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"bar": 0.4}, "one of them"),
        ({"places": None}, "one of them"),
        ({"places": None, "bar": 1e9}, "bar in points"),
        ({"places": None, "bar": float("nan")}, "bar in points"),
        ({"yes_from": 0.2}, "Clear yes starts above"),
        ({"no_to": 0.0}, "Clear yes starts above"),
    ],
)
def test_it_refuses_what_is_no_gate(stage, lead, values, says):
    with pytest.raises(RuleBroken, match=says):
        fix_gate(stage, lead, **values)


def test_another_version_says_why_and_the_first_stays(stage, lead):
    fix_gate(stage, lead)
    with pytest.raises(RuleBroken, match="say why it changes"):
        fix_gate(stage, lead, places=4)

    second = fix_gate(stage, lead, places=4, reason="A fourth place was funded.")

    assert (second.version, second.is_after_results) == (2, False)
    assert GateRule.objects.standing().get() == second
    assert GateRule.objects.count() == 2


@pytest.mark.parametrize("result", ["rating", "measurement"])
def test_once_results_could_be_seen_it_says_so(stage, lead, result):
    """A lead sees a single rating, before any fit rests on it."""
    fix_gate(stage, lead)
    project = make_project(stage.cohort)
    if result == "rating":
        make_rating(make_output(project, stage=stage))
    else:
        run = make_submission(project).runs.get()
        Measurement.objects.bulk_create(
            [Measurement(run=run, metric="accuracy", value=0.5, n=10, method="exact")]
        )
        Run.objects.update(state=Run.State.SUCCEEDED, ended_at=timezone.now())
    with pytest.raises(RuleBroken, match="Results could be seen already"):
        fix_gate(stage, lead, places=2)

    late = fix_gate(stage, lead, places=2, reason="One place was withdrawn.")

    assert late.is_after_results


def test_the_first_rule_too_says_when_it_comes_late(rated, lead):
    with pytest.raises(RuleBroken, match="Results could be seen already"):
        fix_gate(rated, lead)

    assert fix_gate(rated, lead, reason="Forgotten.").is_after_results


def test_fixing_it_asks_for_a_fit(rated, lead):
    fix_gate(rated, lead, reason="Forgotten.")
    FitRequest.objects.all().delete()

    deliver_to("estimates", take_event)

    assert FitRequest.objects.waiting().exists()


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"places": None}, "a_gate_has_places_or_a_bar"),
        ({"no_to": 0.8}, "a_gate_leaves_a_middle"),
        ({"floor": 1}, "a_gate_asks_for_two_different_readers_or_more"),
        ({"is_after_results": True}, "a_gate_is_changed_with_a_reason"),
        ({"version": 2}, "a_gate_is_changed_with_a_reason"),
        ({"middle": "lottery"}, "a_lottery_is_bound_beforehand"),
    ],
)
def test_the_database_keeps_its_rules(stage, lead, values, rule):
    base = {"stage": stage, "set_by": lead, "version": 1, "places": 3}

    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        GateRule.objects.create(**{**base, **values})

    assert GateRule.objects.create(**base).version == 1


@pytest.mark.parametrize("values", [{"places": 5}, {"yes_from": 0.6}, {"middle": "leads_choice"}])
def test_the_database_lets_no_version_change(stage, lead, values):
    fix_gate(stage, lead)

    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        GateRule.objects.update(**values)


def test_a_lotterys_seed_is_bound_beforehand_and_shown_after_the_draw(stage, lead):
    rule = fix_gate(stage, lead, middle="lottery")

    assert rule.commitment == hashlib.sha256(rule.seed.encode()).hexdigest()
    assert rule.revealed_seed == ""


def test_people_know_by_what_they_are_judged(stage, lead, stranger):
    fix_gate(stage, lead)
    mentee = make_mentee(stage.cohort)

    assert GateRule.objects.visible_to(mentee.user).exists()
    assert not GateRule.objects.visible_to(stranger).exists()


class TestTheMiddle:
    def test_it_is_simulated_at_the_planned_number_of_readers(self, stage, lead):
        for _ in range(8):
            make_mentee(stage.cohort)
        gate = fix_gate(stage, lead, places=4).gate

        few = middle_of(stage, gate, readers=2, pieces=1)
        many = middle_of(stage, gate, readers=4, pieces=2)

        assert few is not None
        assert many is not None
        assert few.shares["too_early"].value == 1
        assert many.shares["too_early"].value == 0
        assert many.shares["too_close"].error > 0

    def test_nobody_to_simulate_is_said(self, stage, lead):
        assert middle_of(stage, fix_gate(stage, lead).gate, readers=3, pieces=1) is None

    def test_the_programs_own_spreads_replace_published_ones(self, rated):
        published = spreads_of(rated.cohort.program)
        refresh_estimates(rated.cohort.program)

        own = dict(spreads_of(rated.cohort.program))

        assert dict(published) != own
        assert own["person"] > 0
        assert own["noise"] > 0
        assert usual_pieces(rated) == 2
