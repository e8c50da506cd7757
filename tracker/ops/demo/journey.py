"""The demo's long work, beside the pages that are up already: train, submit, wait for grades and the fit."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections, connections

from tracker.estimates.models import Fit, FitRequest, Hyper
from tracker.grading.models import Run
from tracker.ops.demo.loading import load_demo
from tracker.ops.demo.submitting import FILES_BY_STRENGTH, are_all_sent, sent_by_demo, submit_all
from tracker.people.models import Person, Program, Role
from tracker.ratings.models import Rating

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
# A fit is asked for within a moment of its cause; a quiet as long as this means that none is to come.
QUIET_LOOKS = 6


class TrainingFailed(Exception):
    pass


class Journey(threading.Thread):
    """Runs beside the supervisor; ``bars`` is read by whoever shows how far it has come."""

    def __init__(self, *, over: threading.Event) -> None:
        super().__init__(name="journey", daemon=True)
        self.over = over
        self.bars: dict[str, tuple[int, int]] = {}
        self.failure = ""

    def run(self) -> None:
        try:
            program = load_demo()
            if not are_all_sent(program):
                self.train(self.folder)
                submit_all(program, self.folder)
            self.wait_for_grades(program)
        except Exception as error:
            logger.exception("The demo's own work stopped.")
            self.failure = (
                f"The demo's own work stopped ({error}); the pages go on, and the next start tries again."
            )
        finally:
            connections.close_all()

    @property
    def folder(self) -> Path:
        return Path(settings.VAR_DIR) / "demo"

    def train(self, folder: Path) -> None:
        """In a process of its own: this one loads no torch."""
        launch = [
            "tracker.ops.supervision.lifeline",
            str(os.getpid()),
            "tracker.ops.demo.training",
            str(folder),
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", *launch], stdout=subprocess.PIPE, cwd=settings.BASE_DIR, text=True
        )
        assert process.stdout is not None
        with process, process.stdout:
            for line in process.stdout:
                told = json.loads(line)
                self.bars["Training five submissions"] = (told["done"], told["total"])
                if self.over.is_set():
                    process.kill()
        if process.returncode != 0 and not self.over.is_set():
            raise TrainingFailed(f"training ended with code {process.returncode}")

    def wait_for_grades(self, program: Program) -> None:
        """Until nothing of it runs and no first fit is asked for; the finer fit that follows needs no company."""
        quiet = 0
        while not self.over.is_set() and quiet < QUIET_LOOKS:
            close_old_connections()
            self.bars["Grading them"] = graded(program)
            self.bars["Fitting the estimates"] = fits, asked = fitted(program)
            is_quiet = not Run.objects.open().exists() and fits == asked
            quiet = quiet + 1 if is_quiet else 0
            self.over.wait(LOOK_SECONDS)

    def report(self) -> dict[str, str]:
        """What came of it, read from the database."""
        program = load_demo()
        found = facts(program)
        connections.close_all()
        return found


def graded(program: Program) -> tuple[int, int]:
    """How many of the demo's submissions have come to their end, of how many."""
    sent = sent_by_demo(program)
    return sent.exclude(runs__in=Run.objects.open()).count(), len(FILES_BY_STRENGTH)


def fitted(program: Program) -> tuple[int, int]:
    """How many of the first fits that were asked for are done or given up; the finer ones need no company."""
    asked = FitRequest.objects.filter(program=program, hyper=Hyper.MODE)
    is_open = FitRequest.objects.open().filter(program=program, hyper=Hyper.MODE)
    return asked.count() - is_open.count(), asked.count()


def ends(program: Program) -> str:
    """What became of the submissions, by the newest grading of each."""
    sent = sent_by_demo(program).with_state()
    states = Counter(one.latest_state for one in sent)  # type: ignore[attr-defined]
    told = {"graded": states["succeeded"], "refused": states["refused"]}
    more = {state: states[state] for state in ("failed", "held", "cancelled") if states[state]}
    return ", ".join(f"{count} {word}" for word, count in (told | more).items())


def facts(program: Program) -> dict[str, str]:
    people = Person.objects.filter(program=program)
    mentees, mentors = people.active_as(Role.MENTEE).count(), people.active_as(Role.MENTOR).count()
    rows = {
        "People": f"{mentees} mentees, {mentors} mentors",
        "Ratings": str(Rating.objects.standing().filter(program=program).count()),
        "Submissions": ends(program),
    }
    fit = Fit.objects.current().filter(program=program).first()
    if fit is not None:
        finer = FitRequest.objects.open().filter(program=program, hyper=Hyper.INTEGRATED)
        more = "; a finer one is being computed" if finer.exists() else ""
        rows["Fit"] = f"{fit.rows} rows in {fit.seconds:.1f} s ({fit.get_hyper_display()}){more}"
    return rows
