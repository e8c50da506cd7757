"""A mentee's own page, and sending something to be graded."""

import json
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from tests.factories import (
    close_reading,
    make_benchmark,
    make_mentee,
    make_output,
    make_project,
    make_rating,
    make_submission,
)
from tests.tracker.gate_world import decide
from tests.tracker.web.worlds import make_fit
from tracker.estimates.models import Release
from tracker.grading.models import Artifact, Submission
from tracker.mentoring.models import Feedback
from tracker.projects.models import Milestone

TABLE = b"id,pred\n" + b"1,7\n" * 200


@pytest.fixture
def project(cohort, stage, mentee):
    return make_project(cohort, authors=[mentee], title="Probes that fail")


@pytest.fixture
def benchmark(program):
    return make_benchmark(program)


@pytest.fixture
def url(project, benchmark) -> str:
    return reverse("submit", args=[project.public_id, benchmark.public_id])


def table(content: bytes = TABLE, name: str = "answers.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_it_shows_own_work_alone(enter, mentee, cohort, project, benchmark):
    make_submission(project, benchmark, filename="mine.csv")
    make_submission(make_project(cohort, title="Of others"), benchmark, filename="theirs.csv")

    page = enter(mentee).get(reverse("mine")).content.decode()

    assert "mine.csv" in page
    assert "theirs.csv" not in page
    assert "Of others" not in page


def test_feedback_waits_for_its_reader(enter, mentee, mentor, project):
    Feedback.objects.give(project=project, author=mentor, text="Try a second seed.")
    browser = enter(mentee)

    assert "I have read this" in browser.get(reverse("mine")).content.decode()
    browser.post(reverse("acknowledge", args=[Feedback.objects.get().public_id]))

    assert "I have read this" not in browser.get(reverse("mine")).content.decode()


def test_ratings_and_pictures_stay_hidden_while_the_reading_is_open(enter, mentee, project):
    make_rating(make_output(project), comment="Sentinel opinion")
    make_fit(project.program, {mentee: -1.0})

    page = enter(mentee).get(reverse("mine")).content.decode()

    assert "Sentinel opinion" not in page
    assert "current picture" not in page


@pytest.mark.parametrize(
    ("level", "words"),
    [(0.0, "around the middle"), (0.3, "above the middle"), (-2.0, "clearly below the middle")],
)
def test_a_released_picture_is_said_in_words(enter, mentee, lead, project, stage, level, words):
    """With the decision, which it is one ground of; not before."""
    make_fit(project.program, {mentee: level})
    Release.objects.release(close_reading(stage), by=lead)
    assert "most likely" not in enter(mentee).get(reverse("mine")).content.decode()
    decide(stage, mentee, lead)

    page = enter(mentee).get(reverse("mine")).content.decode()

    assert f"most likely <strong>{words}</strong>" in page
    assert 'class="range"' not in page


def test_nobody_else_reads_it(enter, lead, cohort, mentee, project, stage):
    other = make_mentee(cohort)
    make_fit(project.program, {mentee: 0.0})
    Release.objects.release(close_reading(stage), by=lead)

    assert "current picture" not in enter(other).get(reverse("mine")).content.decode()


def test_a_file_becomes_a_submission_with_its_claim(enter, mentee, project, url):
    typed = {"file": table(), "metric": "accuracy", "value": "0.93", "seeds": "3", "n": "797"}

    answer = enter(mentee).post(url, typed)

    submission = Submission.objects.get()
    assert answer.url == reverse("submission", args=[submission.public_id])
    assert submission.claims == {"accuracy": {"value": 0.93, "seeds": 3, "n": 797}}
    assert (submission.filename, submission.submitted_by) == ("answers.csv", mentee)
    assert submission.artifact.path.read_bytes() == TABLE


def test_a_claim_may_be_left_out(enter, mentee, url):
    enter(mentee).post(url, {"file": table()})

    assert Submission.objects.get().claims == {}


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (None, "Choose the file that you want to submit."),
        (table(b"1" * 1_000_001), "larger than the 1 MB"),
        (table(b"\x80\x04\x95" + b"\0" * 600, "model.bin"), "Save predictions as"),
        (table(b""), "This file has nothing in it"),
    ],
)
def test_a_file_is_refused_in_a_sentence_and_the_claim_is_kept(enter, mentee, url, file, words):
    page = enter(mentee).post(url, {**({"file": file} if file else {}), "value": "0.931"})

    text = page.content.decode()
    assert page.status_code == 422
    assert words in text
    assert 'value="0.931"' in text
    assert not Artifact.objects.exists()


def test_too_large_a_file_leaves_nothing_behind(enter, mentee, url, settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path

    page = enter(mentee).post(url, {"value": "0.9", "file": table(b"1" * 3_000_000)})

    assert page.status_code == 422
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", ["nan", "inf", "much"])
def test_a_claim_is_a_number(enter, mentee, url, value):
    page = enter(mentee).post(url, {"file": table(), "value": value})

    assert page.status_code == 422
    assert "Enter a number." in page.content.decode()
    assert not Submission.objects.exists()


def test_seeds_without_a_result_are_asked_about(enter, mentee, url):
    page = enter(mentee).post(url, {"file": table(), "seeds": "3"})

    assert "Give the result that these seeds and items belong to" in page.content.decode()


def test_the_days_quota_is_said_at_the_form(enter, mentee, project, benchmark, url):
    for number in range(benchmark.submissions_per_day):
        make_submission(project, benchmark, external_id=str(number))

    page = enter(mentee).post(url, {"file": table()})

    assert "has used its 5 submissions of the last 24 hours" in page.content.decode()


def test_only_its_authors_submit_for_a_project(enter, mentor, stranger, cohort, url):
    attempts = {}
    for name, somebody in (("mentor", mentor), ("other", make_mentee(cohort)), ("stranger", stranger)):
        browser = enter(somebody)
        attempts[name] = (browser.get(url).status_code, browser.post(url, {"file": table()}).status_code)

    assert attempts == {"mentor": (403, 403), "other": (404, 404), "stranger": (404, 404)}
    assert not Submission.objects.exists()


def test_a_benchmark_of_another_program_is_not_found(enter, mentee, project):
    foreign = make_benchmark(slug="foreign")

    assert (
        enter(mentee).get(reverse("submit", args=[project.public_id, foreign.public_id])).status_code == 404
    )


def test_an_upload_needs_the_forms_token(mentee, url):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(mentee.user)

    answer = browser.post(url, {"file": BytesIO(TABLE)})

    assert answer.status_code == 403
    assert "This form has expired" in answer.content.decode()
    assert not Submission.objects.exists()


def test_the_files_of_a_benchmark_are_given_but_nothing_hidden(
    enter, mentee, stranger, program, settings, tmp_path
):
    settings.BENCHMARKS_DIR = tmp_path
    folder = tmp_path / ("0" * 64)
    (folder / "hidden").mkdir(parents=True)
    (folder / "inputs.npz").write_bytes(b"inputs")
    (folder / "hidden" / "labels.csv").write_bytes(b"secret")
    (folder / "benchmark.toml").write_bytes(b"declared")
    benchmark = make_benchmark(program)

    def fetch(browser, name):
        return browser.get(f"/benchmarks/{benchmark.public_id}/files/{name}")

    browser = enter(mentee)
    assert b"".join(fetch(browser, "inputs.npz").streaming_content) == b"inputs"
    for name in (
        "labels.csv",
        "benchmark.toml",
        "hidden",
        "hidden%2Flabels.csv",
        "..%2Flabels.csv",
        "hidden/labels.csv",
    ):
        assert fetch(browser, name).status_code == 404
    assert fetch(enter(stranger), "inputs.npz").status_code == 404


def test_words_of_a_program_are_in_the_form(enter, mentee, url, benchmark):
    page = enter(mentee).get(url).content.decode()

    assert "Claimed metric" in page
    assert json.loads(json.dumps(benchmark.spec))["name"] in page


def test_it_costs_the_same_for_many_projects(
    enter, mentee, mentor, cohort, benchmark, django_assert_max_num_queries
):
    for _ in range(6):
        project = make_project(cohort, authors=[mentee], mentors=[mentor])
        make_submission(project, benchmark)
        Feedback.objects.give(project=project, author=mentor, text="More seeds.")
        milestone = Milestone.objects.create(project=project, title="M", due_on=timezone.localdate())
        milestone.predict(timezone.localdate(), by=mentee)
    browser = enter(mentee)

    with django_assert_max_num_queries(17):
        browser.get(reverse("mine"))
