"""Every page as a picture, at two widths, light and dark; nothing runs over the edge."""

import os
import shutil
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.browser.conftest import SCREENSHOTS, Visiting, grade_everything
from tests.browser.test_journeys import predictions
from tracker.grading.intake import receive
from tracker.grading.models import Benchmark, Submission
from tracker.ops.demo.people import EMAILS
from tracker.people.models import Program
from tracker.projects.models import Project

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")


def pages_of(role: str, program: Program) -> dict[str, str]:
    """What each role looks at."""
    person = program.people.filter(enrollments__isnull=False, estimates__isnull=False).first()
    project = Project.objects.filter(submissions__isnull=False).first()
    submission = Submission.objects.first()
    cohort = program.cohorts.get()
    benchmark = Benchmark.objects.get()
    output = program.outputs.filter(stage__in=cohort.stages.reading()).first()
    return {
        "lead": {
            "cohort": f"/cohorts/{cohort.public_id}/",
            "cohort-raw": f"/cohorts/{cohort.public_id}/?view=raw",
            "cohort-truth": f"/cohorts/{cohort.public_id}/?view=truth",
            "cohorts": "/cohorts/",
            "person": f"/people/{person.public_id}/",
            "project": f"/projects/{project.public_id}/",
            "submission": f"/submissions/{submission.public_id}/",
            "release": f"/stages/{cohort.stages.all()[1].public_id}/release/",
            "looks": f"/programs/{program.public_id}/looks/",
            "changes": f"/programs/{program.public_id}/changes/",
            "decisions": f"/stages/{cohort.stages.all()[1].public_id}/decisions/",
            "two-step": "/accounts/2fa/",
        },
        "mentor": {
            "reading": "/reading/",
            "rate": f"/outputs/{output.public_id}/rate/",
            "released": "/released/",
        },
        "mentee": {
            "mine": "/mine/",
            "sharing": "/sharing/",
            "leave": f"/mine/leave/{program.people.get(user__email=EMAILS['mentee']).public_id}/",
            "submit": f"/projects/{project.public_id}/submit/{benchmark.public_id}/",
        },
        "fund_manager": {"admin": "/admin/"},
        "nobody": {"log-in": "/accounts/login/"},
    }[role]


@pytest.fixture
def graded(program: Program, tmp_path: Path) -> Submission:
    """A submission of the demo's mentee, with a claim, graded to its end."""
    present = Submission.objects.filter(external_id="screens").first()
    if present is not None:
        return present
    mentee = program.people.get(user__email="mentee@demo.example")
    project = Project.objects.filter(team__person=mentee).first()
    benchmark = Benchmark.objects.get()
    with predictions(tmp_path, right=0.93).open("rb") as file:
        from django.core.files import File

        artifact = receive(File(file, name="answers.csv"), benchmark)
    submission = Submission.objects.submit(
        project=project,
        benchmark=benchmark,
        artifact=artifact,
        filename="answers.csv",
        by=mentee,
        claims={"accuracy": {"value": 0.97, "seeds": 3}},
        external_id="screens",
    )
    grade_everything()
    return submission


@pytest.mark.parametrize("role", ["lead", "mentor", "mentee", "fund_manager", "nobody"])
def test_every_page_fits_its_window(visiting: Visiting, program: Program, graded: Submission, role: str):
    page = visiting(role).page
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    for name, path in pages_of(role, program).items():
        page.goto(path)
        for width in WIDTHS:
            for scheme in SCHEMES:
                look(page, f"{name}-{width}-{scheme}", width=width, scheme=scheme)
        page.set_viewport_size({"width": 360, "height": 800})
        assert overflow(page) <= 0, f"{name} runs over the edge at 360 pixels"


def look(page: Page, name: str, *, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    assert overflow(page) <= 0, f"{name} runs over the edge"
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def overflow(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_the_readme_has_its_picture(visiting: Visiting, program: Program, graded: Submission):
    """Made anew only when asked for, so that tests leave the tree as it is."""
    cohort = program.cohorts.get()
    page = visiting("lead").open(f"/cohorts/{cohort.public_id}/?view=truth")
    expect(page.locator("#picture")).to_be_visible()

    path = SCREENSHOTS / "readme.png"
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.screenshot(path=path)

    assert path.stat().st_size > 20_000
    if os.environ.get("SCREENSHOT") == "docs":
        shutil.copy(path, Path(settings.BASE_DIR) / "docs" / "screenshot.png")


def test_a_first_view_is_light(visiting: Visiting, program: Program):
    """Less than 300 kB for the heaviest page with all that it loads, before compression."""
    visit = visiting("lead")
    sizes: list[int] = []
    visit.page.on("response", lambda answer: sizes.append(len(answer.body())))

    visit.open(f"/cohorts/{program.cohorts.get().public_id}/")
    visit.page.wait_for_load_state("networkidle")

    assert sum(sizes) < 300_000
