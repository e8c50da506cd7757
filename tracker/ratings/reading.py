"""What waits to be read: for each reader what they are given, in their own order, and what else is open to them."""

import hashlib

from django.db.models import F, OuterRef, Subquery, Value
from django.db.models.expressions import Combinable

from tracker.errors import RuleBroken
from tracker.people.models import Person, Visitor
from tracker.projects.models import Output, OutputQuerySet
from tracker.projects.models.closeness import outputs_yet_to_read
from tracker.ratings.models import Assignment, Rating
from tracker.ratings.rules import Draft

# A prime below 2^31, so that the product of two numbers below it fits a column.
LOTS = 2_147_483_647


def outputs_to_read(user: Visitor) -> OutputQuerySet:
    """What this user may rate and has not: in the order they were given, then the rest by a lot of each reader's own.

    Nothing in it, nor its order, depends on what others have rated: a reader is blind to that too.
    """
    own = Assignment.objects.standing().of(user).filter(output=OuterRef("pk")).order_by("position")
    given = outputs_yet_to_read(user).annotate(
        position=Subquery(own.values("position")[:1]), reason=Subquery(own.values("reason")[:1])
    )
    return given.order_by(F("position").asc(nulls_last=True), lot_of(user), "pk")


def lot_of(user: Visitor) -> Combinable:
    """The same for a reader and a piece whenever it is drawn: (key times factor)^2 modulo a prime.

    The reader's id chooses the factor, so that no two readers share an order and none follows age.
    """
    digest = hashlib.sha256(str(getattr(user, "public_id", "")).encode()).digest()
    factor = 1 + int.from_bytes(digest[:4], "big") % (LOTS - 1)
    place = F("pk") * Value(factor) % Value(LOTS)
    return place * place % Value(LOTS)


def why_not(output: Output, reader: Person) -> str:
    """The sentence that says why this reader may not rate it; empty if they may."""
    draft = Draft(output=output, rater=reader, scores={})
    rules = Rating.objects.rules_for([draft], program=output.program, rubrics={})
    try:
        rules.judge_invitation(draft)
    except RuleBroken as broken:
        return broken.message
    return ""
