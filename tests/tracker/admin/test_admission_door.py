"""Admission in the admin: leads announce rounds; applications move by their applicants and by decisions."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_application, make_cohort, make_round, make_stage
from tracker.cohorts.models import AdmissionRound, Stream, Track

pytestmark = pytest.mark.django_db


def split(name, moment):
    return {f"{name}_0": f"{moment:%Y-%m-%d}", f"{name}_1": f"{moment:%H:%M:%S}"}


def test_a_lead_announces_a_round(leads_door, cohort):
    now = timezone.now()
    stage = make_stage(cohort, reading_closes_at=now + timedelta(days=9))
    times = split("opens_at", now) | split("closes_at", now + timedelta(days=3))
    form = {"stage": stage.pk, "references_asked": 2, "waitlist_places": 5, **times}

    leads_door.post("/admin/cohorts/admissionround/add/", form)

    assert AdmissionRound.objects.get().cohort == cohort


def test_a_lead_announces_none_elsewhere(leads_door):
    stage = make_stage(make_cohort())

    answer = leads_door.post("/admin/cohorts/admissionround/add/", {"stage": stage.pk})

    assert answer.status_code == 200
    assert not AdmissionRound.objects.exists()


def test_an_application_is_shown_and_not_changed(leads_door, cohort):
    application = make_application(make_round(cohort))
    make_application(make_round(make_cohort()))

    shown = leads_door.get("/admin/cohorts/application/")
    answer = leads_door.post(f"/admin/cohorts/application/{application.pk}/change/", {"state": "admitted"})

    assert [row.pk for row in shown.context["cl"].result_list] == [application.pk]
    assert answer.status_code == 403


def test_a_lead_makes_streams_with_mentors(leads_door, cohort, mentor):
    track = Track.objects.create(cohort=cohort, name="Evaluations")

    leads_door.post(
        "/admin/cohorts/stream/add/", {"track": track.pk, "name": "Agents", "mentors": [mentor.pk]}
    )

    assert list(Stream.objects.get().mentors.all()) == [mentor]


def test_a_lead_archives_in_the_admin(leads_door, cohort):
    leads_door.post("/admin/cohorts/cohort/", {"action": "archive", "_selected_action": [cohort.pk]})

    cohort.refresh_from_db()
    assert cohort.archived_at is not None
