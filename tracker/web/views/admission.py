"""Applications, from both sides: whoever applies, and whoever runs the round."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from tracker.cohorts.models import AdmissionRound, Application
from tracker.decisions.progression import progressions_of
from tracker.projects.applying import send_application, withdraw_application
from tracker.projects.models import Reference
from tracker.web.admission_forms import ApplicationForm, InvitationForm, ReferenceForm
from tracker.web.doors import PageRequest, demand, told, told_by


@require_GET
def applications(request: PageRequest) -> HttpResponse:
    own = Application.objects.of(request.user).select_related("round__stage", "round__cohort__program")
    return render(request, "admission/applications.html", {"applications": own})


def own_application(request: PageRequest, application_id: UUID) -> Application:
    own = Application.objects.of(request.user).select_related(
        "round__stage", "round__cohort__program", "enrollment__person", "track", "stream"
    )
    return get_object_or_404(own, public_id=application_id)


def show_application(
    request: PageRequest, application: Application, form: ApplicationForm, status: int = 200
) -> HttpResponse:
    context = {
        "application": application,
        "round": application.round,
        "program": application.round.cohort.program,
        "references": application.references.all(),
        "form": form,
        "referee": InvitationForm(),
        "before": progressions_of(application.round.cohort),
    }
    return render(request, "admission/application.html", context, status=status)


@require_GET
def application_form(request: PageRequest, application_id: UUID) -> HttpResponse:
    application = own_application(request, application_id)
    return show_application(request, application, ApplicationForm(application=application))


def send(request: PageRequest, application_id: UUID) -> HttpResponse:
    application = own_application(request, application_id)
    form = ApplicationForm(request.POST, application=application)
    if form.is_valid():
        with told_by(form), transaction.atomic():
            application.wish(**form.wished())
            send_application(application, by=request.user.public_id, **form.said())
            messages.success(request, "Your application is sent. You may change it until the round closes.")
            return redirect("application", application.public_id)
    return show_application(request, application, form, status=422)


@require_POST
def withdraw(request: PageRequest, application_id: UUID) -> HttpResponse:
    application = own_application(request, application_id)
    with told(request, done="Your application is withdrawn."):
        withdraw_application(application)
    return redirect("application", application.public_id)


@require_POST
def decline(request: PageRequest, application_id: UUID) -> HttpResponse:
    application = own_application(request, application_id)
    with told(request, done="You have declined the place; thank you for saying so."):
        application.decline(by=request.user.public_id)
    return redirect("application", application.public_id)


@require_POST
def name_referee(request: PageRequest, application_id: UUID) -> HttpResponse:
    application = own_application(request, application_id)
    form = InvitationForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give the name and the e-mail address of who is to be asked.")
    else:
        with told(request, done=f"{form.cleaned_data['name']} will be asked."):
            Reference.objects.ask(application, **form.cleaned_data)
    return redirect("application", application.public_id)


def led_round(request: PageRequest, round_id: UUID, *, to_change: bool) -> AdmissionRound:
    rounds = AdmissionRound.objects.visible_to(request.user).select_related("stage", "cohort__program")
    found = get_object_or_404(rounds, public_id=round_id)
    if to_change:
        demand(AdmissionRound.objects.led_by(request.user), found)
    return found


def show_round(
    request: PageRequest, round: AdmissionRound, form: InvitationForm, *, link: str = "", status: int = 200
) -> HttpResponse:
    asked = Prefetch("references", Reference.objects.visible_to(request.user))
    sent = Application.objects.visible_to(request.user).filter(round=round).exclude(state="draft")
    context: dict[str, Any] = {
        "round": round,
        "program": round.cohort.program,
        "applications": sent.select_related("enrollment__person", "track", "stream").prefetch_related(asked),
        "leads": AdmissionRound.objects.led_by(request.user).filter(pk=round.pk).exists(),
        "form": form,
        "link": link,
    }
    return render(request, "admission/round.html", context, status=status)


@require_GET
def round_page(request: PageRequest, round_id: UUID) -> HttpResponse:
    return show_round(request, led_round(request, round_id, to_change=False), InvitationForm())


def invite(request: PageRequest, round_id: UUID) -> HttpResponse:
    round = led_round(request, round_id, to_change=True)
    form = InvitationForm(request.POST)
    if form.is_valid():
        with told_by(form):
            round.invite(**form.cleaned_data, by=request.user.public_id)
            messages.success(
                request, f"{form.cleaned_data['name']} may apply: tell them to set a password and log in."
            )
            return redirect("admission-round", round.public_id)
    return show_round(request, round, form, status=422)


@require_POST
@never_cache
def issue_link(request: PageRequest, reference_id: UUID) -> HttpResponse:
    """The way in for a referee, shown once to whoever sends it on."""
    references = Reference.objects.visible_to(request.user).select_related("application__round")
    reference = get_object_or_404(references, public_id=reference_id)
    round = led_round(request, reference.application.round.public_id, to_change=True)
    path = reverse("write-reference", args=[reference.issue_link()])
    return show_round(request, round, InvitationForm(), link=request.build_absolute_uri(path))


def awaited(token: str) -> Reference:
    references = Reference.objects.awaited(token).select_related(
        "application__round__cohort__program", "application__round__stage", "application__enrollment__person"
    )
    found = references.first()
    if found is None:
        raise Http404
    return found


@require_GET
@never_cache
def reference_form(request: HttpRequest, token: str) -> HttpResponse:
    context = {"reference": awaited(token), "form": ReferenceForm()}
    return render(request, "admission/reference.html", context)


def receive_reference(request: HttpRequest, token: str) -> HttpResponse:
    reference = awaited(token)
    form = ReferenceForm(request.POST)
    if form.is_valid():
        with told_by(form):
            reference.receive(**form.cleaned_data)
            return render(request, "admission/thanks.html", {"reference": reference})
    return render(request, "admission/reference.html", {"reference": reference, "form": form}, status=422)
