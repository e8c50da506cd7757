"""A team asks for a new grading; somebody who does not work on it decides, with reasons."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_mentee, make_person, make_project, make_submission
from tests.tracker.web.worlds import graded
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.grading.models import RegradeRequest, Submission
from tracker.people.models import Role

pytestmark = pytest.mark.django_db
REASON = "Our file had the columns of last year."


@pytest.fixture
def mentee(cohort, stage):
    return make_mentee(cohort)


@pytest.fixture
def submission(cohort, mentee) -> Submission:
    return graded(make_submission(make_project(cohort, authors=[mentee])))


@pytest.fixture
def asked(submission, mentee) -> RegradeRequest:
    return RegradeRequest.objects.ask(submission, by=mentee, reason=REASON)


def page_for(client, person, submission) -> str:
    client.force_login(person.user)
    return client.get(reverse("submission", args=[submission.public_id])).content.decode()


def decide(client, person, asked, decision: str, answer: str = ""):
    client.force_login(person.user)
    url = reverse("decide-regrade", args=[asked.public_id])
    return client.post(url, {"decision": decision, "answer": answer}, follow=True)


def test_a_team_asks_on_its_page(client, mentee, submission):
    assert "Ask for a new grading" in page_for(client, mentee, submission)

    client.post(reverse("ask-regrade", args=[submission.public_id]), {"reason": REASON})

    assert RegradeRequest.objects.get().reason == REASON
    assert Event.objects.filter(kind="regrade.requested", subject=submission.public_id).exists()
    assert REASON in page_for(client, mentee, submission)


def test_while_it_is_graded_nothing_is_offered_that_would_be_refused(client, mentee, submission):
    submission.regrade()

    assert "Ask for a new grading" not in page_for(client, mentee, submission)


def test_it_is_granted_as_a_new_run_and_the_old_ones_stay(client, lead, submission, asked):
    decide(client, lead, asked, "granted", "You are right.")

    asked.refresh_from_db()
    assert (asked.decision, asked.decided_by, asked.answer) == ("granted", lead, "You are right.")
    assert asked.run == submission.runs.last()
    assert [run.state for run in submission.runs.all()] == ["succeeded"] * 3 + ["queued"]
    assert Event.objects.get(kind="regrade.granted").actor == lead.public_id


def test_it_is_refused_with_reasons_that_the_team_reads(client, lead, mentee, submission, asked):
    decide(client, lead, asked, "refused", "The columns are those that the page names.")

    page = page_for(client, mentee, submission)
    assert "The columns are those that the page names." in page
    assert "not granted" in page
    assert submission.runs.count() == 3


def test_a_refusal_without_reasons_is_none(client, lead, asked):
    page = decide(client, lead, asked, "refused", "  ").content.decode()

    asked.refresh_from_db()
    assert asked.is_open
    assert "Say why it is not graded again" in page


@pytest.mark.parametrize("reason", ["", "   ", "a" * 2_001])
def test_a_request_needs_a_reason(submission, mentee, reason):
    with pytest.raises(RuleBroken, match=r"Say why|Shorten this"):
        RegradeRequest.objects.ask(submission, by=mentee, reason=reason)


def test_one_question_at_a_time_and_of_a_grading_that_is_over(submission, mentee, asked, cohort):
    with pytest.raises(RuleBroken, match="asked already"):
        RegradeRequest.objects.ask(submission, by=mentee, reason=REASON)
    fresh = make_submission(make_project(cohort, authors=[mentee]))

    with pytest.raises(RuleBroken, match="being graded already"):
        RegradeRequest.objects.ask(fresh, by=mentee, reason=REASON)


def test_nobody_decides_on_work_of_their_own(program, cohort, mentee):
    both = make_person(Role.LEAD, Role.MENTEE, program=program)
    submission = graded(make_submission(make_project(cohort, authors=[mentee, both])))
    asked = RegradeRequest.objects.ask(submission, by=mentee, reason=REASON)

    with pytest.raises(RuleBroken, match="does not work on it"):
        asked.grant(by=both)


def test_the_database_knows_no_decision_of_ones_own_nor_without_its_run(asked, lead, mentee):
    now = timezone.now()
    refused = {"decision": "refused", "decided_at": now, "answer": "No."}
    for wrong in (
        {**refused, "decided_by": mentee},
        {**refused, "decided_by": None},
        {**refused, "decided_by": lead, "answer": ""},
        {"decision": "granted", "decided_at": now, "decided_by": lead},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            RegradeRequest.objects.update(**wrong)


def test_of_two_decisions_the_second_is_told(lead, asked):
    other = RegradeRequest.objects.get()
    asked.grant(by=lead)

    with pytest.raises(RuleBroken, match="decided already"):
        other.refuse(by=lead, answer="No.")


def test_only_a_lead_decides_and_only_the_team_asks(client, mentee, mentor, stranger, submission, asked):
    url = reverse("decide-regrade", args=[asked.public_id])
    answers = {}
    for name, user in (("mentee", mentee.user), ("mentor", mentor.user), ("stranger", stranger)):
        client.force_login(user)
        answers[name] = client.post(url, {"decision": "granted"}).status_code
    client.force_login(mentor.user)
    asks = client.post(reverse("ask-regrade", args=[submission.public_id]), {"reason": REASON})

    assert answers == {"mentee": 403, "mentor": 404, "stranger": 404}
    assert asks.status_code == 403
    assert asked.is_open
    assert REASON not in page_for(client, mentor, submission)


def test_its_history_is_kept(lead, asked):
    asked.refuse(by=lead, answer="No.")

    assert [row.decision for row in asked.history.order_by("history_id")] == ["", "refused"]
