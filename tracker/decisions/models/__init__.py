"""GateRule, Lottery, Leaning, Proposal, StageDecision, Appeal."""

from tracker.decisions.models.appeals import Appeal
from tracker.decisions.models.decisions import StageDecision
from tracker.decisions.models.gates import GateRule, Lottery, order_by_seed
from tracker.decisions.models.leanings import Leaning, Proposal
from tracker.decisions.models.outcomes import DECIDE, Answer, Outcome

__all__ = (
    "DECIDE",
    "Answer",
    "Appeal",
    "GateRule",
    "Leaning",
    "Lottery",
    "Outcome",
    "Proposal",
    "StageDecision",
    "order_by_seed",
)
