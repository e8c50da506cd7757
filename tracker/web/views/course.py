"""How a project goes: what it stands on, what holds it up, and where it turned."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from tracker.projects.models import Bottleneck, Claim, Output, Pivot, Project
from tracker.web.course_forms import BottleneckForm, CheckForm, ClaimForm, PivotForm
from tracker.web.doors import PageRequest, demand, self_in, told, told_by


def place(request: PageRequest, project_id: UUID) -> Project:
    projects = Project.objects.visible_to(request.user).select_related("program", "cohort")
    return get_object_or_404(projects, public_id=project_id)


def edited(request: PageRequest, project_id: UUID) -> Project:
    project = place(request, project_id)
    demand(Project.objects.editable_by(request.user), project)
    return project


@require_GET
def course(request: PageRequest, project_id: UUID) -> HttpResponse:
    return page(request, place(request, project_id))


def page(request: PageRequest, project: Project, status: int = 200, **forms: Any) -> HttpResponse:
    """Everything at once; a form that was refused comes back as it was filled in."""
    claims = project.claims.standing().select_related("output").prefetch_related("grounds__rests_on")
    outputs = Output.objects.visible_to(request.user).standing().filter(project=project)
    context = {
        "project": project,
        "program": project.program,
        "claims": claims,
        "shown": set(outputs.values_list("pk", flat=True)),
        "stacked": set(project.claims.stacked_untried().values_list("pk", flat=True)),
        "bottlenecks": project.bottlenecks.select_related("named_by"),
        "pivots": project.pivots.select_related("taken_by"),
        "may_edit": Project.objects.editable_by(request.user).filter(pk=project.pk).exists(),
        "claim_form": ClaimForm(project=project),
        "check_form": CheckForm(outputs=outputs),
        "bottleneck_form": BottleneckForm(),
        "pivot_form": PivotForm(initial={"summary": project.summary}),
        **forms,
    }
    return render(request, "projects/course.html", context, status=status)


@require_POST
def add_claim(request: PageRequest, project_id: UUID) -> HttpResponse:
    project = edited(request, project_id)
    form = ClaimForm(request.POST, project=project)
    if form.is_valid():
        with told_by(form), transaction.atomic():
            by, values = self_in(project.program, request.user), form.cleaned_data
            claim = Claim.objects.make(project, values["text"], by=by, url=values["url"])
            if values["rests_on"]:
                claim.rest_on(values["rests_on"], by=by)
            return redirect("course", project.public_id)
    return page(request, project, status=422, claim_form=form)


@require_POST
def check_claim(request: PageRequest, claim_id: UUID) -> HttpResponse:
    visible = Claim.objects.visible_to(request.user).standing().select_related("project__program")
    claim = get_object_or_404(visible, public_id=claim_id)
    project = edited(request, claim.project.public_id)
    outputs = Output.objects.visible_to(request.user).standing().filter(project=project)
    form = CheckForm(request.POST, outputs=outputs)
    if form.is_valid():
        with told_by(form):
            claim.check_off(by=self_in(project.program, request.user), **form.cleaned_data)
            return redirect("course", project.public_id)
    return page(request, project, status=422, check_form=form, checked=claim)


@require_POST
def withdraw_claim(request: PageRequest, claim_id: UUID) -> HttpResponse:
    visible = Claim.objects.visible_to(request.user).select_related("project__program")
    claim = get_object_or_404(visible, public_id=claim_id)
    project = edited(request, claim.project.public_id)
    with told(request, done="The project stands on it no more."):
        claim.withdraw(by=self_in(project.program, request.user))
    return redirect("course", project.public_id)


@require_POST
def name_bottleneck(request: PageRequest, project_id: UUID) -> HttpResponse:
    project = edited(request, project_id)
    form = BottleneckForm(request.POST)
    if form.is_valid():
        with told_by(form):
            by = self_in(project.program, request.user)
            Bottleneck.objects.name_it(
                project, form.cleaned_data["kind"], by=by, note=form.cleaned_data["note"]
            )
            return redirect("course", project.public_id)
    return page(request, project, status=422, bottleneck_form=form)


@require_POST
def take_pivot(request: PageRequest, project_id: UUID) -> HttpResponse:
    project = edited(request, project_id)
    form = PivotForm(request.POST)
    if form.is_valid():
        with told_by(form):
            Pivot.objects.take(project, by=self_in(project.program, request.user), **form.cleaned_data)
            return redirect("course", project.public_id)
    return page(request, project, status=422, pivot_form=form)
