"""The cohort page: the picture of everybody, for those who decide."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_mentee, make_output, make_person, make_project, make_submission
from tests.tracker.web.worlds import make_fit
from tracker.estimates.models import SimulatedTruth, Viewing
from tracker.people.models import Role
from tracker.projects.models import Milestone


@pytest.fixture
def url(cohort) -> str:
    return reverse("cohort", args=[cohort.public_id])


@pytest.fixture
def picture_url(cohort) -> str:
    return reverse("cohort-picture", args=[cohort.public_id])


def people(cohort, count):
    return [make_mentee(cohort, name=f"Person {number:02}") for number in range(count)]


def test_it_shows_ranges_and_evidence_for_everybody(enter, lead, cohort, url, stage):
    make_fit(lead.program, dict.fromkeys(people(cohort, 3), 0.2))

    page = enter(lead).get(url).content.decode()

    assert page.count('<svg class="range"') == 3
    assert "\N{MINUS SIGN}0.8 to +1.2, middle +0.2" in page
    assert page.count("4 readers") == 3


def test_before_the_first_fit_it_says_that_there_is_no_picture(enter, lead, url):
    assert "There is no picture yet" in enter(lead).get(url).content.decode()


def test_a_person_with_few_readers_is_too_early_to_say(enter, lead, cohort, url):
    make_fit(lead.program, {people(cohort, 1)[0]: -2.0}, raters=2)

    page = enter(lead).get(url).content.decode()

    assert "Fewer than 3 readers: too early to say" in page
    assert 'id="middle-' not in page


def test_people_of_one_tier_are_shown_as_tied(enter, lead, cohort, url):
    first, second, third = people(cohort, 3)
    make_fit(lead.program, {first: 1.0, second: 0.9, third: -1.0}, tiers={first: 1, second: 1, third: 2})

    page = enter(lead).get(url).content.decode()

    assert page.count("people tied: too close to call") == 1
    assert "2 people tied" in page


def test_the_bare_scores_are_listed_without_ties(enter, lead, cohort, url):
    low, high = people(cohort, 2)
    make_fit(lead.program, {low: 1.0, high: 0.0}, raw={low: -1.0, high: 2.0})

    page = enter(lead).get(url, {"view": "raw"}).content.decode()

    assert page.index(">Person 01<") < page.index(">Person 00<")
    assert "tied" not in page
    assert 'id="thin-' not in page


def test_the_truth_says_who_was_wrongly_at_the_bottom(enter, lead, cohort, url):
    lead.program.is_simulated = True
    lead.program.save(update_fields=["is_simulated"])
    everybody = people(cohort, 4)
    for person, level in zip(everybody, (2.0, 1.0, -1.0, -2.0), strict=True):
        SimulatedTruth.objects.create(person=person, level=level)
    raw = dict(zip(everybody, (-3.0, 1.0, 0.0, -1.0), strict=True))
    make_fit(lead.program, dict(zip(everybody, (1.5, 1.0, -1.0, -1.5), strict=True)), raw=raw)

    page = " ".join(enter(lead).get(url, {"view": "truth"}).content.decode().split())

    assert "Of the 1 people with the lowest bare scores, 1 is truly in the upper half" in page
    assert page.count('class="truth"') == 4 + 1
    assert "none is. The likely range holds the truth of 4 of 4 people" in page


def test_the_truth_of_real_people_is_not_offered(enter, lead, cohort, url):
    make_fit(lead.program, dict.fromkeys(people(cohort, 2), 0.0))

    page = enter(lead).get(url, {"view": "truth"}).content.decode()

    assert "view=truth" not in page
    assert 'class="everybody view-adjusted"' in page


def test_an_unknown_view_is_the_adjusted_one(enter, lead, cohort, url):
    make_fit(lead.program, dict.fromkeys(people(cohort, 2), 0.0))

    assert "view-adjusted" in enter(lead).get(url, {"view": "<script>"}).content.decode()


def test_an_open_page_is_told_when_nothing_is_new(enter, lead, cohort, picture_url):
    fit = make_fit(lead.program, dict.fromkeys(people(cohort, 2), 0.0))
    known = {"HTTP_IF_NONE_MATCH": f'"{fit.public_id}-adjusted"'}
    browser = enter(lead)

    same = browser.get(picture_url, {"view": "adjusted"}, **known)
    make_fit(lead.program, dict.fromkeys(people(cohort, 2), 1.0))
    news = browser.get(picture_url, {"view": "adjusted"}, **known)

    assert (same.status_code, same.content) == (304, b"")
    assert news.status_code == 200
    assert '<section id="picture"' in news.content.decode()


def test_what_is_new_in_grading_is_told_too(enter, lead, cohort):
    url = reverse("cohort-grading", args=[cohort.public_id])
    browser = enter(lead)
    first = browser.get(url)

    same = browser.get(url, HTTP_IF_NONE_MATCH=first["ETag"])
    make_submission(make_project(cohort), filename="answers.csv")
    news = browser.get(url, HTTP_IF_NONE_MATCH=first["ETag"])

    assert same.status_code == 304
    assert "answers.csv" in news.content.decode()


def test_who_looked_is_logged_with_whom_they_saw(enter, lead, cohort, url):
    mentee = people(cohort, 1)[0]
    make_fit(lead.program, {mentee: 0.0})

    enter(lead).get(url)

    look = Viewing.objects.get()
    assert (look.person, look.viewer, look.fit.is_current) == (mentee, lead.user, True)


def test_it_says_what_is_due_and_since_when_nothing_was_tried(enter, lead, cohort, stage, url):
    project = make_project(cohort, title="Probes")
    today = timezone.localdate()
    make_output(project, is_empirical=True, produced_on=today - timedelta(days=9))
    Milestone.objects.create(project=project, title="Second model", due_on=today + timedelta(days=1))

    page = enter(lead).get(url).content.decode()

    assert "9 days ago" in page
    assert "due tomorrow" in page
    assert "due in 6 days" in page


@pytest.mark.parametrize("role", [Role.MENTOR, Role.MENTEE, Role.AUDITOR])
def test_nobody_below_a_decider_finds_it(enter, program, cohort, url, picture_url, role):
    make_fit(program, dict.fromkeys(people(cohort, 2), 0.0))
    browser = enter(make_person(role, program=program))

    assert browser.get(url).status_code == 404
    assert browser.get(picture_url, {"view": "adjusted"}).status_code == 404


def test_a_stranger_finds_nothing(enter, stranger, cohort, url, picture_url):
    make_fit(cohort.program, dict.fromkeys(people(cohort, 2), 0.0))

    assert enter(stranger).get(url).status_code == 404
    assert enter(stranger).get(picture_url).status_code == 404


def test_a_research_manager_sees_the_work_but_no_picture(enter, program, cohort, url):
    make_fit(program, dict.fromkeys(people(cohort, 2), 0.0))
    manager = make_person(Role.RESEARCH_MANAGER, program=program)

    page = enter(manager).get(url)

    assert page.status_code == 200
    assert 'id="picture"' not in page.content.decode()


def test_hostile_names_are_shown_as_text(enter, lead, cohort, url):
    mentee = make_mentee(cohort, name="<script>alert(1)</script>")
    make_fit(lead.program, {mentee: 0.0}, notes=["<img src=x onerror=alert(1)>"])

    page = enter(lead).get(url).content.decode()

    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize("view", ["raw", "adjusted", "truth"])
def test_it_costs_the_same_for_many_people(enter, lead, cohort, url, django_assert_max_num_queries, view):
    lead.program.is_simulated = True
    lead.program.save(update_fields=["is_simulated"])
    mentees = people(cohort, 30)
    for mentee in mentees:
        SimulatedTruth.objects.create(person=mentee, level=0.0)
        make_submission(make_project(cohort, authors=[mentee]), external_id=str(uuid4()))
    make_fit(lead.program, dict.fromkeys(mentees, 0.0))
    browser = enter(lead)

    # The thirteenth writes down who looked.
    with django_assert_max_num_queries(13):
        assert browser.get(url, {"view": view}).status_code == 200


def test_a_poll_without_news_costs_three_queries(enter, lead, cohort, picture_url, django_assert_num_queries):
    fit = make_fit(lead.program, dict.fromkeys(people(cohort, 2), 0.0))
    browser = enter(lead)

    with django_assert_num_queries(3):
        browser.get(picture_url, {"view": "raw"}, HTTP_IF_NONE_MATCH=f'"{fit.public_id}-raw"')


def test_the_list_names_the_cohorts_one_looks_after(enter, lead, cohort, stranger):
    assert str(cohort.public_id) in enter(lead).get(reverse("cohorts")).content.decode()
    assert str(cohort.public_id) not in enter(stranger).get(reverse("cohorts")).content.decode()


def test_who_oversees_none_is_told_so(enter, fund_manager, cohort):
    assert "There is none that you oversee." in enter(fund_manager).get(reverse("cohorts")).content.decode()
