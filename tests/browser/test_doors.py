"""The admin and the API's description in a real browser, under the real policy."""

import re

import pytest
from django.contrib import admin
from playwright.sync_api import expect

from tests.browser.conftest import Visiting

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SEEN_BY_FUNDS = ("people/person", "people/sharegrant", "estimates/estimate", "estimates/fit", "funding/fund")
LISTS = [
    f"{model._meta.app_label}/{model._meta.model_name}"
    for model in admin.site._registry
    if model.__module__.startswith("tracker")
]


def fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_description_of_the_api_opens_without_breaking_the_policy(visiting: Visiting):
    page = visiting("lead").open("/api/v1/docs/")

    page.get_by_text("/api/v1/ratings/bulk/").first.click()

    expect(page.get_by_role("button", name="Authorize")).to_be_visible()
    expect(page.get_by_text("Record up to 10,000 ratings")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_list_that_a_fund_manager_sees_fits_its_window(visiting: Visiting, width: int, scheme: str):
    visit = visiting("fund_manager", width=width, scheme=scheme)

    for place in ("", *(f"{name}/" for name in SEEN_BY_FUNDS)):
        page = visit.open(f"/admin/{place}")
        assert page.get_by_text("Plumbline").first.is_visible()
        assert fits(page), place


def test_a_fund_manager_opens_a_person_and_the_history_of_fits(visiting: Visiting):
    page = visiting("fund_manager").open("/admin/people/person/")

    page.locator("#result_list tbody tr th a").first.click()

    expect(page.get_by_text("Released estimates").first).to_be_visible()
    assert page.locator("svg.range").count() >= 1
    page.goto("/admin/estimates/fit/")
    assert page.locator("#result_list tbody tr").count() >= 1


@pytest.mark.parametrize("width", [1280, 390])
def test_every_list_and_form_of_a_lead_fits_its_window(visiting: Visiting, width: int):
    visit = visiting("lead", width=width)

    for name in LISTS:
        for place in (f"/admin/{name}/", f"/admin/{name}/add/"):
            page = visit.context.request.get(place)
            if page.status == 200:
                assert fits(visit.open(place)), place


def test_a_lead_issues_a_key_and_sees_its_text_once(visiting: Visiting):
    page = visiting("lead").open("/admin/people/apikey/add/")

    page.get_by_label("Program:").select_option(index=1)
    page.get_by_label("Name:").fill("Nightly upload")
    page.get_by_label("read people, projects").check()
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_label("Text of the key")).to_have_value(re.compile("^plb_"))
