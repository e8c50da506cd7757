"""Uploads and their runs through the API."""

import json
import pickle
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now

from tests.factories import make_benchmark, make_output, make_project, make_submission
from tracker.grading.models import Artifact, Benchmark, Measurement, Run, Submission
from tracker.people.models import Scope

pytestmark = pytest.mark.django_db
PREDICTIONS = b"id,prediction\n1,3\n2,5\n"


@pytest.fixture
def benchmark(program, settings, tmp_path) -> Benchmark:
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    return make_benchmark(program)


@pytest.fixture
def form(output) -> dict:
    return {"project": str(output.project.public_id), "claims": json.dumps({"accuracy": {"value": 0.93}})}


def upload(api, benchmark, form, content: bytes = PREDICTIONS, name: str = "predictions.csv"):
    path = f"/api/v1/benchmarks/{benchmark.public_id}/submissions/"
    return api.post(path, {**form, "file": SimpleUploadedFile(name, content)}, format="multipart")


def left_behind(benchmark, settings) -> list[Path]:
    return [path for path in Path(settings.FILE_UPLOAD_TEMP_DIR).rglob("*") if path.is_file()]


def test_an_upload_is_stored_and_its_first_run_waits(api, benchmark, form):
    answer = upload(api, benchmark, form)

    submission = Submission.objects.get(public_id=answer.json()["id"])
    assert answer.status_code == 201
    assert submission.artifact.path.read_bytes() == PREDICTIONS
    assert submission.claims == {"accuracy": {"value": 0.93}}
    assert [(run["phase"], run["state"]) for run in answer.json()["runs"]] == [("qualification", "queued")]


def test_the_same_upload_sent_again_is_the_same_submission(api, benchmark, form):
    form["external_id"] = "s-1"

    first, again = upload(api, benchmark, form).json(), upload(api, benchmark, form).json()
    other = upload(api, benchmark, form, PREDICTIONS + b"3,1\n")

    assert first["id"] == again["id"]
    assert (other.status_code, other.json()["code"]) == (409, "repeated")


def test_the_same_file_with_other_claims_is_not_the_same_submission(api, benchmark, form):
    form["external_id"] = "s-1"
    upload(api, benchmark, form)

    answer = upload(api, benchmark, {**form, "claims": json.dumps({"accuracy": {"value": 0.5}})})

    assert (answer.status_code, answer.json()["code"]) == (409, "repeated")
    assert Submission.objects.get().claims["accuracy"]["value"] == 0.93


def test_a_file_larger_than_the_benchmark_allows_is_refused_and_not_kept(api, benchmark, form, settings):
    benchmark.spec["limits"]["max_bytes"] = 100
    benchmark.save()

    answer = upload(api, benchmark, form, PREDICTIONS + b"9,9\n" * 50_000)

    assert (answer.status_code, answer.json()["code"]) == (413, "too-big")
    assert not Artifact.objects.exists()
    assert left_behind(benchmark, settings) == []


@pytest.mark.parametrize("name", ["predictions.pkl", "predictions.npz", "predictions", "model.pt"])
def test_a_pickle_is_refused_at_the_door(api, benchmark, form, settings, name):
    answer = upload(api, benchmark, form, pickle.dumps({"accuracy": 1.0}), name)

    assert answer.status_code == 409
    assert answer.json()["detail"]
    assert not Artifact.objects.exists()
    assert left_behind(benchmark, settings) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"claims": "{"}, None),
        ({"claims": "[1]"}, "claims"),
        ({"claims": '{"accuracy": 0.9}'}, "claims"),
        ({"claims": '{"accuracy": {"value": "high"}}'}, "claims"),
        ({"claims": '{"accuracy": {"value": 1e999}}'}, "claims"),
        ({"claims": '{"accuracy": {"value": 0.9, "note": "x"}}'}, "claims"),
        ({"claims": '{"charm": {"value": 0.9}}'}, "claims"),
        ({"project": "x"}, "project"),
        ({"project": "00000000-0000-4000-8000-000000000000"}, "project"),
        ({"benchmark": "x"}, "benchmark"),
        ({"submitted_by": "x"}, "submitted_by"),
    ],
)
def test_a_form_that_cannot_be_is_refused_by_the_name_of_the_field(
    api, benchmark, form, settings, change, field
):
    answer = upload(api, benchmark, {**form, **change})

    problem = answer.json()
    assert answer.status_code in (400, 409)
    assert field is None or field in problem.get("errors", {}) or problem.get("field") == field
    assert not Submission.objects.exists()


def test_an_upload_without_a_file_or_with_an_empty_one_is_refused(api, benchmark, form):
    path = f"/api/v1/benchmarks/{benchmark.public_id}/submissions/"

    assert "file" in api.post(path, form, format="multipart").json()["errors"]
    assert upload(api, benchmark, form, b"").status_code == 400


def test_an_upload_that_is_no_form_is_refused(api, benchmark, form):
    answer = api.post(f"/api/v1/benchmarks/{benchmark.public_id}/submissions/", form)

    assert answer.status_code == 415


def test_an_upload_that_breaks_off_is_refused(api, benchmark):
    path = f"/api/v1/benchmarks/{benchmark.public_id}/submissions/"

    for body in (b"", b"--b\r\nContent-Disposition: form-data; name=file; filename=x\r\n\r\n1,2"):
        answer = api.generic("POST", path, body, content_type="multipart/form-data; boundary=b")
        assert answer.status_code == 400
    assert api.generic("POST", path, b"x", content_type="multipart/form-data").status_code == 400


def test_the_quota_of_a_day_is_held(api, benchmark, form):
    benchmark.spec["limits"]["submissions_per_day"] = 1
    benchmark.save()

    assert upload(api, benchmark, form).status_code == 201
    assert upload(api, benchmark, form).json()["code"] == "quota-used"


def test_an_upload_for_another_programs_project_or_benchmark_is_not_possible(
    api, foreign_api, benchmark, form, foreign_output
):
    theirs = {**form, "project": str(foreign_output.project.public_id)}

    assert upload(foreign_api, benchmark, form).status_code == 404
    assert list(upload(api, benchmark, theirs).json()["errors"]) == ["project"]
    assert not Submission.objects.exists()


def test_a_benchmark_shows_what_it_declares(api, foreign_api, benchmark):
    path = f"/api/v1/benchmarks/{benchmark.public_id}/"

    shown = api.get(path).json()

    assert (shown["headline"], shown["max_bytes"]) == ("accuracy", 1_000_000)
    assert benchmark.content_hash not in api.get(path).content.decode()
    assert foreign_api.get(path).status_code == 404


@pytest.fixture
def run(output, benchmark) -> Run:
    return make_submission(output.project, benchmark).runs.get()


def measured(run: Run) -> Run:
    Run.objects.filter(pk=run.pk).update(state=Run.State.SUCCEEDED, ended_at=Now(), message="")
    Measurement.objects.create(
        run=run, metric="accuracy", value=0.9, standard_error=0.01, low=0.88, high=0.92, n=500, method="cells"
    )
    return run


def test_a_run_shows_measurements_with_their_intervals(api, foreign_api, run):
    path = f"/api/v1/runs/{measured(run).public_id}/"

    row = api.get(path).json()["measurements"][0]

    assert (row["metric"], row["low"], row["value"], row["high"]) == ("accuracy", 0.88, 0.9, 0.92)
    assert foreign_api.get(path).status_code == 404


def test_an_unchanged_run_is_answered_with_nothing_and_two_queries(api, run, django_assert_num_queries):
    path = f"/api/v1/runs/{run.public_id}/"
    etag = api.get(path).headers["ETag"]

    with django_assert_num_queries(2):
        unchanged = api.get(path, headers={"if-none-match": etag})
    Run.objects.filter(pk=run.pk).update(progress_done=5, progress_total=10)
    changed = api.get(path, headers={"if-none-match": etag})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert (changed.status_code, changed.json()["progress"]) == (200, {"done": 5, "total": 10})


def test_every_change_of_a_run_changes_its_tag(api, run):
    path = f"/api/v1/runs/{run.public_id}/"
    tags = [api.get(path).headers["ETag"]]

    run.cancel()
    tags.append(api.get(path).headers["ETag"])

    assert len(set(tags)) == 2


def test_a_traceback_and_the_worker_are_for_operators_only(api, run):
    Run.objects.filter(pk=run.pk).update(traceback="secret /srv/path")

    shown = api.get(f"/api/v1/runs/{run.public_id}/")

    assert "secret" not in shown.content.decode()
    assert not {"traceback", "owner", "lease_ends_at"} & set(shown.json())


def test_what_the_grader_found_out_about_the_labels_is_not_told(api, run):
    record = {"device": "cpu", "controls": {"constant": 0.1204}, "items_hash": "f00d"}
    Run.objects.filter(pk=run.pk).update(record=record)

    assert api.get(f"/api/v1/runs/{run.public_id}/").json()["record"] == {"device": "cpu"}


def test_a_run_is_cancelled_once(api, holding, run):
    path = f"/api/v1/runs/{run.public_id}/cancel/"

    assert holding(Scope.READ).post(path).status_code == 403
    assert api.post(path).json()["state"] == "cancelled"
    assert api.post(path).json()["code"] == "already-ended"


def test_a_list_of_submissions_costs_the_same_for_many(api, cohort, benchmark, django_assert_max_num_queries):
    for _ in range(20):
        submission = make_submission(make_output(make_project(cohort)).project, benchmark)
        measured(submission.runs.get())

    with django_assert_max_num_queries(5):
        shown = api.get("/api/v1/submissions/").json()["results"]

    assert len([run["measurements"] for row in shown for run in row["runs"]]) == 20


@pytest.mark.parametrize(("is_new", "own"), [(False, 1), (True, 2)])
def test_a_poll_costs_at_most_two_queries_beside_the_key(api, output, django_assert_num_queries, is_new, own):
    run = make_submission(output.project).runs.get()
    path = f"/api/v1/runs/{run.public_id}/"
    tag = '"earlier"' if is_new else api.get(path)["ETag"]
    key = 1

    with django_assert_num_queries(key + own):
        api.get(path, headers={"If-None-Match": tag})
