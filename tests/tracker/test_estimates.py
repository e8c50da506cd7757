"""What enters an estimate beside ratings, and who sees one when."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from tests.factories import (
    close_reading,
    make_cohort,
    make_mentee,
    make_output,
    make_person,
    make_rating,
    make_stage,
    make_submission,
    make_thorough_run,
)
from tests.tracker.gate_world import decide, second
from tracker.errors import RuleBroken
from tracker.estimates.evidence import evidence_of
from tracker.estimates.models import Contribution, Estimate, FitRequest, Release
from tracker.estimates.refresh import refresh_estimates
from tracker.grading.models import Run
from tracker.people.models import Role, ShareGrant

pytestmark = pytest.mark.django_db


class TestMeasurements:
    """A benchmark's headline enters the fit once enough outputs have both kinds of evidence."""

    @pytest.fixture
    def measured(self, rated):
        for at, project in enumerate(rated.cohort.projects.order_by("pk")):
            submission = make_submission(project)
            run = make_thorough_run(submission)
            run.measurements.create(
                metric="accuracy", value=0.8 + 0.05 * at, standard_error=0.01, n=500, method="cells"
            )
            make_rating(submission.output)
        return rated

    def joined(self, program: Any) -> list[Any]:
        return [row for row in evidence_of(program).rows if row["rater"] is None]

    def test_few_stay_beside(self, measured):
        program = measured.cohort.program

        assert self.joined(program) == []
        assert evidence_of(program).measured[0].as_record() == {
            "instrument": "digits: accuracy",
            "outputs": 4,
            "rated_too": 4,
            "needed": 20,
            "joins": False,
        }

    def test_a_measurement_taken_again_counts_once(self, measured):
        program = measured.cohort.program
        program.measurements_join_from = 4
        run = Run.objects.filter(phase="thorough").first()
        again = make_thorough_run(run.submission)
        again.measurements.create(metric="accuracy", value=0.5, standard_error=0.01, n=500, method="cells")

        rows = self.joined(program)

        assert len(rows) == 4
        assert min(row["score"] for row in rows) == pytest.approx((0.5 - 0.1) / 0.88)

    def test_what_could_not_be_measured_hides_nothing_that_was(self, measured):
        program = measured.cohort.program
        program.measurements_join_from = 4
        Run.objects.open().update(state="refused", ended_at=Now())

        make_submission(measured.cohort.projects.first())

        assert len(self.joined(program)) == 4

    def test_one_without_a_known_error_does_not_count_as_exact(self, measured):
        program = measured.cohort.program
        program.measurements_join_from = 3
        Run.objects.filter(phase="thorough").first().measurements.update(standard_error=None)

        assert len(self.joined(program)) == 3

    def test_what_stays_beside_is_told_by_the_next_fit(self, measured):
        fit = refresh_estimates(measured.cohort.program)

        assert fit is not None
        assert not fit.measured["digits: accuracy"]["joins"]

    def test_enough_join_with_their_known_error(self, measured):
        program = measured.cohort.program
        program.measurements_join_from = 4

        rows = self.joined(program)

        assert min(row["score"] for row in rows) == pytest.approx((0.8 - 0.1) / 0.88)
        assert [row["se"] for row in rows] == pytest.approx([0.01 / 0.88] * 4)

    def test_the_fit_learns_how_far_they_follow_the_readers(self, measured):
        program = measured.cohort.program
        program.measurements_join_from = 4

        fit = refresh_estimates(program)

        assert fit is not None
        assert fit.measured["digits: accuracy"]["scale"]["mean"] >= 0


class TestWhoSeesEstimates:
    @pytest.fixture
    def fitted(self, rated):
        refresh_estimates(rated.cohort.program)
        FitRequest.objects.update(done_at=Now())
        return rated

    def seen_by(self, user: Any) -> int:
        return Estimate.objects.current().visible_to(user).count()

    def test_before_the_release_leads_alone(self, fitted, lead, mentor, stranger, fund_manager):
        author = fitted.cohort.projects.first().authors().get()

        seen = [self.seen_by(user) for user in (lead.user, mentor.user, author.user, fund_manager, stranger)]

        assert seen == [4, 0, 0, 0, 0]

    def test_research_managers_see_none(self, fitted):
        manager = make_person(Role.RESEARCH_MANAGER, program=fitted.cohort.program)

        assert self.seen_by(manager.user) == 0

    def test_after_it_a_mentor_sees_their_mentees_and_a_person_their_own_once_it_is_decided(
        self, fitted, lead, mentor
    ):
        project = fitted.cohort.projects.first()
        author = project.authors().get()
        project.set_team(authors=[author], mentors=[mentor])
        other = make_person(Role.MENTOR, program=fitted.cohort.program)

        Release.objects.release(close_reading(fitted), by=lead)

        assert [self.seen_by(person.user) for person in (author, mentor, other)] == [0, 1, 0]
        decide(fitted, author, lead)
        assert [self.seen_by(person.user) for person in (author, mentor, other)] == [1, 1, 0]

    def test_an_end_is_told_with_its_picture_after_the_second_reader(self, fitted, lead):
        author = fitted.cohort.projects.first().authors().get()
        Release.objects.release(close_reading(fitted), by=lead)

        decision = decide(fitted, author, lead, "end")
        assert self.seen_by(author.user) == 0
        second(decision, make_person(Role.COMMITTEE, program=fitted.cohort.program))

        assert self.seen_by(author.user) == 1

    def test_a_decision_of_another_stage_shows_nothing_of_this(self, fitted, lead):
        author = fitted.cohort.projects.first().authors().get()
        earlier = make_stage(fitted.cohort, name="Earlier", position=7)
        Release.objects.release(close_reading(fitted), by=lead)

        decide(earlier, author, lead)

        assert self.seen_by(author.user) == 0

    def test_a_fund_sees_who_shared_and_only_what_is_released(self, fitted, lead, fund_manager):
        author = fitted.cohort.projects.first().authors().get()
        grant = ShareGrant.objects.share(author, shared_with=fund_manager.groups.get(), what="estimates")
        assert self.seen_by(fund_manager) == 0

        Release.objects.release(close_reading(fitted), by=lead)
        assert self.seen_by(fund_manager) == 1

        grant.revoke()
        assert self.seen_by(fund_manager) == 0

    def test_nothing_is_released_with_fewer_than_three_readers(self, fitted, lead):
        newcomer = make_mentee(fitted.cohort)
        refresh_estimates(fitted.cohort.program)
        FitRequest.objects.update(done_at=Now())

        Release.objects.release(close_reading(fitted), by=lead)

        assert self.seen_by(newcomer.user) == 0

    def test_an_open_reading_is_not_released(self, fitted, lead):
        with pytest.raises(RuleBroken, match="released after it"):
            Release.objects.release(fitted, by=lead)

    def test_only_a_lead_releases(self, fitted, mentor):
        with pytest.raises(RuleBroken, match="only a lead"):
            Release.objects.release(close_reading(fitted), by=mentor)

    def test_contributions_are_the_deciders_alone(self, fitted, lead, mentor):
        Release.objects.release(close_reading(fitted), by=lead)
        author = fitted.cohort.projects.first().authors().get()

        assert Contribution.objects.visible_to(lead.user).exists()
        assert not Contribution.objects.visible_to(author.user).exists()
        assert not Contribution.objects.visible_to(mentor.user).exists()

    def test_nothing_is_released_while_a_better_fit_is_computed(self, fitted, lead):
        FitRequest.objects.ask_for_better(fitted.cohort.program)

        with pytest.raises(RuleBroken, match="in a minute"):
            Release.objects.release(close_reading(fitted), by=lead)

    def test_nothing_is_released_that_rests_on_an_open_reading_too(self, fitted, lead):
        later = make_stage(fitted.cohort)
        make_rating(make_output(fitted.cohort.projects.first(), stage=later))

        with pytest.raises(RuleBroken, match=f"ratings of {later} too"):
            Release.objects.release(close_reading(fitted), by=lead)

    def test_a_release_shows_nobody_of_another_cohort(self, fitted, lead):
        elsewhere = make_cohort(fitted.cohort.program)
        person = fitted.cohort.projects.first().authors().get()
        person.enrollments.update(cohort=elsewhere)

        Release.objects.release(close_reading(fitted), by=lead)

        assert self.seen_by(person.user) == 0

    def test_a_mentor_who_may_still_read_a_person_sees_no_earlier_picture(self, fitted, lead, mentor):
        project = fitted.cohort.projects.first()
        author = project.authors().get()
        project.set_team(authors=[author], mentors=[mentor])
        Release.objects.release(close_reading(fitted), by=lead)
        decide(fitted, author, lead)
        assert self.seen_by(mentor.user) == 1

        make_output(project, stage=make_stage(fitted.cohort))

        assert [self.seen_by(mentor.user), self.seen_by(author.user)] == [0, 1]

    def test_a_released_stage_is_not_read_again(self, fitted, lead):
        Release.objects.release(close_reading(fitted), by=lead)
        now = timezone.now()

        with pytest.raises(RuleBroken, match="released"):
            fitted.move_reading(opens_at=now, closes_at=now + timedelta(days=1))
