"""A stage as everybody in it sees it; its gate, and the reviews of its people, as a lead sets them up."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from evals.noise.gating import Gate
from tracker.cohorts.models import Stage
from tracker.decisions.middle import middle_of, usual_pieces
from tracker.decisions.models import GateRule
from tracker.decisions.models.gates import could_have_been_seen
from tracker.decisions.progression import progression_of
from tracker.decisions.proposing import draw_lottery
from tracker.projects.reviewing import open_reviews, without_review
from tracker.web.decision_forms import GateForm
from tracker.web.doors import PageRequest, demand, self_in, told, told_by


def visible_stage(request: PageRequest, stage_id: UUID) -> Stage:
    stages = Stage.objects.visible_to(request.user).select_related("cohort__program")
    return get_object_or_404(stages, public_id=stage_id)


def led_stage(request: PageRequest, stage_id: UUID) -> Stage:
    stage = visible_stage(request, stage_id)
    demand(Stage.objects.led_by(request.user), stage)
    return stage


def decided_stage(request: PageRequest, stage_id: UUID) -> Stage:
    stage = visible_stage(request, stage_id)
    demand(Stage.objects.decided_by(request.user), stage)
    return stage


@require_GET
def stage(request: PageRequest, stage_id: UUID) -> HttpResponse:
    """Dates, what it takes to go on, and how many did before: known before anybody commits."""
    stage = visible_stage(request, stage_id)
    decides = Stage.objects.decided_by(request.user).filter(pk=stage.pk).exists()
    leads = Stage.objects.led_by(request.user).filter(pk=stage.pk).exists()
    rules = GateRule.objects.visible_to(request.user).filter(stage=stage).select_related("set_by", "lottery")
    context = {
        "stage": stage,
        "program": stage.cohort.program,
        "decides": decides,
        "leads": leads,
        "unreviewed": without_review(stage).count() if leads and not stage.has_been_read else 0,
        "rules": list(rules),
        "progression": progression_of(stage, in_full=decides),
    }
    return render(request, "stages/stage.html", context)


@require_POST
def review_people(request: PageRequest, stage_id: UUID) -> HttpResponse:
    stage = led_stage(request, stage_id)
    actor = self_in(stage.cohort.program, request.user)
    with told(request, done="Everybody in this stage has a review of their own, which readers rate."):
        open_reviews(stage, by=actor.public_id)
    return redirect("stage", stage.public_id)


def gate_page(request: PageRequest, stage: Stage, form: GateForm, **more: object) -> HttpResponse:
    context = {
        "stage": stage,
        "program": stage.cohort.program,
        "form": form,
        "rule": GateRule.objects.standing().filter(stage=stage).first(),
        "is_late": could_have_been_seen(stage),
    }
    return render(request, "stages/gate.html", context | more)


@require_GET
def gate_form(request: PageRequest, stage_id: UUID) -> HttpResponse:
    stage = led_stage(request, stage_id)
    rule = GateRule.objects.standing().filter(stage=stage).first()
    return gate_page(request, stage, GateForm.like(stage, rule, pieces=usual_pieces(stage)))


def fix_gate(request: PageRequest, stage_id: UUID) -> HttpResponse:
    stage = led_stage(request, stage_id)
    form = GateForm(request.POST)
    if form.is_valid():
        with told_by(form):
            GateRule.objects.fix(stage, by=self_in(stage.cohort.program, request.user), **form.rule())
            return redirect("stage", stage.public_id)
    return gate_page(request, stage, form)


@require_GET
def gate_middle(request: PageRequest, stage_id: UUID) -> HttpResponse:
    """How large the middle will be under the values that are typed."""
    stage = led_stage(request, stage_id)
    form = GateForm(request.GET)
    expected = expected_middle(stage, form) if form.is_valid() else {}
    if not request.htmx:
        return gate_page(request, stage, form, **expected)
    context = {"stage": stage, "program": stage.cohort.program, "form": form}
    return render(request, "stages/_middle.html", context | expected)


def expected_middle(stage: Stage, form: GateForm) -> dict[str, object]:
    values = form.rule()
    try:
        gate = Gate(**{name: values[name] for name in ("places", "bar", "yes_from", "no_to", "floor")})
    except ValueError as error:
        return {"fault": str(error)}
    pieces = form.cleaned_data["pieces"] or usual_pieces(stage)
    middle = middle_of(stage, gate, readers=values["planned_readers"], pieces=pieces)
    return {"middle": middle, "is_expected": True}


@require_POST
def lottery(request: PageRequest, stage_id: UUID) -> HttpResponse:
    stage = decided_stage(request, stage_id)
    rule = get_object_or_404(
        GateRule.objects.standing().select_related("stage__cohort__program"), stage=stage
    )
    with told(request, done="The lottery is drawn; its seed is shown, so that anybody can repeat it."):
        draw_lottery(rule, by=self_in(stage.cohort.program, request.user))
    return redirect("decisions", stage.public_id)
