"""Somebody leaves, or goes on to another cohort: a lead sees first what that means."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from tracker.cohorts.models import Cohort, Enrollment
from tracker.people.models import Person
from tracker.ratings.leaving import leave_program, needs_own_word, takeovers
from tracker.web.doors import PageRequest, told
from tracker.web.views.merging import own_person


class TransferForm(forms.Form):
    cohort = forms.ModelChoiceField(Cohort.objects.none(), to_field_name="public_id", label="To")

    def __init__(self, *args: object, enrollment: Enrollment, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        others = Cohort.objects.filter(program=enrollment.cohort.program, archived_at=None)
        self.fields["cohort"].queryset = others.exclude(pk=enrollment.cohort_id)  # type: ignore[attr-defined]


@require_GET
def leave_form(request: PageRequest, person_id: UUID) -> HttpResponse:
    person = own_person(request, person_id)
    active = Enrollment.objects.active().filter(person=person).select_related("cohort__program")
    context = {
        "person": person,
        "program": person.program,
        "roles": person.memberships.active(),
        "needs_own_word": needs_own_word(person),
        "takeovers": takeovers(person),
        "transfers": [(enrollment, TransferForm(enrollment=enrollment)) for enrollment in active],
    }
    return render(request, "people/leave.html", context)


def leave(request: PageRequest, person_id: UUID) -> HttpResponse:
    person = own_person(request, person_id)
    with told(request, done=f"{person} has left {person.program}; what they said and did stays."):
        leave_program(person, hand_over="hand_over" in request.POST, by=request.user.public_id)
    return redirect("person", person.public_id)


def own_self(request: PageRequest, person_id: UUID) -> Person:
    return get_object_or_404(Person.objects.of(request.user).select_related("program"), public_id=person_id)


@require_GET
def leave_self_form(request: PageRequest, person_id: UUID) -> HttpResponse:
    person = own_self(request, person_id)
    context = {"person": person, "program": person.program, "roles": person.memberships.active()}
    return render(request, "people/leave_self.html", context)


def leave_self(request: PageRequest, person_id: UUID) -> HttpResponse:
    """By their own word, which nobody else can give."""
    person = own_self(request, person_id)
    with told(request, done=f"You have left {person.program}; what you said and did stays yours."):
        leave_program(person, by=request.user.public_id)
    return redirect("home")


@require_POST
def transfer(request: PageRequest, person_id: UUID, cohort_id: UUID) -> HttpResponse:
    person = own_person(request, person_id)
    active = Enrollment.objects.active().select_related("cohort__program", "person")
    enrollment = get_object_or_404(active, person=person, cohort__public_id=cohort_id)
    form = TransferForm(request.POST, enrollment=enrollment)
    if not form.is_valid():
        messages.error(request, "Choose a cohort of the list.")
    else:
        target = form.cleaned_data["cohort"]
        with told(request, done=f"{person} is in {target} from today on."):
            enrollment.transfer(target, by=request.user.public_id)
    return redirect("person", person.public_id)
