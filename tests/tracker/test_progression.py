"""What people are told of those before them, and what is hidden where few were."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_cohort, make_mentee, make_stage
from tracker.cohorts.models import Stage
from tracker.decisions.models import StageDecision
from tracker.decisions.progression import progression_of, progressions_of

pytestmark = pytest.mark.django_db
PAST = timezone.localdate() - timedelta(days=200)


def past_stage(program, lead, *, went: int, stopped: int, **values) -> Stage:
    """A stage of an earlier cohort, decided."""
    cohort = make_cohort(program)
    stage = make_stage(cohort, **{"name": "Research", "decisions_due_on": PAST, "notice_on": PAST, **values})
    outcomes = ["go_on"] * went + ["extend"] * stopped
    for outcome in outcomes:
        StageDecision.objects.create(
            enrollment=make_mentee(cohort, with_user=False).enrollments.get(),
            stage=stage,
            decider=lead,
            origin="record",
            outcome=outcome,
            weeks=2 if outcome == "extend" else None,
            reasons="As it was.",
            took_effect_at=timezone.now(),
        )
    return stage


@pytest.fixture
def now(cohort) -> Stage:
    return make_stage(cohort, name="Research", position=2)


def test_it_counts_those_who_went_on_with_its_interval(program, lead, now):
    past_stage(program, lead, went=17, stopped=9)

    found = progression_of(now)

    assert found is not None
    assert (found.interval.count, found.interval.of) == (17, 26)
    assert (round(found.interval.low, 2), round(found.interval.high, 2)) == (0.46, 0.81)
    assert (found.is_hidden, found.few_did_not, found.few_went_on) == (False,) * 3


def test_the_same_name_counts_before_the_same_place(program, lead, now):
    past_stage(program, lead, went=6, stopped=6, position=7, name="research")
    past_stage(program, lead, went=1, stopped=9, position=2, name="Other")

    found = progression_of(now)

    assert found is not None
    assert found.interval.of == 12


def test_the_same_place_counts_where_no_name_is_the_same(program, lead, now):
    past_stage(program, lead, went=6, stopped=6, position=2, name="Other")

    assert progression_of(now) is not None


def test_own_cohort_other_programs_and_what_is_not_settled_do_not_count(program, lead, now, stranger):
    past_stage(stranger.persons.get().program, stranger.persons.get(), went=6, stopped=6)
    past_stage(program, lead, went=6, stopped=6, notice_on=timezone.localdate() + timedelta(days=1))

    assert progression_of(now) is None


def test_all_stages_at_once_say_what_each_says_alone(cohort, program, lead, now, django_assert_num_queries):
    past_stage(program, lead, went=17, stopped=9)
    past_stage(program, lead, went=3, stopped=10, name="Training", position=1)
    stages = [
        make_stage(cohort, name="Welcome", position=1),
        now,
        make_stage(cohort, name="Last", position=9),
    ]

    with django_assert_num_queries(3):
        found = progressions_of(cohort)

    assert found == [(stage, progression_of(stage)) for stage in stages]
    assert [progression is None for _, progression in found] == [False, False, True]


@pytest.mark.parametrize(
    ("went", "stopped", "hidden", "few_did_not", "few_went_on"),
    [
        (2, 2, True, True, True),
        (22, 4, False, True, False),
        (3, 10, False, False, True),
        (26, 0, False, False, False),
    ],
)
def test_small_counts_are_hidden_below_a_lead(
    program, lead, now, went, stopped, hidden, few_did_not, few_went_on
):
    past_stage(program, lead, went=went, stopped=stopped)

    below, lead_sees = progression_of(now), progression_of(now, in_full=True)

    assert below is not None
    assert (below.is_hidden, below.few_did_not, below.few_went_on) == (hidden, few_did_not, few_went_on)
    assert lead_sees is not None
    assert (lead_sees.is_hidden, lead_sees.few_did_not, lead_sees.few_went_on) == (False,) * 3
