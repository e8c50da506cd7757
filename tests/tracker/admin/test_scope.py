"""Every list of the admin: what it shows, offers, filters by and costs."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import (
    make_cohort,
    make_output,
    make_person,
    make_project,
    make_rating,
    make_stage,
    make_submission,
)
from tests.tracker.api.test_estimates import make_estimate, make_fit
from tracker.cohorts.models import Enrollment
from tracker.grading.models import Run
from tracker.mentoring.models import Feedback
from tracker.people.models import ApiKey, Membership, Person, Program, Role, ShareGrant
from tracker.people.scoped_admin import ScopedModelAdmin
from tracker.ratings.models import Conflict

pytestmark = pytest.mark.django_db
OURS = [
    model
    for model in admin.site._registry
    if model.__module__.startswith("tracker") and model._meta.app_label != "events"
]
LABELS = [model._meta.label_lower for model in OURS]


def changelist(label: str) -> str:
    return "/admin/{}/{}/".format(*label.split("."))


def test_every_model_that_is_shown_says_who_sees_it():
    plain = [
        model._meta.label
        for model in OURS
        if not isinstance(admin.site._registry[model], ScopedModelAdmin)
        and model._meta.label != "people.User"
    ]

    assert plain == []
    assert all(
        hasattr(model._default_manager, "visible_to")
        for model in OURS
        if model._meta.label not in ("people.User", "estimates.FitRequest")
    )


@pytest.mark.parametrize("label", LABELS)
def test_a_superuser_opens_every_list_and_a_visitor_none(masters_door, client, label, shared):
    assert masters_door.get(changelist(label)).status_code == 200
    assert client.get(changelist(label)).status_code == 302


@pytest.mark.parametrize("role", [role for role in Role if role != Role.LEAD])
def test_being_staff_without_leading_or_managing_a_fund_opens_nothing(role, program, shared):
    person = make_person(role, program=program)
    person.user.become_staff()
    door = Client()
    door.force_login(person.user)

    statuses = {
        door.get(path).status_code
        for label in LABELS
        for path in (changelist(label), changelist(label) + "add/")
    }

    assert statuses == {403}


@pytest.mark.parametrize("label", LABELS)
def test_nothing_is_deleted_at_this_door(masters_door, label, shared):
    row = next(model for model in OURS if model._meta.label_lower == label).objects.first()

    pk = row.pk if row is not None else 1
    assert masters_door.post(f"{changelist(label)}{pk}/delete/", {"post": "yes"}).status_code in (302, 403)
    assert "delete_selected" not in masters_door.get(changelist(label)).content.decode()


@pytest.mark.parametrize("label", LABELS)
def test_a_lead_sees_nothing_of_another_program(leads_door, label, foreigner):
    answer = leads_door.get(changelist(label))

    assert answer.status_code in (200, 403)
    assert "Fritz Foreign" not in answer.content.decode()
    assert "Elsewhere" not in answer.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "user__email__startswith=a",
        "program__people__name__contains=F",
        "memberships__role=lead",
        "user__password__startswith=x",
        "name__startswith=S",
    ],
)
def test_a_list_is_not_searched_through_what_it_does_not_offer(leads_door, query):
    answer = leads_door.get(f"/admin/people/person/?{query}")

    assert answer.status_code in (302, 400)


def test_a_fund_does_not_search_fits_by_what_they_saw(funds_door, shared):
    for query in ("rows__gt=10", "criterion__gt=0", "content_hash__startswith=0", "is_current__exact=1"):
        assert funds_door.get(f"/admin/estimates/fit/?{query}").status_code in (302, 400)
    assert (
        funds_door.get(f"/admin/estimates/fit/?program__id__exact={shared.fit.program.pk}").status_code == 200
    )


@pytest.mark.parametrize(
    "query",
    [
        "submitted_at__year=9999",
        "submitted_at__year=99999999999999999999",
        "submitted_at__year=2026&submitted_at__month=1000000000000000000000",
    ],
)
def test_a_date_that_no_calendar_has_is_a_filter_that_means_nothing(leads_door, query):
    answer = leads_door.get(f"/admin/ratings/rating/?{query}")

    assert (answer.status_code, answer.url) == (302, "/admin/ratings/rating/?e=1")


def test_the_record_of_a_run_is_for_who_leads_its_program(leads_door, lead, cohort, stage):
    elsewhere = make_cohort()
    make_person(Role.MENTOR, program=elsewhere.program, user=lead.user)
    runs = [make_submission(make_project(place)).runs.get() for place in (cohort, elsewhere)]
    Run.objects.update(record={"controls": {"constant": 0.1204}})

    pages = [leads_door.get(f"/admin/grading/run/{run.pk}/change/").content.decode() for run in runs]

    assert ["0.1204" in page for page in pages] == [True, False]
    assert all("Qualification" in page or "qualification" in page for page in pages)


@pytest.mark.parametrize("term", ["Fritz", "Sara"])
def test_autocomplete_offers_only_who_may_be_seen(leads_door, shared, foreigner, term):
    query = {"app_label": "people", "model_name": "membership", "field_name": "person", "term": term}

    found = leads_door.get("/admin/autocomplete/", query).json()["results"]

    assert [row["text"] for row in found] == (["Sara Shares"] if term == "Sara" else [])


def test_autocomplete_is_closed_to_who_may_not_open_the_list(funds_door, shared):
    query = {"app_label": "cohorts", "model_name": "stage", "field_name": "cohort", "term": ""}

    assert funds_door.get("/admin/autocomplete/", query).status_code in (403, 404)


@pytest.fixture
def crowded(shared, cohort, stage) -> Program:
    """A hundred people with estimates, and many rows of everything else."""
    program = cohort.program
    people = Person.objects.bulk_create(Person(program=program, name=f"P {n}") for n in range(100))
    Membership.objects.bulk_create(Membership(person=person, role=Role.MENTOR) for person in people)
    Enrollment.objects.bulk_create(Enrollment(person=person, cohort=cohort) for person in people)
    for person in people:
        make_estimate(shared.fit, person)
    for person in people[:30]:
        make_fit(program, is_current=False)
        output = make_output(make_project(cohort, authors=[person]), stage=make_stage(cohort))
        make_rating(output, people[-1])
        Feedback.objects.give(project=output.project, author=people[-1], text="Good.")
        Conflict.objects.declare(person=people[-2], project=output.project)
        make_submission(output.project)
        ApiKey.objects.issue(program=program, name="Script", scopes=[])
        make_cohort(program)
    return program


def test_every_list_costs_at_most_ten_queries_however_long_it_is(masters_door, leads_door, crowded):
    costs = {}

    for label in LABELS:
        for door in (masters_door, leads_door):
            # The first look writes down whose work is not read blind from then on.
            door.get(changelist(label))
            with CaptureQueriesContext(connection) as queries:
                door.get(changelist(label))
            costs[label, door is leads_door] = len(queries) - writing_down(queries)

    assert {place: cost for place, cost in costs.items() if cost > 10} == {}


def writing_down(queries: CaptureQueriesContext) -> int:
    """A list of estimates writes down who looked, and asks whose work is not read blind after that."""
    beginnings = ('INSERT INTO "estimates_viewing"', 'SELECT DISTINCT "projects_output"')
    return sum(query["sql"].startswith(beginnings) for query in queries)


def test_a_funds_list_of_people_costs_at_most_ten_queries(funds_door, shared, crowded):
    group = ShareGrant.objects.get().shared_with
    for person in Person.objects.filter(name__startswith="P "):
        ShareGrant.objects.share(person, shared_with=group, what="estimates")

    with CaptureQueriesContext(connection) as queries:
        page = funds_door.get("/admin/people/person/").content.decode()

    assert len(queries) - writing_down(queries) <= 10
    assert page.count("-1.0 to +1.5") == 100
