"""One output: what it says and does not say; and a new one."""

from typing import Any
from uuid import UUID

from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_GET

from tracker.projects.models import HAZARDS, Output, OutputVersion, Project, ReleaseReview
from tracker.projects.uploads import Upload, watch
from tracker.web.doors import PageRequest, demand, told_by
from tracker.web.output_forms import OutputForm, ProbeForm

ADD = {
    "heading": "Add an output",
    "reason": "Say beside it how it is to be read: what it shows, what it does not show, and how it will be misread.",
}
PROBE = {
    "heading": "Log a probe",
    "reason": "One line for one contact with reality: what you asked, did and saw. Small and often is best.",
}
REVISE = {
    "heading": "Give a newer version",
    "reason": "Whoever has rated it is known to have seen the version before; whoever rates it next sees this one.",
}


@require_GET
def output(request: PageRequest, output_id: UUID) -> HttpResponse:
    outputs = Output.objects.visible_to(request.user).select_related("program", "project", "stage")
    output = get_object_or_404(outputs, public_id=output_id)
    credits = output.credits.select_related("person").order_by("kind", "-share", "person__name")
    context = {
        "output": output,
        "program": output.program,
        "credits": credits,
        "versions": output.versions.all(),
        "hazards": HAZARDS.items(),
        "review": ReleaseReview.objects.visible_to(request.user).filter(output=output).last(),
        "may_edit": Output.objects.editable_by(request.user).filter(pk=output.pk).exists(),
    }
    return render(request, "outputs/output.html", context)


@require_GET
def version_file(request: PageRequest, version_id: UUID) -> FileResponse:
    """The file of one version, to be kept and not to be opened in the browser."""
    versions = OutputVersion.objects.visible_to(request.user).select_related("file")
    version = get_object_or_404(versions, public_id=version_id)
    if version.file is None:
        raise Http404
    file = version.file.path.open("rb")
    return FileResponse(
        file, as_attachment=True, filename=version.filename, content_type="application/octet-stream"
    )


def edited(request: PageRequest, project_id: UUID) -> Project:
    """A project that the visitor may add to."""
    projects = Project.objects.visible_to(request.user).select_related("program", "cohort")
    project = get_object_or_404(projects, public_id=project_id)
    demand(Project.objects.editable_by(request.user), project)
    return project


def form_page(
    request: PageRequest, project: Project, form: Any, words: dict[str, str], status: int = 200
) -> HttpResponse:
    same = Output.objects.visible_to(request.user).same_work(project.program, form.data.get("url", ""))
    context = {"project": project, "program": project.program, "form": form, "same": same, **words}
    return render(request, "outputs/add.html", context, status=status)


def output_form(request: PageRequest, project_id: UUID) -> HttpResponse:
    project = edited(request, project_id)
    return form_page(request, project, OutputForm(project=project), ADD)


def add_output(request: PageRequest, project_id: UUID) -> HttpResponse:
    """The limits of a file hold from its first byte, so they are set before anything, the token too, is read."""
    project = edited(request, project_id)
    return receive_output(request, project=project, upload=watch(request))


@csrf_protect
def receive_output(request: PageRequest, *, project: Project, upload: Upload) -> HttpResponse:
    form = OutputForm(request.POST, request.FILES, project=project)
    return publish(request, project, form, ADD, upload)


def probe_form(request: PageRequest, project_id: UUID) -> HttpResponse:
    return form_page(request, edited(request, project_id), ProbeForm(), PROBE)


def edited_output(request: PageRequest, output_id: UUID) -> Output:
    outputs = Output.objects.visible_to(request.user).standing()
    output = get_object_or_404(
        outputs.select_related("program", "project__cohort", "project__program", "stage"), public_id=output_id
    )
    demand(Output.objects.editable_by(request.user), output)
    return output


def revision_form(request: PageRequest, output_id: UUID) -> HttpResponse:
    output = edited_output(request, output_id)
    return form_page(request, output.project, form_for(output), REVISE)


def form_for(output: Output, data: Any = None, files: Any = None) -> OutputForm | ProbeForm:
    """The form that the output was made with, filled with what it says now."""
    told = {**output.content(), "stage": output.stage}
    if output.kind == Output.Kind.PROBE:
        return ProbeForm(data, initial=told)
    return OutputForm(data, files, initial={**told, "file": None}, project=output.project)


def revise(request: PageRequest, output_id: UUID) -> HttpResponse:
    output = edited_output(request, output_id)
    return receive_revision(request, output=output, upload=watch(request))


@csrf_protect
def receive_revision(request: PageRequest, *, output: Output, upload: Upload) -> HttpResponse:
    form = form_for(output, request.POST, request.FILES)
    if form.is_valid():
        with told_by(form):
            upload.judge()
            output.revise(by=request.user.public_id, **form.values())
            return redirect("output", output.public_id)
    return form_page(request, output.project, form, REVISE, status=422)


def add_probe(request: PageRequest, project_id: UUID) -> HttpResponse:
    project = edited(request, project_id)
    return publish(request, project, ProbeForm(request.POST), PROBE)


def publish(
    request: PageRequest,
    project: Project,
    form: OutputForm | ProbeForm,
    words: dict[str, str],
    upload: Upload | None = None,
) -> HttpResponse:
    if form.is_valid():
        with told_by(form):
            if upload is not None:
                upload.judge()
            output = Output.objects.publish(project, by=request.user.public_id, **form.values())
            return redirect("output", output.public_id)
    return form_page(request, project, form, words, status=422)
