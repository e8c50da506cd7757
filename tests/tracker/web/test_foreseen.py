"""What readers foresaw, asked and scored on a page."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import (
    close_reading,
    make_mentee,
    make_output,
    make_person,
    make_project,
    make_rating,
    make_rubric,
)
from tracker.people.models import Role
from tracker.ratings.models import Conflict, Outlook, Question

pytestmark = pytest.mark.django_db


@pytest.fixture
def outlook(stage, mentor) -> Outlook:
    """The mentor foresaw it at 80 %; its day has come and its reading is over."""
    rubric = make_rubric(stage.cohort.program, "rigour")
    Question.objects.create(rubric=rubric, key="holds-up", months=12)
    output = make_output(make_project(stage.cohort), stage=stage, title="Sentinel")
    make_rating(output, mentor, scores={"rigour": 5.0}, forecasts={"holds-up": 0.8})
    close_reading(stage)
    Outlook.objects.update(due_on=timezone.localdate())
    return Outlook.objects.get()


@pytest.fixture
def reader(program):
    return make_person(Role.MENTOR, program=program)


def answer(client, outlook, **typed):
    return client.post(
        reverse("answer-outlook", args=[outlook.public_id]),
        {"is_true": "yes", "reason": "Two groups reproduced it.", **typed},
    )


def test_another_reader_is_asked_and_its_forecaster_is_scored(enter, outlook, reader, mentor):
    client = enter(reader)
    assert "Will this hold up?" in client.get("/foreseen/").content.decode()

    assert answer(client, outlook).status_code == 302

    assert "Nothing is asked now" in client.get("/foreseen/").content.decode()
    page = enter(mentor).get("/foreseen/").content.decode()
    assert 'Your score is <strong class="figure">0.04</strong>' in page


def test_it_is_asked_neither_of_who_foresaw_it_nor_of_who_is_too_close_nor_of_others(
    enter, outlook, mentor, reader, stage, stranger, client
):
    Conflict.objects.declare(person=reader, project=outlook.output.project)
    author = outlook.output.project.authors().get()
    people = (mentor, reader, author, make_mentee(stage.cohort))

    for person in people:
        browser = enter(person)
        assert "Sentinel" not in browser.get("/foreseen/").content.decode().split('id="due"')[1]
        assert answer(browser, outlook).status_code == 404
    client.force_login(stranger)
    assert answer(client, outlook).status_code == 404
    assert list(Outlook.objects.due()) == [outlook]


@pytest.mark.parametrize("change", [{"due_on": 1}, {"reading": 1}])
def test_it_is_not_asked_before_its_day_nor_while_it_is_read(enter, outlook, reader, stage, change):
    if "due_on" in change:
        Outlook.objects.update(due_on=timezone.localdate() + timedelta(days=1))
    else:
        type(stage).objects.update(reading_closes_at=timezone.now() + timedelta(days=1))

    assert "Sentinel" not in enter(reader).get("/foreseen/").content.decode()


@pytest.mark.parametrize(
    ("typed", "says"), [({"reason": " "}, "in a sentence why"), ({"is_true": "perhaps"}, "Choose one")]
)
def test_what_is_wrong_is_told_at_its_question(enter, outlook, reader, typed, says):
    page = answer(enter(reader), outlook, **typed)

    assert page.status_code == 422
    assert says in page.content.decode()
    assert "<details open>" in page.content.decode()
    assert list(Outlook.objects.due()) == [outlook]
