"""Support: a research manager's caseload, and how people say they are."""

from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from tracker.mentoring.models import Pulse, Support
from tracker.people.models import Person, Role
from tracker.ratings.amounts import with_amount_of_evidence
from tracker.web.doors import PageRequest, told_by
from tracker.web.forms import PulseForm

PULSES_SHOWN = 12


@require_GET
def caseload(request: PageRequest) -> HttpResponse:
    """Whom one supports: how much evidence there is of them, and how they say they are."""
    supported = Support.objects.given_by(request.user).values("person")
    people = with_amount_of_evidence(Person.objects.filter(pk__in=supported)).select_related("program")
    pulses = Pulse.objects.visible_to(request.user).order_by("-asked_on")
    context = {"people": people.prefetch_related(Prefetch("pulses", pulses, to_attr="told"))}
    return render(request, "care/caseload.html", context)


def supported_self(request: PageRequest) -> Person:
    """Who the visitor is where somebody supports them; without a manager nobody would read it."""
    supported = Support.objects.standing().values("person")
    mentees = Person.objects.of(request.user).active_as(Role.MENTEE)
    return get_object_or_404(mentees.filter(pk__in=supported).select_related("program")[:1])


@require_GET
def pulse_form(request: PageRequest) -> HttpResponse:
    return pulse_page(request, supported_self(request), PulseForm())


def answer_pulse(request: PageRequest) -> HttpResponse:
    person, form = supported_self(request), PulseForm(request.POST)
    if form.is_valid():
        with told_by(form):
            Pulse.objects.answer(person, **form.cleaned_data)
    if form.errors:
        return pulse_page(request, person, form, status=422)
    return redirect("pulse")


def pulse_page(request: PageRequest, person: Person, form: PulseForm, status: int = 200) -> HttpResponse:
    manager = Support.objects.standing().select_related("manager").get(person=person).manager
    told = Pulse.objects.visible_to(request.user).filter(person=person)[:PULSES_SHOWN]
    context = {"person": person, "program": person.program, "manager": manager, "told": told, "form": form}
    return render(request, "care/pulse.html", context, status=status)
