"""One submission: its phases live, what was measured, the claims beside it, and what may be done with it."""

from hashlib import sha256
from uuid import UUID

from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_GET, require_POST

from tracker.grading.models import Attempt, Measurement, Run, Submission
from tracker.web.doors import PageRequest, demand, told
from tracker.web.forms import RefusalForm
from tracker.web.gradings import gradings_of


def runs_etag(request: PageRequest, submission_id: UUID) -> str | None:
    """Changes with every change of a run; None where there is nothing that one may see."""
    runs = Run.objects.visible_to(request.user).filter(submission__public_id=submission_id)
    facts = list(runs.values_list("pk", "state", "crashes", "losses", "progress_done", "cancel_requested_at"))
    return f'"{sha256(repr(facts).encode()).hexdigest()[:20]}"' if facts else None


def shown(request: PageRequest, submission_id: UUID) -> Submission:
    related = ("project__program", "project__cohort", "benchmark", "artifact", "output", "submitted_by")
    submissions = Submission.objects.visible_to(request.user).select_related(*related)
    return get_object_or_404(submissions, public_id=submission_id)


def page_of(request: PageRequest, submission: Submission) -> dict[str, object]:
    measured = Prefetch("measurements", Measurement.objects.visible_to(request.user))
    runs = Run.objects.visible_to(request.user).filter(submission=submission).prefetch_related(measured)
    gradings = gradings_of(submission, runs)
    return {
        "submission": submission,
        "program": submission.project.program,
        "gradings": gradings,
        "newest": gradings[0] if gradings else None,
        "etag": runs_etag(request, submission.public_id),
    }


@require_GET
def submission(request: PageRequest, submission_id: UUID) -> HttpResponse:
    submission = shown(request, submission_id)
    context = page_of(request, submission)
    context["is_editable"] = Submission.objects.editable_by(request.user).filter(pk=submission.pk).exists()
    if Submission.objects.led_by(request.user).filter(pk=submission.pk).exists():
        context["is_led"] = True
        context["refusal"] = RefusalForm()
        context["attempts"] = Attempt.objects.filter(run__submission=submission).select_related("run")
    return render(request, "submissions/submission.html", context)


@require_GET
@cache_control(private=True, no_cache=True)
@condition(etag_func=runs_etag)
def submission_progress(request: PageRequest, submission_id: UUID) -> HttpResponse:
    """The grading alone, for a page that stays open."""
    context = page_of(request, shown(request, submission_id))
    return render(request, "submissions/_grading.html", context)


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
