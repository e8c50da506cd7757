"""Whole numbers that people set have a bound of ours: SQLite takes any, and PostgreSQL fails past a column's size."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, models, transaction
from django.db.models import Q

from tests.security.casts import own_models
from tracker.cohorts.models import Stage

SMALL, LARGE = 2**15 - 1, 2**31 - 1
# What is counted or numbered by the program itself, a row at a time.
COUNTED = {
    "cohorts.Application": {"waitlist_position"},
    "decisions.GateRule": {"version"},
    "decisions.Lottery": {"places"},
    "decisions.Proposal": {"readers", "against", "good_pieces"},
    "estimates.Contribution": {"observations"},
    "estimates.Estimate": {"tier", "observations", "raters", "outputs"},
    "estimates.Fit": {"rows"},
    "estimates.FitRequest": {"attempts"},
    "estimates.GateChance": {"places", "readers", "against", "good_pieces"},
    "estimates.RaterEstimate": {"observations"},
    "events.Consumer": {"attempts"},
    "grading.Attempt": {"number"},
    "grading.Benchmark": {"version"},
    "grading.Measurement": {"n", "clusters"},
    "grading.RegradePlan": {"submissions", "queued"},
    "grading.Resemblance": {"mistakes", "shared"},
    "grading.Run": {"attempts", "crashes", "losses"},
    "projects.OutputVersion": {"number"},
    "projects.ReleasePolicy": {"version"},
    "ratings.Assignment": {"position"},
    "ratings.Rating": {"place_in_order"},
    "ratings.Rubric": {"version"},
}


def numbers_that_people_set() -> Iterator[tuple[Any, Any]]:
    for model in own_models():
        for field in model._meta.concrete_fields:
            is_number = isinstance(field, (models.PositiveSmallIntegerField, models.PositiveIntegerField))
            if is_number and field.name not in COUNTED.get(model._meta.label, ()):
                yield model, field


def upper_bounds(condition: Any) -> Iterator[tuple[str, Any]]:
    for child in condition.children:
        if isinstance(child, Q):
            yield from upper_bounds(child)
        elif isinstance(child, tuple) and child[0].endswith("__lte"):
            yield child[0].removesuffix("__lte"), child[1]


def test_each_has_a_bound_that_every_database_can_hold():
    unbounded = []
    for model, field in numbers_that_people_set():
        checks = [one for one in model._meta.constraints if isinstance(one, models.CheckConstraint)]
        bounds = [most for one in checks for name, most in upper_bounds(one.condition) if name == field.name]
        largest = SMALL if isinstance(field, models.PositiveSmallIntegerField) else LARGE
        if not any(isinstance(most, int) and most <= largest for most in bounds):
            unbounded.append(f"{model._meta.label}.{field.name}")

    assert unbounded == []


def test_what_is_counted_is_still_there():
    for label, names in COUNTED.items():
        assert names <= {field.name for field in apps.get_model(label)._meta.concrete_fields}


@pytest.mark.parametrize("name", ["position", "default_weeks", "places", "planned_readers"])
def test_the_database_refuses_what_lies_beyond(stage, name):
    with pytest.raises(DatabaseError), transaction.atomic():
        Stage.objects.filter(pk=stage.pk).update(**{name: SMALL + 1})
