"""Projects and outputs through the API."""

import pytest

from tests.factories import make_cohort, make_mentee, make_rating, make_stage
from tracker.events.models import Event
from tracker.projects.models import Output, Project

pytestmark = pytest.mark.django_db
PROJECTS, OUTPUTS = "/api/v1/projects/", "/api/v1/outputs/"


@pytest.fixture
def body(cohort) -> dict:
    author = make_mentee(cohort)
    return {"cohort": str(cohort.public_id), "title": "Probing", "authors": [str(author.public_id)]}


def test_it_starts_a_project_with_its_team(api, body, mentor):
    answer = api.post(PROJECTS, {**body, "mentors": [str(mentor.public_id)]})

    project = Project.objects.get(public_id=answer.json()["id"])
    assert answer.status_code == 201
    assert (answer.json()["authors"], answer.json()["mentors"]) == (body["authors"], [str(mentor.public_id)])
    assert project.authors().count() == 1


def test_the_same_external_id_changes_the_project_instead_of_making_another(api, body, cohort):
    first = api.post(PROJECTS, {**body, "external_id": "p-1"}).json()
    other = make_mentee(cohort)

    again = {**body, "external_id": "p-1", "title": "Steering", "authors": [str(other.public_id)]}
    second = api.post(PROJECTS, again).json()

    assert second["id"] == first["id"]
    assert (second["title"], second["authors"]) == ("Steering", [str(other.public_id)])
    assert Project.objects.count() == 1


def test_what_was_done_is_told_with_the_key_that_did_it(api, body):
    api.post(PROJECTS, body)

    event = Event.objects.get(kind="project.started")
    assert event.actor is not None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"authors": []}, "authors"),
        ({"authors": ["x"]}, "authors"),
        ({"authors": "x"}, "authors"),
        ({"authors": ["00000000-0000-4000-8000-000000000000"]}, "authors"),
        ({"cohort": 7}, "cohort"),
        ({"cohort": "x"}, "cohort"),
        ({"cohort": {"id": 1}}, "cohort"),
        ({"colour": "red"}, "colour"),
        ({"state": "finished"}, "state"),
        ({"program": "00000000-0000-4000-8000-000000000000"}, "program"),
    ],
)
def test_a_project_that_cannot_be_is_refused_by_the_name_of_the_field(api, body, change, field):
    answer = api.post(PROJECTS, {**body, **change})

    problem = answer.json()
    assert answer.status_code in (400, 409)
    assert field in problem.get("errors", {}) or problem.get("field") == field
    assert Project.objects.count() == 0


def test_an_output_is_published_and_credited_to_its_authors(api, output, stage):
    body = {"project": str(output.project.public_id), "title": "A post", "kind": "post", "is_empirical": True}

    answer = api.post(OUTPUTS, {**body, "stage": str(stage.public_id), "external_id": "o-1"})

    made = Output.objects.get(external_id="o-1")
    assert answer.status_code == 201
    assert (made.stage, made.is_empirical) == (stage, True)
    assert sum(credit.share for credit in made.credits.all()) == pytest.approx(1)


def test_an_external_id_of_another_projects_output_is_refused(api, output, body):
    api.post(PROJECTS, {**body, "external_id": "p-2"})
    other = Project.objects.get(external_id="p-2")
    Output.objects.filter(pk=output.pk).update(external_id="o-1")

    answer = api.post(
        OUTPUTS, {"project": str(other.public_id), "title": "Mine", "kind": "post", "external_id": "o-1"}
    )

    assert (answer.status_code, answer.json()["field"]) == (409, "external_id")


def test_an_output_of_a_stage_of_another_cohort_is_refused(api, output):
    elsewhere = make_stage()

    answer = api.post(
        OUTPUTS,
        {
            "project": str(output.project.public_id),
            "title": "x",
            "kind": "post",
            "stage": str(elsewhere.public_id),
        },
    )

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["stage"])


@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", "poem"), ("url", "javascript:alert(1)"), ("produced_on", "yesterday"), ("title", "x" * 301)],
)
def test_an_output_with_a_wrong_value_is_refused(api, output, field, value):
    body = {"project": str(output.project.public_id), "title": "x", "kind": "post"}

    answer = api.post(OUTPUTS, {**body, field: value})

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_an_output_is_retracted_once_and_stays_readable(api, foreign_api, output):
    path = f"{OUTPUTS}{output.public_id}/"

    assert foreign_api.post(f"{path}retract/").status_code == 404
    assert api.post(f"{path}retract/").status_code == 200
    assert api.post(f"{path}retract/").status_code == 409
    assert api.get(path).json()["retracted_at"] is not None


def test_what_was_retracted_is_not_sent_again_under_its_name(api, output):
    body = {"project": str(output.project.public_id), "title": "A post", "kind": "post", "external_id": "o-1"}
    made = api.post(OUTPUTS, body).json()
    api.post(f"{OUTPUTS}{made['id']}/retract/")

    answer = api.post(OUTPUTS, {**body, "title": "Another"})

    assert (answer.status_code, answer.json()["code"]) == (409, "output-retracted")


def test_lists_can_be_narrowed_by_what_they_name(api, output):
    assert len(api.get(f"{OUTPUTS}?project={output.project.public_id}").json()["results"]) == 1
    assert len(api.get(f"{OUTPUTS}?external_id=none").json()["results"]) == 0
    assert len(api.get(f"{PROJECTS}?cohort={output.project.cohort.public_id}").json()["results"]) == 1
    assert api.get(f"{PROJECTS}?cohort=x").status_code == 400


def test_what_is_not_sent_again_stays(api, body, mentor):
    sent = {**body, "external_id": "p-1", "summary": "Why", "mentors": [str(mentor.public_id)]}
    first = api.post(PROJECTS, sent).json()

    again = api.post(PROJECTS, {"external_id": "p-1", "cohort": body["cohort"], "title": "New"}).json()

    assert again == {**first, "title": "New"}


def test_a_project_keeps_its_cohort(api, body, program):
    api.post(PROJECTS, {**body, "external_id": "p-1"})
    elsewhere = {**body, "external_id": "p-1", "title": "New", "cohort": str(make_cohort(program).public_id)}

    answer = api.post(PROJECTS, elsewhere)

    assert (answer.status_code, answer.json()["field"]) == (409, "cohort")
    assert Project.objects.get().title == "Probing"


def test_a_new_project_names_an_author(api, body):
    answer = api.post(PROJECTS, {"cohort": body["cohort"], "title": "Nobody's"})

    assert (answer.status_code, answer.json()["field"]) == (409, "authors")
    assert not Project.objects.exists()


def test_an_output_with_ratings_keeps_its_stage(api, output, cohort):
    Output.objects.filter(pk=output.pk).update(external_id="o-1")
    rating = make_rating(output)
    later = make_stage(cohort)
    sent = {"project": str(output.project.public_id), "title": "New", "kind": "post", "external_id": "o-1"}

    moved = api.post(OUTPUTS, {**sent, "stage": str(later.public_id)})
    kept = api.post(OUTPUTS, {**sent, "stage": str(output.stage.public_id)})
    rating.retract(reason="By mistake.")
    moved_unrated = api.post(OUTPUTS, {**sent, "stage": str(later.public_id)})

    assert (moved.status_code, moved.json()["field"]) == (409, "stage")
    assert (kept.status_code, moved_unrated.status_code) == (201, 201)


def test_a_person_is_reviewed_without_a_project(api, cohort, stage):
    person = make_mentee(cohort)
    body = {"person": str(person.public_id), "cohort": str(cohort.public_id), "kind": "stage_review"}

    answer = api.post(OUTPUTS, {**body, "title": "First weeks", "stage": str(stage.public_id)})

    made = Output.objects.get(public_id=answer.json()["id"])
    assert (answer.status_code, made.project.person) == (201, person)


@pytest.mark.parametrize("missing", [("person",), ("cohort",), ("person", "cohort")])
def test_an_output_lies_somewhere(api, cohort, missing):
    person = make_mentee(cohort)
    body = {
        "person": str(person.public_id),
        "cohort": str(cohort.public_id),
        "kind": "proposal",
        "title": "x",
    }

    answer = api.post(OUTPUTS, {name: value for name, value in body.items() if name not in missing})

    assert answer.status_code == 400
    assert not Output.objects.exists()


def test_a_link_is_stored_in_its_normal_form(api, output):
    body = {"project": str(output.project.public_id), "title": "Paper", "kind": "paper", "external_id": "o-2"}

    first = api.post(OUTPUTS, {**body, "url": "https://www.arxiv.org/pdf/2401.01234v1.pdf"}).json()
    second = api.post(OUTPUTS, {**body, "url": "arXiv:2401.01234v2"}).json()
    third = api.post(OUTPUTS, {**body, "url": "arXiv:2401.01234", "external_id": "o-3"})

    assert (first["work"], first["revision"], first["version"]) == ("arxiv:2401.01234", "v1", 1)
    assert (second["url"], second["version"]) == ("https://arxiv.org/abs/2401.01234v2", 2)
    assert (third.status_code, third.json()["code"]) == (409, "already-here")
