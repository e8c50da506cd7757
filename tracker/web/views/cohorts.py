"""The cohort: the picture of everybody, what is being graded, what is due."""

from hashlib import sha256
from uuid import UUID

from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_GET

from tracker.cohorts.models import Cohort
from tracker.estimates.models import Fit
from tracker.estimates.viewing import record_view
from tracker.grading.models import Run, Submission
from tracker.projects.models import Milestone, Project, TeamMember
from tracker.web.doors import PageRequest
from tracker.web.pictures import Picture, View, etag_of, picture_of

RECENT = 8


@require_GET
def cohorts(request: PageRequest) -> HttpResponse:
    shown = Cohort.objects.overseen_by(request.user).select_related("program")
    return render(request, "cohorts/list.html", {"cohorts": shown})


@require_GET
def cohort(request: PageRequest, cohort_id: UUID) -> HttpResponse:
    cohort = get_object_or_404(
        Cohort.objects.overseen_by(request.user).select_related("program"), public_id=cohort_id
    )
    picture = seen(request, picture_of(cohort, request.user, view=request.GET.get("view", "")))
    milestones = Milestone.objects.visible_to(request.user).unreached().select_related("project")
    context = {
        "cohort": cohort,
        "program": cohort.program,
        "picture": picture,
        "stages": cohort.stages.select_related("release", "admission_round"),
        "recent": recent_submissions(request, cohort),
        "projects": projects_of(request, cohort),
        "milestones": milestones.filter(project__cohort=cohort)[:RECENT],
    }
    return render(request, "cohorts/cohort.html", context)


def projects_of(request: PageRequest, cohort: Cohort) -> list[Project]:
    team = TeamMember.objects.active().select_related("person")
    projects = Project.objects.visible_to(request.user).of_teams().with_latest_empirical_output()
    return list(projects.filter(cohort=cohort).prefetch_related(Prefetch("team", team)))


def recent_submissions(request: PageRequest, cohort: Cohort) -> list[Submission]:
    recent = Submission.objects.visible_to(request.user).with_state().select_related("project", "benchmark")
    return list(recent.filter(project__cohort=cohort)[:RECENT])


def seen(request: PageRequest, picture: Picture | None) -> Picture | None:
    """Log whose estimates were shown."""
    if picture is not None:
        record_view(picture.estimates, by=request.user, door="web")
    return picture


def picture_etag(request: PageRequest, cohort_id: UUID) -> str | None:
    """The picture changes with the fit, and with how one looks at it."""
    cohorts = Cohort.objects.decided_by(request.user).filter(public_id=cohort_id)
    fit = Fit.objects.current().filter(program__in=cohorts.values("program")).first()
    view = request.GET.get("view", "")
    return etag_of(fit, view) if fit is not None and view in View.values else None


@require_GET
@cache_control(private=True, no_cache=True)
@condition(etag_func=picture_etag)
def cohort_picture(request: PageRequest, cohort_id: UUID) -> HttpResponse:
    """The picture alone, for a page that stays open."""
    cohort = get_object_or_404(
        Cohort.objects.decided_by(request.user).select_related("program"), public_id=cohort_id
    )
    picture = seen(request, picture_of(cohort, request.user, view=request.GET.get("view", "")))
    context = {"cohort": cohort, "program": cohort.program, "picture": picture}
    return render(request, "cohorts/_picture.html", context)


def grading_etag(request: PageRequest, cohort_id: UUID) -> str:
    runs = Run.objects.visible_to(request.user).filter(submission__project__cohort__public_id=cohort_id)
    newest = runs.order_by("-pk").values_list("pk", "state", "progress_done")[: RECENT * len(Run.Phase)]
    return f'"{sha256(repr(list(newest)).encode()).hexdigest()[:20]}"'


@require_GET
@cache_control(private=True, no_cache=True)
@condition(etag_func=grading_etag)
def cohort_grading(request: PageRequest, cohort_id: UUID) -> HttpResponse:
    """What is being graded, for a page that stays open."""
    cohort = get_object_or_404(
        Cohort.objects.overseen_by(request.user).select_related("program"), public_id=cohort_id
    )
    context = {
        "cohort": cohort,
        "program": cohort.program,
        "recent": recent_submissions(request, cohort),
        "etag": grading_etag(request, cohort_id),
    }
    return render(request, "cohorts/_grading.html", context)
