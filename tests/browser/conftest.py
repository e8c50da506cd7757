"""A real browser before real pages: the demo cohort, served as in production, fitted and graded in this process."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from tests.conftest import VAR
from tracker.estimates.refresh import refresh_estimates
from tracker.grading.work import grade_next, scorer
from tracker.ops.demo.loading import load_demo
from tracker.ops.demo.people import EMAILS, PASSWORD
from tracker.people.models import Program

# Playwright's loop runs in this thread, and Django takes every running loop for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
QUIET = """--no-sandbox --disable-dev-shm-usage --disable-gpu --disable-background-networking
    --disable-component-update --disable-sync --disable-default-apps --no-first-run --metrics-recording-only"""
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1, EXCLUDE localhost"
REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation",
    (event) => console.error("policy: " + event.violatedDirective + " " + event.blockedURI));"""
SCREENSHOTS = Path(configured.BASE_DIR) / "var" / "screenshots"


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    chromium = shutil.which("chromium")
    assert chromium, "Install Chromium: apt-get install chromium."
    return {"executable_path": chromium, "args": [*QUIET.split(), OFFLINE]}


@pytest.fixture(scope="session")
def database(django_test_environment, django_db_blocker) -> Iterator[None]:
    """A file, so that pages and tests each have their own connection, as in production."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(VAR / "browser.sqlite3")
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
        yield
        teardown_databases(made, verbosity=0)


@pytest.fixture(autouse=True)
def plain_static_files(settings) -> None:
    """Styles come as they lie in static/, passwords as the demo made them."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.DEMO = True


@pytest.fixture(scope="session")
def site(database, django_db_blocker) -> Iterator[str]:
    """The address of the pages; what a test writes stays for the next, as on a real site."""
    with django_db_blocker.unblock():
        refresh_estimates(load_demo())
        server = LiveServer("127.0.0.1")
        yield server.url
        server.stop()
        scorer().close()


@pytest.fixture(autouse=True)
def reachable(site: str, django_db_blocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def program(site: str) -> Program:
    return Program.objects.get()


@dataclass
class Visit:
    """One person's browser, and what went wrong in it."""

    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(path)
        return self.page


Visiting = Callable[..., Visit]


@pytest.fixture(scope="session")
def entries() -> dict[str, object]:
    """Who has logged in already, so that each does it once."""
    return {}


@pytest.fixture
def visiting(browser: Browser, site: str, entries: dict[str, object]) -> Iterator[Visiting]:
    """Open a browser as somebody of the demo; at the end nothing may have gone wrong in it."""
    visits: list[Visit] = []

    def visit(role: str, *, width: int = 1280, scheme: str = "light", has_script: bool = True) -> Visit:
        context = browser.new_context(
            base_url=site,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=has_script,
            storage_state=entries.get(role),
        )
        context.add_init_script(REPORT_VIOLATIONS)
        made = Visit(context, context.new_page())
        made.page.on("console", lambda said: made.faults.append(said.text) if said.type == "error" else None)
        made.page.on("pageerror", lambda error: made.faults.append(str(error)))
        if role in EMAILS and role not in entries:
            log_in(made.page, EMAILS[role])
            entries[role] = context.storage_state()
        visits.append(made)
        return made

    yield visit
    faults = [fault for visit in visits for fault in visit.faults]
    for made in visits:
        made.context.close()
    assert faults == []


def log_in(page: Page, email: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def grade_everything() -> None:
    while grade_next():
        pass
