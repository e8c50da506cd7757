"""What was decided in the demo: everybody went on after training; the gate of the research is fixed beforehand."""

from tracker.cohorts.models import Enrollment, Stage
from tracker.decisions.models import GateRule, Leaning, Outcome, StageDecision
from tracker.decisions.proposing import propose
from tracker.people.models import Person

WENT_ON = "The exercises of the training were done."
FORECAST = 0.8


def fix_gate(stage: Stage, *, lead: Person) -> GateRule:
    """Before anything of the stage is read: places, and a lottery among those too close to call."""
    return GateRule.objects.fix(
        stage,
        by=lead,
        places=stage.places,
        planned_readers=stage.planned_readers,
        yes_from=0.75,
        no_to=0.25,
        middle=GateRule.Middle.LOTTERY,
    )


def let_go_on(stage: Stage, *, lead: Person) -> None:
    """One decision for each, made as on the page: a leaning, what is proposed, then the decision."""
    for enrollment in Enrollment.objects.of_stage(stage).select_related("person", "cohort"):
        leaning = Leaning.objects.say(enrollment=enrollment, stage=stage, decider=lead, outcome=Outcome.GO_ON)
        StageDecision.objects.decide(
            propose(leaning), outcome=Outcome.GO_ON, reasons=WENT_ON, forecast=FORECAST
        )
