"""Rubrics in versions, ratings, conflicts, who is to read what, and what time told."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from tracker.errors import RuleBroken
from tracker.people.models import Person, Program
from tracker.people.scoped_admin import (
    MadeByVerb,
    ScopedModelAdmin,
    ScopedRelatedFilter,
    ShownInline,
    event_actor,
)
from tracker.ratings.handing_out import hand_out
from tracker.ratings.models import (
    Assignment,
    Conflict,
    Criterion,
    Forecast,
    Outlook,
    Question,
    Rating,
    ReadingPlan,
    Reply,
    Rubric,
    Score,
)
from tracker.ratings.seeing import note_ratings_shown


class AskedInline(admin.TabularInline):
    """Can be changed until the first rating; after that a new version of the rubric is needed."""

    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or not obj.is_in_use

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or not obj.is_in_use


class CriterionInline(AskedInline):
    model = Criterion
    extra = 4
    fields = (
        "key",
        "name",
        "question",
        "lowest",
        "highest",
        "low_anchor",
        "high_anchor",
        "anchors",
        "position",
    )


class QuestionInline(AskedInline):
    model = Question
    extra = 1
    fields = ("key", "text", "months")


@admin.register(Rubric)
class RubricAdmin(ScopedModelAdmin):
    leads_add = True
    leads_change = True
    list_display = ("name", "version", "readers", "program", "published_at", "retired_at")
    list_select_related = ("program",)
    list_filter = ("readers", ("program", ScopedRelatedFilter))
    search_fields = ("name",)
    ordering = ("program__name", "name", "version")
    fields = ("program", "name", "readers", "version")
    inlines = (CriterionInline, QuestionInline)
    actions = ("make_new_version", "publish", "retire")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("program", "readers", "version") if obj is not None else ()

    @admin.action(description="Make a new version, to be changed and published", permissions=["change"])
    def make_new_version(self, request: HttpRequest, rows: QuerySet[Rubric]) -> None:
        self.perform(request, rows, Rubric.new_version, done="Versions in the making")

    @admin.action(description="Publish: readers are asked by it from now on", permissions=["change"])
    def publish(self, request: HttpRequest, rows: QuerySet[Rubric]) -> None:
        actor = event_actor(request)
        self.perform(request, rows, lambda rubric: rubric.publish(by=actor), done="Rubrics published")

    @admin.action(description="Retire the chosen rubrics", permissions=["change"])
    def retire(self, request: HttpRequest, rows: QuerySet[Rubric]) -> None:
        self.perform(request, rows, Rubric.retire, done="Rubrics retired")


class ScoreInline(ShownInline):
    model = Score
    fields = ("criterion", "value")


class ForecastInline(ShownInline):
    model = Forecast
    fields = ("question", "probability")


class ReplyInline(ShownInline):
    model = Reply
    fields = ("person", "text", "replied_at")
    readonly_fields = ("replied_at",)


@admin.register(Rating)
class RatingAdmin(ScopedModelAdmin):
    """Ratings, for reading: they are given, revised and retracted by their readers.

    Whoever opens them here sees what others say: what they rate themselves after that is not blind.
    """

    is_computed = True
    list_display = (
        "output",
        "rater",
        "is_blind",
        "counts_as_reader",
        "submitted_at",
        "revised_at",
        "retracted_at",
    )
    list_select_related = ("output", "rater")
    list_filter = ("is_blind", ("program", ScopedRelatedFilter))
    search_fields = ("output__title", "rater__name", "external_id")
    date_hierarchy = "submitted_at"
    fields = (
        "output",
        "rater",
        "version",
        "rubric",
        "confidence",
        "comment",
        "external_id",
        "place_in_order",
        "counts_as_reader",
        "submitted_at",
        "others_seen_at",
        "is_blind",
        "revises",
        "revised_at",
        "retracted_at",
        "retraction_reason",
    )
    readonly_fields = ("counts_as_reader",)
    inlines = (ScoreInline, ForecastInline, ReplyInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rating]:
        rows: Any = super().get_queryset(request)
        found: QuerySet[Rating] = rows.with_conflict().select_related("output", "rater")
        return found

    @admin.display(description="counts as a reader", boolean=True)
    def counts_as_reader(self, rating: Any) -> bool:
        return not rating.is_conflicted and rating.rater.kind == Person.Kind.HUMAN

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        note_ratings_shown(request.user)
        return super().changelist_view(request, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        rating = self.get_object(request, object_id)
        if rating is not None:
            note_ratings_shown(request.user, [rating])
        return super().change_view(request, object_id, form_url, extra_context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """It tells why a rating was retracted, which is somebody's word too."""
        rating = self.get_object(request, object_id)
        if rating is not None:
            note_ratings_shown(request.user, [rating])
        return super().history_view(request, object_id, extra_context)


@admin.register(Conflict)
class ConflictAdmin(ScopedModelAdmin):
    program_path = "project__program"
    leads_change = True
    list_display = ("person", "project", "reason", "declared_at", "withdrawn_at")
    list_select_related = ("person", "project")
    search_fields = ("person__name", "project__title")
    date_hierarchy = "declared_at"
    ordering = ("-declared_at",)
    fields = ("person", "project", "reason", "declared_at", "withdrawn_at")
    readonly_fields = fields
    actions = ("withdraw",)

    @admin.action(description="Withdraw: it was no conflict", permissions=["change"])
    def withdraw(self, request: HttpRequest, rows: QuerySet[Conflict]) -> None:
        actor = event_actor(request)
        self.perform(request, rows, lambda conflict: conflict.withdraw(by=actor), done="Conflicts withdrawn")


@admin.register(ReadingPlan)
class ReadingPlanAdmin(ScopedModelAdmin):
    """How the reading of a stage is handed out. What was given stays when it is handed out again."""

    program_path = "stage__cohort__program"
    leads_add = True
    leads_change = True
    list_display = ("stage", "readers_each", "second_share", "seed")
    list_select_related = ("stage",)
    search_fields = ("stage__name",)
    ordering = ("-stage__reading_opens_at", "pk")
    fields = ("stage", "readers_each", "second_share", "samples", "seed")
    autocomplete_fields = ("samples",)
    actions = ("hand_out",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("stage", "seed")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The seed is drawn when it is saved."""
        return self.fields if obj is not None else tuple(name for name in self.fields if name != "seed")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.instance.judge_samples()

    @admin.action(description="Hand out the reading", permissions=["change"])
    def hand_out(self, request: HttpRequest, rows: QuerySet[ReadingPlan]) -> None:
        actor = event_actor(request)
        self.perform(request, rows, lambda plan: hand_out(plan, by=actor), done="Plans handed out")


@admin.register(Assignment)
class AssignmentAdmin(MadeByVerb):
    """Who is to read what, in which order and why."""

    program_path = "stage__cohort__program"
    leads_add = True
    leads_change = True
    list_display = ("reader", "position", "output", "reason", "stage", "assigned_at", "withdrawn_at")
    list_select_related = ("reader", "output", "stage")
    list_filter = ("reason", ("stage", ScopedRelatedFilter))
    search_fields = ("reader__name", "output__title")
    autocomplete_fields = ("reader", "output")
    date_hierarchy = "assigned_at"
    ordering = ("-assigned_at", "reader", "position")
    fields = ("reader", "output", "reason")
    actions = ("take_back",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("reader", "output", "reason")

    def make(self, request: HttpRequest, values: dict[str, Any]) -> Assignment:
        return Assignment.objects.assign(**values, by=event_actor(request))

    @admin.action(description="Take the chosen readings back", permissions=["change"])
    def take_back(self, request: HttpRequest, rows: QuerySet[Assignment]) -> None:
        self.perform(request, rows, taken_back, done="Readings taken back")


def taken_back(assignment: Assignment) -> None:
    assignment.withdraw(reason="Taken back by a lead.")


@admin.register(Outlook)
class OutlookAdmin(ScopedModelAdmin):
    """What time will tell of outputs: answered, with a reason, from its day on."""

    program_path = "output__program"
    leads_change = True
    list_display = ("output", "text", "due_on", "is_true", "answered_at")
    list_select_related = ("output",)
    list_filter = ("is_true", ("output__stage", ScopedRelatedFilter))
    search_fields = ("output__title",)
    date_hierarchy = "due_on"
    ordering = ("due_on", "pk")
    fields = ("output", "text", "due_on", "is_true", "answer_reason", "answered_by", "answered_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        answered = ("is_true", "answer_reason") if obj is not None and obj.answered_at else ()
        return ("output", "text", "due_on", "answered_by", "answered_at", *answered)

    def save_model(self, request: HttpRequest, obj: Outlook, form: Any, change: bool) -> None:
        values = form.cleaned_data
        if values.get("is_true") is None:
            raise RuleBroken("Say whether it came true.", field="is_true", code="answer-missing")
        stored = Outlook.objects.select_related("output__program").get(pk=obj.pk)
        person = self.person_of(request, stored.output.program)
        stored.answer(values["is_true"], by=person, reason=values["answer_reason"])

    def person_of(self, request: HttpRequest, program: Program) -> Person:
        person = Person.objects.of(request.user).filter(program=program).first()
        if person is None:
            raise RuleBroken("Only somebody of this program answers this.", code="not-a-reader")
        return person
