"""Files that are only checked: the first phase, no quota, no output, and then perhaps in full."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_artifact, make_benchmark, make_mentee, make_project, make_submission
from tests.tracker.web.worlds import refused, run_next
from tracker.errors import RuleBroken
from tracker.grading.models import Run, Submission
from tracker.grading.models import submissions as rules
from tracker.people.models import ApiKey, Scope
from tracker.projects.models import Output

pytestmark = pytest.mark.django_db
TABLE = b"id,pred\n" + b"1,7\n" * 200


@pytest.fixture
def mentee(cohort, stage):
    return make_mentee(cohort)


@pytest.fixture
def project(cohort, mentee):
    return make_project(cohort, authors=[mentee])


@pytest.fixture
def benchmark(program):
    return make_benchmark(program)


@pytest.fixture
def check(project, benchmark) -> Submission:
    return make_submission(project, benchmark, check_only=True, claims={"accuracy": {"value": 0.9}})


def test_it_stops_after_the_first_phase(check):
    run_next()

    assert [(run.phase, run.state) for run in check.runs.all()] == [("qualification", "succeeded")]
    assert Submission.objects.with_state().get().latest_state == "checked"


def test_it_is_no_output_and_counts_nowhere(check):
    assert check.output is None
    assert not Output.objects.exists()
    with pytest.raises(RuleBroken, match="only checked"):
        check.choose()


def test_it_costs_no_submission(project, benchmark, monkeypatch):
    monkeypatch.setattr(rules, "CHECKS_PER_DAY", 7)
    for _ in range(7):
        make_submission(project, benchmark, check_only=True)

    assert make_submission(project, benchmark).pk
    with pytest.raises(RuleBroken, match="had 7 files checked"):
        make_submission(project, benchmark, check_only=True)


@pytest.mark.parametrize("phase", ["safety", "thorough"])
def test_the_database_takes_no_later_phase_of_it(check, phase):
    Run.objects.update(state="succeeded", ended_at=timezone.now())

    with pytest.raises(IntegrityError), transaction.atomic():
        check.runs.create(phase=phase, benchmark=check.benchmark)


def test_it_never_becomes_a_submission_that_counts(check):
    for change in ({"is_check_only": False}, {"is_chosen": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Submission.objects.update(**change)


def test_a_passed_check_is_sent_in_full_with_one_click(client, mentee, check):
    run_next()
    client.force_login(mentee.user)
    page = client.get(reverse("submission", args=[check.public_id])).content.decode()

    client.post(reverse("submit-in-full", args=[check.public_id]))

    full = Submission.objects.get(is_check_only=False)
    assert "Have it measured" in page
    assert "in order, not measured" in page
    assert (full.artifact, full.claims, full.filename) == (check.artifact, check.claims, check.filename)
    assert full.submitted_by == mentee


def test_its_page_shows_one_step_and_what_is_wrong(client, mentee, check):
    refused(check, "missing-id", "Send a row for each id.")
    client.force_login(mentee.user)

    page = client.get(reverse("submission", args=[check.public_id])).content.decode()

    assert page.count('class="step ') == 1
    assert "Send a row for each id." in page
    assert "it costs no submission" in page
    assert "Let this one count" not in page


def test_the_form_offers_it(client, mentee, project, benchmark):
    client.force_login(mentee.user)
    url = reverse("submit", args=[project.public_id, benchmark.public_id])

    client.post(url, {"file": SimpleUploadedFile("answers.csv", TABLE), "check_only": "on"})

    assert "Only check that it is in order" in client.get(url).content.decode()
    assert Submission.objects.get().is_check_only


def test_the_api_offers_it(client, program, project, benchmark):
    _, text = ApiKey.objects.issue(program=program, name="Script", scopes=list(Scope.values))
    form = {
        "project": str(project.public_id),
        "file": SimpleUploadedFile("a.csv", TABLE),
        "check_only": "true",
    }

    answer = client.post(
        f"/api/v1/benchmarks/{benchmark.public_id}/submissions/",
        form,
        headers={"Authorization": f"Bearer {text}"},
    )

    assert answer.status_code == 201
    assert (answer.json()["is_check_only"], answer.json()["output"]) == (True, None)


def test_sent_again_as_something_else_it_is_refused(project, benchmark):
    artifact = make_artifact()
    make_submission(project, benchmark, artifact=artifact, external_id="s-1", check_only=True)

    with pytest.raises(RuleBroken, match="sent before with another content"):
        make_submission(project, benchmark, artifact=artifact, external_id="s-1")


def test_sent_again_after_the_benchmark_was_replaced_it_is_still_the_same(project, benchmark):
    artifact = make_artifact()
    first = make_submission(project, benchmark, artifact=artifact, external_id="s-1")
    benchmark.retired_at = timezone.now()
    benchmark.save(update_fields=["retired_at"])

    again = make_submission(project, benchmark, artifact=artifact, external_id="s-1")

    assert again == first
    with pytest.raises(RuleBroken, match="newer version"):
        make_submission(project, benchmark, artifact=artifact, external_id="s-2")
