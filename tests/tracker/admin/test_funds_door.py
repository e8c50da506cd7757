"""What a fund manager sees in the admin, and what they do not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_person, make_program, make_project
from tests.tracker.api.test_estimates import make_estimate, make_fit
from tracker.estimates.models import Estimate, Fit, Release, Viewing
from tracker.people.models import Person, Role, ShareGrant

pytestmark = pytest.mark.django_db
PEOPLE, ESTIMATES, FITS = (
    "/admin/people/person/",
    "/admin/estimates/estimate/",
    "/admin/estimates/fit/",
)


def text(client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def test_the_first_page_offers_what_funds_see_and_nothing_else(funds_door, shared):
    page = text(funds_door, "/admin/")

    for path in (PEOPLE, ESTIMATES, FITS, "/admin/people/sharegrant/", "/admin/funding/fund/"):
        assert f'href="{path}"' in page
    for path in (
        "people/user/",
        "people/apikey/",
        "ratings/",
        "projects/",
        "events/",
        "auth/group/",
        "/add/",
    ):
        assert path not in page


def test_people_who_share_are_listed_with_their_likely_range_and_until_when(funds_door, shared, private):
    page = text(funds_door, PEOPLE)

    until = timezone.localdate() + timedelta(days=30)
    for words in ("Sara Shares", "Northern Lights", "-1.0 to +1.5", f"{until:%Y-%m-%d}", "1 person"):
        assert words in page
    assert "Peter Private" not in page


def test_the_picture_of_a_range_stays_within_its_frame(funds_door, shared):
    Estimate.objects.update(q05=-99.0, q25=-2.0, q50=0.0, q75=2.0, q95=99.0)

    svg = text(funds_door, PEOPLE).split('<svg class="range"')[1].split("</svg>")[0]

    assert 'class="range-thin" x1="6.0" x2="154.0"' in svg
    assert 'class="range-thick" x1="43.0" x2="117.0"' in svg
    assert 'cx="80.0"' in svg


def test_a_person_shows_the_estimates_that_were_released(funds_door, shared, private):
    make_estimate(make_fit(shared.fit.program, is_current=False), shared.person, q05=-7.0)

    page = text(funds_door, f"{PEOPLE}{shared.person.pk}/change/")

    assert "-1.0 to +1.5" in page
    assert "-7.0" not in page
    assert shared.person.user.email not in page
    assert funds_door.get(f"{PEOPLE}{private.person.pk}/change/").status_code == 302


def test_estimates_and_fits_show_what_was_released_and_nothing_of_others(funds_door, shared, private):
    hidden = make_fit(shared.fit.program, is_current=False)
    Fit.objects.update(rows=98765)

    estimates, fits = text(funds_door, ESTIMATES), text(funds_door, FITS)
    page = text(funds_door, f"{FITS}{shared.fit.pk}/change/")

    assert "Sara Shares" in estimates
    assert "Peter Private" not in estimates
    assert "1 fit" in fits
    assert "98765" not in page + fits
    assert "Few readers" not in page
    assert funds_door.get(f"{FITS}{hidden.pk}/change/").status_code == 302


def test_an_estimate_tells_a_fund_its_range_and_neither_raw_nor_odds(funds_door, shared):
    page = text(funds_door, f"{ESTIMATES}{shared.pk}/change/")

    assert "-1.0 to +1.5" in page
    for field in ("field-raw", "field-mean", "field-probability_top", "field-observations"):
        assert field not in page


def test_an_estimate_from_few_readers_is_not_told(funds_door, shared):
    Estimate.objects.update(raters=2)

    assert "Sara Shares" not in text(funds_door, ESTIMATES)
    assert "-1.0" not in text(funds_door, PEOPLE)


def test_what_is_not_released_is_not_told(funds_door, shared):
    Release.objects.all().delete()

    assert "-1.0" not in text(funds_door, PEOPLE)
    assert "Sara Shares" not in text(funds_door, ESTIMATES)


@pytest.mark.parametrize("end", ["revoked", "over"])
def test_a_share_that_has_ended_shows_nothing_any_more(funds_door, shared, end):
    grant = ShareGrant.objects.get()
    if end == "revoked":
        grant.revoke()
    else:
        ShareGrant.objects.update(ends_at=timezone.now() - timedelta(seconds=1))

    assert "Sara Shares" not in text(funds_door, PEOPLE) + text(funds_door, ESTIMATES)
    assert "0 fits" in text(funds_door, FITS)


def test_who_shares_a_name_only_is_shown_without_a_range(funds_door, shared):
    ShareGrant.objects.update(what=ShareGrant.What.PROFILE)

    page = text(funds_door, PEOPLE)

    assert "Sara Shares" in page
    assert "-1.0" not in page


def test_who_shares_estimates_alone_is_shown_without_projects(funds_door, fund_manager, shared, cohort):
    make_project(cohort, title="Quiet project", authors=[shared.person])
    path = f"{PEOPLE}{shared.person.pk}/change/"
    assert "Quiet project" not in text(funds_door, path)

    ShareGrant.objects.share(shared.person, shared_with=fund_manager.groups.get(), what="profile")

    assert "Quiet project" in text(funds_door, path)


def test_looking_is_logged_by_name(funds_door, fund_manager, shared):
    text(funds_door, PEOPLE)
    text(funds_door, f"{ESTIMATES}{shared.pk}/change/")

    looks = Viewing.objects.filter(viewer=fund_manager)
    assert [(look.person, look.door) for look in looks] == [(shared.person, "admin")] * 2


def test_another_fund_sees_nothing_of_it(db, shared):
    from tests.factories import make_user
    from tests.tracker.admin.conftest import entering
    from tracker.funding.models import Fund

    other = make_user()
    Fund.objects.found("Other Fund").appoint(other)

    assert "Sara Shares" not in text(entering(other), PEOPLE)


@pytest.mark.parametrize(
    "path", [PEOPLE, ESTIMATES, FITS, "/admin/people/sharegrant/", "/admin/funding/fund/"]
)
def test_a_fund_neither_adds_nor_changes_nor_deletes(funds_door, shared, path):
    row = {PEOPLE: shared.person.pk, ESTIMATES: shared.pk, FITS: shared.fit.pk}.get(path, 1)

    assert funds_door.get(f"{path}add/").status_code == 403
    assert funds_door.post(f"{path}{row}/change/", {"name": "x"}).status_code in (302, 403)
    assert funds_door.post(f"{path}{row}/delete/", {"post": "yes"}).status_code in (302, 403)
    assert Estimate.objects.filter(pk=shared.pk).exists()
    assert shared.person.__class__.objects.get(pk=shared.person.pk).name == "Sara Shares"


def test_history_shows_only_rows_that_may_be_seen(funds_door, shared, private):
    assert funds_door.get(f"{PEOPLE}{shared.person.pk}/history/").status_code == 200
    assert funds_door.get(f"{PEOPLE}{private.person.pk}/history/").status_code == 404


def test_a_fund_that_leads_elsewhere_learns_no_more_of_who_shares(funds_door, fund_manager, shared):
    make_person(Role.LEAD, program=make_program(), user=fund_manager, name="Fay Herself", external_id="OWN-7")
    Person.objects.filter(pk=shared.person_id).update(external_id="SECRET-EXT")

    everybody = text(funds_door, "/admin/people/person/")
    found = {
        term: text(funds_door, f"/admin/people/person/?q={term}") for term in ("SECRET-E", "Sara", "OWN-7")
    }

    assert "OWN-7" in everybody
    assert "SECRET-EXT" not in everybody
    assert "mentee" not in everybody
    assert "Sara Shares" not in found["SECRET-E"]
    assert "Sara Shares" in found["Sara"]
    assert "Fay Herself" in found["OWN-7"]


def test_the_history_of_fits_needs_no_statistics(funds_door, shared):
    Fit.objects.update(hyper="integrated")

    page = text(funds_door, FITS)

    assert "in full, with every doubt weighed" in page
    assert "spreads are" not in page.lower()
