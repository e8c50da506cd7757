"""The release of a stage's estimates: asked for once more before it happens."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from tracker.cohorts.models import Stage
from tracker.estimates.models import Fit, Release
from tracker.web.doors import PageRequest, demand, self_in, told


def releasable(request: PageRequest, stage_id: UUID) -> Stage:
    stages = Stage.objects.visible_to(request.user).select_related("cohort__program", "release")
    stage = get_object_or_404(stages, public_id=stage_id)
    demand(Stage.objects.led_by(request.user), stage)
    return stage


@require_GET
def release_form(request: PageRequest, stage_id: UUID) -> HttpResponse:
    stage = releasable(request, stage_id)
    fit = Fit.objects.current().visible_to(request.user).filter(program=stage.cohort.program).first()
    context = {"stage": stage, "program": stage.cohort.program, "fit": fit}
    return render(request, "cohorts/release.html", context)


def release(request: PageRequest, stage_id: UUID) -> HttpResponse:
    stage = releasable(request, stage_id)
    lead = self_in(stage.cohort.program, request.user)
    with told(request, done=f"The pictures of {stage} are released."):
        Release.objects.release(stage, by=lead)
    return redirect("cohort", stage.cohort.public_id)
