"""Whose turn it is: programs take turns, and within its turn a program's cheap and small runs come first.

A run's round is its place among what its program waits for, behind what the program had lately. So a program that
sends a thousand files is at its thousandth round when another's first file comes, and the other one goes first.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When, Window
from django.db.models.functions import Now, RowNumber

# What began within this counts as a program's share.
SHARE_WINDOW = timedelta(minutes=1)
# Fresh first checks go before every full measurement, whosever; what has waited this long goes by its round alone.
LATE_AFTER = timedelta(minutes=5)
CANDIDATES = 5
EXCHANGEABLE = ("submission__program", "rank", "is_late")
CHEAPEST_FIRST = ("qualification", "safety", "thorough")


def in_turn(runs: QuerySet[Any], *, familiar: Collection[int] = ()) -> list[int]:
    """The first few that wait, most urgent first, by one query.

    Of those that could as well change places, the ``familiar`` submissions come first: whoever asks has their
    answers or their model still at hand.
    """
    waits = Q(state="queued", not_before__lte=Now())
    lately = Q(state="running") | Q(started_at__gt=Now() - SHARE_WINDOW)
    size, program = F("submission__artifact__size"), F("submission__program")
    ordered = (
        runs.filter(waits | lately)
        .annotate(
            is_waiting=one_if(waits),
            is_late=one_if(Q(queued_at__lt=Now() - LATE_AFTER)),
            is_first_check=one_if(Q(phase=CHEAPEST_FIRST[0])),
            rank=Case(*(When(phase=phase, then=Value(at)) for at, phase in enumerate(CHEAPEST_FIRST))),
        )
        .annotate(
            round=Window(
                RowNumber(),
                partition_by=program,
                order_by=[F("is_waiting"), F("is_late").desc(), F("rank"), size, F("pk")],
            ),
            is_urgent=one_if(Q(is_late=1) | Q(is_first_check=1)),
        )
        .order_by("-is_waiting", "-is_urgent", "round", "rank", size, "pk")
        .values("pk", "is_waiting", "is_late", "rank", "submission", "submission__program")[:CANDIDATES]
    )
    waiting = [row for row in ordered if row["is_waiting"]]
    return [row["pk"] for row in familiar_first(waiting, familiar)]


def familiar_first(waiting: list[dict[str, Any]], familiar: Collection[int]) -> list[dict[str, Any]]:
    """Only within one program and phase; what has waited long is passed by no more."""
    if not waiting or waiting[0]["is_late"]:
        return waiting
    first = waiting[0]
    alike = [row for row in waiting if all(row[name] == first[name] for name in EXCHANGEABLE)]
    alike.sort(key=lambda row: row["submission"] not in familiar)
    return alike + [row for row in waiting if row not in alike]


def one_if(condition: Q) -> Case:
    return Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField())
