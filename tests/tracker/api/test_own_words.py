"""What the framework would refuse in its own words is told as what to change."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from tests.factories import make_benchmark, make_project
from tracker.web.forms import FeedbackForm, SubmissionForm

pytestmark = pytest.mark.django_db


def test_without_a_key_it_says_where_the_key_goes():
    answer = APIClient().get("/api/v1/people/")

    assert answer.status_code == 401
    assert "Authorization: Bearer" in answer.json()["detail"]


def test_an_unknown_role_is_answered_with_the_known_ones(api):
    assert "Use one of lead, committee" in api.get("/api/v1/people/?role=zzz").json()["detail"]


def test_what_is_left_out_is_asked_for(api):
    assert (
        api.post("/api/v1/projects/", {}).json()["detail"].endswith("Send this too: it cannot be left out.")
    )


def test_an_empty_file_is_refused_by_both_doors(api, program, cohort):
    benchmark = make_benchmark(program)
    form = {"project": str(make_project(cohort).public_id), "file": SimpleUploadedFile("a.csv", b"")}
    address = f"/api/v1/benchmarks/{benchmark.public_id}/submissions/"

    told = api.post(address, form, format="multipart").json()["detail"]
    page = SubmissionForm({}, {"file": SimpleUploadedFile("a.csv", b"")}, benchmark=benchmark)

    assert "This file has nothing in it" in told
    assert "This file has nothing in it" in str(page.errors)


def test_a_text_that_is_too_long_is_told_by_how_much():
    assert "Shorten this to 10000 characters: it has 10003." in str(
        FeedbackForm({"text": "a" * 10_003}).errors
    )
