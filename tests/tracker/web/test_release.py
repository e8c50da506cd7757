"""The release of a stage's pictures: by a lead, after the reading, once."""

import pytest
from django.urls import reverse

from tests.factories import close_reading, make_mentee, make_person, make_project
from tests.tracker.web.worlds import make_fit
from tracker.estimates.models import Estimate, Release
from tracker.people.models import Role


@pytest.fixture
def url(stage) -> str:
    return reverse("release", args=[stage.public_id])


def test_it_is_asked_once_more_before_it_happens(enter, lead, mentee, stage, url):
    make_fit(lead.program, {mentee: 0.0})
    close_reading(stage)

    page = enter(lead).get(url).content.decode()

    assert f"Release {stage}</button>" in page
    assert not Release.objects.exists()


def test_a_lead_releases_after_the_reading(enter, lead, mentee, stage, url):
    fit = make_fit(lead.program, {mentee: 0.0})
    close_reading(stage)

    page = enter(lead).post(url, follow=True)

    assert Release.objects.get().fit == fit
    assert "are released" in page.content.decode()


def test_while_the_reading_is_open_nothing_is_released(enter, lead, mentee, url):
    make_fit(lead.program, {mentee: 0.0})
    browser = enter(lead)

    page = browser.post(url, follow=True)

    assert "estimates are released after it" in page.content.decode()
    assert "</button> <a" not in browser.get(url).content.decode()
    assert not Release.objects.exists()


def test_a_stage_is_released_once(enter, lead, mentee, stage, url):
    make_fit(lead.program, {mentee: 0.0})
    close_reading(stage)
    browser = enter(lead)
    browser.post(url)

    page = browser.post(url, follow=True)

    assert "are released already." in page.content.decode()
    assert Release.objects.count() == 1


@pytest.mark.parametrize("role", [Role.COMMITTEE, Role.MENTOR])
def test_only_a_lead_releases(enter, program, mentee, stage, url, role):
    make_fit(program, {mentee: 0.0})
    close_reading(stage)

    assert enter(make_person(role, program=program)).post(url).status_code == 403
    assert not Release.objects.exists()


def test_a_stranger_finds_no_stage(enter, stranger, url):
    assert enter(stranger).get(url).status_code == 404
    assert enter(stranger).post(url).status_code == 404


def test_a_mentor_whose_role_has_ended_sees_no_later_release(program, cohort, stage, lead, mentor):
    mentee = make_mentee(cohort)
    make_project(cohort, authors=[mentee], mentors=[mentor])
    make_fit(program, {mentee: 1.0})
    Release.objects.release(close_reading(stage), by=lead)
    before = Estimate.objects.released_to(mentor.user).count()

    mentor.memberships.get().end()

    assert (before, Estimate.objects.released_to(mentor.user).count()) == (1, 0)
