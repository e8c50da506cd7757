"""Benchmarks, submissions and runs. Where a run failed by our fault, operators see why."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from tracker.errors import RuleBroken
from tracker.grading import uploading
from tracker.grading.models import (
    Attempt,
    Benchmark,
    Measurement,
    RegradePlan,
    RegradeRequest,
    Run,
    Submission,
    Worker,
)
from tracker.grading.models.submissions import LONGEST_SENTENCE
from tracker.people.models import Program, Role
from tracker.people.scoped_admin import (
    ScopedModelAdmin,
    ScopedRelatedFilter,
    ShownInline,
    event_actor,
    is_superuser,
    leads_somewhere,
)


class SentenceForm(ActionForm):
    """Beside the choice of a deed: what a refusal tells the senders."""

    sentence = forms.CharField(
        label="Sentence to the senders (for a refusal):", required=False, max_length=LONGEST_SENTENCE
    )


class RunInline(ShownInline):
    model = Run
    fields = ("phase", "state", "code", "message", "queued_at", "ended_at")
    readonly_fields = fields
    show_change_link = True


class MeasurementInline(ShownInline):
    model = Measurement
    fields = ("metric", "slice", "low", "value", "high", "standard_error", "n", "method")


class AttemptInline(ShownInline):
    model = Attempt
    fields = ("number", "started_at", "ended_at", "ending")
    readonly_fields = fields


@admin.register(Benchmark)
class BenchmarkAdmin(ScopedModelAdmin):
    """Versions never change; a new one comes as an archive, checked as the command line checks it."""

    is_computed = True
    actions = ("propose_regrading",)
    list_display = ("name", "version", "program", "installed_at", "retired_at")
    list_select_related = ("program",)
    list_filter = (("program", ScopedRelatedFilter),)
    search_fields = ("name", "slug")
    date_hierarchy = "installed_at"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        shown = ("program", "name", "slug", "version", "installed_at", "retired_at")
        return (*shown, "spec") if self.leads(request, obj) else shown

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request) or leads_somewhere(request)

    @csrf_exempt
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The limits hold from the first byte, so they are set before anything, the token too, is read."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        upload = uploading.watch(request)
        view: Any = csrf_protect(partial(self.take_benchmark, upload=upload))
        answer: HttpResponse = view(request)
        return answer

    def take_benchmark(self, request: HttpRequest, *, upload: Any) -> HttpResponse:
        programs = (
            Program.objects.all() if is_superuser(request) else Program.objects.where(request.user, Role.LEAD)
        )
        form = uploading.BenchmarkForm(request.POST or None, request.FILES or None, programs=programs)
        if request.method == "POST" and form.is_valid():
            try:
                benchmark = uploading.install(upload, form.cleaned_data, by=event_actor(request))
            except RuleBroken as broken:
                form.add_error(None, broken.message)
            else:
                self.message_user(
                    request, f"Version {benchmark.version} of {benchmark} stands.", messages.SUCCESS
                )
                return redirect(self.after_install(request, benchmark))
        context = {**self.admin_site.each_context(request), "form": form, "opts": self.opts}
        context["title"] = "Upload a benchmark"
        status = 422 if request.method == "POST" else 200
        return render(request, "admin/grading/benchmark_upload.html", context, status=status)

    def after_install(self, request: HttpRequest, benchmark: Benchmark) -> str:
        """Where somebody decides on re-grading, if any is due."""
        plan = benchmark.regrade_plans.open().first()
        if plan is None:
            return reverse("admin:grading_benchmark_change", args=[benchmark.pk])
        return reverse("admin:grading_regradeplan_change", args=[plan.pk])

    def has_propose_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    @admin.action(description="Propose to grade again on the chosen versions", permissions=["propose"])
    def propose_regrading(self, request: HttpRequest, rows: QuerySet[Benchmark]) -> None:
        def propose(benchmark: Benchmark) -> None:
            if benchmark.retired_at is not None:
                raise RuleBroken("There is a newer version: propose that one.")
            if RegradePlan.objects.propose(benchmark) is None:
                raise RuleBroken("Nothing that counts was measured on another version.")

        self.perform(request, rows, propose, done="Plans to decide on")


@admin.register(RegradePlan)
class RegradePlanAdmin(ScopedModelAdmin):
    """What grading again would cost, first; then somebody carries it out, or drops it."""

    program_path = "benchmark__program"
    is_computed = True
    list_display = (
        "__str__",
        "submissions",
        "expected_time",
        "proposed_at",
        "decision",
        "decided_by",
        "queued",
    )
    list_select_related = ("benchmark", "decided_by")
    list_filter = ("decision",)
    fields = (
        "benchmark",
        "submissions",
        "expected_time",
        "proposed_at",
        "decision",
        "decided_by",
        "decided_at",
        "queued",
    )
    readonly_fields = fields
    actions = ("carry_out", "drop")

    @admin.display(description="expected time")
    def expected_time(self, plan: RegradePlan) -> str:
        seconds = plan.expected_seconds
        return f"{seconds:.0f} s of one worker" if seconds < 600 else f"{seconds / 3600:.1f} h of one worker"

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request) or leads_somewhere(request)

    @admin.action(description="Carry out the chosen plans", permissions=["decide"])
    def carry_out(self, request: HttpRequest, rows: QuerySet[RegradePlan]) -> None:
        somebody: Any = request.user
        self.perform(request, rows, partial(RegradePlan.carry_out, by=somebody), done="Plans carried out")

    @admin.action(description="Drop the chosen plans: earlier results stand", permissions=["decide"])
    def drop(self, request: HttpRequest, rows: QuerySet[RegradePlan]) -> None:
        somebody: Any = request.user
        self.perform(request, rows, partial(RegradePlan.drop, by=somebody), done="Plans dropped")


@admin.register(RegradeRequest)
class RegradeRequestAdmin(ScopedModelAdmin):
    program_path = "submission__program"
    is_computed = True
    list_display = ("submission", "asked_by", "asked_at", "decision", "decided_by", "decided_at")
    list_select_related = ("submission__benchmark", "asked_by", "decided_by")
    list_filter = ("decision",)
    fields = (
        "submission",
        "asked_by",
        "asked_at",
        "reason",
        "decision",
        "decided_by",
        "decided_at",
        "answer",
        "run",
    )


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
        "training",
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
    list_display = ("submission", "phase", "queue", "state", "code", "queued_at", "ended_at", "attempts")
    list_select_related = ("submission__benchmark",)
    list_filter = ("state", "phase", "queue")
    search_fields = ("submission__filename", "submission__project__title")
    date_hierarchy = "queued_at"
    ordering = ("-pk",)
    inlines = (MeasurementInline, AttemptInline)
    actions = ("cancel",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        shown = (
            "submission",
            "phase",
            "queue",
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

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """As the stock one, and says what nobody comes for."""
        led: Any = self.led(request)
        if stranded := led.stranded().count():
            sentence = f"Runs that need a GPU while no worker with one is there: {stranded}."
            self.message_user(request, sentence, messages.WARNING)
        return super().changelist_view(request, extra_context)

    @admin.action(description="Cancel the chosen runs", permissions=["change"])
    def cancel(self, request: HttpRequest, rows: QuerySet[Run]) -> None:
        self.perform(request, rows, partial(Run.cancel, by=event_actor(request)), done="Runs to be cancelled")


@admin.register(Worker)
class WorkerAdmin(ScopedModelAdmin):
    leads_view = False
    is_computed = True
    list_display = ("name", "queues", "seen_at")
    fields = list_display
