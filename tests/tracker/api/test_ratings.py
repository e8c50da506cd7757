"""Ratings through the API: alone and in bulk they get the same verdict."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import close_reading, make_output, make_person, make_project, make_rating, make_rubric
from tracker.events.models import Event
from tracker.people.models import Role, Scope
from tracker.ratings.models import Conflict, Rating, Score

pytestmark = pytest.mark.django_db
RATINGS, BULK = "/api/v1/ratings/", "/api/v1/ratings/bulk/"
SCORES = {"rigour": 7, "clarity": 5.5}


@pytest.fixture
def row(output, mentor) -> dict:
    make_rubric(output.program, *SCORES)
    return {"output": str(output.public_id), "rater": str(mentor.public_id), "scores": SCORES}


def test_it_records_a_rating_and_shows_it(api, row):
    answer = api.post(RATINGS, {**row, "comment": "Clear."})

    assert answer.status_code == 201
    assert (answer.json()["scores"], answer.json()["comment"]) == (SCORES, "Clear.")
    assert Rating.objects.get().says() == SCORES


def test_the_same_rating_sent_again_is_the_same_rating(api, row):
    first = api.post(RATINGS, {**row, "external_id": "r-1"}).json()
    again = api.post(RATINGS, {**row, "external_id": "r-1"})
    other = api.post(RATINGS, {**row, "external_id": "r-1", "scores": {**SCORES, "rigour": 1}})

    assert (again.status_code, again.json()["id"]) == (201, first["id"])
    assert (other.status_code, other.json()["field"]) == (409, "external_id")
    assert Rating.objects.count() == 1


def own_output(row, output, mentor):
    row["rater"] = str(output.project.authors().get().public_id)


def not_a_reader(row, output, mentor):
    mentor.memberships.get().end()


def conflicted(row, output, mentor):
    Conflict.objects.create(person=mentor, project=output.project)


def rated_already(row, output, mentor):
    make_rating(output, mentor, scores=SCORES)


def closed(row, output, mentor):
    close_reading(output.stage)


def retracted(row, output, mentor):
    output.retract()


def unknown_output(row, output, mentor):
    row["output"] = "00000000-0000-4000-8000-000000000000"


def unknown_rater(row, output, mentor):
    row["rater"] = "00000000-0000-4000-8000-000000000000"


def malformed_id(row, output, mentor):
    row["rater"] = "max"


def unknown_criterion(row, output, mentor):
    row["scores"] = {**SCORES, "charm": 3}


def criterion_missing(row, output, mentor):
    row["scores"] = {"rigour": 7}


def off_the_scale(row, output, mentor):
    row["scores"] = {**SCORES, "rigour": 10.5}


def score_as_text(row, output, mentor):
    row["scores"] = {**SCORES, "rigour": "7"}


def score_as_truth(row, output, mentor):
    row["scores"] = {**SCORES, "rigour": True}


def score_as_list(row, output, mentor):
    row["scores"] = {**SCORES, "rigour": [7]}


def endless_score(row, output, mentor):
    row["scores"] = {**SCORES, "rigour": 10**400}


def no_scores(row, output, mentor):
    row["scores"] = {}


def scores_as_list(row, output, mentor):
    row["scores"] = [7, 5]


def unknown_field(row, output, mentor):
    row["weight"] = 2


def hostile_text(row, output, mentor):
    row["comment"] = "a\0b"


def long_text(row, output, mentor):
    row["comment"] = "x" * 10_001


FAULTS = (
    own_output, not_a_reader, conflicted, rated_already, closed, retracted, unknown_output, unknown_rater,
    malformed_id, unknown_criterion, criterion_missing, off_the_scale, score_as_text, score_as_truth,
    score_as_list, endless_score, no_scores, scores_as_list, unknown_field, hostile_text, long_text,
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_one_and_many_get_the_same_verdict(api, row, output, mentor, fault):
    good = {**row, "rater": str(make_person(Role.MENTOR, program=output.program).public_id)}
    fault(row, output, mentor)
    before = Rating.objects.count()

    alone = api.post(RATINGS, row).json()
    many = api.post(BULK, {"ratings": [row]})
    dry = api.post(BULK, {"ratings": [row], "dry_run": True})

    named = many.json()["rows"][0]
    assert alone["status"] == many.status_code == dry.status_code in (400, 409)
    assert (named["row"], named["code"], named["detail"]) == (1, alone["code"], alone["detail"])
    assert dry.json()["rows"] == many.json()["rows"]
    assert api.post(BULK, {"ratings": [good, row]}).status_code in (400, 409)
    assert Rating.objects.count() == before


def test_a_good_row_is_taken_alone_in_bulk_and_dry(api, row, program):
    others = [{**row, "rater": str(make_person(Role.MENTOR, program=program).public_id)} for _ in range(2)]

    assert api.post(RATINGS, row).status_code == 201
    assert api.post(BULK, {"ratings": others, "dry_run": True}).json() == {
        "dry_run": True,
        "count": 2,
        "ids": [],
    }
    assert len(api.post(BULK, {"ratings": others}).json()["ids"]) == 2
    assert Rating.objects.count() == 3


def test_every_faulty_row_is_named_and_nothing_is_stored(api, row, output, program):
    rows = [
        {**row, "scores": {**SCORES, "rigour": 99}},
        row,
        "not a rating",
        {**row, "output": "00000000-0000-4000-8000-000000000000"},
    ]

    answer = api.post(BULK, {"ratings": rows})

    assert answer.status_code == 400
    assert [(fault["row"], fault["code"]) for fault in answer.json()["rows"]] == [
        (1, "off-the-scale"),
        (3, "malformed"),
        (4, "unknown-id"),
    ]
    assert "rows 1, 3, 4" in answer.json()["detail"]
    assert not Rating.objects.exists()


def test_rating_twice_within_one_request_is_found(api, row):
    answer = api.post(BULK, {"ratings": [row, row]})

    assert [(fault["row"], fault["code"]) for fault in answer.json()["rows"]] == [(2, "rated-twice")]


def test_a_dry_run_leaves_no_trace(api, row, quiet_bell, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        api.post(BULK, {"ratings": [row], "dry_run": True})

    assert not Rating.objects.exists()
    assert not Score.objects.exists()
    assert not Event.objects.filter(kind="ratings.recorded").exists()
    assert quiet_bell == []


def test_more_rows_than_are_allowed_are_refused(api, row, monkeypatch):
    monkeypatch.setattr("tracker.api.viewsets.ratings.MOST_ROWS", 1)

    answer = api.post(BULK, {"ratings": [row, row]})

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize("body", [{}, {"ratings": []}, {"ratings": {}}, {"ratings": [], "x": 1}, []])
def test_a_bulk_without_rows_is_refused(api, row, body):
    assert api.post(BULK, body).status_code == 400


def bulk_of(program, stage, count: int) -> list[dict]:
    project = make_project(stage.cohort)
    outputs = [make_output(project, stage=stage) for _ in range(count // 10)]
    raters = [make_person(Role.MENTOR, program=program, with_user=False) for _ in range(10)]
    return [
        {"output": str(output.public_id), "rater": str(rater.public_id), "scores": SCORES}
        for output in outputs
        for rater in raters
    ]


def test_many_rows_take_as_many_queries_as_few(api, program, stage):
    make_rubric(program, *SCORES)
    counts = {}

    for size in (10, 200):
        rows = bulk_of(program, stage, size)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert api.post(BULK, {"ratings": rows}).status_code == 201
        counts[size] = [query["sql"] for query in queries if not query["sql"].startswith("INSERT")]

    assert len(counts[10]) == len(counts[200]) <= 21


def test_reading_ratings_takes_the_scope_that_reading_estimates_takes(api, holding, output):
    make_rating(output)
    writer = holding(Scope.READ, Scope.RATINGS_WRITE)

    assert writer.get(RATINGS).status_code == 403
    assert len(api.get(RATINGS).json()["results"]) == 1


def test_another_programs_ratings_are_neither_listed_nor_found(api, foreign_api, output):
    rating = make_rating(output)

    assert api.get(f"{RATINGS}{rating.public_id}/").status_code == 200
    assert foreign_api.get(f"{RATINGS}{rating.public_id}/").status_code == 404
    assert foreign_api.get(RATINGS).json()["results"] == []


def test_a_list_costs_the_same_for_many_ratings(api, output, django_assert_max_num_queries):
    make_rubric(output.program, *SCORES)
    for _ in range(30):
        make_rating(output, make_person(Role.MENTOR, program=output.program, with_user=False))

    with django_assert_max_num_queries(5):
        assert len(api.get(RATINGS).json()["results"]) == 30


def test_a_rating_is_retracted_with_a_reason_while_the_reading_is_open(api, output):
    path = f"{RATINGS}{make_rating(output).public_id}/retract/"

    assert api.post(path, {"reason": " "}).status_code == 400
    assert api.post(path, {"reason": "Wrong output."}).json()["retracted_at"] is not None
    assert api.post(path, {"reason": "Again."}).status_code == 409


def test_a_rating_stands_once_the_reading_has_closed(api, output):
    rating = make_rating(output)
    type(output.stage).objects.update(reading_closes_at=timezone.now() - timedelta(seconds=1))

    answer = api.post(f"{RATINGS}{rating.public_id}/retract/", {"reason": "Too late."})

    assert (answer.status_code, answer.json()["code"]) == (409, "reading-closed")


def test_the_same_rating_with_another_comment_or_after_its_retraction_is_refused(api, output, mentor):
    make_rubric(output.program, "clarity")
    ids = {"output": str(output.public_id), "rater": str(mentor.public_id), "external_id": "r-1"}
    sent = {**ids, "scores": {"clarity": 5}, "comment": "Old"}
    api.post("/api/v1/ratings/", sent)

    reworded = api.post("/api/v1/ratings/", {**sent, "comment": "New"})
    repeated = api.post("/api/v1/ratings/", sent)
    Rating.objects.get().retract(reason="Wrong.")
    retracted = api.post("/api/v1/ratings/", sent)

    assert [answer.status_code for answer in (reworded, repeated, retracted)] == [409, 201, 409]
