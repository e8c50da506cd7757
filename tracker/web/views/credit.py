"""Whose a project's outputs are: stated by a member, confirmed by all, objected to in private."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from tracker.people.models import Person, Program, Role
from tracker.projects.models import CreditObjection, CreditStatement, Project
from tracker.web.credit_forms import SharesForm, TextForm
from tracker.web.doors import PageRequest, self_in, told, told_by


def place(request: PageRequest, project_id: UUID) -> Project:
    projects = Project.objects.visible_to(request.user).select_related("program", "cohort")
    return get_object_or_404(projects, public_id=project_id)


def credit_form(request: PageRequest, project_id: UUID) -> HttpResponse:
    project = place(request, project_id)
    return page(request, project, SharesForm(members=list(project.authors())))


def page(request: PageRequest, project: Project, form: SharesForm, status: int = 200) -> HttpResponse:
    statements = project.credit_statements.prefetch_related("shares__person", "confirmations__person")
    objections = CreditObjection.objects.visible_to(request.user).filter(statement__project=project)
    proposed = statements.proposed().first()
    awaited = list(proposed.unconfirmed_by()) if proposed is not None else []
    in_force = statements.in_force().first()
    context = {
        "project": project,
        "program": project.program,
        "form": form,
        "in_force": in_force,
        "left_out": list(in_force.leaves_out()) if in_force is not None else [],
        "proposed": proposed,
        "awaited": awaited,
        "is_awaited": any(person.user_id == request.user.pk for person in awaited),
        "objections": objections.select_related("person", "answered_by"),
        "is_author": project.authors().filter(pk__in=Person.objects.of(request.user)).exists(),
        "hears": Program.objects.where(request.user, Role.LEAD, Role.RESEARCH_MANAGER)
        .filter(pk=project.program_id)
        .exists(),
    }
    return render(request, "projects/credit.html", context, status=status)


def state_credit(request: PageRequest, project_id: UUID) -> HttpResponse:
    project = place(request, project_id)
    form = SharesForm(request.POST, members=list(project.authors()))
    if form.is_valid():
        with told_by(form):
            by = self_in(project.program, request.user)
            CreditStatement.objects.state(project, form.shares(), by=by)
            messages.success(request, "Stated: it holds once every member has confirmed it.")
            return redirect("credit", project.public_id)
    return page(request, project, form, status=422)


def statement_of(request: PageRequest, statement_id: UUID) -> tuple[CreditStatement, Person]:
    visible = CreditStatement.objects.visible_to(request.user).select_related("project__program")
    statement = get_object_or_404(visible, public_id=statement_id)
    return statement, self_in(statement.project.program, request.user)


@require_POST
def confirm_credit(request: PageRequest, statement_id: UUID) -> HttpResponse:
    statement, member = statement_of(request, statement_id)
    with told(request, done="Confirmed."):
        statement.confirm(by=member)
    return redirect("credit", statement.project.public_id)


@require_POST
def object_to_credit(request: PageRequest, statement_id: UUID) -> HttpResponse:
    statement, member = statement_of(request, statement_id)
    with told(request, done="Sent to the lead and the research manager alone."):
        statement.object(by=member, text=request.POST.get("text", ""))
    return redirect("credit", statement.project.public_id)


@require_POST
def settle_credit(request: PageRequest, statement_id: UUID) -> HttpResponse:
    statement, lead = statement_of(request, statement_id)
    with told(request, done="It holds from now on; the members read your reasons."):
        statement.settle(by=lead, reasons=request.POST.get("text", ""))
    return redirect("credit", statement.project.public_id)


@require_POST
def answer_objection(request: PageRequest, objection_id: UUID) -> HttpResponse:
    visible = CreditObjection.objects.visible_to(request.user).select_related("statement__project__program")
    objection = get_object_or_404(visible, public_id=objection_id)
    project = objection.statement.project
    form = TextForm(request.POST)
    with told(request, done="Answered: only whoever objected reads it."):
        text = form.cleaned_data["text"] if form.is_valid() else ""
        objection.reply(by=self_in(project.program, request.user), text=text)
    return redirect("credit", project.public_id)
