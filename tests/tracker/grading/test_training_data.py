"""Training data that senders declare: beside the file at both doors, looked at in the jail, a sign and no verdict."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse

from tests.evals.grading.makers import make_benchmark as make_folder
from tests.factories import (
    make_artifact,
    make_benchmark,
    make_mentee,
    make_project,
    make_submission,
)
from tracker.errors import RuleBroken
from tracker.grading import intake
from tracker.grading.installing import install_benchmark
from tracker.grading.models import Benchmark, Run, Submission
from tracker.grading.work import grade_next
from tracker.people.models import ApiKey, Scope

pytestmark = pytest.mark.django_db
TEXTS = [
    "the quick brown fox jumps over the lazy dog today",
    "a wholly different sentence about nothing at all here",
]
ANSWERS = b"id,pred\n1,0\n2,1\n"
SHARED = f"{TEXTS[0]}\n".encode()


@pytest.fixture
def mentee(cohort, stage):
    return make_mentee(cohort)


@pytest.fixture
def project(cohort, mentee, mentor):
    return make_project(cohort, authors=[mentee], mentors=[mentor])


@pytest.fixture
def benchmark(program, tmp_path) -> Benchmark:
    inputs = "id,text\n" + "".join(f"{at},{text}\n" for at, text in enumerate(TEXTS, start=1))
    return install_benchmark(program, make_folder(tmp_path / "texts", inputs=inputs), slug="texts")


def declared(project, benchmark, training: bytes) -> Submission:
    answers = intake.receive(ContentFile(ANSWERS, name="a.csv"), benchmark)
    kept = intake.spooled(ContentFile(training, name="t.txt"), intake.TrainingSpool, benchmark)
    return make_submission(project, benchmark, artifact=answers, filename="a.csv", training=kept)


def page(client, person, submission) -> str:
    client.force_login(person.user)
    return client.get(reverse("submission", args=[submission.public_id])).content.decode()


def form(**files: bytes) -> dict[str, object]:
    names = {"file": "a.csv", "training": "t.txt"}
    return {field: SimpleUploadedFile(names[field], content) for field, content in files.items()}


def test_a_benchmark_says_whether_it_has_texts(benchmark, program, tmp_path):
    numbers = install_benchmark(program, make_folder(tmp_path / "numbers"), slug="numbers")

    assert benchmark.has_texts
    assert not numbers.has_texts


def test_the_page_takes_them_beside_the_file(client, mentee, project, benchmark):
    client.force_login(mentee.user)
    url = reverse("submit", args=[project.public_id, benchmark.public_id])

    client.post(url, form(file=ANSWERS, training=SHARED))

    submission = Submission.objects.get()
    assert submission.training.path.read_bytes() == SHARED
    assert submission.artifact.path.read_bytes() == ANSWERS


def test_the_api_takes_them_beside_the_file(client, program, project, benchmark):
    _, key = ApiKey.objects.issue(program=program, name="Script", scopes=list(Scope.values))
    url = f"/api/v1/benchmarks/{benchmark.public_id}/submissions/"
    sent = {"project": str(project.public_id), **form(training=SHARED, file=ANSWERS)}

    answer = client.post(url, sent, headers={"Authorization": f"Bearer {key}"})

    assert answer.status_code == 201
    assert answer.json()["training_sha256"] == Submission.objects.get().training_id


@pytest.mark.parametrize(
    ("training", "says"),
    [
        (b"PK\x03\x04" + bytes(600), "plain text"),
        (b"\x80\x04N." + bytes(600), "Save predictions"),
        (b"x" * 70_000_000, "larger than"),
    ],
)
def test_training_data_that_are_no_text_or_too_many_are_refused_at_the_door(
    client, mentee, project, benchmark, training, says
):
    client.force_login(mentee.user)
    files = {
        "file": SimpleUploadedFile("a.csv", ANSWERS),
        "training": SimpleUploadedFile("train", training),
    }

    answer = client.post(reverse("submit", args=[project.public_id, benchmark.public_id]), files)

    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Submission.objects.exists()


def test_where_there_are_no_texts_none_are_asked_for_and_none_taken(client, mentee, project, program):
    numbers = make_benchmark(program, slug="numbers")
    client.force_login(mentee.user)

    asked = client.get(reverse("submit", args=[project.public_id, numbers.public_id])).content.decode()

    assert "What it was trained on" not in asked
    with pytest.raises(RuleBroken, match="no texts"):
        make_submission(project, numbers, training=make_artifact())


def test_what_was_declared_is_never_exchanged(project, benchmark):
    submission = make_submission(project, benchmark, training=make_artifact())

    for other in (None, make_artifact()):
        with pytest.raises(IntegrityError), transaction.atomic():
            Submission.objects.filter(pk=submission.pk).update(training=other)


@pytest.mark.django_db(transaction=True)
def test_what_they_share_is_a_sign_for_leads_and_mentors_and_changes_no_score(
    client, project, benchmark, lead, mentor, mentee
):
    plain = declared(project, benchmark, b"nothing of it\n")
    submission = declared(project, benchmark, SHARED)

    grade_next()
    grade_next()

    says = "1 of the benchmark&#x27;s 2 texts share 8 words in a row"
    for person in (lead, mentor):
        assert says in page(client, person, submission).replace("benchmark's", "benchmark&#x27;s")
    assert "The declared training data" not in page(client, mentee, submission)
    assert "of training data declared" in page(client, mentee, submission)
    first = Run.objects.filter(phase="qualification")
    assert {run.state for run in first} == {"succeeded"}
    assert plain.runs.first().record["contamination"]["any_overlap"] == 0


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_read_is_said_to_be_so_and_refuses_nothing(client, project, benchmark, lead):
    submission = declared(project, benchmark, b"\xff\xfe no text\n")

    grade_next()

    assert submission.runs.first().state == "succeeded"
    assert "They could not be read: <code>bad-encoding</code>" in page(client, lead, submission)
