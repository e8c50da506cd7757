"""Admission on the pages: an applicant writes, a referee answers, a lead watches."""

import re

import pytest
from django.test import Client

from tests.factories import make_application, make_round, make_stage
from tests.tracker.test_progression import past_stage
from tracker.cohorts.models import Application, Stream, Track
from tracker.projects.models import Output, Reference

pytestmark = pytest.mark.django_db


@pytest.fixture
def round(cohort):
    return make_round(cohort, asks="Tell us what you want to find out.", work_test="Reproduce one figure.")


@pytest.fixture
def draft(round):
    return round.invite(name="Ann", email="ann@example.org")


def as_user(user) -> Client:
    door = Client()
    door.force_login(user)
    return door


@pytest.fixture
def ann(draft):
    return as_user(draft.person.user)


def page_of(application) -> str:
    return f"/applications/{application.public_id}/"


def test_an_application_becomes_outputs_that_are_read(ann, draft, round):
    stream = Stream.objects.open_in(Track.objects.create(cohort=round.cohort, name="Control"), name="Agents")
    form = {"text": "I want to measure lying.", "work_test": "Figure 3 again.", "stream": stream.pk}

    ann.post(page_of(draft), form)

    draft.refresh_from_db()
    sent = Output.objects.filter(stage=round.stage).order_by("kind")
    assert [(output.kind, output.text) for output in sent] == [
        ("proposal", "I want to measure lying."),
        ("work_test", "Figure 3 again."),
    ]
    assert (draft.state, draft.stream, draft.track) == ("submitted", stream, stream.track)
    assert [credit.person for credit in sent[0].credits.all()] == [draft.person]


def test_whoever_applies_sees_how_many_went_on_before_they_commit(ann, draft, round, program, lead):
    past_stage(program, lead, went=17, stopped=9, name="Research")
    make_stage(round.cohort, name="Research", position=8)

    page = ann.get(page_of(draft)).content.decode()

    assert "17 of 26" in page
    assert "46 to 81 %" in page


def test_it_is_sent_again_changed_and_not_doubled(ann, draft, round):
    for text in ("First.", "Second."):
        ann.post(page_of(draft), {"text": text, "work_test": "Done."})

    assert [output.text for output in Output.objects.filter(kind="proposal")] == ["Second."]
    assert "Second." in ann.get(page_of(draft)).content.decode()


def test_an_empty_application_is_told_and_keeps_what_was_typed(ann, draft):
    answer = ann.post(page_of(draft), {"text": "Something.", "work_test": ""})

    assert answer.status_code == 422
    assert "answer to the work test" in answer.content.decode()
    assert "Something." in answer.content.decode()
    assert not Output.objects.exists()


def test_nobody_opens_anothers_application(draft, round, lead):
    other = make_application(round)

    for user in (other.person.user, lead.user):
        assert as_user(user).get(page_of(draft)).status_code == 404


def test_what_is_withdrawn_is_read_no_more(ann, draft, round):
    ann.post(page_of(draft), {"text": "I want it.", "work_test": "Done."})

    ann.post(page_of(draft) + "withdraw/")

    draft.refresh_from_db()
    assert draft.state == Application.State.WITHDRAWN
    assert not Output.objects.standing().exists()


def ask(ann, draft) -> Reference:
    ann.post(page_of(draft) + "references/", {"name": "Ada", "email": "ada@example.org"})
    return Reference.objects.get()


def link_of(lead, reference) -> str:
    answer = as_user(lead.user).post(f"/references/{reference.public_id}/link/")
    return re.search(r"http://testserver(/reference/[^<]+)<", answer.content.decode())[1]


def test_a_referee_writes_once_by_a_link(ann, draft, lead, client):
    link = link_of(lead, ask(ann, draft))

    client.post(link, {"text": "Careful and quick."})

    reference = Reference.objects.get()
    assert reference.output.text == "Careful and quick."
    assert reference.output.stage == draft.round.stage
    assert client.get(link).status_code == 404
    assert reference.output in Output.objects.visible_to(draft.person.user)


def test_a_confidential_reference_is_hidden_from_whom_it_is_about(ann, draft, lead, mentor, client):
    client.post(link_of(lead, ask(ann, draft)), {"text": "Slow.", "is_confidential": "on"})

    output = Output.objects.get()
    assert output not in Output.objects.visible_to(draft.person.user)
    assert output in Output.objects.visible_to(mentor.user)
    assert "Slow." not in ann.get(page_of(draft)).content.decode()
    assert "Slow." not in ann.get(f"/projects/{output.project.public_id}/").content.decode()


def test_a_new_link_closes_the_one_before(ann, draft, lead, client):
    reference = ask(ann, draft)
    first, second = link_of(lead, reference), link_of(lead, reference)

    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200


def test_only_a_lead_issues_links(ann, draft, mentor):
    reference = ask(ann, draft)

    assert ann.post(f"/references/{reference.public_id}/link/").status_code == 403
    assert as_user(mentor.user).post(f"/references/{reference.public_id}/link/").status_code == 404


def test_a_lead_invites_and_sees_what_was_sent(lead, round):
    sent = make_application(round)
    door = as_user(lead.user)

    door.post(f"/rounds/{round.public_id}/", {"name": "Bo", "email": "bo@example.org"})

    shown = door.get(f"/rounds/{round.public_id}/").content.decode()
    assert Application.objects.filter(enrollment__person__name="Bo").exists()
    assert sent.person.name in shown
    assert "Bo</th>" not in shown


def test_the_round_costs_the_same_for_many(lead, round, django_assert_max_num_queries):
    for _ in range(12):
        make_application(round)
    door = as_user(lead.user)

    with django_assert_max_num_queries(12):
        door.get(f"/rounds/{round.public_id}/")


def test_an_admitted_applicant_may_decline(ann, draft):
    ann.post(page_of(draft), {"text": "I want it.", "work_test": "Done."})
    Application.objects.get(pk=draft.pk).admit()

    ann.post(page_of(draft) + "decline/")

    draft.refresh_from_db()
    assert draft.state == Application.State.DECLINED


def test_an_applicant_lands_on_their_applications(ann, draft):
    assert ann.get("/", follow=True).redirect_chain == [("/applications/", 302)]
    assert str(draft.round.cohort) in ann.get("/applications/").content.decode()
