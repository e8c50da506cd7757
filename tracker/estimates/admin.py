"""Estimates with their likely range, the history of fits, and releases. Who looks is logged."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from tracker.errors import RuleBroken
from tracker.estimates.models import Estimate, Fit, FitRequest, Hyper, Release
from tracker.estimates.viewing import record_view
from tracker.people.models import DECIDERS, Person, Program
from tracker.people.scoped_admin import (
    MadeByVerb,
    ScopedModelAdmin,
    ScopedRelatedFilter,
    is_superuser,
    leads_somewhere,
)

UNTOLD = "-"
HOW: dict[str, str] = {
    Hyper.MODE: "quickly, as a first look",
    Hyper.INTEGRATED: "in full, with every doubt weighed",
}
# The pictures of ranges reach this far on either side of the prior mean, in units of the scores.
REACH, WIDTH, MARGIN = 4.0, 160, 6
RANGE = (
    '<svg class="range" width="{width}" height="16" aria-hidden="true" focusable="false">'
    '<line class="range-zero" x1="{middle}" x2="{middle}" y1="1" y2="15"/>'
    '<line class="range-thin" x1="{q05}" x2="{q95}" y1="8" y2="8"/>'
    '<line class="range-thick" x1="{q25}" x2="{q75}" y1="8" y2="8"/>'
    '<circle class="range-middle" cx="{q50}" cy="8" r="3.5"/></svg>'
)


class LoggedAdmin(ScopedModelAdmin):
    """A list or a page of estimates: showing it is logged by name."""

    is_computed = True

    def estimates_of(self, request: HttpRequest, rows: Iterable[Any]) -> list[Estimate]:
        """The estimates that these rows show to this user."""
        raise NotImplementedError

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        answer = super().changelist_view(request, extra_context)
        shown = getattr(answer, "context_data", None) or {}
        if "cl" in shown:
            self.log(request, shown["cl"].result_list)
        return answer

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = super().change_view(request, object_id, *args, **kwargs)
        shown = getattr(answer, "context_data", None) or {}
        if shown.get("original") is not None:
            self.log(request, [shown["original"]])
        return answer

    def log(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        record_view(self.estimates_of(request, rows), by=request.user, door="admin")  # type: ignore[arg-type]


def likely_range(estimate: Estimate | None) -> str:
    if estimate is None:
        return UNTOLD
    if estimate.is_early:
        return "too early to say"
    return f"{estimate.q05:+.1f} to {estimate.q95:+.1f}"


def range_picture(estimate: Estimate | None) -> str:
    """The same as a picture, on one scale for all: nine in ten thin, the middle half thick, the middle a dot."""
    if estimate is None or estimate.is_early:
        return ""
    at = {name: place(getattr(estimate, name)) for name in ("q05", "q25", "q50", "q75", "q95")}
    return format_html(RANGE, middle=place(0), width=WIDTH, **at)


def place(value: float) -> str:
    """Where a value lies in the picture; what is beyond its ends lies at them."""
    share = (value + REACH) / (2 * REACH)
    return f"{MARGIN + (WIDTH - 2 * MARGIN) * min(max(share, 0.0), 1.0):.1f}"


@admin.register(Estimate)
class EstimateAdmin(LoggedAdmin):
    """The likely range first: nine in ten. Leads see every fit, others what was released to them."""

    program_path = "fit__program"
    funds_view = True
    list_display = (
        "person",
        "program",
        "likely_range",
        "picture",
        "middle",
        "readers",
        "computed_at",
        "released_for",
    )
    list_select_related = ("person", "fit__program")
    list_filter = (("fit__program", ScopedRelatedFilter),)
    search_fields = ("person__name",)
    date_hierarchy = "fit__created_at"
    ordering = ("-fit__created_at", "person__name", "pk")
    told = (
        "of_person",
        "of_program",
        "likely_range",
        "picture",
        "middle",
        "readers",
        "outputs",
        "computed_at",
        "released_for",
    )
    told_to_deciders = (
        "mean",
        "sd",
        "raw",
        "symmetric_mean",
        "symmetric_sd",
        "probability_top",
        "observations",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return (
            super()
            .get_queryset(request)
            .prefetch_related(Prefetch("fit__releases", Release.objects.select_related("stage")))
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        decides = obj is not None and (
            is_superuser(request) or Estimate.objects.decided_by(request.user).filter(pk=obj.pk).exists()
        )
        return (*self.told, *self.told_to_deciders) if decides else self.told

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    def estimates_of(self, request: HttpRequest, rows: Iterable[Any]) -> list[Estimate]:
        return list(rows)

    @admin.display(description="person")
    def of_person(self, estimate: Estimate) -> str:
        return str(estimate.person)

    @admin.display(description="program")
    def of_program(self, estimate: Estimate) -> str:
        return str(estimate.fit.program)

    @admin.display(ordering="fit__program__name")
    def program(self, estimate: Estimate) -> Program:
        return estimate.fit.program

    @admin.display(description="likely range (9 in 10)")
    def likely_range(self, estimate: Estimate) -> str:
        return likely_range(estimate)

    @admin.display(description="from -4 to +4")
    def picture(self, estimate: Estimate) -> str:
        return range_picture(estimate)

    @admin.display(description="middle", ordering="q50")
    def middle(self, estimate: Estimate) -> str:
        return UNTOLD if estimate.is_early else f"{estimate.q50:+.1f}"

    @admin.display(description="readers", ordering="raters")
    def readers(self, estimate: Estimate) -> int:
        return estimate.raters

    @admin.display(description="computed", ordering="fit__created_at")
    def computed_at(self, estimate: Estimate) -> Any:
        return estimate.fit.created_at

    @admin.display(description="released for")
    def released_for(self, estimate: Estimate) -> str:
        return stages_of(estimate.fit)


def stages_of(fit: Fit) -> str:
    return ", ".join(release.stage.name for release in fit.releases.all()) or UNTOLD


@admin.register(Fit)
class FitAdmin(ScopedModelAdmin):
    """The history of fits. What a fit saw of a program is told to those who decide in it."""

    is_computed = True
    funds_view = True
    list_select_related = ("program",)
    list_filter = (("program", ScopedRelatedFilter),)
    date_hierarchy = "created_at"
    told = ("of_program", "computed_at", "released_for", "how", "model_version")
    told_to_deciders = (
        "is_current",
        "saw",
        "spreads",
        "fixed",
        "measured",
        "notes",
        "content_hash",
        "seconds",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        deciding = Program.objects.all()
        if not is_superuser(request):
            deciding = Program.objects.where(request.user, *DECIDERS)
        is_decided = Exists(deciding.filter(pk=OuterRef("program")))
        fits = super().get_queryset(request).annotate(is_decided=is_decided)
        return fits.prefetch_related(Prefetch("releases", Release.objects.select_related("stage")))

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        shown = ("computed_at", "program", "released_for", "how")
        is_inside = is_superuser(request) or leads_somewhere(request)
        return (*shown, "is_current", "saw") if is_inside else shown

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.told, *self.told_to_deciders) if getattr(obj, "is_decided", False) else self.told

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    @admin.display(description="program")
    def of_program(self, fit: Fit) -> str:
        return str(fit.program)

    @admin.display(description="computed", ordering="created_at")
    def computed_at(self, fit: Fit) -> str:
        return f"{fit.created_at:%Y-%m-%d %H:%M}"

    @admin.display(description="how")
    def how(self, fit: Fit) -> str:
        return HOW[fit.hyper]

    @admin.display(description="scores and measurements")
    def saw(self, fit: Fit) -> str:
        return str(fit.rows) if fit.is_decided else UNTOLD  # type: ignore[attr-defined]

    @admin.display(description="released for")
    def released_for(self, fit: Fit) -> str:
        return stages_of(fit)


@admin.register(Release)
class ReleaseAdmin(MadeByVerb):
    """Adding one freezes the current fit as what mentors, mentees and funds see of a stage."""

    program_path = "stage__cohort__program"
    leads_add = True
    list_display = ("stage", "cohort", "fit", "released_by", "released_at")
    list_select_related = ("stage__cohort", "fit__program", "released_by")
    date_hierarchy = "released_at"

    @admin.display(ordering="stage__cohort__name")
    def cohort(self, release: Release) -> Any:
        return release.stage.cohort

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("stage",) if obj is None else ("stage", "cohort", "fit", "released_by", "released_at")

    def make(self, request: HttpRequest, values: dict[str, Any]) -> Release:
        stage = values["stage"]
        lead = Person.objects.of(request.user).filter(program=stage.cohort.program).first()
        if lead is None:
            raise RuleBroken("Only a lead of the program releases its estimates.", code="not-a-lead")
        return Release.objects.release(stage, by=lead)


@admin.register(FitRequest)
class FitRequestAdmin(ScopedModelAdmin):
    """Fits that were asked for, and why one failed, for operators."""

    leads_view = False
    is_computed = True
    list_display = ("program", "requested_at", "done_at", "failed_at", "attempts")
    list_select_related = ("program",)
    date_hierarchy = "requested_at"
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[FitRequest]:
        rows = FitRequest.objects.order_by(*self.ordering)
        return rows if request.user.is_superuser else rows.none()
