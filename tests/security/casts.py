"""Rows of every model without its verbs: one of a cast's own, one of other people's, one of another program's.

A cast holds one row of each model. A row that is missing is made from what its fields are: relations from the cast,
everything else from the field's kind. A rule of the database that plain values break has its values in ``NEEDS``.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.db import models
from django.db.models import NOT_PROVIDED, QuerySet
from django.utils import timezone

from tracker.events.history import HistoryRow
from tracker.grading.models import Run

number = count(1)
# Which person of the cast a relation means; any other person is the author.
PERSONS = {
    "rater": "mentor",
    "manager": "manager",
    "decider": "lead",
    "decided_by": "lead",
    "released_by": "lead",
    "feedback.author": "mentor",
    "conflict.person": "mentor",
    "raterestimate.person": "mentor",
    "apikey.person": "client",
    "assignment.reader": "mentor",
}


# Relations that may be empty, and are not in a cast.
FILLED = {
    "estimates.Contribution.output",
    "grading.Submission.output",
    "grading.Run.benchmark",
    "decisions.StageDecision.decider",
    "decisions.StageDecision.leaning",
    "decisions.StageDecision.proposal",
}


def own_models() -> list[Any]:
    """Those below first, so that what others point to is there."""
    own = [model for model in apps.get_models() if model.__module__.startswith("tracker.")]
    return [model for model in reversed(own) if not issubclass(model, HistoryRow)]


def needs(label: str) -> dict[str, Any]:
    """Values that a rule of the database asks for."""
    now, today = timezone.now(), timezone.localdate()
    values: dict[str, dict[str, Any]] = {
        # What somebody has not sent yet is their own; a test of its own holds that.
        "cohorts.Application": {"state": "submitted", "submitted_at": now},
        "cohorts.Cohort": {"starts_on": today, "ends_on": today},
        "cohorts.Stage": {
            "starts_on": today - timedelta(days=9),
            "ends_on": today + timedelta(days=9),
            "reading_opens_at": now - timedelta(days=9),
            "reading_closes_at": now - timedelta(days=1),
            "decisions_due_on": today + timedelta(days=5),
            "notice_on": today + timedelta(days=6),
            "commitments_lapse_on": today + timedelta(days=7),
            "default": "go_on",
        },
        "estimates.Estimate": {"raters": 3},
        "estimates.Fit": {"is_current": True},
        "estimates.GateChance": {"places": 3, "bar": None},
        "people.Person": {"kind": "human"},
        "grading.Run": {"phase": "qualification", "state": "queued"},
        "mentoring.Pulse": {"value": 3},
        "grading.Resemblance": {"mistakes": 5, "shared": 3},
        "decisions.GateRule": {"places": 3, "version": 1},
        "decisions.Lottery": {"places": 3},
        "decisions.Proposal": {"answer": "too_close", "outcome": "go_on"},
        "decisions.StageDecision": {"outcome": "go_on", "forecast": 0.5, "took_effect_at": now},
        "people.ShareGrant": {"what": "estimates"},
    }
    return values.get(label, {})


class Cast(dict[str, Any]):
    """One row of each model, by its label; persons also by what they do."""

    def __missing__(self, label: str) -> Any:
        self[label] = self.make(apps.get_model(label))
        return self[label]

    def make(self, model: Any) -> Any:
        special = SPECIAL.get(model._meta.label, lambda cast: {})(self)
        values = {
            field.attname: self.value(model, field)
            for field in model._meta.concrete_fields
            if not isinstance(field, models.AutoField)
        }
        told = {name: value for name, value in values.items() if value is not NOT_PROVIDED}
        row = model(**(told | special))
        QuerySet(model).bulk_create([row])
        return row

    def value(self, model: Any, field: Any) -> Any:
        given = needs(model._meta.label)
        if field.name in given:
            return given[field.name]
        if field.is_relation:
            return self.related(model, field)
        if field.null:
            return None
        if field.has_default() or getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED:
            return field.get_default() if field.has_default() else NOT_PROVIDED
        return "" if field.blank and isinstance(field, (models.CharField, models.TextField)) else plain(field)

    def related(self, model: Any, field: Any) -> Any:
        target = field.related_model._meta.label
        if field.null and f"{model._meta.label}.{field.name}" not in FILLED:
            return None
        if target == "people.Person":
            named = PERSONS.get(f"{model._meta.model_name}.{field.name}") or PERSONS.get(field.name)
            return self[named or "author"].pk
        return self[target].pk


def cleared(cast: Cast) -> dict[str, Any]:
    """Both cheap phases, passed in their order."""
    submission, now = cast["grading.Submission"], timezone.now()
    runs = [
        Run(
            submission=submission,
            benchmark=submission.benchmark,
            phase=phase,
            state="succeeded",
            ended_at=now,
            started_at=now,
        )
        for phase in ("qualification", "safety")
    ]
    first, second = QuerySet(Run).bulk_create(runs)
    return {
        "qualification_id": first.pk,
        "safety_id": second.pk,
        "benchmark_hash": submission.benchmark.content_hash,
        "artifact_id": submission.artifact_id,
    }


def another_claim(cast: Cast) -> dict[str, Any]:
    return {"rests_on_id": Cast(cast).make(apps.get_model("projects.Claim")).pk}


def another_run(cast: Cast) -> dict[str, Any]:
    sent = cast["grading.Submission"]
    values = {"phase": "qualification", "state": "cancelled", "ended_at": timezone.now()}
    run = Run(submission=sent, benchmark=sent.benchmark, **values)
    return {"other_id": QuerySet(Run).bulk_create([run])[0].pk}


SPECIAL: dict[str, Callable[[Cast], dict[str, Any]]] = {
    "grading.Clearance": cleared,
    "projects.Ground": another_claim,
    "grading.Resemblance": another_run,
}


def plain(field: Any) -> Any:
    n = next(number)
    if field.choices:
        return next(value for value, _ in field.flatchoices if value)
    kinds: tuple[tuple[type, Any], ...] = (
        (models.UUIDField, uuid4()),
        (models.DateTimeField, timezone.now()),
        (models.DateField, timezone.localdate()),
        (models.BooleanField, False),
        (models.BinaryField, b"bytes"),
        (models.FloatField, 0.5),
        (models.IntegerField, n),
        (models.JSONField, {}),
        (models.EmailField, f"row{n}@example.org"),
        (models.URLField, ""),
    )
    found = [value for kind, value in kinds if isinstance(field, kind)]
    return found[0] if found else f"row-{n}"
