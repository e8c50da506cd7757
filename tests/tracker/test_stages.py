"""A stage's dates and what it takes to go on."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.factories import make_stage
from tracker.cohorts.models import Stage
from tracker.errors import RuleBroken

TODAY = timezone.localdate()
FAR = TODAY + timedelta(days=60)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"decisions_due_on": FAR}, "decisions_are_due_before_people_must_know"),
        ({"commitments_lapse_on": TODAY}, "people_know_before_other_commitments_lapse"),
        ({"places": 3, "bar": 0.5}, "a_stage_has_places_or_a_bar_not_both"),
        ({"bar": float("inf")}, "a_bar_is_finite"),
        ({"default_weeks": 0}, "an_extension_by_silence_has_weeks"),
        ({"planned_readers": 0}, "a_stage_plans_with_readers"),
    ],
)
def test_the_database_keeps_its_rules(cohort, values, rule):
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        make_stage(cohort, **values)

    assert make_stage(cohort, commitments_lapse_on=FAR, bar=0.5).bar == 0.5


@pytest.mark.parametrize(("values", "has"), [({}, False), ({"places": 3}, True), ({"bar": 0.0}, True)])
def test_it_has_a_gate_where_not_everybody_can_go_on(cohort, values, has):
    assert make_stage(cohort, **values).has_a_gate is has


def test_it_aims_for_places_or_a_bar(stage):
    stage.aim_for(places=None, bar=0.4, planned_readers=4)
    with pytest.raises(RuleBroken, match="not both"):
        stage.aim_for(places=2, bar=0.4, planned_readers=4)

    kept = Stage.objects.get()
    assert (kept.places, kept.bar, kept.planned_readers) == (None, 0.4, 4)


def test_its_reading_closes_before_its_decisions_are_due(stage):
    opens, closes = stage.reading_opens_at, stage.reading_closes_at

    with pytest.raises(RuleBroken, match="due after the reading has closed"):
        stage.move_reading(opens_at=opens, closes_at=closes + timedelta(days=30))

    stage.move_reading(opens_at=opens, closes_at=closes + timedelta(days=1))
    assert Stage.objects.get().reading_closes_at == closes + timedelta(days=1)


def test_past_its_decisions_a_reading_opens_again_for_more_evidence(stage):
    past = TODAY - timedelta(days=3)
    Stage.objects.update(decisions_due_on=past)
    stage.refresh_from_db()

    stage.move_reading(opens_at=stage.reading_opens_at, closes_at=stage.reading_closes_at)

    assert Stage.objects.get().is_reading
