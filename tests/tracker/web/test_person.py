"""A person's page, for those who decide; and what is released to everybody else."""

import pytest
from django.urls import reverse

from tests.factories import (
    close_reading,
    make_mentee,
    make_output,
    make_person,
    make_project,
    make_submission,
)
from tests.tracker.web.worlds import graded, make_fit
from tracker.estimates.models import Contribution, Release, Viewing
from tracker.people.models import Role


@pytest.fixture
def url(mentee) -> str:
    return reverse("person", args=[mentee.public_id])


def test_it_shows_the_range_before_the_middle_and_no_rank(enter, lead, mentee, url):
    make_fit(lead.program, {mentee: 0.5}, tiers={mentee: 7})

    page = enter(lead).get(url).content.decode()

    minus = "\N{MINUS SIGN}"
    assert page.index(f"{minus}0.5 to +1.5") < page.index('with its middle at <span class="figure">+0.5<')
    assert "rank" not in page.replace("no ranks", "")


def test_contributions_are_signed_and_sum_to_the_middle(enter, lead, mentee, cohort, url):
    project = make_project(cohort, authors=[mentee])
    fit = make_fit(lead.program, {mentee: 0.5})
    for title, amount in (("The good one", 0.75), ("The thin one", -0.25)):
        output = make_output(project, title=title)
        Contribution.objects.create(
            fit=fit, person=mentee, output=output, amount=amount, specific=0.1, observations=4
        )

    page = enter(lead).get(url).content.decode()

    assert page.index("The good one") < page.index("The thin one")
    assert "+0.75" in page
    assert "\N{MINUS SIGN}0.25" in page
    assert "Together they make +0.50" in page


def test_a_piece_under_release_review_is_counted_and_not_named(enter, lead, mentee, cohort, url):
    fit = make_fit(lead.program, {mentee: 0.5})
    output = make_output(make_project(cohort, authors=[mentee]), title="Sentinel")
    Contribution.objects.create(fit=fit, person=mentee, output=output, amount=0.5, observations=4)
    output.flag(["misuse"])
    committee = make_person(Role.COMMITTEE, program=lead.program)

    page = enter(committee).get(url).content.decode()

    assert "Together they make +0.50" in page
    assert "A piece that waits for its release review" in page
    assert "Sentinel" not in page
    assert "Sentinel" in enter(lead).get(url).content.decode()


def test_the_history_keeps_one_picture_for_each_state_of_the_evidence(enter, lead, mentee, url):
    make_fit(lead.program, {mentee: 0.0}, content_hash="before")
    make_fit(lead.program, {mentee: 0.3}, content_hash="after", hyper="mode")
    make_fit(lead.program, {mentee: 0.4}, content_hash="after")

    page = enter(lead).get(url)

    levels = [point.estimate.mean for point in page.context["history"].points]
    assert levels == [0.0, 0.4]


def test_measurements_stand_beside_the_picture(enter, lead, mentee, cohort, url):
    graded(make_submission(make_project(cohort, authors=[mentee])))
    make_fit(lead.program, {mentee: 0.0})

    page = enter(lead).get(url).content.decode()

    assert "Handwritten digits: accuracy" in page
    assert "between 0.847 and 0.893" in page


def test_a_person_nobody_has_read_has_no_picture(enter, lead, mentee, url):
    assert "nothing of theirs has been read" in enter(lead).get(url).content.decode()


def test_two_readers_are_too_early_to_say(enter, lead, mentee, url):
    make_fit(lead.program, {mentee: -1.0}, raters=2)

    page = enter(lead).get(url).content.decode()

    assert "Too early to say: 2 readers so far" in page
    assert "with its middle at" not in page


def test_looking_is_logged(enter, lead, mentee, url):
    make_fit(lead.program, {mentee: 0.0})

    enter(lead).get(url)

    look = Viewing.objects.get()
    assert (look.person, look.viewer, look.door) == (mentee, lead.user, "web")


@pytest.mark.parametrize("role", [Role.MENTOR, Role.RESEARCH_MANAGER, Role.MENTEE])
def test_nobody_below_a_decider_finds_it(enter, program, mentee, url, role):
    make_fit(program, {mentee: 0.0})

    assert enter(make_person(role, program=program)).get(url).status_code == 404


def test_not_even_the_person_finds_it_nor_a_stranger(enter, program, mentee, stranger, url):
    make_fit(program, {mentee: 0.0})

    assert enter(mentee).get(url).status_code == 404
    assert enter(stranger).get(url).status_code == 404


def test_it_costs_the_same_for_a_long_history(
    enter, lead, mentee, cohort, url, django_assert_max_num_queries
):
    project = make_project(cohort, authors=[mentee])
    outputs = [make_output(project) for _ in range(20)]
    for number in range(10):
        fit = make_fit(lead.program, {mentee: number / 10})
        for output in outputs:
            Contribution.objects.create(fit=fit, person=mentee, output=output, amount=0.1, observations=4)
    browser = enter(lead)

    with django_assert_max_num_queries(12):
        browser.get(url)


def test_mentors_see_their_own_mentees_once_a_stage_is_released(enter, lead, mentor, mentee, cohort, stage):
    make_project(cohort, authors=[mentee], mentors=[mentor])
    other = make_mentee(cohort, name="Otto Other")
    make_fit(lead.program, {mentee: 0.5, other: 0.1}, raw={mentee: 3.21})
    before = enter(mentor).get(reverse("released")).content.decode()

    Release.objects.release(close_reading(stage), by=lead)
    after = enter(mentor).get(reverse("released")).content.decode()

    assert "Mia Mentee" not in before
    assert "\N{MINUS SIGN}0.5 to +1.5" in after
    assert "Otto Other" not in after
    assert 'class="raw"' not in after


def test_nothing_is_released_of_somebody_with_few_readers(enter, lead, mentor, mentee, cohort, stage):
    make_project(cohort, authors=[mentee], mentors=[mentor])
    make_fit(lead.program, {mentee: 0.5}, raters=2)
    Release.objects.release(close_reading(stage), by=lead)

    assert "Nothing has been released to you" in enter(mentor).get(reverse("released")).content.decode()
