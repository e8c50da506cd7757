"""How often decisions follow what was proposed: more than nearly always is a rubber stamp."""

from dataclasses import dataclass

from django.db.models import Count, F, Q

from evals.statistics.shares import ShareInterval, wilson
from tracker.cohorts.models import Stage
from tracker.decisions.models import StageDecision
from tracker.people.models import Visitor

ENOUGH_TO_WARN = 20
RUBBER_STAMP = 0.95


@dataclass(frozen=True)
class Following:
    """The share of decisions that were what was proposed, of one decider or of everybody."""

    decider: str
    interval: ShareInterval

    @property
    def is_rubber_stamp(self) -> bool:
        return self.interval.of >= ENOUGH_TO_WARN and self.interval.share > RUBBER_STAMP


def following_at(stage: Stage, user: Visitor) -> list[Following]:
    """Everybody together first, then each decider; proposals that left the choice open do not count.

    It counts what this user sees: one decision more than those would tell them of their own.
    """
    followed = Count("pk", filter=Q(outcome=F("proposal__outcome")))
    rows = (
        StageDecision.objects.visible_to(user)
        .filter(stage=stage, proposal__isnull=False)
        .exclude(proposal__outcome="")
        .order_by("decider__name")
        .values_list("decider__name")
        .annotate(followed=followed, of=Count("pk"))
    )
    found = [(str(name), count, of) for name, count, of in rows]
    if not found:
        return []
    together = ("", sum(count for _, count, _ in found), sum(of for _, _, of in found))
    return [Following(name, wilson(count, of)) for name, count, of in (together, *found)]
