"""What a reader has to read, and a rating: blind, and final until it is retracted."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from tracker.estimates.models import RaterEstimate
from tracker.mentoring.models import Feedback
from tracker.projects.models import Output
from tracker.ratings.models import Rating, Rubric
from tracker.ratings.reading import outputs_to_read
from tracker.web.doors import PageRequest, self_in, told_by
from tracker.web.forms import ConflictForm, RatingForm, ReasonForm

SHOWN = 60


@require_GET
def reading(request: PageRequest) -> HttpResponse:
    waiting = outputs_to_read(request.user).select_related("project__cohort", "stage")
    given = Rating.objects.given_by(request.user).select_related("output__project", "output__stage")
    context = {
        "waiting": waiting[:SHOWN],
        "given": given.prefetch_related("scores__criterion")[:SHOWN],
        "own_leniency": RaterEstimate.objects.visible_to(request.user).order_by("-fit").first(),
    }
    return render(request, "ratings/reading.html", context)


def readable(request: PageRequest, output_id: UUID) -> tuple[Output, Rubric]:
    outputs = Output.objects.visible_to(request.user).standing().select_related("program", "project", "stage")
    output = get_object_or_404(outputs, public_id=output_id)
    return output, Rubric.objects.of(output.program)


@require_GET
def rating_form(request: PageRequest, output_id: UUID) -> HttpResponse:
    output, rubric = readable(request, output_id)
    self_in(output.program, request.user)
    return rate_page(request, output, RatingForm(rubric=rubric))


def rate_page(request: PageRequest, output: Output, form: RatingForm, status: int = 200) -> HttpResponse:
    context = {
        "output": output,
        "program": output.program,
        "form": form,
        "conflict_form": ConflictForm(),
        "may_rate": outputs_to_read(request.user).filter(pk=output.pk).exists(),
    }
    return render(request, "ratings/rate.html", context, status=status)


def record_rating(request: PageRequest, output_id: UUID) -> HttpResponse:
    output, rubric = readable(request, output_id)
    rater = self_in(output.program, request.user)
    form = RatingForm(request.POST, rubric=rubric)
    if form.is_valid():
        with told_by(form), transaction.atomic():
            values = form.cleaned_data
            Rating.objects.record(
                output=output,
                rater=rater,
                scores=form.scores(),
                comment=values["comment"],
                by=request.user.public_id,
            )
            if values["feedback"].strip():
                Feedback.objects.give(
                    project=output.project, author=rater, text=values["feedback"], output=output
                )
            messages.success(request, f"Your rating of {output} is recorded.")
            return redirect("reading")
    return rate_page(request, output, form, status=422)


@require_GET
def retraction_form(request: PageRequest, rating_id: UUID) -> HttpResponse:
    rating = own_rating(request, rating_id)
    context = {"rating": rating, "program": rating.program, "form": ReasonForm()}
    return render(request, "ratings/retract.html", context)


def own_rating(request: PageRequest, rating_id: UUID) -> Rating:
    given = Rating.objects.given_by(request.user).select_related(
        "program", "output__stage", "output__project"
    )
    return get_object_or_404(given, public_id=rating_id)


def retract_rating(request: PageRequest, rating_id: UUID) -> HttpResponse:
    rating = own_rating(request, rating_id)
    form = ReasonForm(request.POST)
    if form.is_valid():
        with told_by(form):
            rating.retract(reason=form.cleaned_data["reason"], by=request.user.public_id)
            messages.success(request, f"Your rating of {rating.output} is retracted.")
            return redirect("reading")
    context = {"rating": rating, "program": rating.program, "form": form}
    return render(request, "ratings/retract.html", context, status=422)
