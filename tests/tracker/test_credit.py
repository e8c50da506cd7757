"""Whose a project's outputs are: stated once, confirmed by all, objected to in private."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from tests.factories import make_mentee, make_output, make_person, make_project
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.people.models import Role
from tracker.projects.models import Credit, CreditObjection, CreditStatement

pytestmark = pytest.mark.django_db
STATED = (0.7, 0.3)


@pytest.fixture
def team(cohort):
    return [make_mentee(cohort, name=name) for name in ("Ann", "Bo")]


@pytest.fixture
def project(cohort, team):
    return make_project(cohort, authors=team)


@pytest.fixture
def statement(project, team):
    return CreditStatement.objects.state(project, {"idea": dict(zip(team, STATED, strict=True))}, by=team[0])


def shares(output) -> dict[str, float]:
    return {credit.person.name: credit.share for credit in output.credits.select_related("person")}


class TestAStatement:
    def test_it_holds_once_everybody_has_confirmed_it(self, project, team, statement):
        output = make_output(project)
        before = shares(output)

        statement.confirm(by=team[1])

        assert before == {"Ann": 0.5, "Bo": 0.5}
        assert shares(output) == shares(make_output(project)) == {"Ann": 0.7, "Bo": 0.3}
        assert set(output.credits.values_list("kind", flat=True)) == {"idea"}

    def test_an_output_with_its_own_credit_keeps_it(self, project, team, statement):
        output = make_output(project)
        output.set_credit({"execution": {team[1]: 1.0}})

        statement.confirm(by=team[1])

        assert shares(output) == {"Bo": 1.0}

    def test_a_new_one_begins_without_confirmations(self, project, team, statement):
        again = CreditStatement.objects.state(project, {"idea": dict.fromkeys(team, 0.5)}, by=team[1])

        assert list(again.unconfirmed_by()) == [team[0]]
        statement.refresh_from_db()
        with pytest.raises(RuleBroken, match="no longer open"):
            statement.confirm(by=team[1])

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"idea": (0.7, 0.2)}, "make them sum to 1"),
            ({"idea": (1.2, -0.2)}, "negative"),
            ({"luck": (0.5, 0.5)}, "Unknown kind"),
            ({}, "at least one kind"),
        ],
    )
    def test_shares_that_cannot_be_are_refused(self, project, team, given, says):
        told = {kind: dict(zip(team, split, strict=True)) for kind, split in given.items()}

        with pytest.raises(RuleBroken, match=says):
            CreditStatement.objects.state(project, told, by=team[0])

    def test_the_same_said_again_is_the_same_statement(self, project, team, statement):
        told = {"idea": dict(zip(team, STATED, strict=True))}

        assert CreditStatement.objects.state(project, told, by=team[0]) == statement
        statement.confirm(by=team[1])
        assert CreditStatement.objects.state(project, told, by=team[0]) == statement
        assert CreditStatement.objects.count() == 1

    def test_confirming_again_changes_nothing(self, statement, team):
        stale = CreditStatement.objects.get(pk=statement.pk)
        for _ in range(2):
            statement.confirm(by=team[1])

        stale.confirm(by=team[0])

        assert statement.confirmations.count() == 2
        assert Event.objects.filter(kind="credit.in-force").count() == 1

    def test_who_looks_at_an_old_page_confirms_no_statement_that_was_replaced(self, project, team, statement):
        stale = CreditStatement.objects.get(pk=statement.pk)
        CreditStatement.objects.state(project, {"idea": dict.fromkeys(team, 0.5)}, by=team[1])

        with pytest.raises(RuleBroken, match="no longer open"):
            stale.confirm(by=team[1])

    def test_a_lead_of_another_program_settles_and_answers_nothing(self, statement, team, stranger):
        elsewhere = stranger.persons.get()
        objection = statement.object(by=team[1], text="No.")

        with pytest.raises(RuleBroken, match="Only a lead"):
            statement.settle(by=elsewhere, reasons="Because.")
        with pytest.raises(RuleBroken, match="not on the team answers"):
            objection.reply(by=elsewhere, text="Yes.")

    def test_it_is_the_authors_to_state_and_to_have(self, project, team, cohort, mentor):
        with pytest.raises(RuleBroken, match="Only the authors"):
            CreditStatement.objects.state(project, {"idea": {team[0]: 1.0}}, by=mentor)
        with pytest.raises(RuleBroken, match="name them alone"):
            CreditStatement.objects.state(project, {"idea": {make_mentee(cohort): 1.0}}, by=team[0])

    def test_the_database_holds_one_at_a_time(self, statement):
        with pytest.raises(IntegrityError), transaction.atomic():
            CreditStatement.objects.create(project=statement.project, stated_by=statement.stated_by)

    def test_a_lead_settles_it_with_reasons(self, project, statement, lead, mentor):
        output = make_output(project)
        for by, reasons, says in ((mentor, "Because.", "Only a lead"), (lead, " ", "Give the reasons")):
            with pytest.raises(RuleBroken, match=says):
                statement.settle(by=by, reasons=reasons)

        statement.settle(by=lead, reasons="The log shows who wrote what.")

        assert shares(output) == {"Ann": 0.7, "Bo": 0.3}

    def test_the_database_refuses_a_settlement_without_reasons(self, statement, lead):
        with pytest.raises(IntegrityError), transaction.atomic():
            CreditStatement.objects.filter(pk=statement.pk).update(settled_by=lead)


class TestAnObjection:
    @pytest.fixture
    def objection(self, statement, team):
        return statement.object(by=team[1], text="Sentinel: I ran every experiment.")

    def test_members_never_see_it(self, objection, team, lead, mentor, cohort):
        manager = make_person(Role.RESEARCH_MANAGER, program=cohort.program)
        committee = make_person(Role.COMMITTEE, program=cohort.program)

        sees = {
            person.pk: CreditObjection.objects.visible_to(person.user).exists()
            for person in (*team, lead, manager, mentor, committee)
        }

        assert list(sees.values()) == [False, True, True, True, False, False]

    def test_a_lead_on_the_team_is_a_member(self, cohort, lead, team):
        project = make_project(cohort, authors=[*team, lead])
        told = {"idea": dict.fromkeys((*team, lead), 1 / 3)}
        objection = CreditStatement.objects.state(project, told, by=lead).object(by=team[0], text="No.")

        assert objection not in CreditObjection.objects.visible_to(lead.user)
        with pytest.raises(RuleBroken, match="not on the team"):
            objection.reply(by=lead, text="Yes.")

    def test_pages_show_it_to_whom_it_concerns(self, client, objection, project, team, lead):
        url, seen = reverse("credit", args=[project.public_id]), []
        for person in (team[0], team[1], lead):
            client.force_login(person.user)
            seen.append("Sentinel" in client.get(url).content.decode())

        assert seen == [False, True, True]

    def test_one_too_long_to_keep_is_refused_and_not_cut(self, client, project, statement, team):
        client.force_login(team[1].user)
        url = reverse("object-to-credit", args=[statement.public_id])
        page = client.post(url, {"text": "long " * 3000}, follow=True)

        assert "Shorten this to 2,000 characters: it has 14,999." in page.content.decode()
        assert not CreditObjection.objects.exists()

    def test_it_is_answered_once(self, client, objection, lead, team):
        url = reverse("answer-objection", args=[objection.public_id])
        client.force_login(team[0].user)
        assert client.post(url, {"text": "No."}).status_code == 404
        client.force_login(lead.user)
        client.post(url, {"text": "Thank you: we talk on Monday."})
        client.post(url, {"text": "Other."})

        objection.refresh_from_db()
        assert (objection.answer, objection.answered_by) == ("Thank you: we talk on Monday.", lead)


class TestThePage:
    def test_whoever_joins_later_is_not_left_out_in_silence(self, client, project, team, statement, cohort):
        statement.confirm(by=team[1])
        client.force_login(team[0].user)
        url = reverse("credit", args=[project.public_id])
        before = client.get(url).content.decode()
        project.team.create(person=make_mentee(cohort, name="Cy"), role="author")

        after = client.get(url).content.decode()

        assert "no part in it" not in before
        assert "Cy has no part in it and has not confirmed it" in after

    def test_a_member_states_it_in_per_cent(self, client, project, team):
        client.force_login(team[0].user)
        ann, bo = (person.public_id for person in team)
        typed = {f"idea-{ann}": "60", f"idea-{bo}": "40", f"writing-{ann}": "100"}

        client.post(reverse("credit", args=[project.public_id]), typed)

        stated = CreditStatement.objects.get().by_kind()
        assert stated["idea"] == pytest.approx({team[0]: 0.6, team[1]: 0.4})
        assert stated["writing"] == {team[0]: 1.0, team[1]: 0.0}

    def test_thirds_cannot_be_typed_and_need_not_be(self, client, cohort):
        team = [make_mentee(cohort) for _ in range(3)]
        project = make_project(cohort, authors=team)
        client.force_login(team[0].user)

        client.post(
            reverse("credit", args=[project.public_id]),
            {f"idea-{person.public_id}": "33.3" for person in team},
        )

        assert CreditStatement.objects.get().by_kind()["idea"] == pytest.approx(dict.fromkeys(team, 1 / 3))

    def test_a_wrong_sum_is_told_and_kept(self, client, project, team):
        client.force_login(team[0].user)

        page = client.post(reverse("credit", args=[project.public_id]), {f"idea-{team[0].public_id}": "60"})

        assert page.status_code == 422
        assert "sum to 0.6" in page.content.decode()
        assert not CreditStatement.objects.exists()

    def test_the_other_member_confirms_it(self, client, statement, team):
        client.force_login(team[1].user)

        client.post(reverse("confirm-credit", args=[statement.public_id]))

        statement.refresh_from_db()
        assert statement.in_force_at is not None

    def test_who_has_confirmed_is_not_asked_again_and_who_has_not_is_named(
        self, client, statement, project, team
    ):
        url, pages = reverse("credit", args=[project.public_id]), []
        for person in team:
            client.force_login(person.user)
            pages.append(client.get(url).content.decode())

        assert ["Confirm it" in page for page in pages] == [False, True]
        assert all("Awaited: Bo." in page for page in pages)

    def test_a_reader_may_not(self, client, statement, mentor):
        client.force_login(mentor.user)

        client.post(reverse("confirm-credit", args=[statement.public_id]))

        assert list(statement.confirmations.values_list("person", flat=True)) == [statement.stated_by_id]


def test_a_share_is_between_0_and_1(project, team):
    output = make_output(project)

    with pytest.raises(IntegrityError), transaction.atomic():
        Credit.objects.filter(output=output).update(share=1.5)
