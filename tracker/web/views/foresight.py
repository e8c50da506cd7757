"""What readers foresaw, how good that was, and what is asked of them now that its time has come."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from tracker.people.models import Person
from tracker.ratings.models import Forecast, Outlook
from tracker.web.doors import PageRequest, self_in, told_by
from tracker.web.forms import TOO_LONG
from tracker.wording import LONGEST_TEXT

SHOWN = 60


class OutlookForm(forms.Form):
    is_true = forms.ChoiceField(
        label="What came of it?",
        choices=(("yes", "Yes"), ("no", "No")),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose one."),
    )
    reason = forms.CharField(
        label="Why?",
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say in a sentence why.", "max_length": TOO_LONG},
    )


@require_GET
def foreseen(request: PageRequest) -> HttpResponse:
    return page(request)


def page(request: PageRequest, status: int = 200, **bound: Any) -> HttpResponse:
    """A form that was refused comes back, at its question, as it was filled in."""
    due = Outlook.objects.for_answering(request.user).select_related("output__project", "output__program")
    own = Forecast.objects.filter(rating__rater__in=Person.objects.of(request.user))
    context = {"due": due[:SHOWN], "scored": own.scored(), "form": OutlookForm(auto_id=False), **bound}
    return render(request, "ratings/foreseen.html", context, status=status)


@require_POST
def answer_outlook(request: PageRequest, outlook_id: UUID) -> HttpResponse:
    asked = Outlook.objects.for_answering(request.user).select_related("output__program")
    outlook = get_object_or_404(asked, public_id=outlook_id)
    form = OutlookForm(request.POST, auto_id=False)
    if form.is_valid():
        with told_by(form):
            by = self_in(outlook.output.program, request.user)
            outlook.answer(form.cleaned_data["is_true"] == "yes", by=by, reason=form.cleaned_data["reason"])
            return redirect("foreseen")
    return page(request, status=422, answered=outlook, bound=form)
