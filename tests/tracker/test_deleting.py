"""Nothing with ratings, runs or payments behind it goes with something else."""

import pytest
from django.apps import apps
from django.db import models
from django.db.models import ProtectedError

from tests.factories import make_output, make_project, make_rating, make_stage, make_submission
from tests.tracker.test_history import own_models
from tracker.cohorts.models import Stream, Track
from tracker.events.history import HistoryRow
from tracker.events.models import Event
from tracker.funding.models import Fund

# What goes with what it belongs to, and why nobody misses it.
GOES_WITH = {
    "estimates.FitRequest.program": "bookkeeping; a program with anything in it does not go",
    "estimates.Estimate.fit": "computed; a fit that was released or decided by does not go",
    "estimates.RaterEstimate.fit": "computed, as above",
    "estimates.Contribution.fit": "computed, as above",
    "estimates.GateChance.fit": "computed, as above",
    "estimates.SimulatedTruth.person": "what a simulation knows",
    "projects.Credit.output": "who made it; an output that was rated, measured or submitted does not go",
    "events.Delivery.consumer": "bookkeeping of the outbox",
    "events.Delivery.event": "bookkeeping of the outbox",
}
# Relations without rows of their own: who is in them is told by an event.
MANY_TO_MANY = {
    "people.User.groups": "who manages a fund",
    "people.User.user_permissions": "not used: rights follow roles",
    "cohorts.Stream.mentors": "who mentors a stream",
    "ratings.ReadingPlan.samples": "what everybody reads; each is an assignment too",
}


def test_every_relation_protects_what_it_points_to_or_says_why_not():
    unprotected = {
        f"{model._meta.label}.{field.name}"
        for model in own_models()
        for field in model._meta.fields
        if field.is_relation and field.remote_field.on_delete is not models.PROTECT
    }

    assert unprotected == set(GOES_WITH)


def test_what_is_kept_of_a_row_never_goes_with_it():
    kept = [model for model in apps.get_models() if issubclass(model, HistoryRow)]

    assert len(kept) > 20
    for model in kept:
        for field in model._meta.fields:
            if field.is_relation:
                assert field.remote_field.on_delete in (models.DO_NOTHING, models.SET_NULL)


def test_every_relation_without_rows_of_its_own_is_known():
    found = {
        f"{model._meta.label}.{field.name}"
        for model in own_models()
        for field in model._meta.many_to_many
        if field.remote_field.through._meta.auto_created
    }

    assert found == set(MANY_TO_MANY)


@pytest.mark.django_db
def test_who_comes_into_one_is_told_by_an_event(cohort, mentor):
    stream = Stream.objects.open_in(Track.objects.create(cohort=cohort, name="Control"), name="Agents")
    fund = Fund.objects.found("A fund")

    stream.assign([mentor], by=mentor.user.public_id)
    fund.appoint(mentor.user, by=mentor.user.public_id)

    told = {event.kind: (event.actor, event.payload) for event in Event.objects.all()}
    assert told["stream.mentored"] == (mentor.user.public_id, {"mentors": [str(mentor.public_id)]})
    assert told["fund.appointed"] == (mentor.user.public_id, {"fund": str(fund.public_id)})


@pytest.mark.django_db
class TestNothingGoes:
    @pytest.fixture
    def rating(self, cohort):
        return make_rating(make_output(make_project(cohort), stage=make_stage(cohort)))

    def test_with_a_rating_behind_it(self, rating):
        output, rater = rating.output, rating.rater
        behind = (
            rating,
            output,
            output.project,
            output.stage,
            rater,
            rater.user,
            rating.rubric,
            rating.program,
        )

        for row in (*behind, output.project.cohort):
            with pytest.raises(ProtectedError):
                row.delete()

    def test_with_a_run_behind_it(self, cohort):
        submission = make_submission(make_project(cohort))

        for row in (
            submission,
            submission.project,
            submission.benchmark,
            submission.artifact,
            submission.output,
        ):
            with pytest.raises(ProtectedError):
                row.delete()
