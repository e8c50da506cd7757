"""Roles, keys and shares: who is who, and until when."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.factories import make_mentee, make_person, make_program
from tracker.cohorts.models import Enrollment
from tracker.errors import RuleBroken
from tracker.people.models import ApiKey, Membership, Person, Program, Role, Scope, ShareGrant

pytestmark = pytest.mark.django_db


def issue(program: Program, *scopes: str) -> tuple[ApiKey, str]:
    return ApiKey.objects.issue(program=program, name="Sync", scopes=list(scopes or (Scope.READ,)))


def test_a_key_is_found_by_its_text_and_kept_as_a_hash(program):
    key, text = issue(program)

    assert ApiKey.objects.matching(text) == key
    assert text not in str(ApiKey.objects.values())


def test_an_unknown_key_is_nobody(program):
    issue(program)

    assert ApiKey.objects.matching("plb_unknown") is None


def test_a_revoked_key_opens_nothing(program):
    key, text = issue(program)

    key.revoke()

    assert ApiKey.objects.matching(text) is None


def test_a_key_expires(program):
    key, text = issue(program)

    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    assert ApiKey.objects.matching(text) is None


def test_a_key_takes_only_scopes_that_exist(program):
    with pytest.raises(RuleBroken, match="Unknown scope"):
        issue(program, "everything")


def test_a_key_cannot_log_in(program):
    key, _ = issue(program)

    assert not key.person.user.has_usable_password()


def test_keys_are_seen_by_the_lead_alone(program, lead, mentor, stranger):
    key, _ = issue(program)

    assert list(ApiKey.objects.visible_to(lead.user)) == [key]
    assert not ApiKey.objects.visible_to(mentor.user).exists()
    assert not ApiKey.objects.visible_to(stranger).exists()


def test_one_user_can_be_a_person_in_several_programs(lead):
    other = make_program()

    twin = make_person(Role.MENTOR, program=other, user=lead.user)

    assert set(Program.objects.visible_to(lead.user)) == {lead.program, other}
    assert twin.user == lead.user


def test_a_user_is_one_person_in_a_program(lead):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_person(Role.MENTOR, program=lead.program, user=lead.user)


def test_an_external_id_names_one_person(program):
    make_person(program=program, external_id="p-1")

    with pytest.raises(IntegrityError), transaction.atomic():
        make_person(program=program, external_id="p-1")


def test_a_role_that_has_ended_gives_nothing(lead):
    lead.memberships.get().end()

    assert not Program.objects.visible_to(lead.user).exists()
    assert list(Person.objects.visible_to(lead.user)) == [lead]


def test_a_role_ends_once(lead):
    membership = lead.memberships.get()
    membership.end()

    with pytest.raises(RuleBroken, match="ended already"):
        membership.end()


def test_an_inactive_user_sees_nothing(lead):
    lead.user.is_active = False

    assert not Program.objects.visible_to(lead.user).exists()


def test_mentees_see_themselves_and_mentors_their_program(program, mentor, lead):
    mentee = make_person(Role.MENTEE, program=program)

    assert list(Person.objects.visible_to(mentee.user)) == [mentee]
    assert set(Person.objects.visible_to(mentor.user)) == {mentor, lead, mentee}


def test_a_share_shows_a_person_to_a_fund_until_it_ends(program, fund_manager):
    person = make_person(Role.MENTEE, program=program)
    group = fund_manager.groups.get()
    assert not Person.objects.visible_to(fund_manager).exists()

    grant = ShareGrant.objects.share(person, shared_with=group, what="estimates")
    assert list(Person.objects.visible_to(fund_manager)) == [person]

    ShareGrant.objects.filter(pk=grant.pk).update(ends_at=timezone.now())
    assert not Person.objects.visible_to(fund_manager).exists()


def test_a_share_is_taken_back_once(program, fund_manager):
    group = fund_manager.groups.get()
    grant = ShareGrant.objects.share(make_person(program=program), shared_with=group, what="estimates")
    grant.revoke()

    with pytest.raises(RuleBroken, match="not shared any more"):
        grant.revoke()
    assert not Person.objects.visible_to(fund_manager).exists()


@pytest.mark.parametrize(
    ("values", "says"),
    [({"what": "ratings"}, "Share one of"), ({"until": timezone.now() - timedelta(days=1)}, "a day to come")],
)
def test_a_share_is_of_something_and_ends_in_time_to_come(program, fund_manager, values, says):
    with pytest.raises(RuleBroken, match=says):
        ShareGrant.objects.share(
            make_person(program=program),
            **{"shared_with": fund_manager.groups.get(), "what": "profile", **values},
        )


def test_a_share_shows_a_fund_neither_roles_nor_cohorts(cohort, fund_manager):
    person = make_mentee(cohort)
    ShareGrant.objects.share(person, shared_with=fund_manager.groups.get(), what="profile")

    assert list(Person.objects.visible_to(fund_manager)) == [person]
    assert not Membership.objects.visible_to(fund_manager).exists()
    assert not Enrollment.objects.visible_to(fund_manager).exists()


def test_another_fund_sees_nothing_of_it(program, fund_manager):
    person = make_person(Role.MENTEE, program=program)

    ShareGrant.objects.share(person, shared_with=Group.objects.create(name="Fund: other"), what="estimates")

    assert not Person.objects.visible_to(fund_manager).exists()
