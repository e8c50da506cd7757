"""What each role does in the browser, from the log-in to the result."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visiting, grade_everything
from tracker.estimates.refresh import refresh_estimates
from tracker.grading.models import Benchmark, Submission
from tracker.people.models import Program
from tracker.ratings.models import Rating

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def middles(page: Page) -> dict[str, str]:
    """Where each person's dot lies."""
    dots = page.locator("#picture circle.middle[id]")
    return dict(dots.evaluate_all("all => all.map(dot => [dot.id, dot.getAttribute('cx')])"))


def predictions(folder: Path, *, right: float, name: str = "answers.csv") -> Path:
    """A file that names the true digit for about this share of the items."""
    labels = Benchmark.objects.get().folder / "hidden" / "labels.csv"
    draws = np.random.default_rng(4)
    path = folder / name
    with labels.open() as source, path.open("w", newline="") as target:
        rows = csv.writer(target)
        rows.writerow(["id", "pred"])
        for row in csv.DictReader(source):
            is_right = draws.random() < right
            rows.writerow([row["id"], row["label"] if is_right else (int(row["label"]) + 1) % 10])
    return path


def test_a_lead_sees_the_picture_and_what_it_rests_on(visiting: Visiting):
    page = visiting("lead").open("/")

    expect(page.get_by_role("heading", name="The picture of everybody")).to_be_visible()
    assert len(middles(page)) >= 20
    page.locator("#picture tbody th a").first.click()

    expect(page.get_by_role("heading", name="What this rests on")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Likely range .+ to .+, with its middle at"))).to_be_visible()
    assert page.locator("#pieces svg.contribution").count() >= 2


def test_the_switch_moves_the_dots_without_loading_the_page_anew(visiting: Visiting):
    page = visiting("lead").open("/")
    page.evaluate("window.isTheSamePage = true")

    page.get_by_role("link", name="raw", exact=True).click()
    expect(page.locator("table.view-raw")).to_be_visible()
    assert page.locator("#picture circle.middle[id]").count() == 0
    page.get_by_role("link", name="truth", exact=True).click()

    expect(page.get_by_text("Wrongly at the bottom.")).to_be_visible()
    assert page.locator("#picture rect.truth[id]").count() >= 20
    assert page.evaluate("window.isTheSamePage") is True
    assert page.url.endswith("?view=truth")


def test_the_truth_names_somebody_wrongly_at_the_raw_bottom(visiting: Visiting):
    page = visiting("lead").open("/")

    page.get_by_role("link", name="truth", exact=True).click()

    said = page.locator("#verdict p").first
    expect(said).to_contain_text("truly in the upper half")
    assert said.get_by_role("link").count() >= 1


def test_a_mentor_rates_blind_and_the_leads_picture_moves(visiting: Visiting, program: Program):
    lead = visiting("lead").open("/")
    before = middles(lead)
    mentor = visiting("mentor").open("/")
    expect(mentor.get_by_role("heading", name="Waiting to be read")).to_be_visible()
    assert mentor.locator("svg.range, circle.middle").count() == 0
    mentor.locator("#waiting li a").first.click()
    expect(mentor.get_by_role("button", name="Submit the rating")).to_be_visible()
    assert mentor.locator("svg.range").count() == 0
    count = Rating.objects.count()

    for scale in mentor.locator("fieldset.scale").all():
        scale.locator("label").last.click()
    mentor.get_by_label("Reasons for your scores").fill("Careful, and it changes what I would do.")
    mentor.get_by_role("button", name="Submit the rating").click()
    expect(mentor.get_by_role("heading", name="What you rated")).to_be_visible()
    assert Rating.objects.count() == count + 1
    refresh_estimates(program)

    lead.wait_for_function(
        "before => [...document.querySelectorAll('#picture circle.middle[id]')]"
        ".some(dot => before[dot.id] && dot.getAttribute('cx') !== before[dot.id])",
        arg=before,
        timeout=15_000,
    )
    assert lead.locator("#picture circle.middle[id]").first.evaluate(
        "dot => getComputedStyle(dot).transitionProperty"
    )


def test_an_incomplete_rating_loses_nothing(visiting: Visiting):
    mentor = visiting("mentor")
    page = mentor.open("/reading/")
    page.locator("#waiting li a").first.click()

    page.locator("fieldset.scale label").first.click()
    page.get_by_label("Reasons for your scores").fill("Half a thought.")
    page.get_by_role("button", name="Submit the rating").click()

    expect(page.get_by_text(re.compile("^Score .+ too.$")).first).to_be_visible()
    expect(page.get_by_label("Reasons for your scores")).to_have_value("Half a thought.")
    expect(page.locator("fieldset.scale input").first).to_be_checked()
    mentor.faults.clear()  # Chromium reports every answer of 422 as an error of the console


def test_a_mentee_uploads_and_watches_it_being_graded(visiting: Visiting, tmp_path: Path):
    page = visiting("mentee").open("/")
    page.get_by_role("link", name=re.compile("Submit to")).first.click()

    page.get_by_label("File").set_input_files(predictions(tmp_path, right=0.9))
    page.get_by_label("Your own result").fill("0.99")
    page.get_by_role("button", name="Submit it").click()
    expect(page.locator(".step .tag").first).to_have_text("waiting")
    grade_everything()

    expect(page.locator(".step .tag.succeeded")).to_have_count(3, timeout=30_000)
    expect(page.get_by_role("heading", name="The claim beside it")).to_be_visible()
    expect(page.get_by_text("The claim is better than what we measured")).to_be_visible()
    assert page.locator("#grading[hx-get]").count() == 0


def test_an_unsafe_file_is_refused_at_the_form(visiting: Visiting, tmp_path: Path):
    mentee = visiting("mentee")
    page = mentee.open("/mine/")
    page.get_by_role("link", name=re.compile("Submit to")).first.click()
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04\x95" + b"\0" * 600)
    count = Submission.objects.count()

    page.get_by_label("File").set_input_files(path)
    page.get_by_label("Your own result").fill("0.97")
    page.get_by_role("button", name="Submit it").click()

    expect(page.locator(".field.wrong .error")).to_contain_text("Save predictions as")
    expect(page.get_by_label("Your own result")).to_have_value("0.97")
    assert Submission.objects.count() == count
    mentee.faults.clear()  # Chromium reports every answer of 422 as an error of the console


def test_a_fund_manager_works_in_the_admin(visiting: Visiting):
    page = visiting("fund_manager").open("/")

    expect(page).to_have_url(re.compile("/admin/$"))
    page.locator('#content a[href="/admin/estimates/estimate/"]').first.click()

    expect(page.locator("#result_list tbody tr")).not_to_have_count(0)


def test_it_all_works_without_script(visiting: Visiting):
    page = visiting("lead", has_script=False).open("/")

    page.get_by_role("link", name="raw", exact=True).click()

    expect(page.locator("table.view-raw")).to_be_visible()


def test_an_ended_session_leads_to_the_log_in(visiting: Visiting):
    visit = visiting("committee")
    page = visit.open("/")
    expect(page.locator("#picture")).to_be_visible()

    visit.context.clear_cookies()

    expect(page.get_by_role("heading", name="Log in")).to_be_visible(timeout=15_000)
