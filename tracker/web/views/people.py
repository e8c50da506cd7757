"""One person as the current fit sees them, for those who decide; released pictures for everybody else."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from tracker.estimates.models import Contribution, Estimate, SimulatedTruth
from tracker.estimates.viewing import record_view
from tracker.grading.models import Measurement
from tracker.people.models import Person
from tracker.projects.models import Project
from tracker.web.doors import PageRequest
from tracker.web.people import history_of, pieces_of, portrait_of

FITS_LOOKED_AT = 60


@require_GET
def person(request: PageRequest, person_id: UUID) -> HttpResponse:
    people = Person.objects.decided_by(request.user).select_related("program")
    person = get_object_or_404(people, public_id=person_id)
    history = list(
        Estimate.objects.decided_by(request.user)
        .filter(person=person)
        .select_related("fit__program", "person")
        .order_by("-fit__created_at", "-fit")[:FITS_LOOKED_AT]
    )
    context = {
        "person": person,
        "program": person.program,
        "projects": projects_of(request, person),
        "leads": Person.objects.led_by(request.user).filter(pk=person.pk).exists(),
    }
    if history:
        record_view(history[:1], by=request.user, door="web")
        context |= shown_of(request, history)
    return render(request, "people/person.html", context)


def shown_of(request: PageRequest, history: list[Estimate]) -> dict[str, object]:
    """Everything that goes with the newest of somebody's estimates."""
    newest = history[0]
    contributions = Contribution.objects.told_to(request.user).select_related("output__project")
    return {
        "portrait": portrait_of(newest, with_raw=True),
        "pieces": pieces_of(contributions.filter(fit=newest.fit, person=newest.person)),
        "history": history_of(history),
        "measurements": measurements_of(request, newest.person),
        "truth": SimulatedTruth.objects.visible_to(request.user).filter(person=newest.person).first(),
    }


def projects_of(request: PageRequest, person: Person) -> list[Project]:
    return list(Project.objects.visible_to(request.user).filter(team__person=person).distinct())


def measurements_of(request: PageRequest, person: Person) -> list[Measurement]:
    measured = Measurement.objects.visible_to(request.user).standing()
    related = measured.select_related("run__submission__benchmark", "run__benchmark")
    return list(related.filter(run__submission__output__credits__person=person).distinct())


@require_GET
def released(request: PageRequest) -> HttpResponse:
    """What the program has released to this visitor of the people they mentor."""
    estimates = list(
        Estimate.objects.released_to(request.user)
        .exclude(person__in=Person.objects.of(request.user))
        .select_related("fit__program", "person")
        .prefetch_related("fit__releases__stage")
        .order_by("-fit__created_at", "person__name")
    )
    record_view(estimates, by=request.user, door="web")
    portraits = [portrait_of(estimate) for estimate in estimates]
    return render(request, "people/released.html", {"portraits": portraits})
