"""People share what they like with a fund, until a day or until they take it back, and nobody does it for them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_mentee, make_person, make_program
from tracker.events.models import Event
from tracker.funding.models import Fund
from tracker.people.models import Person, Role, ShareGrant

pytestmark = pytest.mark.django_db


@pytest.fixture
def fund(fund_manager) -> Fund:
    return Fund.objects.get()


def typed(person: Person, fund: Fund, **values) -> dict:
    return {"person": person.public_id, "fund": fund.public_id, "what": "estimates", **values}


def test_it_is_shared_until_the_end_of_a_day(enter, mentee, fund, fund_manager):
    until = timezone.localdate() + timedelta(days=9)

    answer = enter(mentee).post("/sharing/", typed(mentee, fund, until=until), follow=True)

    grant = ShareGrant.objects.get()
    assert (grant.person, grant.shared_with, grant.what) == (mentee, fund.group, "estimates")
    assert timezone.localdate(grant.ends_at) == until
    assert "Open Research Fund" in answer.content.decode()
    assert list(ShareGrant.objects.visible_to(fund_manager)) == [grant]
    assert Event.objects.get(kind="share.granted").actor == mentee.user.public_id


def test_it_is_taken_back_at_once(enter, mentee, fund, fund_manager):
    grant = ShareGrant.objects.share(mentee, shared_with=fund.group, what="estimates")

    answer = enter(mentee).post(f"/sharing/{grant.public_id}/end/", follow=True)

    assert "Taken back" in answer.content.decode()
    assert not ShareGrant.objects.visible_to(fund_manager).exists()
    assert not Person.objects.visible_to(fund_manager).exists()
    assert Event.objects.get(kind="share.revoked").actor == mentee.user.public_id


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"until": timezone.localdate() - timedelta(days=1)}, "a day to come"),
        ({"fund": ""}, "Choose a fund"),
        ({"fund": "00000000-0000-4000-8000-000000000000"}, "Choose a fund of the list"),
        ({"what": ""}, "Choose what"),
        ({"what": "ratings"}, "ratings"),
    ],
)
def test_it_refuses_at_the_field(enter, mentee, fund, values, says):
    answer = enter(mentee).post("/sharing/", {**typed(mentee, fund), **values})

    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not ShareGrant.objects.exists()


def test_the_same_is_shared_once_and_again_when_it_has_ended(enter, mentee, fund):
    ShareGrant.objects.share(mentee, shared_with=fund.group, what="estimates")
    browser = enter(mentee)

    answer = browser.post("/sharing/", typed(mentee, fund))
    assert "You share this with" in answer.content.decode()
    ShareGrant.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    browser.post("/sharing/", typed(mentee, fund))

    first, second = ShareGrant.objects.order_by("pk")
    assert (first.revoked_at, second.is_standing) == (first.ends_at, True)


def test_nobody_shares_for_somebody_else(enter, mentee, fund, lead):
    other = make_mentee(mentee.enrollments.get().cohort)
    grant = ShareGrant.objects.share(mentee, shared_with=fund.group, what="profile")

    for somebody in (other, lead):
        browser = enter(somebody)
        assert browser.post("/sharing/", typed(mentee, fund)).status_code == 422
        assert browser.post(f"/sharing/{grant.public_id}/end/").status_code == 404
        assert "Take it back" not in browser.get("/sharing/").content.decode()

    assert ShareGrant.objects.standing().get() == grant


def test_somebody_in_two_programs_says_of_which(enter, mentee, fund):
    elsewhere = make_person(Role.MENTEE, program=make_program(name="Elsewhere"), user=mentee.user)

    enter(mentee).post("/sharing/", typed(elsewhere, fund))

    assert ShareGrant.objects.get().person == elsewhere


def test_who_has_left_still_ends_what_they_shared(enter, mentee, fund):
    grant = ShareGrant.objects.share(mentee, shared_with=fund.group, what="estimates")
    mentee.memberships.update(ended_at=timezone.now())

    enter(mentee).post(f"/sharing/{grant.public_id}/end/")

    assert not ShareGrant.objects.standing().exists()
