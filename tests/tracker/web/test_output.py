"""An output's page, and the forms that make one."""

from hashlib import sha256

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.factories import make_output, make_project, make_rubric
from tracker.projects.models import Output, StoredFile

SAYS = {
    "shows": "Probes find it in layer 8.",
    "does_not_show": "That the model uses it.",
    "likely_misreading": "That steering would work.",
}


@pytest.fixture
def project(cohort, mentee, stage):
    return make_project(cohort, authors=[mentee])


@pytest.fixture
def add(project) -> str:
    return reverse("add-output", args=[project.public_id])


def test_an_output_says_how_it_is_to_be_read(enter, mentee, mentor, add, stage):
    answer = enter(mentee).post(add, {"title": "Probing", "kind": "post", "stage": stage.pk, **SAYS})

    output = Output.objects.get()
    make_rubric(output.program)
    assert answer.url == reverse("output", args=[output.public_id])
    for address in (answer.url, reverse("rate", args=[output.public_id])):
        page = enter(mentor).get(address).content.decode()
        assert all(said in page for said in SAYS.values())


@pytest.mark.parametrize("missing", SAYS)
def test_a_result_without_it_is_refused_at_the_field(enter, mentee, add, missing):
    page = enter(mentee).post(add, {"title": "Probing", "kind": "post", **SAYS, missing: " "})

    assert page.status_code == 422
    assert "Readers are told this beside the piece" in page.content.decode()
    assert not Output.objects.exists()


def test_a_form_sent_twice_makes_one_output(enter, mentee, add, stage):
    form = {"title": "Probing", "kind": "post", "stage": stage.pk, **SAYS}

    first, again = (
        enter(mentee).post(add, {**form, "file": SimpleUploadedFile("notes.txt", b"What we saw.")})
        for _ in range(2)
    )

    assert first.url == again.url == reverse("output", args=[Output.objects.get().public_id])


def test_a_workshop_need_not_say_what_it_shows(enter, mentee, add):
    enter(mentee).post(add, {"title": "Reading group", "kind": "workshop"})

    assert Output.objects.get().kind == "workshop"


def test_a_probe_is_logged_in_one_line(enter, mentee, project):
    line = {"question": "Does depth matter?", "did": "Halved it.", "saw": "Loss rose."}

    enter(mentee).post(reverse("add-probe", args=[project.public_id]), line)

    page = enter(mentee).get(reverse("project", args=[project.public_id])).content.decode()
    assert Output.objects.get().kind == "probe"
    assert "Saw: Loss rose." in page


def test_only_the_team_adds(enter, mentor, stranger, add):
    posted = {"title": "Mine", "kind": "workshop"}

    assert enter(mentor).post(add, posted).status_code == 403
    assert enter(stranger).post(add, posted).status_code == 404
    assert not Output.objects.exists()


def test_credit_is_shown_to_the_team(enter, mentee, project):
    output = make_output(project)

    page = enter(mentee).get(reverse("output", args=[output.public_id])).content.decode()

    assert '<span class="name">Execution</span> <span>Mia Mentee 100 %</span>' in page


def test_a_link_that_is_here_already_is_shown_to_whoever_may_see_it(enter, mentee, cohort, project, add):
    own = make_output(project, url="arxiv:2401.01234", title="Our paper")
    make_output(make_project(cohort), url="arxiv:2401.99999", title="Their paper")
    posted = {"title": "Again", "kind": "paper", **SAYS}

    ours = enter(mentee).post(add, {**posted, "url": "https://arxiv.org/pdf/2401.01234"}).content.decode()
    theirs = enter(mentee).post(add, {**posted, "url": "https://arxiv.org/pdf/2401.99999"}).content.decode()

    assert reverse("output", args=[own.public_id]) in ours
    assert "Their paper" not in theirs
    assert "This is here already" in theirs


def test_a_hostile_link_is_refused_at_its_field(enter, mentee, add):
    page = enter(mentee).post(add, {"title": "x", "kind": "workshop", "url": "javascript:alert(1)"})

    assert page.status_code == 422
    assert "Give a link that starts with https://" in page.content.decode()


def test_a_newer_version_stands_beside_the_old(enter, mentee, project):
    output = make_output(project, title="Draft", kind="workshop")
    url = reverse("revise-output", args=[output.public_id])
    assert 'value="Draft"' in enter(mentee).get(url).content.decode()

    answer = enter(mentee).post(url, {"title": "Final", "kind": "workshop", "url": ""})

    page = enter(mentee).get(answer.url).content.decode()
    assert "Version 2" in page
    assert "Draft" in page


def test_only_the_team_revises(enter, mentor, project):
    url = reverse("revise-output", args=[make_output(project).public_id])

    assert enter(mentor).post(url, {"title": "Mine", "kind": "post", **SAYS}).status_code == 403
    assert not Output.objects.filter(title="Mine").exists()


class TestAFile:
    @pytest.fixture(autouse=True)
    def own_folder(self, settings, tmp_path):
        settings.FILES_DIR = tmp_path

    def send(self, browser, add, content=b"%PDF-1.7 text", name="paper.pdf", **values):
        posted = {"title": "Paper", "kind": "workshop", "file": SimpleUploadedFile(name, content)}
        return browser.post(add, {**posted, **values})

    def test_it_is_stored_once_under_its_hash(self, enter, mentee, add):
        browser = enter(mentee)
        self.send(browser, add)
        self.send(browser, add, title="The same again")

        stored = StoredFile.objects.get()
        assert stored.sha256 == sha256(b"%PDF-1.7 text").hexdigest()
        assert stored.path.read_bytes() == b"%PDF-1.7 text"
        assert Output.objects.filter(file=stored, filename="paper.pdf").count() == 2

    def test_a_reader_gets_it_to_keep_and_a_stranger_does_not(self, enter, mentee, mentor, stranger, add):
        self.send(enter(mentee), add)
        url = reverse("version-file", args=[Output.objects.get().current_version().public_id])

        answer = enter(mentor).get(url)

        assert b"".join(answer.streaming_content) == b"%PDF-1.7 text"
        assert answer["Content-Disposition"] == 'attachment; filename="paper.pdf"'
        assert answer["Content-Type"] == "application/octet-stream"
        assert enter(stranger).get(url).status_code == 404

    def test_another_file_is_another_version_and_the_first_stays(self, enter, mentee, add):
        browser = enter(mentee)
        self.send(browser, add)
        output = Output.objects.get()
        seen = output.current_version()

        self.send(browser, reverse("revise-output", args=[output.public_id]), b"%PDF-1.7 other")

        assert output.current_version().file_id != seen.file_id
        assert seen.file.path.read_bytes() == b"%PDF-1.7 text"

    @pytest.mark.parametrize(
        ("content", "name", "says"),
        [
            (b"MZ", "tool.exe", "Send a file that ends in one of"),
            (b"x" * 2_001, "long.pdf", "larger than"),
            (b"", "empty.pdf", "nothing in it"),
        ],
    )
    def test_it_is_refused_in_a_sentence(self, enter, mentee, add, monkeypatch, content, name, says):
        monkeypatch.setattr("tracker.projects.uploads.OUTPUT_BYTES", 2_000)

        page = self.send(enter(mentee), add, content, name)

        assert page.status_code == 422
        assert says in page.content.decode()
        assert not StoredFile.objects.exists()

    def test_the_form_needs_its_token(self, mentee, add):
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(mentee.user)

        assert self.send(browser, add).status_code == 403
        assert not Output.objects.exists()
