"""Decisions: a leaning, then the proposal, then the decision; second readers, appeals, and the person's own page."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from tracker.cohorts.models import Enrollment, Stage
from tracker.decisions.models import Appeal, Leaning, Proposal, StageDecision
from tracker.decisions.proposing import propose
from tracker.estimates.models import Contribution, Estimate
from tracker.estimates.viewing import record_view
from tracker.people.models import Person
from tracker.web.deciding import sitting_of
from tracker.web.decision_forms import AppealForm, DecisionForm, HearingForm, LeaningForm, SecondReadingForm
from tracker.web.doors import PageRequest, demand, self_in, told_by
from tracker.web.people import pieces_of, portrait_of
from tracker.web.views.gates import decided_stage

RELATED = ("enrollment__person", "enrollment__cohort", "stage__cohort__program", "decider", "second_reader")


@require_GET
def decisions(request: PageRequest, stage_id: UUID) -> HttpResponse:
    stage = decided_stage(request, stage_id)
    context = {"stage": stage, "program": stage.cohort.program, "sitting": sitting_of(stage, request.user)}
    return render(request, "decisions/list.html", context)


def before_the_gate(request: PageRequest, stage_id: UUID, person_id: UUID) -> tuple[Stage, Enrollment]:
    stage = decided_stage(request, stage_id)
    members = Enrollment.objects.of_stage(stage).besides(request.user).select_related("person", "cohort")
    return stage, get_object_or_404(members, person__public_id=person_id)


def own_leaning(request: PageRequest, stage: Stage, enrollment: Enrollment) -> Leaning | None:
    own = Leaning.objects.open().filter(decider__in=Person.objects.of(request.user))
    related = own.select_related(
        "enrollment__person", "enrollment__cohort", "decider", "stage__cohort__program"
    )
    return related.filter(stage=stage, enrollment=enrollment).first()


def person_page(request: PageRequest, stage: Stage, enrollment: Enrollment, form: Any = None) -> HttpResponse:
    """The question alone before the decider has said; the proposal and the decision's form after."""
    leaning = own_leaning(request, stage, enrollment)
    earlier = StageDecision.objects.visible_to(request.user).filter(stage=stage, enrollment=enrollment)
    listed = list(earlier.select_related("decider"))
    proposal = None
    is_open = all(one.replaced_at is not None or one.outcome == "more_evidence" for one in listed)
    if leaning is not None and is_open:
        proposal = propose(leaning)
        note_shown(request, proposal, enrollment.person)
    context = {
        "stage": stage,
        "program": stage.cohort.program,
        "person": enrollment.person,
        "leaning": leaning,
        "proposal": proposal,
        "earlier": listed,
        "is_open": is_open,
        "form": form or (LeaningForm() if leaning is None else DecisionForm()),
    }
    return render(request, "decisions/person.html", context)


@require_GET
def decide_form(request: PageRequest, stage_id: UUID, person_id: UUID) -> HttpResponse:
    return person_page(request, *before_the_gate(request, stage_id, person_id))


@require_POST
def lean(request: PageRequest, stage_id: UUID, person_id: UUID) -> HttpResponse:
    stage, enrollment = before_the_gate(request, stage_id, person_id)
    form = LeaningForm(request.POST)
    if form.is_valid():
        decider = self_in(stage.cohort.program, request.user)
        with told_by(form):
            Leaning.objects.say(enrollment=enrollment, stage=stage, decider=decider, **form.cleaned_data)
            return redirect("decide", stage.public_id, enrollment.person.public_id)
    return person_page(request, stage, enrollment, form)


def decide(request: PageRequest, stage_id: UUID, person_id: UUID) -> HttpResponse:
    stage, enrollment = before_the_gate(request, stage_id, person_id)
    leaning = own_leaning(request, stage, enrollment)
    if leaning is None:
        return redirect("decide", stage.public_id, enrollment.person.public_id)
    form = DecisionForm(request.POST)
    if form.is_valid():
        with told_by(form):
            # What was last shown is what is decided on; if the picture has moved on, the verb says so.
            proposal = leaning.proposals.first() or propose(leaning)
            decision = StageDecision.objects.decide(proposal, **form.draft())
            return redirect("decision", decision.public_id)
    return person_page(request, stage, enrollment, form)


def visible_decision(request: PageRequest, decision_id: UUID) -> StageDecision:
    found = StageDecision.objects.visible_to(request.user).select_related(
        *RELATED, "leaning__decider", "appeal"
    )
    return get_object_or_404(found, public_id=decision_id)


def decision_page(request: PageRequest, decision: StageDecision, form: AppealForm) -> HttpResponse:
    """In full for those who decide; to the person in words, with how to appeal."""
    is_own = decision.person.user_id == request.user.pk
    context = {
        "decision": decision,
        "program": decision.stage.cohort.program,
        "is_own": is_own,
        "stands": is_own and StageDecision.objects.standing_as_told().filter(pk=decision.pk).exists(),
        "decides": Stage.objects.decided_by(request.user).filter(pk=decision.stage_id).exists()
        and not is_own,
        "portraits": released_picture(request, decision) if is_own else [],
        "proposal": shown_proposal(request, decision),
        "form": form,
    }
    return render(request, "decisions/decision.html", context)


def shown_proposal(request: PageRequest, decision: StageDecision) -> Proposal | None:
    """None to whoever may yet have to lean about the same."""
    shown = Proposal.objects.visible_to(request.user).select_related("rule").filter(decision=decision).first()
    if shown is not None:
        note_shown(request, shown, decision.person)
    return shown


def note_shown(request: PageRequest, proposal: Proposal, person: Person) -> None:
    """A proposal says what an estimate says, so whoever sees it has looked at that."""
    estimates = Estimate.objects.decided_by(request.user).filter(fit=proposal.fit_id, person=person)
    record_view(estimates, by=request.user, door="web")


def released_picture(request: PageRequest, decision: StageDecision) -> list[Any]:
    released = Estimate.objects.released_to(request.user).filter(person=decision.person)
    related = released.select_related("fit__program", "person").prefetch_related("fit__releases__stage")
    estimates = list(related.order_by("-fit__created_at")[:1])
    record_view(estimates, by=request.user, door="web")
    return [portrait_of(estimate) for estimate in estimates]


@require_GET
def decision(request: PageRequest, decision_id: UUID) -> HttpResponse:
    return decision_page(request, visible_decision(request, decision_id), AppealForm())


@require_POST
def appeal(request: PageRequest, decision_id: UUID) -> HttpResponse:
    decision = visible_decision(request, decision_id)
    form = AppealForm(request.POST)
    if form.is_valid():
        with told_by(form):
            own = self_in(decision.stage.cohort.program, request.user)
            Appeal.objects.make(decision, by=own, words=form.cleaned_data["words"])
            return redirect("decision", decision.public_id)
    return decision_page(request, decision, form)


def readable_decision(request: PageRequest, decision_id: UUID) -> tuple[StageDecision, Person]:
    decision = visible_decision(request, decision_id)
    demand(Stage.objects.decided_by(request.user), decision.stage)
    return decision, self_in(decision.stage.cohort.program, request.user)


def evidence_about(request: PageRequest, decision: StageDecision) -> dict[str, Any]:
    """What a decision rests on, and that somebody opened it."""
    estimates = list(
        Estimate.objects.decided_by(request.user)
        .filter(person=decision.person, fit=decision.fit_id)
        .select_related("fit__program", "person")
    )
    record_view(estimates, by=request.user, door="web")
    contributions = Contribution.objects.visible_to(request.user).select_related("output__project")
    return {
        "decision": decision,
        "program": decision.stage.cohort.program,
        "portrait": portrait_of(estimates[0], with_raw=True) if estimates else None,
        "pieces": pieces_of(contributions.filter(fit=decision.fit_id, person=decision.person)),
    }


@require_GET
def second_form(request: PageRequest, decision_id: UUID) -> HttpResponse:
    decision, reader = readable_decision(request, decision_id)
    decision.was_read_by(reader)
    context = evidence_about(request, decision)
    return render(request, "decisions/second.html", {**context, "form": SecondReadingForm()})


def second(request: PageRequest, decision_id: UUID) -> HttpResponse:
    decision, reader = readable_decision(request, decision_id)
    form = SecondReadingForm(request.POST)
    if form.is_valid():
        with told_by(form):
            values = form.cleaned_data
            decision.second(reader=reader, agrees=values["agrees"] == "yes", reasons=values["reasons"])
            return redirect("decision", decision.public_id)
    return render(request, "decisions/second.html", {**evidence_about(request, decision), "form": form})


def audible_appeal(request: PageRequest, appeal_id: UUID) -> Appeal:
    appeals = Appeal.objects.visible_to(request.user).select_related(
        "heard_by", *(f"decision__{path}" for path in RELATED)
    )
    appeal = get_object_or_404(appeals, public_id=appeal_id)
    demand(Stage.objects.decided_by(request.user), appeal.decision.stage)
    return appeal


@require_GET
def hearing_form(request: PageRequest, appeal_id: UUID) -> HttpResponse:
    appeal = audible_appeal(request, appeal_id)
    context = {**evidence_about(request, appeal.decision), "appeal": appeal, "form": HearingForm()}
    return render(request, "decisions/hearing.html", context)


def hear(request: PageRequest, appeal_id: UUID) -> HttpResponse:
    appeal = audible_appeal(request, appeal_id)
    form = HearingForm(request.POST)
    if form.is_valid():
        with told_by(form):
            appeal.hear(by=self_in(appeal.decision.stage.cohort.program, request.user), **form.verdict())
            return redirect("decision", appeal.decision.public_id)
    context = {**evidence_about(request, appeal.decision), "appeal": appeal, "form": form}
    return render(request, "decisions/hearing.html", context)
