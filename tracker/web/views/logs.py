"""A program's two logs, for its leads and auditors: who looked at whose estimate, and what changed."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from tracker.estimates.models import Viewing
from tracker.events.changes import changes_in
from tracker.people.models import Program, Role, User
from tracker.web.doors import PageRequest
from tracker.web.log_forms import LogForm, LooksForm

MOST = 500


def audited_program(request: PageRequest, program_id: UUID) -> Program:
    return get_object_or_404(request.user.programs_as(Role.LEAD, Role.AUDITOR), public_id=program_id)


@require_GET
def logs(request: PageRequest) -> HttpResponse:
    """The log of the program that one leads or audits."""
    program = request.user.programs_as(Role.LEAD, Role.AUDITOR).first()
    if program is None:
        raise Http404
    return redirect("looks", program.public_id)


@require_GET
def looks(request: PageRequest, program_id: UUID) -> HttpResponse:
    program = audited_program(request, program_id)
    form = LooksForm(request.GET, program=program)
    span = form.span()
    seen = Viewing.objects.visible_to(request.user).filter(person__program=program)
    seen = seen.filter(looked_at__gte=span.since, looked_at__lt=span.until, **chosen(form))
    context = {"program": program, "form": form, "looks": list(seen.as_looks()[:MOST]), "most": MOST}
    return render(request, "logs/looks.html", context)


def chosen(form: LooksForm) -> dict[str, Any]:
    """What is asked for besides the days."""
    asked = form.cleaned_data if form.is_valid() else {}
    wanted = {"viewer": asked.get("by"), "door": asked.get("door"), "person": asked.get("person")}
    return {name: value for name, value in wanted.items() if value}


@require_GET
def changes(request: PageRequest, program_id: UUID) -> HttpResponse:
    program = audited_program(request, program_id)
    form = LogForm(request.GET, program=program)
    found = changes_in(program, request.user, form.span(), most=MOST)
    names = User.objects.in_bulk({entry.by for entry in found if entry.by is not None})
    entries = [(entry, names.get(entry.by)) for entry in found]
    is_cut = sum(1 + entry.others for entry in found) == MOST
    context = {"program": program, "form": form, "entries": entries, "most": MOST, "is_cut": is_cut}
    return render(request, "logs/changes.html", context)
