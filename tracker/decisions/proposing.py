"""What a gate answers about somebody, from the current fit and the standing rule; shown after a leaning alone."""

from django.db import transaction

from evals.noise.gating import Answer as Says
from evals.noise.gating import Standing, answer_of
from tracker.cohorts.models import Enrollment, Stage
from tracker.decisions.checks import has_failed_check
from tracker.decisions.models import Answer, GateRule, Leaning, Lottery, Outcome, Proposal, order_by_seed
from tracker.decisions.models.outcomes import demand_decider, demand_no_part
from tracker.errors import RuleBroken
from tracker.estimates.models import Fit, FitRequest, GateChance
from tracker.events.models import Event
from tracker.people.models import Person

OUTCOMES = {Answer.YES: Outcome.GO_ON, Answer.NO: Outcome.END, Answer.EARLY: Outcome.MORE_EVIDENCE}


def propose(leaning: Leaning) -> Proposal:
    """The proposal to a decider who has said their leaning; asked again, the same while nothing changed."""
    found = proposal_to(leaning)
    with transaction.atomic():
        Leaning.objects.select_for_update(of=("self",)).get(pk=leaning.pk)
        latest = leaning.proposals.first()
        if latest is not None and latest.says() == found.says():
            return latest
        found.save(force_insert=True)
        stage = leaning.stage
        Event.objects.write(
            "proposal.shown",
            program=stage.cohort.program.public_id,
            subject=leaning.public_id,
            actor=leaning.decider.public_id,
        )
    return found


def proposal_to(leaning: Leaning) -> Proposal:
    stage, person = leaning.stage, leaning.enrollment.person
    fit = Fit.objects.current().filter(program=stage.cohort.program).first()
    rule = GateRule.objects.standing().filter(stage=stage).select_related("lottery").first()
    if rule is None:
        return Proposal(leaning=leaning, fit=fit, answer=Answer.NO_RULE)
    chance = chance_of(rule, fit, person)
    if chance is None:
        return Proposal(
            leaning=leaning, fit=fit, rule=rule, answer=Answer.EARLY, outcome=Outcome.MORE_EVIDENCE
        )
    standing = standing_of(chance)
    answer = Answer(answer_of(standing, rule.gate).value)
    drawn = drawn_for(rule, person) if answer == Answer.CLOSE else None
    return Proposal(
        leaning=leaning,
        fit=fit,
        rule=rule,
        answer=answer,
        outcome=OUTCOMES.get(answer) or outcome_in_the_middle(rule, drawn),
        through=chance.through,
        symmetric=chance.symmetric,
        readers=chance.readers,
        against=chance.against,
        good_pieces=chance.good_pieces,
        has_failed_check=standing.has_failed_check,
        is_drawn=drawn,
    )


def chance_of(rule: GateRule, fit: Fit | None, person: Person) -> GateChance | None:
    """What the fit says of them at this gate; it is asked for anew where it was of another gate."""
    if fit is None:
        return None
    chance = GateChance.objects.filter(fit=fit, stage=rule.stage, person=person).first()
    if chance is not None and (chance.places, chance.bar) != (rule.places, rule.bar):
        FitRequest.objects.ask(fit.program)
        raise RuleBroken("The pictures are being computed for this gate: look again in a minute.")
    return chance


def standing_of(chance: GateChance) -> Standing:
    return Standing(
        through=chance.through,
        symmetric=chance.symmetric,
        readers=chance.readers,
        against=chance.against,
        good_pieces=chance.good_pieces,
        has_failed_check=has_failed_check(chance.person),
    )


def drawn_for(rule: GateRule, person: Person) -> bool | None:
    return rule.lottery.drew(person) if hasattr(rule, "lottery") else None


def outcome_in_the_middle(rule: GateRule, drawn: bool | None) -> str:
    """What the rule proposes for who is too close to call; empty where the choice is the decider's."""
    if rule.middle == GateRule.Middle.MORE_READERS:
        return Outcome.MORE_EVIDENCE
    return Outcome.GO_ON if drawn else ""


def draw_lottery(rule: GateRule, *, by: Person) -> Lottery:
    """Draw the remaining places among those who are too close to call, once, by the seed that was bound."""
    stage = rule.stage
    demand_decider(by, stage)
    demand_no_part(by, stage)
    demand_a_draw(rule)
    with transaction.atomic():
        Stage.objects.select_for_update().get(pk=stage.pk)
        if Lottery.objects.filter(rule=rule).exists():
            raise RuleBroken("This lottery is drawn already.", code="drawn")
        fit = Fit.objects.current().filter(program=stage.cohort.program).first()
        if fit is None:
            raise RuleBroken("There is no picture to draw from yet.", code="no-fit")
        answers = answers_at(rule, fit)
        clear = sum(answer == Says.YES for answer in answers.values())
        between = [str(one.public_id) for one, answer in answers.items() if answer == Says.CLOSE]
        lottery = Lottery.objects.create(
            rule=rule,
            fit=fit,
            places=max(0, (rule.places or 0) - clear),
            entrants=order_by_seed(rule.seed, between),
            drawn_by=by,
        )
        Event.objects.write(
            "lottery.drawn",
            program=stage.cohort.program.public_id,
            subject=stage.public_id,
            actor=by.public_id,
        )
    return lottery


def demand_a_draw(rule: GateRule) -> None:
    if rule.middle != GateRule.Middle.LOTTERY or rule.places is None or rule.replaced_at is not None:
        raise RuleBroken("The standing rule of this stage has no lottery.", code="no-lottery")
    if not rule.stage.has_been_read:
        raise RuleBroken(
            "The reading is open: the lottery is drawn after it, among those who are then too close to call.",
            code="reading-open",
        )


def answers_at(rule: GateRule, fit: Fit) -> dict[Person, Says]:
    members = Enrollment.objects.of_stage(rule.stage).values("person")
    chances = GateChance.objects.filter(fit=fit, stage=rule.stage, person__in=members)
    return {
        chance.person: answer_of(standing_of(chance), rule.gate)
        for chance in chances.select_related("person")
    }
