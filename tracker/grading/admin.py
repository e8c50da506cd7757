"""Benchmarks, submissions and runs. Where a run failed by our fault, operators see why."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest

from tracker.grading.models import Attempt, Benchmark, Measurement, Run, Submission
from tracker.grading.models.submissions import LONGEST_SENTENCE
from tracker.people.scoped_admin import ScopedModelAdmin, ScopedRelatedFilter, event_actor, is_superuser


class ComputedInline(admin.TabularInline):
    """What the worker wrote, for reading."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


class SentenceForm(ActionForm):
    """Beside the choice of a deed: what a refusal tells the senders."""

    sentence = forms.CharField(
        label="Sentence to the senders (for a refusal):", required=False, max_length=LONGEST_SENTENCE
    )


class RunInline(ComputedInline):
    model = Run
    fields = ("phase", "state", "code", "message", "queued_at", "ended_at")
    show_change_link = True


class MeasurementInline(ComputedInline):
    model = Measurement
    fields = ("metric", "slice", "low", "value", "high", "standard_error", "n", "method")


class AttemptInline(ComputedInline):
    model = Attempt
    fields = ("number", "started_at", "ended_at", "ending")


@admin.register(Benchmark)
class BenchmarkAdmin(ScopedModelAdmin):
    is_computed = True
    list_display = ("name", "version", "program", "installed_at", "retired_at")
    list_select_related = ("program",)
    list_filter = (("program", ScopedRelatedFilter),)
    search_fields = ("name", "slug")
    date_hierarchy = "installed_at"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        shown = ("program", "name", "slug", "version", "installed_at", "retired_at")
        return (*shown, "spec") if self.leads(request, obj) else shown


@admin.register(Submission)
class SubmissionAdmin(ScopedModelAdmin):
    leads_change = True
    list_display = ("filename", "project", "benchmark", "submitted_at", "is_chosen", "held_at")
    list_select_related = ("project", "benchmark")
    list_filter = ("is_chosen", ("benchmark", ScopedRelatedFilter))
    search_fields = ("filename", "project__title", "external_id")
    date_hierarchy = "submitted_at"
    fields = (
        "project",
        "benchmark",
        "output",
        "filename",
        "artifact",
        "claims",
        "is_chosen",
        "submitted_by",
        "external_id",
        "submitted_at",
        "held_at",
        "retracted_at",
    )
    readonly_fields = fields
    inlines = (RunInline,)
    actions = ("regrade", "let_through", "refuse_held")
    action_form = SentenceForm

    @admin.action(description="Grade the chosen submissions again", permissions=["change"])
    def regrade(self, request: HttpRequest, rows: QuerySet[Submission]) -> None:
        again = partial(Submission.regrade, by=event_actor(request))
        self.perform(request, rows, again, done="Submissions queued again")

    @admin.action(description="Let the chosen held submissions go on", permissions=["change"])
    def let_through(self, request: HttpRequest, rows: QuerySet[Submission]) -> None:
        go_on = partial(Submission.let_through, by=event_actor(request))
        self.perform(request, rows, go_on, done="Held submissions that go on")

    @admin.action(description="Refuse the chosen held submissions, with a sentence", permissions=["change"])
    def refuse_held(self, request: HttpRequest, rows: QuerySet[Submission]) -> None:
        sentence = request.POST.get("sentence", "")
        refuse = partial(Submission.refuse_held, sentence=sentence, by=event_actor(request))
        self.perform(request, rows, refuse, done="Held submissions refused")


@admin.register(Run)
class RunAdmin(ScopedModelAdmin):
    program_path = "submission__program"
    leads_change = True
    list_display = ("submission", "phase", "state", "code", "queued_at", "ended_at", "attempts")
    list_select_related = ("submission__benchmark",)
    list_filter = ("state", "phase")
    search_fields = ("submission__filename", "submission__project__title")
    date_hierarchy = "queued_at"
    ordering = ("-pk",)
    inlines = (MeasurementInline, AttemptInline)
    actions = ("cancel",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        shown = (
            "submission",
            "phase",
            "state",
            "code",
            "message",
            "attempts",
            "crashes",
            "losses",
            "queued_at",
            "started_at",
            "ended_at",
            "claims",
        )
        # What the grader found out on the way tells about hidden labels.
        own = ("record",) if self.leads(request, obj) else ()
        return (*shown, *own, "traceback") if is_superuser(request) else (*shown, *own)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    @admin.action(description="Cancel the chosen runs", permissions=["change"])
    def cancel(self, request: HttpRequest, rows: QuerySet[Run]) -> None:
        self.perform(request, rows, partial(Run.cancel, by=event_actor(request)), done="Runs to be cancelled")
