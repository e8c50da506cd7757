"""Gates, decisions, admission rounds and applications through the API: read by keys, decided by people."""

import pytest
from django.utils import timezone

from tests.factories import make_application, make_mentee, make_person, make_round
from tests.tracker.gate_world import decide, fix_gate, second
from tracker.cohorts.models import AdmissionRound, Application, Stream, Track
from tracker.people.models import Person, Role, Scope
from tracker.projects.models import Output, Reference

pytestmark = pytest.mark.django_db
GATES, DECISIONS = "/api/v1/gates/", "/api/v1/decisions/"
ROUNDS, APPLICATIONS, REFERENCES = "/api/v1/rounds/", "/api/v1/applications/", "/api/v1/references/"


def ids(answer) -> list[str]:
    return [row["id"] for row in answer.json()["results"]]


class TestGates:
    def test_every_version_of_a_rule_is_told(self, api, stage, lead):
        first = fix_gate(stage, lead, places=3)
        second_rule = fix_gate(stage, lead, places=4, reason="One more place.")

        rows = api.get(f"{GATES}?stage={stage.public_id}").json()["results"]

        assert [row["places"] for row in rows] == [3, 4]
        assert [row["id"] for row in rows] == [str(first.public_id), str(second_rule.public_id)]
        assert rows[0]["replaced_at"]
        assert (rows[1]["replaced_at"], rows[1]["reason"]) == (None, "One more place.")

    def test_a_lotterys_seed_stays_hidden_until_it_is_drawn(self, api, stage, lead):
        rule = fix_gate(stage, lead, places=3, middle="lottery")

        row = api.get(f"{GATES}{rule.public_id}/").json()

        assert (row["commitment"], row["revealed_seed"]) == (rule.commitment, "")
        assert rule.seed not in str(row)

    def test_no_key_fixes_one(self, api):
        assert api.post(GATES, {"places": 3}).status_code == 405


class TestDecisions:
    @pytest.fixture
    def mentee(self, cohort) -> Person:
        return make_mentee(cohort)

    def test_what_was_decided_is_told_without_any_probability(self, api, stage, mentee, lead):
        made = decide(stage, mentee, lead, "go_on")

        row = api.get(f"{DECISIONS}?person={mentee.public_id}").json()["results"][0]

        assert (row["id"], row["outcome"], row["decider"]) == (
            str(made.public_id),
            "go_on",
            str(lead.public_id),
        )
        assert not {"forecast", "leaning", "proposal", "fit"} & set(row)

    def test_an_end_is_told_once_a_second_reader_has_agreed(self, api, stage, mentee, lead, program):
        made = decide(stage, mentee, lead, "end")
        path = f"{DECISIONS}{made.public_id}/"
        before = (api.get(path).status_code, ids(api.get(DECISIONS)))

        second(made, make_person(Role.COMMITTEE, program=program))

        assert before == (404, [])
        assert api.get(path).json()["appeal_until"]
        assert api.get(path).json()["took_effect_at"] is None

    def test_until_then_it_shows_in_nothing_else_either(self, api, stage, mentee, lead, program):
        decide(stage, mentee, lead, "more_evidence")
        before = api.get(DECISIONS).json()

        end = decide(stage, mentee, lead, "end")

        assert api.get(DECISIONS).json() == before
        second(end, make_person(Role.COMMITTEE, program=program))
        first, _ = api.get(DECISIONS).json()["results"]
        assert first["undone"] == "decided_again"
        assert first["replaced_at"]

    def test_it_takes_a_scope_of_its_own(self, holding, stage, mentee, lead):
        decide(stage, mentee, lead, "go_on")
        others = [scope for scope in Scope.values if scope != Scope.DECISIONS_READ]

        assert holding(*others).get(DECISIONS).status_code == 403
        assert len(ids(holding(Scope.DECISIONS_READ).get(DECISIONS))) == 1

    def test_no_key_decides(self, api):
        assert api.post(DECISIONS, {"outcome": "end"}).status_code == 405

    def test_another_programs_are_not_found(self, foreign_api, stage, mentee, lead):
        made = decide(stage, mentee, lead, "go_on")

        assert foreign_api.get(f"{DECISIONS}{made.public_id}/").status_code == 404
        assert ids(foreign_api.get(DECISIONS)) == []


class TestAdmission:
    @pytest.fixture
    def round(self, cohort):
        return make_round(cohort, work_test="Read this paper.", waitlist_places=3)

    @pytest.fixture
    def body(self, round) -> dict:
        return {
            "round": str(round.public_id),
            "name": "Ann",
            "email": "ann@example.org",
            "text": "Why I apply.",
            "work_test": "My answer.",
        }

    def test_rounds_say_what_is_asked_and_until_when(self, api, round):
        row = api.get(ROUNDS).json()["results"][0]

        assert (row["id"], row["is_open"], row["work_test"]) == (
            str(round.public_id),
            True,
            "Read this paper.",
        )

    def test_an_application_is_sent_and_read_as_all_others(self, api, body, round):
        answer = api.post(APPLICATIONS, body)

        sent = Output.objects.filter(stage=round.stage)
        assert (answer.status_code, answer.json()["state"]) == (201, "submitted")
        assert {(one.kind, one.text) for one in sent} == {
            ("proposal", "Why I apply."),
            ("work_test", "My answer."),
        }
        assert Person.objects.get(public_id=answer.json()["person"]).holds(Role.APPLICANT)

    def test_who_was_named_is_told_once_the_application_is_sent_and_never_where_they_are_reached(
        self, api, foreign_api, round
    ):
        sent = make_application(round)
        draft = round.invite(name="Dora Draft", email="dora@example.org")
        rae, _ = (
            Reference.objects.ask(application, name=name, email=f"{name.lower()}@example.org")
            for application, name in ((sent, "Rae"), (draft, "Hidden"))
        )

        answer = api.get(REFERENCES)

        assert ids(answer) == [str(rae.public_id)]
        assert "example.org" not in answer.content.decode()
        assert ids(foreign_api.get(REFERENCES)) == []

    def test_what_a_referee_wrote_is_found_among_the_outputs(self, api, round):
        reference = Reference.objects.ask(make_application(round), name="Rae", email="rae@example.org")
        written = reference.receive("She is careful.", is_confidential=True)

        row = api.get(f"{REFERENCES}?application={reference.application.public_id}").json()["results"][0]

        assert row["output"] == str(written.public_id)
        assert row["received_at"] is not None

    def test_sent_again_it_changes_what_was_sent(self, api, body, round):
        first = api.post(APPLICATIONS, body).json()

        again = api.post(APPLICATIONS, {**body, "email": "Ann@Example.org", "text": "Better said."}).json()

        proposal = Output.objects.get(kind="proposal")
        assert (again["id"], again["person"]) == (first["id"], first["person"])
        assert (proposal.text, proposal.versions.count()) == ("Better said.", 2)
        assert Application.objects.count() == 1

    def test_a_track_and_a_stream_are_wished_for_by_name(self, api, body, cohort):
        track = Track.objects.create(cohort=cohort, name="Oversight")
        Stream.objects.open_in(track, name="Debate")

        answer = api.post(APPLICATIONS, {**body, "stream": "Debate"}).json()
        unknown = api.post(APPLICATIONS, {**body, "track": "Alchemy"})

        assert (answer["track"], answer["stream"]) == ("Oversight", "Debate")
        assert (unknown.status_code, unknown.json()["field"]) == (409, "track")

    @pytest.mark.parametrize(
        ("change", "status", "field"),
        [
            ({"work_test": ""}, 409, "work_test"),
            ({"text": " "}, 400, "text"),
            ({"email": "ann"}, 400, "email"),
            ({"url": "javascript:alert(1)"}, 409, "url"),
            ({"state": "admitted"}, 400, "state"),
        ],
    )
    def test_one_that_cannot_be_is_refused_and_nobody_is_made(self, api, body, change, status, field):
        people = Person.objects.count()

        answer = api.post(APPLICATIONS, {**body, **change})

        problem = answer.json()
        assert answer.status_code == status
        assert field in problem.get("errors", {}) or problem.get("field") == field
        assert Person.objects.count() == people

    def test_a_closed_round_takes_none(self, api, body, round):
        type(round).objects.filter(pk=round.pk).update(closes_at=timezone.now())

        answer = api.post(APPLICATIONS, body)

        assert (answer.status_code, answer.json()["code"]) == (409, "not-open")

    def test_it_is_withdrawn_with_what_was_sent(self, api, body):
        sent = api.post(APPLICATIONS, body).json()

        answers = [api.post(f"{APPLICATIONS}{sent['id']}/withdraw/") for _ in range(2)]

        assert [answer.json()["state"] for answer in answers] == ["withdrawn", "withdrawn"]
        assert not Output.objects.standing().exists()

    def test_no_key_takes_it_back_once_the_round_has_closed(self, api, body, round):
        """It would be an end by a machine."""
        sent = api.post(APPLICATIONS, body).json()
        AdmissionRound.objects.filter(pk=round.pk).update(closes_at=timezone.now())

        answer = api.post(f"{APPLICATIONS}{sent['id']}/withdraw/")

        assert (answer.status_code, answer.json()["code"]) == (409, "own-word")
        assert Application.objects.get().state == "submitted"

    def test_drafts_are_their_authors_alone(self, api, round):
        draft = round.invite(name="Bo", email="bo@example.org")
        sent = make_application(round)

        assert ids(api.get(f"{APPLICATIONS}?round={round.public_id}")) == [str(sent.public_id)]
        assert api.get(f"{APPLICATIONS}{draft.public_id}/").status_code == 404

    def test_another_programs_round_is_none(self, foreign_api, body, round):
        answer = foreign_api.post(APPLICATIONS, body)

        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["round"])
        assert ids(foreign_api.get(ROUNDS)) == []


def test_what_an_applicant_wrote_is_sent_but_not_read_through_a_key(api, cohort):
    person = make_mentee(cohort)
    sent = {"person": str(person.public_id), "cohort": str(cohort.public_id), "kind": "proposal"}

    answer = api.post("/api/v1/outputs/", {**sent, "title": "Plan", "text": "Sentinel"})

    assert (answer.status_code, Output.objects.get().text) == (201, "Sentinel")
    assert "Sentinel" not in api.get(f"/api/v1/outputs/{answer.json()['id']}/").content.decode()
