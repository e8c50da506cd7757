"""Milestones: what counts as done, when it is expected, and how that drifts."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from tracker.projects.models import Milestone, Project
from tracker.web.doors import PageRequest, demand, self_in, told, told_by
from tracker.web.forecasts import told_of, window_in
from tracker.web.views.outputs import edited

SHOWN = 60


def day(label: str, **values: Any) -> forms.DateField:
    messages = {"invalid": "Give a date, such as 2026-08-12.", "required": "Give a date, such as 2026-08-12."}
    picker = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=picker, error_messages=messages, **values)


class MilestoneForm(forms.Form):
    title = forms.CharField(label="What is to be reached?", max_length=300)
    definition_of_done = forms.CharField(
        label="When does it count as done?",
        help_text="So that anybody could tell.",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    due_on = day("Planned for")


class ForecastForm(forms.Form):
    predicted_on = day("When will it be done?")
    low_on = day("Hardly earlier than", help_text="You would be surprised in one of ten.", required=False)
    high_on = day("Hardly later than", help_text="You would be surprised in one of ten.", required=False)


def shown(request: PageRequest, milestone_id: UUID) -> Milestone:
    visible = Milestone.objects.visible_to(request.user).select_related("project__program", "project__cohort")
    return get_object_or_404(visible, public_id=milestone_id)


def forecast_form(request: PageRequest, milestone_id: UUID) -> HttpResponse:
    return page(request, shown(request, milestone_id), ForecastForm())


def page(request: PageRequest, milestone: Milestone, form: ForecastForm, status: int = 200) -> HttpResponse:
    forecasts = list(milestone.forecasts.select_related("person"))
    window = window_in(request.GET.get("window", ""))
    context = {
        "milestone": milestone,
        "project": milestone.project,
        "program": milestone.project.program,
        "form": form,
        "forecasts": forecasts[::-1][:SHOWN],
        "told": told_of(milestone, forecasts, window=window),
        "may_forecast": milestone.reached_at is None and may_forecast(request, milestone.project),
        "may_edit": Project.objects.editable_by(request.user).filter(pk=milestone.project_id).exists(),
    }
    return render(request, "milestones/milestone.html", context, status=status)


def may_forecast(request: PageRequest, project: Project) -> bool:
    mine = Project.objects.worked_on_by(request.user) | Project.objects.editable_by(request.user)
    return mine.filter(pk=project.pk).exists()


def predict(request: PageRequest, milestone_id: UUID) -> HttpResponse:
    """One click says that the date still holds; a form gives another, perhaps with a range."""
    milestone = shown(request, milestone_id)
    form = ForecastForm(request.POST)
    if form.is_valid():
        with told_by(form):
            milestone.predict(by=self_in(milestone.project.program, request.user), **form.cleaned_data)
            return redirect("milestone", milestone.public_id)
    return page(request, milestone, form, status=422)


@require_POST
def reach_milestone(request: PageRequest, milestone_id: UUID) -> HttpResponse:
    milestone = shown(request, milestone_id)
    demand(Project.objects.editable_by(request.user), milestone.project)
    with told(request, done=f"Reached: {milestone}."):
        milestone.reach(by=self_in(milestone.project.program, request.user))
    return redirect("milestone", milestone.public_id)


def milestone_form(request: PageRequest, project_id: UUID) -> HttpResponse:
    return plan_page(request, edited(request, project_id), MilestoneForm())


def plan_page(request: PageRequest, project: Project, form: MilestoneForm, status: int = 200) -> HttpResponse:
    context = {
        "project": project,
        "program": project.program,
        "form": form,
        "heading": "Plan a milestone",
        "reason": "With a definition that lets anybody tell whether it is done.",
    }
    return render(request, "outputs/add.html", context, status=status)


def plan_milestone(request: PageRequest, project_id: UUID) -> HttpResponse:
    project = edited(request, project_id)
    form = MilestoneForm(request.POST)
    if form.is_valid():
        with told_by(form):
            by = self_in(project.program, request.user)
            milestone = Milestone.objects.plan(project, by=by, **form.cleaned_data)
            return redirect("milestone", milestone.public_id)
    return plan_page(request, project, form, status=422)
