"""A lead's two deeds on held submissions, from the admin's list."""

import pytest

from tests.factories import make_project, make_submission
from tests.tracker.web.worlds import held_by_safety

pytestmark = pytest.mark.django_db
LIST = "/admin/grading/submission/"


@pytest.fixture
def held(cohort):
    return held_by_safety(make_submission(make_project(cohort)), "It answers every item alike.")


def test_leads_refuse_with_a_sentence(leads_door, held):
    row = {"_selected_action": [held.pk], "action": "refuse_held", "sentence": "Send real answers."}

    answer = leads_door.post(LIST, row, follow=True)

    assert "Held submissions refused: 1." in answer.content.decode()
    assert held.runs.last().message == "Send real answers."


def test_a_refusal_without_a_sentence_is_told(leads_door, held):
    row = {"_selected_action": [held.pk], "action": "refuse_held", "sentence": ""}

    answer = leads_door.post(LIST, row, follow=True)

    assert "Say in one sentence" in answer.content.decode()
    assert held.runs.last().state == "succeeded"


def test_leads_let_it_go_on(leads_door, held):
    leads_door.post(LIST, {"_selected_action": [held.pk], "action": "let_through"})

    assert [run.phase for run in held.runs.all()][-1] == "thorough"
