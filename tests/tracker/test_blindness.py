"""Ratings are blind until given; what is changed after seeing others is kept apart."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from tests.factories import close_reading, make_output, make_person, make_project, make_rating, make_rubric
from tracker.errors import RuleBroken
from tracker.estimates.evidence import evidence_of
from tracker.estimates.refresh import observations_of
from tracker.mentoring.models import Feedback
from tracker.people.models import Role
from tracker.projects.models import Output
from tracker.ratings.models import Assignment, Rating, Score, Sighting
from tracker.ratings.seeing import note_people_shown, note_ratings_shown

pytestmark = pytest.mark.django_db
LOW, HIGH = {"rigour": 3.0}, {"rigour": 8.0}


@pytest.fixture
def output(stage):
    make_rubric(stage.cohort.program, "rigour")
    return make_output(make_project(stage.cohort), stage=stage)


def see(reader, output) -> None:
    Sighting.objects.note(reader.user, Output.objects.filter(pk=output.pk))


def counted(program) -> list[tuple[float, int | None]]:
    return [(row["score"], row["panel"]) for row in Score.objects.evidence(program).as_observations()]


class TestARevision:
    def test_every_version_is_kept_and_the_last_stands(self, output, mentor):
        first = make_rating(output, mentor, scores=LOW, comment="Thin.")

        second = first.revise(scores=HIGH, comment="I had missed the appendix.")

        first.refresh_from_db()
        assert (second.revises, list(Rating.objects.standing())) == (first, [second])
        assert first.revised_at is not None
        assert (first.says(), first.comment) == (LOW, "Thin.")

    def test_a_version_that_stands_no_more_is_not_revised(self, output, mentor):
        first = make_rating(output, mentor, scores=LOW)
        first.revise(scores=HIGH)
        first.refresh_from_db()

        with pytest.raises(RuleBroken, match="stands no more") as refusal:
            first.revise(scores=LOW)

        assert refusal.value.code == "not-standing"

    def test_two_sent_at_once_do_not_fork_it(self, output, mentor):
        make_rating(output, mentor, scores=LOW)
        first, stale = Rating.objects.get(), Rating.objects.get()
        second = first.revise(scores=HIGH)

        with pytest.raises(RuleBroken, match="stands no more"):
            stale.revise(scores=LOW)

        assert list(Rating.objects.standing()) == [second]

    def test_what_was_retracted_meanwhile_is_not_brought_back(self, output, mentor):
        make_rating(output, mentor, scores=LOW)
        stale = Rating.objects.get()
        Rating.objects.get().retract(reason="I know the author too well.")

        with pytest.raises(RuleBroken, match="stands no more"):
            stale.revise(scores=HIGH)

        assert not Rating.objects.standing().exists()

    def test_the_same_sent_again_under_its_name_is_the_same_version(self, output, mentor):
        first = make_rating(output, mentor, scores=LOW)

        versions = [first.revise(scores=HIGH, external_id="r-2") for _ in range(2)]

        assert versions[0] == versions[1]
        assert Rating.objects.count() == 2

    def test_it_is_judged_like_a_rating(self, output, mentor, stage):
        rating = make_rating(output, mentor, scores=LOW)
        with pytest.raises(RuleBroken, match="Score rigour"):
            rating.revise(scores={"rigour": 99.0})
        close_reading(stage)
        rating = Rating.objects.get()

        with pytest.raises(RuleBroken, match="closed on"):
            rating.revise(scores=HIGH)

        assert list(Rating.objects.standing()) == [rating]

    def test_retracting_strikes_every_version(self, output, mentor):
        second = make_rating(output, mentor, scores=LOW).revise(scores=HIGH)

        second.retract(reason="I know the author too well.")

        reasons = set(Rating.objects.values_list("retraction_reason", flat=True))
        assert reasons == {"I know the author too well."}
        assert not Rating.objects.evidence().exists()

    def test_the_database_wants_a_reason_for_a_retraction(self, output, mentor):
        rating = make_rating(output, mentor)

        with pytest.raises(IntegrityError, match="a_retraction_has_a_reason"), transaction.atomic():
            Rating.objects.filter(pk=rating.pk).update(retracted_at=timezone.now())

    def test_it_keeps_its_place_in_the_order(self, output, mentor):
        first = make_rating(output, mentor, scores=LOW)
        other = make_rating(make_output(output.project, stage=output.stage), mentor, scores=LOW)

        again = first.revise(scores=HIGH)

        assert (first.place_in_order, other.place_in_order, again.place_in_order) == (1, 2, 1)


class TestWhatCounts:
    def test_a_blind_revision_takes_the_place_of_the_first(self, output, mentor):
        make_rating(output, mentor, scores=LOW).revise(scores=HIGH)

        assert counted(output.program) == [(8.0, None)]

    def test_what_is_changed_after_seeing_others_leaves_the_blind_version_as_evidence(self, output, mentor):
        rating = make_rating(output, mentor, scores=LOW)
        see(mentor, output)

        rating.refresh_from_db()
        revised = rating.revise(scores=HIGH)

        assert (rating.is_blind, revised.is_blind) == (True, False)
        assert counted(output.program) == [(3.0, None)]
        assert list(Rating.objects.standing()) == [revised]

    def test_the_last_blind_version_counts_however_many_follow(self, output, mentor):
        blind = make_rating(output, mentor, scores=LOW).revise(scores={"rigour": 4.0})
        see(mentor, output)
        blind.refresh_from_db()

        blind.revise(scores=HIGH).revise(scores={"rigour": 9.0})

        assert counted(output.program) == [(4.0, None)]

    def test_who_saw_others_first_is_read_together_with_them(self, output, mentor):
        see(mentor, output)

        first = make_rating(output, mentor, scores=LOW)
        assert counted(output.program) == [(3.0, output.pk)]
        first.revise(scores=HIGH)

        assert counted(output.program) == [(8.0, output.pk)]

    def test_the_model_gets_the_panel(self, output, mentor):
        make_rating(output, scores=HIGH)
        see(mentor, output)
        make_rating(output, mentor, scores=LOW)
        make_rating(make_output(make_project(output.project.cohort), stage=output.stage), scores=LOW)

        observations = observations_of(evidence_of(output.program))

        assert list(observations.columns["panel"].levels) == [output.pk]
        assert observations.columns["panel"].known.sum() == 1

    def test_retracting_and_rating_anew_after_seeing_others_is_not_blind(self, output, mentor):
        first = make_rating(output, mentor, scores=LOW)
        see(mentor, output)
        first.refresh_from_db()
        first.retract(reason="A slip.")

        make_rating(output, mentor, scores=HIGH)

        assert counted(output.program) == [(8.0, output.pk)]


class TestSeeing:
    def test_the_first_time_is_kept(self, output, mentor):
        see(mentor, output)
        first = Sighting.objects.get().seen_at

        see(mentor, output)

        assert Sighting.objects.get().seen_at == first

    def test_it_is_told_to_the_rating_that_stands(self, output, mentor):
        rating = make_rating(output, mentor)
        see(mentor, output)
        rating.refresh_from_db()

        assert rating.others_seen_at == Sighting.objects.get().seen_at

    def test_once_the_reading_has_closed_nothing_is_to_be_kept_blind(self, output, mentor, stage):
        close_reading(stage)

        see(mentor, output)

        assert not Sighting.objects.exists()

    def test_own_ratings_tell_nothing_of_others(self, output, lead):
        make_rating(output, lead)
        person = output.project.authors().get()

        note_ratings_shown(lead.user)
        note_people_shown(lead.user, [person.pk])
        assert not Sighting.objects.exists()

        make_rating(output)
        note_people_shown(lead.user, [person.pk])
        assert Sighting.objects.get().reader == lead

    def test_a_lead_who_looked_into_the_admin_rates_no_longer_blind(self, output, lead):
        lead.user.become_staff()
        make_rating(output)
        browser = Client()
        browser.force_login(lead.user)

        assert browser.get("/admin/ratings/rating/").status_code == 200

        assert make_rating(output, lead).is_blind is False

    def test_a_lead_who_saw_the_persons_picture_rates_no_longer_blind(self, output, lead):
        make_rating(output)
        make_rating(make_output(make_project(output.project.cohort), stage=output.stage), scores=LOW)
        from tracker.estimates.refresh import refresh_estimates

        refresh_estimates(output.program)
        browser = Client()
        browser.force_login(lead.user)

        assert browser.get(f"/people/{output.project.authors().get().public_id}/").status_code == 200

        assert make_rating(output, lead).is_blind is False

    @pytest.mark.parametrize(
        ("values", "name"),
        [
            ({"is_blind": False}, "who_is_not_blind_saw_others_before"),
            (
                {"others_seen_at": timezone.now() - timedelta(days=9)},
                "who_is_blind_saw_others_after_if_at_all",
            ),
        ],
    )
    def test_the_database_knows_what_blind_means(self, output, mentor, values, name):
        rating = make_rating(output, mentor)

        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            Rating.objects.filter(pk=rating.pk).update(**values)


class TestWhoIsToRead:
    def test_a_lead_sees_no_rating_of_what_they_are_given_until_they_have_rated(self, output, lead):
        other = make_rating(output)
        Assignment.objects.assign(lead, output)

        before = list(Rating.objects.visible_to(lead.user))
        own = make_rating(output, lead)

        assert before == []
        assert set(Rating.objects.visible_to(lead.user)) == {other, own}

    def test_feedback_waits_for_whoever_has_yet_to_rate(self, output, mentor, lead):
        given = Feedback.objects.give(project=output.project, author=lead, text="Add a control.")
        own = Feedback.objects.give(project=output.project, author=mentor, text="Mine.")

        before = list(Feedback.objects.visible_to(mentor.user))
        make_rating(output, mentor)

        assert before == [own]
        assert set(Feedback.objects.visible_to(mentor.user)) == {given, own}

    def test_feedback_waits_for_a_lead_who_is_given_the_piece(self, output, lead, mentor):
        given = Feedback.objects.give(project=output.project, author=mentor, text="Add a control.")
        assert list(Feedback.objects.visible_to(lead.user)) == [given]

        Assignment.objects.assign(lead, output)

        assert not Feedback.objects.visible_to(lead.user).exists()

    def test_those_the_feedback_is_for_read_it_at_once(self, output, mentor):
        given = Feedback.objects.give(project=output.project, author=mentor, text="Add a control.")
        author = output.project.authors().get()

        assert list(Feedback.objects.visible_to(author.user)) == [given]

    def test_somebody_who_cannot_rate_it_need_not_wait(self, output, mentor, lead):
        given = Feedback.objects.give(project=output.project, author=lead, text="Add a control.")
        mentor.conflicts.declare(person=mentor, project=output.project)

        assert list(Feedback.objects.visible_to(mentor.user)) == [given]

    def test_who_reads_and_who_rates_is_nobodys_in_another_program(self, output, stranger):
        make_rating(output)
        Assignment.objects.assign(make_person(Role.MENTOR, program=output.program), output)

        assert not Assignment.objects.visible_to(stranger).exists()
        assert not Rating.objects.visible_to(stranger).exists()
