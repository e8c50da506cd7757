"""People, cohorts and rubrics through the API."""

import pytest

from tests.factories import make_person, make_rubric
from tracker.people.models import Person, Role

pytestmark = pytest.mark.django_db


def test_it_lists_people_with_the_roles_they_hold_now(api, mentor, lead):
    lead.memberships.get().end()

    people = {row["id"]: row for row in api.get("/api/v1/people/").json()["results"]}

    assert people[str(mentor.public_id)]["roles"] == ["mentor"]
    assert people[str(lead.public_id)]["roles"] == []


def test_it_finds_people_by_role_and_by_their_programs_own_name(api, program, mentor):
    someone = make_person(Role.MENTOR, program=program, external_id="m-17")

    by_role = api.get("/api/v1/people/?role=mentor").json()["results"]
    by_name = api.get("/api/v1/people/?external_id=m-17").json()["results"]

    assert {row["id"] for row in by_role} == {str(mentor.public_id), str(someone.public_id)}
    assert [row["id"] for row in by_name] == [str(someone.public_id)]


def test_it_admits_a_mentee_into_a_cohort(api, cohort):
    body = {"name": "Nora New", "roles": ["mentee"], "cohort": str(cohort.public_id), "external_id": "n-1"}

    answer = api.post("/api/v1/people/", body)

    person = Person.objects.get(external_id="n-1")
    assert (answer.status_code, answer.json()["roles"]) == (201, ["mentee"])
    assert (person.program, person.enrollments.get().cohort) == (cohort.program, cohort)


def test_it_enrolls_nobody_who_is_a_mentor_alone(api, cohort):
    body = {"name": "Mia Mentor", "roles": ["mentor"], "cohort": str(cohort.public_id)}

    answer = api.post("/api/v1/people/", body)
    both = api.post("/api/v1/people/", {**body, "name": "Bo Both", "roles": ["mentor", "mentee"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "no-mentee")
    assert not Person.objects.filter(name="Mia Mentor").exists()
    assert both.status_code == 201
    assert [enrollment.person.name for enrollment in cohort.enrollments.all()] == ["Bo Both"]


def test_a_person_sent_again_is_the_same_and_is_not_written_over(api, program):
    body = {"name": "Nora New", "roles": ["mentor"], "external_id": "n-1"}

    first, again = api.post("/api/v1/people/", body), api.post("/api/v1/people/", body)
    other = api.post("/api/v1/people/", {**body, "name": "Somebody Else"})

    assert first.json()["id"] == again.json()["id"]
    assert (other.status_code, other.json()["code"]) == (409, "repeated")
    assert Person.objects.get(external_id="n-1").name == "Nora New"


@pytest.mark.parametrize("role", ["lead", "committee", "client", "auditor", "research_manager", "king"])
def test_a_key_admits_nobody_who_leads_decides_or_manages(api, program, role):
    answer = api.post("/api/v1/people/", {"name": "X", "roles": [role]})

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["roles"])
    assert not Person.objects.filter(name="X").exists()


def test_a_person_of_another_program_is_not_found(api, foreign_api, mentor):
    path = f"/api/v1/people/{mentor.public_id}/"

    assert api.get(path).json()["name"] == "Max Mentor"
    assert foreign_api.get(path).status_code == 404


def test_nobody_is_admitted_into_a_cohort_of_another_program(api, foreign_output):
    cohort = str(foreign_output.project.cohort.public_id)

    answer = api.post("/api/v1/people/", {"name": "X", "roles": ["mentee"], "cohort": cohort})

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["cohort"])
    assert not Person.objects.filter(name="X").exists()


def test_no_address_of_mail_leaves_through_the_api(api, mentor):
    assert mentor.user.email not in api.get("/api/v1/people/").content.decode()


def test_a_long_list_comes_in_pages_that_leave_out_nobody(api, program):
    for _ in range(105):
        make_person(Role.MENTEE, program=program, with_user=False)

    first = api.get("/api/v1/people/").json()
    second = api.get(first["next"]).json()

    assert len(first["results"]) == 100
    assert len({row["id"] for row in first["results"] + second["results"]}) == 106
    assert second["next"] is None


def test_a_cohort_shows_its_stages_and_whether_their_reading_is_open(api, foreign_api, stage):
    path = f"/api/v1/cohorts/{stage.cohort.public_id}/"

    shown = api.get(path).json()["stages"]

    assert [(row["id"], row["is_reading"]) for row in shown] == [(str(stage.public_id), True)]
    assert foreign_api.get(path).status_code == 404


def test_a_rubric_shows_its_criteria_and_scales(api, foreign_api, program):
    path = f"/api/v1/rubrics/{make_rubric(program, 'rigour', 'clarity').public_id}/"

    criteria = api.get(path).json()["criteria"]

    assert [(row["key"], row["lowest"], row["highest"]) for row in criteria] == [
        ("rigour", 1.0, 10.0),
        ("clarity", 1.0, 10.0),
    ]
    assert foreign_api.get(path).status_code == 404


def test_the_same_person_with_another_cohort_is_refused(api, cohort):
    sent = {"name": "New", "roles": ["mentee"], "external_id": "x-1"}
    api.post("/api/v1/people/", sent)

    answer = api.post("/api/v1/people/", {**sent, "cohort": str(cohort.public_id)})

    assert (answer.status_code, answer.json()["field"]) == (409, "external_id")
