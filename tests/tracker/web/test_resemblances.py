"""Teams that share mistakes: a flag for leads and mentors, never for the senders; no score changes."""

import numpy as np
import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from tests.factories import make_project, make_submission, make_thorough_run
from tracker.grading.models import Mistakes, Resemblance, Submission

pytestmark = pytest.mark.django_db
ITEMS = 800


def mistakes_of(seed: int) -> np.ndarray:
    """What an honest team gets wrong: a tenth of the items, each with one of nine wrong answers."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(ITEMS) < 0.1, rng.integers(1, 10, ITEMS), 0).astype(np.uint8)


def graded(submission: Submission, sketch: np.ndarray) -> Mistakes:
    return Mistakes.objects.record(make_thorough_run(submission), sketch)


@pytest.fixture
def pool(cohort):
    """Six honest teams' submissions."""
    submissions = [make_submission(make_project(cohort)) for _ in range(6)]
    for seed, submission in enumerate(submissions):
        graded(submission, mistakes_of(seed))
    return submissions


@pytest.fixture
def copy(cohort, mentee, mentor, pool):
    """A submission that makes the first team's mistakes."""
    submission = make_submission(make_project(cohort, authors=[mentee], mentors=[mentor]))
    graded(submission, mistakes_of(0))
    return submission


def page(enter, person, submission) -> str:
    return enter(person).get(reverse("submission", args=[submission.public_id])).content.decode()


def test_honest_teams_are_not_flagged(pool):
    assert not Resemblance.objects.exists()


def test_a_copy_is_flagged_on_both_sides(pool, copy):
    pairs = Resemblance.objects.values_list("run__submission", "other__submission")

    assert set(pairs) == {(copy.pk, pool[0].pk), (pool[0].pk, copy.pk)}


def test_a_team_is_not_compared_with_itself(pool):
    graded(make_submission(pool[0].project), mistakes_of(0))

    assert not Resemblance.objects.exists()


def test_another_benchmark_s_mistakes_are_not_compared(pool, cohort, lead):
    other = make_submission(make_project(cohort))
    run = make_thorough_run(other)
    Mistakes.objects.record(run, np.ones(10, np.uint8))

    assert not Resemblance.objects.filter(run=run).exists()


def test_leads_and_the_submission_s_mentors_see_it(enter, lead, mentor, copy):
    for person in (lead, mentor):
        assert "A sign to look at, no verdict" in page(enter, person, copy)


def test_its_senders_and_other_mentors_do_not_see_it(enter, mentee, mentor, pool, copy):
    assert "A sign to look at" not in page(enter, mentee, copy)
    assert "A sign to look at" not in page(enter, mentor, pool[0])


def test_nobody_sees_the_mistakes_themselves(lead, copy):
    assert not Mistakes.objects.visible_to(lead.user).exists()


def test_a_run_resembles_no_run_twice_and_not_itself(copy):
    row = Resemblance.objects.filter(run__submission=copy).get()

    for values in ({"other": row.other}, {"other": row.run}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Resemblance.objects.create(run=row.run, mistakes=1, shared=1, expected=0, p_value=0, **values)
