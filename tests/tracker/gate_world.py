"""Gates, chances and decisions as rows, for tests of what is decided."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.tracker.web.worlds import make_fit
from tracker.cohorts.models import Stage
from tracker.decisions.models import Appeal, GateRule, Leaning, Proposal, StageDecision
from tracker.decisions.proposing import propose
from tracker.estimates.models import Fit, GateChance
from tracker.people.models import Person

# What speaks for each answer at a gate of 0.75 and 0.25.
SURE = {"through": 0.9, "symmetric": 0.88, "good_pieces": 2}
UNLIKELY = {"through": 0.1, "symmetric": 0.12, "against": 2}


def fix_gate(stage: Stage, lead: Person, **values: Any) -> GateRule:
    defaults = {"places": 3, "bar": None, "yes_from": 0.75, "no_to": 0.25, "middle": "more_readers"}
    return GateRule.objects.fix(stage, by=lead, **{**defaults, **values})


def make_chances(stage: Stage, known: dict[Person, dict[str, Any]]) -> Fit:
    """A current fit that says this of each person at the stage's gate."""
    fit = make_fit(stage.cohort.program, dict.fromkeys(known, 0.0))
    base = {"through": 0.5, "symmetric": 0.5, "readers": 3, "against": 0, "good_pieces": 0}
    GateChance.objects.bulk_create(
        GateChance(
            fit=fit, stage=stage, person=person, places=stage.places, bar=stage.bar, **{**base, **values}
        )
        for person, values in known.items()
    )
    return fit


def lean(stage: Stage, person: Person, decider: Person, outcome: str = "go_on") -> Leaning:
    return Leaning.objects.say(
        enrollment=person.enrollments.get(), stage=stage, decider=decider, outcome=outcome
    )


def proposed(stage: Stage, person: Person, decider: Person, outcome: str = "go_on") -> Proposal:
    return propose(lean(stage, person, decider, outcome))


def draft(outcome: str = "go_on", **values: Any) -> dict[str, Any]:
    """A decision that says all it must."""
    own = {
        "extend": {"weeks": 3},
        "more_evidence": {"again_on": timezone.localdate() + timedelta(days=7)},
    }
    base = {"outcome": outcome, "reasons": "Two independent results.", "forecast": 0.8}
    return {**base, **own.get(outcome, {}), **values}


def decide(
    stage: Stage, person: Person, decider: Person, outcome: str = "go_on", **values: Any
) -> StageDecision:
    return StageDecision.objects.decide(proposed(stage, person, decider), **draft(outcome, **values))


def second(decision: StageDecision, reader: Person, *, agrees: bool = True) -> StageDecision:
    decision.was_read_by(reader)
    decision.second(reader=reader, agrees=agrees, reasons="The same from the evidence.")
    return decision


def appealed(decision: StageDecision) -> Appeal:
    return Appeal.objects.make(decision, by=decision.person, words="Two readers read another version.")
