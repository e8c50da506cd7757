"""Release reviews: one output at a time, by somebody outside its team."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from tracker.people.models import READERS, Person, Program, Role
from tracker.projects.models import HAZARDS, Output, ReleasePolicy, ReleaseReview
from tracker.web.doors import PageRequest, demand, self_in, told, told_by
from tracker.web.forms import TOO_LONG


class AnswerForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput)
    answer = forms.ChoiceField(choices=ReleaseReview.Answer, widget=forms.RadioSelect, label="Your answer")
    reasons = forms.CharField(
        label="Your reasons",
        help_text="The team reads them. For a release with changes, say which.",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Give the reasons: the team reads them.", "max_length": TOO_LONG},
    )


@require_GET
def reviews(request: PageRequest) -> HttpResponse:
    """What waits for an answer, the oldest first; leads see all of their program, and what is overdue."""
    open_reviews = ReleaseReview.objects.visible_to(request.user).waiting()
    context = {
        "reviews": open_reviews.select_related("output__project", "output__program", "reviewer"),
        "policies": ReleasePolicy.objects.visible_to(request.user).select_related("program"),
        "questions": HAZARDS.values(),
    }
    return render(request, "reviews/reviews.html", context)


def shown(request: PageRequest, review_id: UUID) -> ReleaseReview:
    visible = ReleaseReview.objects.visible_to(request.user)
    related = visible.select_related(
        "output__project", "output__program", "output__stage", "reviewer", "policy"
    )
    return get_object_or_404(related, public_id=review_id)


def page(request: PageRequest, review: ReleaseReview, form: AnswerForm, status: int = 200) -> HttpResponse:
    program = review.output.program
    leads = Program.objects.where(request.user, Role.LEAD).filter(pk=program.pk).exists()
    readers: Any = Person.objects.filter(program=program).active_as(*READERS)
    context = {
        "review": review,
        "output": review.output,
        "program": program,
        "form": form,
        "is_reviewer": Person.objects.of(request.user).filter(release_reviews=review).exists(),
        "candidates": readers.exclude(teams__project=review.output.project) if leads else (),
    }
    return render(request, "reviews/review.html", context, status=status)


def review_form(request: PageRequest, review_id: UUID) -> HttpResponse:
    return page(request, shown(request, review_id), AnswerForm())


def conclude_review(request: PageRequest, review_id: UUID) -> HttpResponse:
    review = shown(request, review_id)
    form = AnswerForm(request.POST)
    if form.is_valid():
        with told_by(form):
            review.conclude(by=self_in(review.output.program, request.user), **form.cleaned_data)
            return redirect("reviews")
    return page(request, review, form, status=422)


@require_POST
def assign_review(request: PageRequest, review_id: UUID) -> HttpResponse:
    review = shown(request, review_id)
    program = review.output.program
    lead = self_in(program, request.user)
    demand(Program.objects.where(request.user, Role.LEAD), program)
    people = Person.objects.visible_to(request.user).filter(program=program)
    try:
        chosen = get_object_or_404(people, public_id=UUID(request.POST.get("reviewer", "")))
    except ValueError:
        return redirect("review", review.public_id)
    with told(request, done=f"{chosen} is asked to review it."):
        review.assign(chosen, by=lead)
    return redirect("review", review.public_id)


@require_POST
def flag_output(request: PageRequest, output_id: UUID) -> HttpResponse:
    """Anybody on the team, or a lead, may ask for a review at any time."""
    output = get_object_or_404(Output.objects.visible_to(request.user).standing(), public_id=output_id)
    demand(Output.objects.editable_by(request.user), output)
    with told(request, done="Private from now on, until a reviewer has answered."):
        output.flag(request.POST.getlist("hazards"), by=request.user.public_id)
    return redirect("output", output.public_id)
