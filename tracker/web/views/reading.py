"""What a reader has to read, and a rating: blind, kept as a draft, revised or retracted while the reading is open."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from tracker.estimates.models import RaterEstimate
from tracker.mentoring.models import Feedback
from tracker.people.models import Person
from tracker.projects.models import Output, OutputVersion
from tracker.ratings.models import Rating, Reply, Rubric, Score, Unsent
from tracker.ratings.reading import outputs_to_read, why_not
from tracker.web.doors import PageRequest, self_in, told, told_by
from tracker.web.forms import ConflictForm, RatingForm, ReasonForm, ReplyForm, answers_of

SHOWN = 60


@require_GET
def reading(request: PageRequest) -> HttpResponse:
    waiting = outputs_to_read(request.user).select_related("project__cohort", "stage")
    given = Rating.objects.given_by(request.user).select_related("output__project", "output__stage")
    said = (
        Prefetch("scores", Score.objects.select_related("criterion")),
        Prefetch("replies", Reply.objects.select_related("person")),
    )
    unsent = Unsent.objects.visible_to(request.user).values_list("output", flat=True)
    context = {
        "waiting": waiting[:SHOWN],
        "unsent": set(unsent),
        "given": given.with_conflict().prefetch_related(*said)[:SHOWN],
        "own_leniency": RaterEstimate.objects.visible_to(request.user).order_by("-fit").first(),
    }
    return render(request, "ratings/reading.html", context)


def readable(request: PageRequest, output_id: UUID) -> tuple[Output, Person, Rubric]:
    outputs = Output.objects.visible_to(request.user).standing().select_related("program", "project", "stage")
    output = get_object_or_404(outputs, public_id=output_id)
    reader = self_in(output.program, request.user)
    return output, reader, Rubric.objects.of(reader)


@require_GET
def rating_form(request: PageRequest, output_id: UUID) -> HttpResponse:
    output, reader, rubric = readable(request, output_id)
    unsent = Unsent.objects.visible_to(request.user).filter(output=output).first()
    form = RatingForm(rubric=rubric, initial=unsent.answers if unsent is not None else None)
    return rate_page(request, output, reader, form, unsent=unsent)


def rate_page(
    request: PageRequest,
    output: Output,
    reader: Person,
    form: RatingForm,
    *,
    unsent: Unsent | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "output": output,
        "program": output.program,
        "form": form,
        "unsent": unsent,
        "conflict_form": ConflictForm(),
        "why_not": why_not(output, reader),
    }
    return render(request, "ratings/rate.html", context, status=status)


def record_rating(request: PageRequest, output_id: UUID) -> HttpResponse:
    output, rater, rubric = readable(request, output_id)
    form = RatingForm(request.POST, rubric=rubric)
    if form.is_valid():
        with told_by(form), transaction.atomic():
            said = {**form.said(), "seen": version_read(request, output)}
            Rating.objects.record(output=output, rater=rater, by=request.user.public_id, **said)
            if form.cleaned_data["feedback"].strip():
                Feedback.objects.give(
                    project=output.project, author=rater, text=form.cleaned_data["feedback"], output=output
                )
            messages.success(request, f"Your rating of {output} is recorded.")
            return redirect("reading")
    return rate_page(request, output, rater, form, status=422)


def version_read(request: PageRequest, output: Output) -> OutputVersion | None:
    """The version that the page showed when it was opened; the present one where it does not say."""
    try:
        shown = UUID(request.POST.get("seen", ""))
    except ValueError:
        return None
    return output.versions.filter(public_id=shown).first()


@require_POST
def keep_draft(request: PageRequest, output_id: UUID) -> HttpResponse:
    """What is typed is kept as it is, for its author alone, until it is submitted."""
    output, rater, rubric = readable(request, output_id)
    typed = RatingForm(request.POST, rubric=rubric).typed()
    if request.headers.get("HX-Request"):
        unsent = Unsent.objects.keep(output=output, rater=rater, answers=typed)
        return render(request, "ratings/_kept.html", {"unsent": unsent, "output": output})
    with told(request, done="Kept as a draft: nobody but you sees it."):
        Unsent.objects.keep(output=output, rater=rater, answers=typed)
    return redirect("rate", output.public_id)


def own_rating(request: PageRequest, rating_id: UUID) -> Rating:
    given = Rating.objects.given_by(request.user).select_related(
        "program", "output__stage", "output__project", "rater__program"
    )
    return get_object_or_404(given, public_id=rating_id)


@require_GET
def revision_form(request: PageRequest, rating_id: UUID) -> HttpResponse:
    rating = own_rating(request, rating_id)
    form = RatingForm(rubric=Rubric.objects.of(rating.rater), initial=answers_of(rating))
    return render(request, "ratings/revise.html", revision_of(rating, form))


def revision_of(rating: Rating, form: RatingForm) -> dict[str, object]:
    return {"rating": rating, "output": rating.output, "program": rating.program, "form": form}


def revise_rating(request: PageRequest, rating_id: UUID) -> HttpResponse:
    rating = own_rating(request, rating_id)
    form = RatingForm(request.POST, rubric=Rubric.objects.of(rating.rater))
    if form.is_valid():
        with told_by(form):
            seen = version_read(request, rating.output)
            rating.revise(by=request.user.public_id, **form.said(), seen=seen)
            messages.success(request, f"Your rating of {rating.output} is revised.")
            return redirect("reading")
    return render(request, "ratings/revise.html", revision_of(rating, form), status=422)


@require_GET
def retraction_form(request: PageRequest, rating_id: UUID) -> HttpResponse:
    rating = own_rating(request, rating_id)
    context = {"rating": rating, "program": rating.program, "form": ReasonForm()}
    return render(request, "ratings/retract.html", context)


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


@require_POST
def reply(request: PageRequest, rating_id: UUID) -> HttpResponse:
    """The person's own word on what was said of their work."""
    about = Rating.objects.about(request.user).select_related("program")
    rating = get_object_or_404(about, public_id=rating_id)
    person = self_in(rating.program, request.user)
    form = ReplyForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Write a reply of at most 10,000 characters.")
        return redirect("mine")
    with told(request, done="Your reply stands beside the rating now."):
        Reply.objects.give(rating, person=person, text=form.cleaned_data["text"])
    return redirect("mine")
