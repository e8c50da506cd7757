"""Two entries of one person become one: a lead sees first what would move."""

from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from tracker.people.merging import merge_people, preview_merge
from tracker.people.models import Person
from tracker.web.doors import PageRequest, demand, told_by


class DoubleForm(forms.Form):
    double = forms.ModelChoiceField(
        Person.objects.none(),
        to_field_name="public_id",
        label="The other entry of the same person",
        empty_label="Choose",
        error_messages={"required": "Choose the other entry.", "invalid_choice": "Choose one of the list."},
    )

    def __init__(self, *args: object, person: Person, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        others = Person.objects.distinct_people().filter(program=person.program).exclude(pk=person.pk)
        self.fields["double"].queryset = others  # type: ignore[attr-defined]


def own_person(request: PageRequest, person_id: UUID) -> Person:
    people = Person.objects.decided_by(request.user).distinct_people().select_related("program")
    person = get_object_or_404(people, public_id=person_id)
    demand(Person.objects.led_by(request.user), person)
    return person


@require_GET
def merge_form(request: PageRequest, person_id: UUID) -> HttpResponse:
    person = own_person(request, person_id)
    form = DoubleForm(request.GET or None, person=person)
    context = {"person": person, "program": person.program, "form": form}
    if form.is_bound and form.is_valid():
        context["preview"] = preview_merge(person, form.cleaned_data["double"], seen_by=request.user)
    return render(request, "people/merge.html", context)


def merge(request: PageRequest, person_id: UUID) -> HttpResponse:
    person = own_person(request, person_id)
    form = DoubleForm(request.POST, person=person)
    if form.is_valid():
        with told_by(form):
            merge_people(person, form.cleaned_data["double"], by=request.user.public_id)
            return redirect("person", person.public_id)
    context = {"person": person, "program": person.program, "form": form}
    return render(request, "people/merge.html", context, status=422)
