"""One project: its team, what is due, what exists, what was said."""

from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from tracker.grading.models import Submission
from tracker.mentoring.models import Feedback
from tracker.people.models import READERS, Person
from tracker.projects.models import DateForecast, Output, Project, TeamMember
from tracker.projects.models.closeness import projects_yet_to_read
from tracker.ratings.models import Conflict
from tracker.ratings.seeing import note_projects_shown
from tracker.web.doors import PageRequest, demand, self_in, told, told_by
from tracker.web.forms import ConflictForm, FeedbackForm


def page_of(request: PageRequest, project: Project, form: FeedbackForm) -> dict[str, object]:
    """Feedback by others stays hidden from whoever has yet to read a piece of this project."""
    unread = projects_yet_to_read(request.user).filter(pk=project.pk).exists()
    forecasts = Prefetch("forecasts", DateForecast.objects.select_related("person"))
    submissions = Submission.objects.visible_to(request.user).with_state().select_related("benchmark")
    feedback = Feedback.objects.visible_to(request.user).select_related("author", "output", "acknowledged_by")
    return {
        "project": project,
        "program": project.program,
        "form": form,
        "may_edit": Project.objects.editable_by(request.user).filter(pk=project.pk).exists(),
        "is_unread": unread,
        "milestones": project.milestones.prefetch_related(forecasts),
        "outputs": Output.objects.visible_to(request.user).standing().filter(project=project),
        "submissions": submissions.filter(project=project),
        "feedback": heard_by(request, feedback.filter(project=project)),
    }


def heard_by(request: PageRequest, feedback: QuerySet[Feedback]) -> list[Feedback]:
    """What is shown of what others said is remembered: a rating given after it is not blind."""
    rows = list(feedback)
    others = {row.project_id for row in rows if row.author.user_id != request.user.pk}
    note_projects_shown(request.user, others)
    return rows


def shown(request: PageRequest, project_id: UUID) -> Project:
    team = Prefetch("team", TeamMember.objects.active().select_related("person"))
    projects = Project.objects.visible_to(request.user).select_related("program", "cohort")
    return get_object_or_404(projects.prefetch_related(team), public_id=project_id)


@require_GET
def project(request: PageRequest, project_id: UUID) -> HttpResponse:
    project = shown(request, project_id)
    return render(request, "projects/project.html", page_of(request, project, FeedbackForm()))


@require_POST
def give_feedback(request: PageRequest, project_id: UUID) -> HttpResponse:
    project = shown(request, project_id)
    author = self_in(project.program, request.user)
    form = FeedbackForm(request.POST)
    if form.is_valid():
        with told_by(form):
            Feedback.objects.give(project=project, author=author, text=form.cleaned_data["text"])
            return redirect("project", project.public_id)
    return render(request, "projects/project.html", page_of(request, project, form), status=422)


@require_POST
def acknowledge(request: PageRequest, feedback_id: UUID) -> HttpResponse:
    visible = Feedback.objects.visible_to(request.user).select_related("project__program")
    feedback = get_object_or_404(visible, public_id=feedback_id)
    reader = self_in(feedback.project.program, request.user)
    with told(request, done="Marked as read: its author sees that you have read it."):
        feedback.acknowledge(by=reader)
    return redirect("mine")


@require_POST
def declare_conflict(request: PageRequest, project_id: UUID) -> HttpResponse:
    project = shown(request, project_id)
    reader = self_in(project.program, request.user)
    demand(Person.objects.active_as(*READERS), reader)
    form = ConflictForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give the reason in at most 300 characters.")
        return redirect("project", project.public_id)
    with told(request, done=f"Noted: you will not be asked to read {project}."):
        Conflict.objects.declare(person=reader, project=project, reason=form.cleaned_data["reason"])
    return redirect("reading")
