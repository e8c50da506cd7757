"""Two worlds: nothing that one program's key does or asks shows that the other world is there."""

import pytest

from tests.factories import make_rating, make_rubric
from tests.tracker.api.test_estimates import make_estimate, make_fit
from tests.tracker.api.test_keys import endpoints
from tracker.projects.models import Output, Project
from tracker.ratings.models import Rating

pytestmark = pytest.mark.django_db
LISTS = sorted({path for method, path, action in endpoints() if action == "list"})


@pytest.fixture
def hidden(foreign_output) -> Output:
    """The other world, full of things."""
    make_rating(foreign_output)
    fit = make_fit(foreign_output.program)
    make_estimate(fit, foreign_output.project.authors().get())
    return foreign_output


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_the_same_whatever_is_in_the_other_world(api, path, request):
    before = api.get(path).json()["results"]

    request.getfixturevalue("hidden")

    assert api.get(path).json()["results"] == before


def test_a_rating_cannot_reach_into_the_other_world(api, output, mentor, hidden):
    make_rubric(output.program, "rigour")
    row = {"output": str(output.public_id), "rater": str(mentor.public_id), "scores": {"rigour": 7}}
    reader = Rating.objects.get(output=hidden).rater

    for change in ({"output": str(hidden.public_id)}, {"rater": str(reader.public_id)}):
        answer = api.post("/api/v1/ratings/", {**row, **change})
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown-id")
    assert api.post("/api/v1/ratings/", row).status_code == 201


def test_what_is_hidden_and_what_does_not_exist_are_refused_alike(api, output, hidden):
    body = {"title": "x", "kind": "post"}
    nobody = "00000000-0000-4000-8000-000000000000"

    answers = [
        api.post("/api/v1/outputs/", {**body, "project": project}).json()
        for project in (str(hidden.project.public_id), nobody)
    ]

    assert answers[0] == answers[1]


def test_a_team_cannot_be_made_of_people_of_the_other_world(api, cohort, hidden):
    author = hidden.project.authors().get()

    answer = api.post(
        "/api/v1/projects/",
        {"cohort": str(cohort.public_id), "title": "x", "authors": [str(author.public_id)]},
    )

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["authors"])
    assert author.name not in answer.content.decode()


def test_a_name_that_is_taken_in_the_other_world_is_free_in_this_one(api, cohort, output, hidden):
    Project.objects.filter(pk=hidden.project.pk).update(external_id="p-1")
    author = output.project.authors().get()
    body = {"cohort": str(cohort.public_id), "title": "Mine", "authors": [str(author.public_id)]}

    answer = api.post("/api/v1/projects/", {**body, "external_id": "p-1"})

    assert answer.status_code == 201
    assert Project.objects.get(pk=hidden.project.pk).title == "Secret project"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("projects", "cohort={project.cohort.public_id}"),
        ("outputs", "project={project.public_id}"),
        ("outputs", "stage={stage.public_id}"),
        ("ratings", "output={public_id}"),
        ("estimates", "fit={fit}"),
        ("submissions", "project={project.public_id}"),
    ],
)
def test_filtering_by_something_hidden_finds_as_much_as_by_nothing(api, hidden, path, query):
    fit = str(hidden.program.fits.get().public_id)
    values = {name: getattr(hidden, name) for name in ("project", "stage", "public_id")}

    answer = api.get(f"/api/v1/{path}/?" + query.format(**values, fit=fit))

    assert answer.json()["results"] == []


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "query", ["ordering=-raw", "sort=name", "order_by=pk", "name__startswith=S", "expand=program"]
)
def test_no_list_sorts_searches_or_expands_by_what_it_does_not_name(api, path, query):
    assert api.get(f"{path}?{query}").status_code == 400


@pytest.mark.parametrize("path", LISTS)
def test_no_list_tells_how_much_there_is(api, path):
    assert set(api.get(path).json()) == {"next", "previous", "results"}
