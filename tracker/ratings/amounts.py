"""How much evidence there is of somebody: amounts alone, from which no score can be told."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from tracker.people.models import Person
from tracker.projects.models import Output
from tracker.ratings.models import Rating


def with_amount_of_evidence(people: QuerySet[Person]) -> QuerySet[Any]:
    """Adds ``output_count``, ``rating_count`` and ``reader_count``: what stands, and how many count as readers."""
    outputs = Output.objects.standing().filter(credits__person=OuterRef("pk"))
    ratings = Rating.objects.standing().filter(
        output__retracted_at=None,
        output__credits__person=OuterRef("pk"),
        rater__kind=Person.Kind.HUMAN,
    )
    return people.annotate(
        output_count=number_of(outputs, "pk"),
        rating_count=number_of(ratings, "pk"),
        reader_count=number_of(ratings.different_readers(), "rater"),
    )


def number_of(rows: QuerySet[Any], column: str) -> Coalesce:
    counted = (
        rows.order_by()
        .annotate(group=OuterRef("pk"))
        .values("group")
        .annotate(n=Count(column, distinct=True))
    )
    return Coalesce(Subquery(counted.values("n")[:1], output_field=IntegerField()), 0)
