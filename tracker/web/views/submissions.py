"""One submission: its phases live, what was measured, the claims beside it, and what may be done with it."""

from collections.abc import Iterable
from hashlib import sha256
from uuid import UUID

from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import get_conditional_response
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from tracker.grading.models import Attempt, Measurement, Resemblance, Run, Submission
from tracker.web.doors import PageRequest, demand, told
from tracker.web.forms import RefusalForm
from tracker.web.gradings import Grading, gradings_of
from tracker.web.views.regrading import asked_and_decided


def etag_of(runs: Iterable[Run]) -> str:
    """Changes with every change of a run."""
    facts = [
        (run.pk, run.state, run.crashes, run.losses, run.progress_done, run.cancel_requested_at)
        for run in runs
    ]
    return f'"{sha256(repr(facts).encode()).hexdigest()[:20]}"'


def shown(request: PageRequest, submission_id: UUID) -> Submission:
    related = ("project__program", "project__cohort", "benchmark", "artifact", "training", "output")
    submissions = Submission.objects.visible_to(request.user).select_related(*related, "submitted_by")
    return get_object_or_404(submissions, public_id=submission_id)


def runs_of(request: PageRequest, submission_id: UUID) -> QuerySet[Run]:
    runs = Run.objects.visible_to(request.user).filter(submission__public_id=submission_id)
    return runs.select_related("benchmark")


def page_of(request: PageRequest, submission: Submission, runs: list[Run]) -> dict[str, object]:
    prefetch_related_objects(runs, Prefetch("measurements", Measurement.objects.visible_to(request.user)))
    gradings = gradings_of(submission, runs)
    return {
        "submission": submission,
        "program": submission.project.program,
        "gradings": gradings,
        "newest": gradings[0] if gradings else None,
        "etag": etag_of(runs),
    }


def resemblances_of(request: PageRequest, submission: Submission) -> dict[str, object]:
    """Signs for those who may see them; another team's name only where its submission is visible too."""
    found = Resemblance.objects.visible_to(request.user).filter(run__submission=submission)
    rows = list(found.select_related("other__submission__project"))
    others = Submission.objects.visible_to(request.user).filter(
        pk__in=[row.other.submission_id for row in rows]
    )
    return {"rows": rows, "visible": set(others.values_list("pk", flat=True))} if rows else {}


def sees_signs(request: PageRequest, submission: Submission) -> bool:
    return Submission.objects.signs_visible_to(request.user).filter(pk=submission.pk).exists()


@require_GET
def submission(request: PageRequest, submission_id: UUID) -> HttpResponse:
    submission = shown(request, submission_id)
    context = page_of(request, submission, list(runs_of(request, submission_id)))
    context["resemblances"] = resemblances_of(request, submission)
    newest = context["newest"]
    if isinstance(newest, Grading) and newest.contamination and sees_signs(request, submission):
        context["contamination"] = newest.contamination
    is_editable = Submission.objects.editable_by(request.user).filter(pk=submission.pk).exists()
    context["is_editable"] = is_editable
    is_being_graded = isinstance(newest, Grading) and newest.is_open
    context |= asked_and_decided(
        request, submission, is_editable=is_editable, is_being_graded=is_being_graded
    )
    if Submission.objects.led_by(request.user).filter(pk=submission.pk).exists():
        context["is_led"] = True
        context["refusal"] = RefusalForm()
        context["attempts"] = Attempt.objects.filter(run__submission=submission).select_related("run")
    return render(request, "submissions/submission.html", context)


@require_GET
@cache_control(private=True, no_cache=True)
def submission_progress(request: PageRequest, submission_id: UUID) -> HttpResponse:
    """The grading alone, for a page that stays open: one query says whether anything is new, a second one what."""
    runs = list(runs_of(request, submission_id).select_related("submission__project__program"))
    if not runs:
        raise Http404
    unchanged = get_conditional_response(request, etag=etag_of(runs))
    if unchanged is not None:
        return unchanged
    answer = render(request, "submissions/_grading.html", page_of(request, runs[0].submission, runs))
    answer["ETag"] = etag_of(runs)
    return answer


@require_POST
def cancel_run(request: PageRequest, run_id: UUID) -> HttpResponse:
    runs = Run.objects.visible_to(request.user).select_related("submission__program")
    run = get_object_or_404(runs, public_id=run_id)
    demand(Submission.objects.editable_by(request.user), run.submission)
    with told(request, done="Cancelled: what was measured before stays."):
        run.cancel(by=request.user.public_id)
    return redirect("submission", run.submission.public_id)


@require_POST
def regrade(request: PageRequest, submission_id: UUID) -> HttpResponse:
    submission = shown(request, submission_id)
    demand(Submission.objects.led_by(request.user), submission)
    with told(request, done="It is graded again: the earlier result stays below."):
        submission.regrade(by=request.user.public_id)
    return redirect("submission", submission.public_id)


@require_POST
def let_through(request: PageRequest, submission_id: UUID) -> HttpResponse:
    submission = shown(request, submission_id)
    demand(Submission.objects.led_by(request.user), submission)
    with told(request, done="It goes on: the full measurement waits for its turn."):
        submission.let_through(by=request.user.public_id)
    return redirect("submission", submission.public_id)


@require_POST
def refuse_held(request: PageRequest, submission_id: UUID) -> HttpResponse:
    submission = shown(request, submission_id)
    demand(Submission.objects.led_by(request.user), submission)
    with told(request, done="Refused: its senders read your sentence."):
        submission.refuse_held(request.POST.get("sentence", ""), by=request.user.public_id)
    return redirect("submission", submission.public_id)


@require_POST
def choose(request: PageRequest, submission_id: UUID) -> HttpResponse:
    submission = shown(request, submission_id)
    demand(Submission.objects.editable_by(request.user), submission)
    with told(request, done="This is now the submission that counts for this benchmark."):
        submission.choose(by=request.user.public_id)
    return redirect("submission", submission.public_id)
