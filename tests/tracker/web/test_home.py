"""The front door sends everybody where they work."""

import pytest
from django.urls import reverse

from tests.factories import make_cohort, make_person, make_user
from tracker.people.models import Role


def test_it_asks_a_visitor_to_log_in(client, db):
    answer = client.get("/")

    assert answer.url.startswith(reverse("account_login"))


def test_a_lead_comes_to_the_newest_cohort(enter, lead, cohort):
    make_cohort(lead.program, name="Older", starts_on="2020-01-01", ends_on="2020-03-01")

    answer = enter(lead).get("/")

    assert answer.url == reverse("cohort", args=[cohort.public_id])


@pytest.mark.parametrize(("role", "page"), [(Role.MENTOR, "reading"), (Role.MENTEE, "mine")])
def test_it_sends_by_role(enter, program, role, page):
    person = make_person(role, program=program)

    assert enter(person).get("/").url == reverse(page)


def test_a_fund_manager_comes_to_the_admin(enter, fund_manager):
    assert enter(fund_manager).get("/").url == reverse("admin:index")


def test_somebody_without_a_role_is_told_so(enter, db):
    page = enter(make_user(name="Nobody Yet")).get("/")

    assert "You hold no role in any program" in page.content.decode()


def test_several_roles_are_all_in_the_navigation(enter, program, cohort):
    person = make_person(Role.LEAD, Role.MENTOR, Role.MENTEE, program=program)

    page = enter(person).get(reverse("cohort", args=[cohort.public_id])).content.decode()

    for name in ("cohorts", "reading", "mine"):
        assert f'href="{reverse(name)}"' in page


def test_a_program_says_its_own_words(enter, lead, program, cohort):
    program.words = {"cohort": "batch", "project": "study"}
    program.save(update_fields=["words"])

    page = enter(lead).get(reverse("cohort", args=[cohort.public_id])).content.decode()

    assert ">Batches<" in page or ">Batchs<" in page
    assert ">Studies<" in page


@pytest.mark.parametrize("path", ["/nowhere/", "/cohorts/00000000-0000-0000-0000-000000000000/"])
def test_an_unknown_address_is_answered_in_our_look(enter, lead, path):
    page = enter(lead).get(path)

    assert page.status_code == 404
    assert "There is nothing here that you may see" in page.content.decode()
