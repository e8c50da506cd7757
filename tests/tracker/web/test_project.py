"""A project's page: for its team and whoever works for the program."""

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_output, make_person, make_project, make_rating, make_rubric, make_submission
from tracker.mentoring.models import Feedback
from tracker.people.models import Role
from tracker.projects.models import Milestone
from tracker.ratings.models import Conflict


@pytest.fixture
def project(cohort, mentee, stage):
    return make_project(cohort, authors=[mentee], title="Probes that fail")


@pytest.fixture
def url(project) -> str:
    return reverse("project", args=[project.public_id])


def test_it_shows_team_work_and_dates(enter, mentee, project, url):
    make_output(project, title="Negative result", is_empirical=True)
    Milestone.objects.create(project=project, title="Second model", due_on=timezone.localdate())

    page = enter(mentee).get(url).content.decode()

    for text in (
        "Probes that fail",
        "Mia Mentee",
        "Negative result",
        "empirical",
        "Second model",
        "due today",
    ):
        assert text in page


def test_it_shows_no_rating_to_anybody(enter, lead, mentee, project, url):
    make_rating(make_output(project), comment="Sentinel comment of a reader")

    for visitor in (mentee, lead):
        assert "Sentinel comment" not in enter(visitor).get(url).content.decode()


@pytest.mark.parametrize("role", [Role.MENTEE, Role.AUDITOR])
def test_others_do_not_find_it(enter, program, url, role):
    assert enter(make_person(role, program=program)).get(url).status_code == 404


def test_a_stranger_does_not_find_it(enter, stranger, url):
    assert enter(stranger).get(url).status_code == 404


def test_a_mentor_tells_the_team(enter, mentor, project, url):
    answer = enter(mentor).post(
        reverse("give-feedback", args=[project.public_id]), {"text": "Lead with figure 2."}
    )

    assert answer.url == url
    assert Feedback.objects.get().text == "Lead with figure 2."


def test_empty_feedback_is_refused_at_its_field(enter, mentor, project):
    page = enter(mentor).post(reverse("give-feedback", args=[project.public_id]), {"text": "  "})

    assert page.status_code == 422
    assert "Write the feedback before sending it." in page.content.decode()
    assert not Feedback.objects.exists()


def test_a_mentee_gives_no_feedback_to_their_own_project(enter, mentee, project):
    page = enter(mentee).post(reverse("give-feedback", args=[project.public_id]), {"text": "Well done."})

    assert page.status_code == 422
    assert not Feedback.objects.exists()


def test_a_reader_hears_others_only_after_reading(enter, mentor, project, url):
    output = make_output(project)
    other = make_person(Role.MENTOR, program=project.program)
    Feedback.objects.give(project=project, author=other, text="Sentinel praise", output=output)
    browser = enter(mentor)
    before = browser.get(url).content.decode()

    make_rating(output, mentor)

    assert "Sentinel praise" not in before
    assert "Sentinel praise" in browser.get(url).content.decode()


def test_whoever_decides_hears_everything(enter, lead, mentor, project, url):
    output = make_output(project)
    Feedback.objects.give(project=project, author=mentor, text="Sentinel praise", output=output)

    assert "Sentinel praise" in enter(lead).get(url).content.decode()


def test_a_conflict_takes_the_project_off_the_reading_list(enter, mentor, project):
    make_rubric(project.program)
    make_output(project, title="Not for me")
    browser = enter(mentor)
    before = browser.get(reverse("reading")).content.decode()

    browser.post(
        reverse("declare-conflict", args=[project.public_id]), {"reason": "We wrote a paper together."}
    )

    assert "Not for me" in before
    assert "Not for me" not in browser.get(reverse("reading")).content.decode()
    assert Conflict.objects.get().person == mentor


def test_a_mentee_has_no_conflict_to_declare(enter, mentee, project):
    answer = enter(mentee).post(reverse("declare-conflict", args=[project.public_id]), {"reason": ""})

    assert answer.status_code == 403
    assert not Conflict.objects.exists()


def test_feedback_is_acknowledged_by_its_team_alone(enter, mentor, mentee, project):
    feedback = Feedback.objects.give(project=project, author=mentor, text="Try a second seed.")
    url = reverse("acknowledge", args=[feedback.public_id])

    enter(mentor).post(url)
    feedback.refresh_from_db()
    assert feedback.acknowledged_at is None
    enter(mentee).post(url)

    feedback.refresh_from_db()
    assert feedback.acknowledged_by == mentee


def test_hostile_text_is_shown_as_text(enter, mentee, mentor, project, url):
    make_output(project, title="<script>alert(1)</script>")
    Feedback.objects.give(project=project, author=mentor, text="<img src=x onerror=alert(2)>")
    make_submission(project, filename='"><script>alert(3)</script>.csv')

    page = enter(mentee).get(url).content.decode()

    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_it_costs_the_same_for_much_work(enter, lead, project, url, django_assert_max_num_queries):
    for number in range(15):
        make_output(project)
        make_submission(project, external_id=str(uuid4())) if number < 4 else None
        milestone = Milestone.objects.create(project=project, title=f"M{number}", due_on=timezone.localdate())
        milestone.predict(timezone.localdate(), by=lead)
        Feedback.objects.give(project=project, author=lead, text="More seeds.")
    browser = enter(lead)

    with django_assert_max_num_queries(14):
        browser.get(url)
