"""Having something measured again: a team asks, and somebody who does not work on it decides."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from tracker.grading.models import RegradeRequest, Submission
from tracker.web.doors import PageRequest, demand, self_in, told
from tracker.web.forms import AnswerForm, RegradeForm


def asked_and_decided(
    request: PageRequest, submission: Submission, *, is_editable: bool, is_being_graded: bool
) -> dict[str, Any]:
    """What the submission's page shows of requests, and offers."""
    rows = RegradeRequest.objects.visible_to(request.user).filter(submission=submission)
    requests = list(rows.select_related("asked_by", "decided_by"))
    is_open = any(one.is_open for one in requests)
    if is_open:
        may_decide = set(RegradeRequest.objects.decidable_by(request.user).values_list("pk", flat=True))
        for one in requests:
            one.may_decide = one.pk in may_decide  # type: ignore[attr-defined]
    return {
        "requests": requests,
        "may_ask": is_editable and not is_open and not submission.is_check_only and not is_being_graded,
        "regrade_form": RegradeForm(),
        "answer_form": AnswerForm(),
    }


def seen(request: PageRequest, submission_id: UUID) -> Submission:
    rows = Submission.objects.visible_to(request.user).select_related("program", "project", "benchmark")
    return get_object_or_404(rows, public_id=submission_id)


@require_POST
def ask_regrade(request: PageRequest, submission_id: UUID) -> HttpResponse:
    submission = seen(request, submission_id)
    demand(Submission.objects.editable_by(request.user), submission)
    who = self_in(submission.program, request.user)
    with told(request, done="Asked: somebody who does not work on it will decide."):
        RegradeRequest.objects.ask(submission, by=who, reason=request.POST.get("reason", ""))
    return redirect("submission", submission.public_id)


@require_POST
def decide_regrade(request: PageRequest, request_id: UUID) -> HttpResponse:
    rows = RegradeRequest.objects.visible_to(request.user).select_related("submission__program")
    asked = get_object_or_404(rows, public_id=request_id)
    demand(Submission.objects.led_by(request.user), asked.submission)
    who, answer = self_in(asked.submission.program, request.user), request.POST.get("answer", "")
    with told(request, done="Decided: the team reads it."):
        if request.POST.get("decision") == RegradeRequest.Decision.GRANTED:
            asked.grant(by=who, answer=answer)
        else:
            asked.refuse(by=who, answer=answer)
    return redirect("submission", asked.submission.public_id)


@require_POST
def submit_in_full(request: PageRequest, submission_id: UUID) -> HttpResponse:
    submission = seen(request, submission_id)
    demand(Submission.objects.editable_by(request.user), submission)
    with told(request, done="Sent: it is measured now."):
        submission = submission.submit_in_full(by=self_in(submission.program, request.user))
    return redirect("submission", submission.public_id)
