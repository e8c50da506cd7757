"""What safety raised waits for a lead, who lets it go on or refuses it."""

from uuid import uuid4

import pytest
from django.urls import reverse

from tests.factories import make_project, make_submission
from tests.tracker.web.worlds import held_by_safety, run_next
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.grading.models import Submission

RAISED = "A person looks at it: the submission answers every item alike."


@pytest.fixture
def held(cohort, stage, mentee) -> Submission:
    return held_by_safety(make_submission(make_project(cohort, authors=[mentee])), RAISED)


def state_of(submission: Submission) -> str:
    return Submission.objects.with_state().get(pk=submission.pk).latest_state


def test_it_is_listed_as_held_and_not_as_done(enter, mentee, held):
    page = enter(mentee).get(reverse("mine")).content.decode()

    assert state_of(held) == "held"
    assert "held: a person is looking at it" in page


def test_a_lead_lets_it_go_on(enter, lead, held):
    browser = enter(lead)

    page = browser.post(reverse("let-through", args=[held.public_id]), follow=True).content.decode()

    held.refresh_from_db()
    assert (held.held_at, held.runs.last().phase, state_of(held)) == (None, "thorough", "queued")
    assert "a person is looking at it" not in page
    assert Event.objects.get(kind="submission.let-through").actor == lead.user.public_id


def test_a_lead_refuses_it_and_the_team_reads_why(enter, lead, mentee, held):
    said = {"sentence": "Train it before you send it."}

    enter(lead).post(reverse("refuse-held", args=[held.public_id]), said)

    page = enter(mentee).get(reverse("submission", args=[held.public_id])).content.decode()
    assert (state_of(held), held.runs.count()) == ("refused", 2)
    assert "Train it before you send it." in page
    assert "needs a change from you" in page
    event = Event.objects.get(kind="submission.refused")
    assert (event.actor, event.payload["raised"]) == (lead.user.public_id, RAISED)


@pytest.mark.parametrize(
    ("sentence", "says"),
    [
        ("", "Say in one sentence"),
        ("  ", "Say in one sentence"),
        ("a" * 501, "Shorten this to 500 characters"),
    ],
)
def test_a_refusal_needs_a_sentence(enter, lead, held, sentence, says):
    deed = reverse("refuse-held", args=[held.public_id])

    page = enter(lead).post(deed, {"sentence": sentence}, follow=True)

    assert says in page.content.decode()
    assert state_of(held) == "held"


def test_the_team_and_mentors_decide_nothing(enter, mentee, mentor, held):
    for somebody in (mentee, mentor):
        browser = enter(somebody)
        assert (
            "How does it go on?"
            not in browser.get(reverse("submission", args=[held.public_id])).content.decode()
        )
        for name in ("let-through", "refuse-held"):
            assert browser.post(reverse(name, args=[held.public_id])).status_code in (403, 404)

    assert state_of(held) == "held"


def test_of_two_decisions_at_once_the_second_is_told(held):
    other = Submission.objects.get(pk=held.pk)
    held.let_through(by=uuid4())

    with pytest.raises(RuleBroken, match="not held any more"):
        other.refuse_held("Send another.")

    assert state_of(held) == "queued"


def test_while_it_is_graded_again_nobody_decides(held):
    held.regrade()

    with pytest.raises(RuleBroken, match="not held any more"):
        held.let_through(by=uuid4())

    held.refresh_from_db()
    assert held.held_at is not None
    assert not held.is_held


def test_a_clean_grading_later_ends_the_hold(held):
    held.regrade()
    run_next()
    run_next()

    held.refresh_from_db()
    assert held.held_at is None
    assert [run.phase for run in held.runs.all()][-1] == "thorough"
