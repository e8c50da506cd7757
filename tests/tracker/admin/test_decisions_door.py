"""Gates and decisions in the admin: read, never made, and no proposal before one's own leaning."""

import pytest
from django.test import Client

from tests.factories import make_mentee, make_person
from tests.tracker.gate_world import SURE, appealed, decide, fix_gate, make_chances, proposed, second
from tracker.decisions.models import GateRule
from tracker.estimates.models import Viewing
from tracker.people.models import Role

pytestmark = pytest.mark.django_db
DOORS = ("gaterule", "proposal", "stagedecision", "appeal")


@pytest.fixture
def another(program) -> Client:
    """The admin as another lead of the program opens it."""
    lead = make_person(Role.LEAD, program=program)
    lead.user.become_staff()
    client = Client()
    client.force_login(lead.user)
    return client


@pytest.mark.parametrize("name", DOORS)
def test_nothing_is_made_here(another, name):
    assert another.get(f"/admin/decisions/{name}/").status_code == 200
    assert another.get(f"/admin/decisions/{name}/add/").status_code == 403


def test_every_row_opens(another, stage, cohort, lead, program):
    mentee = make_mentee(cohort)
    rule = fix_gate(stage, lead, middle="lottery")
    make_chances(stage, {mentee: SURE})
    decision = decide(stage, mentee, lead, "end")
    appeal = appealed(second(decision, make_person(Role.COMMITTEE, program=program)))

    rows = zip(DOORS, (rule, decision.proposal, decision, appeal), strict=True)
    for name, row in rows:
        page = another.get(f"/admin/decisions/{name}/{row.pk}/change/").content.decode()
        assert 'type="submit"' not in page.partition('id="content"')[2]
        assert rule.seed not in page


def test_a_proposal_to_another_is_hidden_until_it_is_decided(another, stage, cohort, lead):
    mentee = make_mentee(cohort, name="Mia Mentee")
    fix_gate(stage, lead)
    make_chances(stage, {mentee: SURE})
    proposal = proposed(stage, mentee, lead)
    path = "/admin/decisions/proposal/"

    assert "Mia Mentee" not in another.get(path).content.decode()
    assert another.get(f"{path}{proposal.pk}/change/").status_code == 302


def test_looking_at_a_proposal_is_logged_as_looking_at_the_person(another, stage, cohort, lead):
    mentee = make_mentee(cohort)
    fix_gate(stage, lead)
    make_chances(stage, {mentee: SURE})
    decide(stage, mentee, lead)

    another.get("/admin/decisions/proposal/")

    assert [(look.person, look.door) for look in Viewing.objects.all()] == [(mentee, "admin")]


def test_the_history_of_a_rule_keeps_no_seed(stage, lead):
    fix_gate(stage, lead, middle="lottery")

    assert "seed" not in {field.name for field in GateRule.history.model._meta.fields}
