"""A mentee's own work: projects, what was said of them, and what is sent to be graded."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Prefetch
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_GET

from tracker.cohorts.models import Stage
from tracker.decisions.models import StageDecision
from tracker.estimates.models import Estimate
from tracker.estimates.viewing import record_view
from tracker.grading import intake
from tracker.grading.models import Benchmark, Submission
from tracker.mentoring.models import Feedback, Support
from tracker.people.models import Person
from tracker.projects.models import Project, TeamMember
from tracker.ratings.models import Rating, Reply
from tracker.ratings.seeing import note_projects_shown
from tracker.web.doors import PageRequest, demand, self_in, told_by
from tracker.web.forms import ReplyForm, SubmissionForm
from tracker.web.people import portrait_of


@require_GET
def mine(request: PageRequest) -> HttpResponse:
    submissions = Submission.objects.visible_to(request.user).with_state().select_related("benchmark")
    feedback = Feedback.objects.visible_to(request.user)
    team = TeamMember.objects.active().select_related("person")
    worked_on = Project.objects.worked_on_by(request.user).select_related("program", "cohort")
    projects = worked_on.prefetch_related(
        "milestones__forecasts__person",
        Prefetch("team", team),
        Prefetch("submissions", submissions),
        Prefetch("feedback", feedback.select_related("author", "output")),
    )
    note_projects_shown(request.user, projects_with_word_of_others(request, projects))
    context = {
        "projects": projects,
        "benchmarks": Benchmark.objects.visible_to(request.user).standing(),
        "portraits": own_portraits(request),
        "is_supported": Support.objects.standing()
        .filter(person__in=Person.objects.of(request.user))
        .exists(),
        "decisions": own_decisions(request),
        "stages": Stage.objects.current().of(request.user).select_related("cohort"),
        "said": Rating.objects.about(request.user)
        .exclude(comment="")
        .select_related("output")
        .prefetch_related(Prefetch("replies", Reply.objects.visible_to(request.user))),
        "reply_form": ReplyForm(auto_id=False),
    }
    return render(request, "work/mine.html", context)


def own_decisions(request: PageRequest) -> list[StageDecision]:
    """What stands about this visitor."""
    own = StageDecision.objects.of(request.user).standing_as_told()
    return list(own.select_related("stage__cohort", "enrollment__person"))


def projects_with_word_of_others(request: PageRequest, projects: Iterable[Project]) -> set[int]:
    return {
        project.pk
        for project in projects
        for feedback in project.feedback.all()
        if feedback.author.user_id != request.user.pk
    }


def own_portraits(request: PageRequest) -> list[Any]:
    """What the program has released to people about themselves."""
    estimates = list(
        Estimate.objects.released_to(request.user)
        .filter(person__in=Person.objects.of(request.user))
        .select_related("fit__program", "person")
        .prefetch_related("fit__releases__stage")
        .order_by("-fit__created_at")
    )
    record_view(estimates, by=request.user, door="web")
    return [portrait_of(estimate) for estimate in estimates]


def place_of(request: PageRequest, project_id: UUID, benchmark_id: UUID) -> tuple[Project, Benchmark]:
    """The project and the benchmark that a submission goes between."""
    projects = Project.objects.visible_to(request.user).select_related("program", "cohort")
    project = get_object_or_404(projects, public_id=project_id)
    demand(Project.objects.editable_by(request.user), project)
    benchmarks = Benchmark.objects.visible_to(request.user).standing()
    return project, get_object_or_404(benchmarks, public_id=benchmark_id, program=project.program)


@require_GET
def benchmark_file(request: PageRequest, benchmark_id: UUID, name: str) -> FileResponse:
    """One of the files that a benchmark gives to those who work on it."""
    benchmark = get_object_or_404(Benchmark.objects.visible_to(request.user), public_id=benchmark_id)
    files = benchmark.public_files()
    if name not in files:
        raise Http404
    return FileResponse(files[name].open("rb"), as_attachment=True, filename=name)


@require_GET
def submission_form(request: PageRequest, project_id: UUID, benchmark_id: UUID) -> HttpResponse:
    project, benchmark = place_of(request, project_id, benchmark_id)
    context = {"project": project, "program": project.program, "benchmark": benchmark}
    return render(request, "work/submit.html", {**context, "form": SubmissionForm(benchmark=benchmark)})


def submit(request: PageRequest, project_id: UUID, benchmark_id: UUID) -> HttpResponse:
    """The limits hold from the first byte, so they are set before anything, the token too, is read."""
    project, benchmark = place_of(request, project_id, benchmark_id)
    watched = intake.watch(request, benchmark)
    return receive(request, project=project, benchmark=benchmark, watched=watched)


@csrf_protect
def receive(
    request: PageRequest, *, project: Project, benchmark: Benchmark, watched: intake.Intake
) -> HttpResponse:
    form = SubmissionForm(request.POST, request.FILES, benchmark=benchmark)
    if form.is_valid():
        with told_by(form):
            check_only = form.cleaned_data["check_only"]
            Submission.objects.check_quota(project, benchmark, check_only=check_only)
            upload = request.FILES.get("file")
            artifact = watched.receive(upload, benchmark)
            submission = Submission.objects.submit(
                project=project,
                benchmark=benchmark,
                artifact=artifact,
                filename=getattr(upload, "name", ""),
                by=self_in(project.program, request.user),
                claims=form.claims(),
                training=watched.receive_training(request.FILES.get("training"), benchmark),
                check_only=check_only,
            )
            return redirect("submission", submission.public_id)
    context = {"project": project, "program": project.program, "benchmark": benchmark, "form": form}
    return render(request, "work/submit.html", context, status=422)
