"""What holds for the whole: who imports what, who sees what, and what starts without what."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser

from tracker.events.history import HistoryRow

# Rows that no door shows as such: they are reached through what they belong to, or are operators' alone.
WITHOUT_A_DOOR = {
    "events.Event": "what happened, for consumers and operators",
    "events.Consumer": "bookkeeping of the outbox",
    "events.Delivery": "bookkeeping of the outbox",
    "people.User": "log-ins; people are shown as persons",
    "grading.Artifact": "bytes, shown as the submissions that sent them",
    "projects.StoredFile": "bytes, shown as the outputs they belong to",
    "estimates.FitRequest": "bookkeeping of the fits",
}


def in_memory_after(statement: str, *names: str) -> list[str]:
    """Which of these modules a fresh process holds after one statement."""
    code = f"import sys; {statement}; print(*[name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_noise_model_needs_neither_the_web_nor_torch():
    assert in_memory_after("import evals.noise", "django", "rest_framework", "celery", "torch") == []


def test_grading_needs_no_torch_before_it_reads_weights():
    assert in_memory_after("import evals.grading", "django", "celery", "torch") == []


def test_no_modules_of_the_science_import_each_other_in_a_circle():
    imports = {}
    for path in Path("evals").rglob("*.py"):
        name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        froms = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        imports[name] = froms | plain
    inner = {name: {other for other in found if other in imports} for name, found in imports.items()}

    assert len(list(TopologicalSorter(inner).static_order())) == len(imports) > 100


def test_the_web_process_never_loads_torch():
    statement = "import tracker.wsgi; from django.urls import get_resolver; get_resolver().url_patterns"
    assert in_memory_after(statement, "torch", "sklearn") == []


def test_the_worker_never_loads_torch():
    statement = (
        "import tracker; from tracker.celery import app; app.loader.import_default_modules(); app.tasks"
    )
    assert in_memory_after(statement, "torch") == []


def shown_models() -> list[type]:
    own = [model for model in apps.get_models() if model.__module__.startswith("tracker.")]
    shown = [model for model in own if not issubclass(model, HistoryRow)]
    return [model for model in shown if model._meta.label not in WITHOUT_A_DOOR]


@pytest.mark.django_db
@pytest.mark.parametrize("model", shown_models(), ids=lambda model: model._meta.label)
def test_every_model_that_a_door_shows_says_who_may_see_it(model):
    assert list(model.objects.visible_to(AnonymousUser())) == []


@pytest.mark.django_db
@pytest.mark.parametrize("model", shown_models(), ids=lambda model: model._meta.label)
def test_a_stranger_without_roles_sees_nothing(model, django_user_model):
    nobody = django_user_model.objects.create_user("nobody@example.org")

    assert list(model.objects.visible_to(nobody)) == []


def test_the_list_of_models_without_a_door_is_true():
    labels = {model._meta.label for model in apps.get_models()}

    assert set(WITHOUT_A_DOOR) <= labels


def test_saving_is_not_overridden_and_signals_are_not_used():
    import pathlib

    offences = [
        str(path)
        for path in pathlib.Path("tracker").rglob("*.py")
        if "def save(" in path.read_text() or "django.dispatch" in path.read_text()
    ]
    assert offences == []


def test_nothing_goes_past_what_is_kept_of_changes():
    """Ways around a tracked model's QuerySet; what keeps the history itself is the one exception."""
    import pathlib
    import re

    ways = re.compile(
        r"_raw_delete|_base_manager|\._update\(|_insert\(|(?:INSERT|DELETE|UPDATE) |\.raw\("
        r"|without_historical|skip_history|models\.Manager\("
    )
    offences = [
        str(path)
        for path in pathlib.Path("tracker").rglob("*.py")
        if "migrations" not in path.parts and ways.search(path.read_text())
    ]
    assert offences == ["tracker/events/history.py"]
