"""Admission: who applies, when, and what comes of it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from tests.factories import (
    make_application,
    make_cohort,
    make_mentee,
    make_output,
    make_project,
    make_round,
)
from tracker.cohorts.models import AdmissionRound, Application, Cohort, Enrollment, Stream, Track
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.people.models import Person, Role
from tracker.projects.applying import send_application
from tracker.projects.models import Output
from tracker.ratings.leaving import leave_program

pytestmark = pytest.mark.django_db


@pytest.fixture
def round(cohort):
    return make_round(cohort, places=1, waitlist_places=1)


@pytest.fixture
def stream(cohort):
    track = Track.objects.create(cohort=cohort, name="Evaluations")
    return Stream.objects.open_in(track, name="Agents", places=1)


def close(round):
    AdmissionRound.objects.filter(pk=round.pk).update(closes_at=timezone.now() - timedelta(minutes=1))
    return AdmissionRound.objects.get(pk=round.pk)


def test_whoever_is_invited_applies_once(round):
    first = round.invite(name="Ann", email="ann@example.org")
    second = round.invite(name="Ann", email="ANN@example.org")

    assert first == second
    assert first.person.holds(Role.APPLICANT)


def test_a_mentor_who_is_invited_is_judged_as_every_applicant_is(round, mentor, lead):
    application = round.invite(name=mentor.name, email=mentor.user.email)

    assert application.person == mentor
    with pytest.raises(RuleBroken, match="by their own word"):
        leave_program(mentor, by=lead.user.public_id)
    assert Enrollment.objects.filter(person=mentor, left_on=None).exists()


def test_only_a_mentee_joins_a_cohort_and_only_who_is_judged_applies(cohort, round, mentor):
    for values in ({}, {"applying_since": timezone.now()}):
        with pytest.raises(RuleBroken, match="is no mentee") as refusal:
            Enrollment.objects.enroll(mentor, cohort=cohort, **values)
        assert refusal.value.code == "no-mentee"

    with pytest.raises(RuleBroken, match="is no mentee"):
        Enrollment.objects.enroll(make_application(round).person, cohort=make_cohort(cohort.program))


def test_an_applicant_is_not_in_the_cohort_yet(round):
    application = make_application(round)

    user = application.person.user
    assert not Cohort.objects.visible_to(user).exists()
    assert not Enrollment.objects.active().filter(person=application.person).exists()
    assert list(Enrollment.objects.of_stage(round.stage)) == [application.enrollment]


def test_a_stage_without_a_round_decides_about_those_who_are_in(round, stage):
    make_application(round)
    mentee = make_mentee(stage.cohort)

    assert [enrollment.person for enrollment in Enrollment.objects.of_stage(stage)] == [mentee]


def test_an_admitted_applicant_is_a_mentee_from_then_on(round):
    application = make_application(round)

    application.admit()

    assert application.person.holds(Role.MENTEE)
    assert not application.person.holds(Role.APPLICANT)
    assert Enrollment.objects.active().filter(person=application.person).exists()
    assert Event.objects.filter(kind="person.admitted").count() == 1


def test_a_round_admits_no_more_than_its_places(round):
    make_application(round).admit()

    with pytest.raises(RuleBroken, match="no free place"):
        make_application(round).admit()


def test_a_closed_round_takes_no_application(round):
    draft = round.invite(name="Ann", email="ann@example.org")
    draft.round = close(round)

    with pytest.raises(RuleBroken, match="takes no applications now"):
        draft.submit()
    with pytest.raises(RuleBroken, match="takes no applications now"):
        draft.round.invite(name="Bo", email="bo@example.org")


def test_the_first_who_waits_gets_a_declined_place(round):
    admitted, waiting = make_application(round), make_application(round)
    admitted.admit()
    waiting.put_on_waitlist()

    follower = admitted.decline()

    assert follower == waiting
    assert follower.state == Application.State.ADMITTED
    assert follower.waitlist_position is None
    assert not Enrollment.objects.active().filter(person=admitted.person).exists()


def test_a_place_that_is_there_no_more_is_declined_all_the_same(round):
    admitted, waiting = make_application(round), make_application(round)
    admitted.admit()
    waiting.put_on_waitlist()
    round.stage.aim_for(places=0, bar=None, planned_readers=3)
    admitted.refresh_from_db()

    assert Application.objects.get(pk=admitted.pk).decline() is None
    assert Application.objects.get(pk=waiting.pk).state == "waitlisted"


def test_whoever_is_decided_for_waits_where_no_place_is_left(round):
    first, second = make_application(round), make_application(round)

    for application in (first, second):
        application.admit_or_wait()

    assert (first.state, second.state) == ("admitted", "waitlisted")
    assert second.waitlist_position == 1


def test_a_waitlist_ends_at_its_places(round):
    make_application(round).put_on_waitlist()

    with pytest.raises(RuleBroken, match="is full"):
        make_application(round).put_on_waitlist()


def test_what_was_answered_is_not_answered_again(round):
    application = make_application(round)
    application.turn_down()

    for verb in (application.admit, application.withdraw, application.put_on_waitlist):
        with pytest.raises(RuleBroken, match="is not admitted"):
            verb()


def test_who_applies_may_point_to_what_others_point_to(round, cohort):
    paper = "https://arxiv.org/abs/2401.01234"
    make_output(make_project(cohort), url=paper)
    applications = [make_application(round) for _ in range(2)]

    for application in applications:
        send_application(application, text="We wrote it.", url=f"{paper}v2?utm_source=mail")

    sent = Output.objects.filter(kind="proposal")
    assert [(output.url, output.work) for output in sent] == [(f"{paper}v2", "")] * 2


def test_an_address_is_recognised_when_it_is_sent_again_too(round):
    application = make_application(round)
    send_application(application, text="First.")

    with pytest.raises(RuleBroken, match="starts with https"):
        send_application(application, text="Second.", url="javascript:alert(1)")
    send_application(application, text="Second.", url="arXiv:2401.01234")

    sent = Output.objects.get(kind="proposal")
    assert (sent.text, sent.url) == ("Second.", "https://arxiv.org/abs/2401.01234")


def test_what_is_withdrawn_may_be_tried_in_a_later_round(round, cohort):
    application = make_application(round)
    application.withdraw()

    again = Application.objects.start(make_round(cohort), application.person)

    assert again.state == Application.State.DRAFT


def test_nobody_applies_to_a_cohort_that_they_are_in(round):
    mentee = make_mentee(round.cohort)

    with pytest.raises(RuleBroken, match="already"):
        Application.objects.start(round, mentee)


def test_the_database_knows_who_waits(round):
    application = make_application(round)

    with pytest.raises(IntegrityError):
        Application.objects.filter(pk=application.pk).update(waitlist_position=3)


def test_a_round_closes_before_its_reading_does(cohort):
    with pytest.raises(RuleBroken, match="before its reading closes"):
        make_round(cohort, closes_at=timezone.now() + timedelta(days=30))


def test_an_applicant_sees_their_own_application_alone(round, lead, mentor):
    own, other = make_application(round), make_application(round)
    draft = round.invite(name="Ann", email="ann@example.org")

    assert list(Application.objects.visible_to(own.person.user)) == [own]
    assert set(Application.objects.visible_to(lead.user)) == {own, other}
    assert draft in Application.objects.visible_to(draft.person.user)
    assert not Application.objects.visible_to(mentor.user).exists()
    assert Person.objects.visible_to(own.person.user).count() == 1


def test_an_admitted_applicant_is_placed_as_wished_while_there_is_room(cohort, stream):
    round = make_round(cohort)
    first, second = make_application(round), make_application(round)
    for application in (first, second):
        application.wish(track=stream.track, stream=stream)
        application.admit()

    assert first.enrollment.stream == stream
    assert second.enrollment.track == stream.track
    assert second.enrollment.stream is None


def test_a_full_stream_takes_nobody_more(cohort, stream):
    first, second = (Enrollment.objects.get(person=make_mentee(cohort)) for _ in range(2))
    first.place(track=stream.track, stream=stream)

    with pytest.raises(RuleBroken, match="no free place"):
        second.place(track=stream.track, stream=stream)


def test_a_place_is_in_a_track_of_the_cohort(cohort, stream):
    enrollment = Enrollment.objects.get(person=make_mentee(make_cohort(cohort.program)))

    with pytest.raises(RuleBroken, match="another cohort"):
        enrollment.place(track=stream.track)
    with pytest.raises(RuleBroken, match="not a stream of that track"):
        Enrollment.objects.get(person=make_mentee(cohort)).place(track=None, stream=stream)


def test_mentors_of_a_stream_are_mentors_of_its_program(stream, mentor, cohort):
    stream.assign([mentor])
    assert list(stream.mentors.all()) == [mentor]

    with pytest.raises(RuleBroken, match="no mentor"):
        stream.assign([make_mentee(cohort)])
