"""Leaving in the middle: roles and places end, what was said stays."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import (
    make_application,
    make_cohort,
    make_mentee,
    make_output,
    make_person,
    make_project,
    make_rating,
    make_round,
)
from tests.tracker.web.test_admission import as_user
from tracker.cohorts.models import Enrollment
from tracker.errors import RuleBroken
from tracker.people.models import Role
from tracker.projects.models import Project
from tracker.ratings.leaving import leave_program, takeovers
from tracker.ratings.models import Assignment, Rating

pytestmark = pytest.mark.django_db


@pytest.fixture
def mentored(stage, mentor):
    return make_project(stage.cohort, mentors=[mentor])


def test_a_mentor_who_leaves_sees_nothing_more_and_their_ratings_stay(stage, mentor, mentored):
    rating = make_rating(make_output(stage=stage, project=make_project(stage.cohort)), mentor)

    leave_program(mentor)

    assert not mentor.memberships.active().exists()
    assert not Project.objects.visible_to(mentor.user).exists()
    assert not mentored.team.active().filter(person=mentor).exists()
    assert rating in Rating.objects.standing()


def test_what_they_were_to_read_is_free_again(stage, mentor):
    output = make_output(stage=stage, project=make_project(stage.cohort))
    Assignment.objects.assign(mentor, output)

    leave_program(mentor)

    assert not Assignment.objects.standing().exists()


def test_whoever_mentors_least_is_proposed(stage, mentor, mentored):
    program = stage.cohort.program
    busy, free = (make_person(Role.MENTOR, program=program) for _ in range(2))
    make_project(stage.cohort, mentors=[busy])

    assert [(each.project, each.proposed) for each in takeovers(mentor)] == [(mentored, free)]


def test_the_proposed_take_over_where_it_is_wished(stage, mentor, mentored):
    free = make_person(Role.MENTOR, program=stage.cohort.program)

    leave_program(mentor, hand_over=True)

    assert list(mentored.mentors()) == [free]


def test_nobody_is_proposed_where_nobody_is_free(mentor, mentored):
    assert [each.proposed for each in takeovers(mentor)] == [None]


def test_the_last_lead_stays(lead):
    with pytest.raises(RuleBroken, match="name another lead first"):
        leave_program(lead)

    make_person(Role.LEAD, program=lead.program)
    leave_program(lead)
    assert not lead.holds(Role.LEAD)


def test_a_mentee_who_leaves_is_in_no_cohort_and_keeps_their_credit(stage):
    mentee = make_mentee(stage.cohort)
    output = make_output(make_project(stage.cohort, authors=[mentee]), stage=stage)

    leave_program(mentee, by=mentee.user.public_id)

    assert not Enrollment.objects.active().filter(person=mentee).exists()
    assert output.credits.get().person == mentee


@pytest.mark.parametrize("by", ["lead", "nobody"])
def test_nobody_else_says_that_a_mentee_or_applicant_leaves(stage, lead, by):
    """It would be an end without reasons, a second reader and an appeal."""
    for person in (make_mentee(stage.cohort), make_application(make_round(stage.cohort)).person):
        with pytest.raises(RuleBroken, match="by their own word"):
            leave_program(person, by=lead.user.public_id if by == "lead" else None)

        with pytest.raises(RuleBroken, match="by their own word"):
            person.memberships.get().end()
        assert person.enrollments.get().left_on is None


def test_no_lead_ends_a_place_on_the_page_or_in_the_admin(stage, lead):
    mentee = make_mentee(stage.cohort)
    lead.user.become_staff()
    door, path = as_user(lead.user), f"/people/{mentee.public_id}/leave/"
    ending = {"action": "end", "_selected_action": [mentee.memberships.get().pk]}

    assert "Only " in door.get(path).content.decode()
    said = door.post(path, follow=True).content.decode()
    told = door.post("/admin/people/membership/", ending, follow=True).content.decode()

    assert "by their own word" in said
    assert "their place ends by a decision" in told
    assert Enrollment.objects.active().filter(person=mentee).exists()
    assert mentee.holds(Role.MENTEE)


def test_a_mentee_leaves_by_their_own_word(stage):
    mentee, other = make_mentee(stage.cohort), make_mentee(stage.cohort)
    door = as_user(mentee.user)

    assert door.post(f"/mine/leave/{other.public_id}/").status_code == 404
    assert f"/mine/leave/{mentee.public_id}/" in door.get("/mine/").content.decode()
    assert "I leave" in door.get(f"/mine/leave/{mentee.public_id}/").content.decode()
    door.post(f"/mine/leave/{mentee.public_id}/")

    assert [one.person for one in Enrollment.objects.active()] == [other]
    assert not mentee.memberships.active().exists()


def test_who_leaves_takes_back_what_they_applied_for(cohort):
    application = make_application(make_round(cohort))

    leave_program(application.person, by=application.person.user.public_id)

    application.refresh_from_db()
    assert application.state == "withdrawn"
    assert not application.person.enrollments.filter(left_on=None).exists()


def test_a_place_in_a_cohort_that_is_to_start_goes_to_who_waits(program):
    ahead = timezone.localdate() + timedelta(days=40)
    cohort = make_cohort(program, starts_on=ahead, ends_on=ahead + timedelta(days=70))
    round = make_round(cohort, places=1, waitlist_places=1)
    admitted, waiting = make_application(round), make_application(round)
    admitted.admit()
    waiting.put_on_waitlist()

    leave_program(admitted.person, by=admitted.person.user.public_id)

    for application in (admitted, waiting):
        application.refresh_from_db()
    assert (admitted.state, waiting.state) == ("declined", "admitted")


def test_a_lead_sees_who_is_proposed_and_then_lets_them_go(lead, mentor, mentored):
    address = f"/people/{mentor.public_id}/leave/"
    free = make_person(Role.MENTOR, program=lead.program, name="Fran Free")
    door = as_user(lead.user)

    shown = door.get(address).content.decode()
    door.post(address, {"hand_over": "on"})

    assert "Fran Free" in shown
    assert list(mentored.mentors()) == [free]


def test_only_a_lead_sends_somebody_off(mentor, stage):
    committee = make_person(Role.COMMITTEE, program=stage.cohort.program)

    assert as_user(committee.user).post(f"/people/{mentor.public_id}/leave/").status_code == 403
    assert mentor.holds(Role.MENTOR)
