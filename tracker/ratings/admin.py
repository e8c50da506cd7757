"""Rubrics with their criteria, ratings, conflicts."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from tracker.people.scoped_admin import ScopedModelAdmin, ScopedRelatedFilter
from tracker.ratings.models import Conflict, Criterion, Rating, Rubric, Score


class CriterionInline(admin.TabularInline):
    """Criteria can be changed until the first rating; after that a new version of the rubric is needed."""

    model = Criterion
    extra = 4
    can_delete = False
    fields = ("key", "name", "question", "lowest", "highest", "low_anchor", "high_anchor", "position")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or not obj.ratings.exists()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or not obj.ratings.exists()


@admin.register(Rubric)
class RubricAdmin(ScopedModelAdmin):
    leads_add = True
    leads_change = True
    list_display = ("name", "version", "program", "retired_at")
    list_select_related = ("program",)
    list_filter = (("program", ScopedRelatedFilter),)
    search_fields = ("name",)
    ordering = ("program__name", "name", "version")
    fields = ("program", "name", "version")
    inlines = (CriterionInline,)
    actions = ("retire",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("program", "version") if obj is not None else ()

    @admin.action(description="Retire the chosen rubrics", permissions=["change"])
    def retire(self, request: HttpRequest, rows: QuerySet[Rubric]) -> None:
        self.perform(request, rows, Rubric.retire, done="Rubrics retired")


class ScoreInline(admin.TabularInline):
    model = Score
    extra = 0
    can_delete = False
    fields = ("criterion", "value")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


@admin.register(Rating)
class RatingAdmin(ScopedModelAdmin):
    """Ratings, for reading: they are given by readers, and retracted by them with a reason."""

    is_computed = True
    list_display = ("output", "rater", "submitted_at", "retracted_at")
    list_select_related = ("output", "rater")
    list_filter = (("program", ScopedRelatedFilter),)
    search_fields = ("output__title", "rater__name", "external_id")
    date_hierarchy = "submitted_at"
    fields = (
        "output",
        "rater",
        "rubric",
        "comment",
        "external_id",
        "submitted_at",
        "retracted_at",
        "retraction_reason",
    )
    inlines = (ScoreInline,)


@admin.register(Conflict)
class ConflictAdmin(ScopedModelAdmin):
    program_path = "project__program"
    is_computed = True
    list_display = ("person", "project", "reason", "declared_at", "withdrawn_at")
    list_select_related = ("person", "project")
    search_fields = ("person__name", "project__title")
    date_hierarchy = "declared_at"
    ordering = ("-declared_at",)
    fields = ("person", "project", "reason", "declared_at", "withdrawn_at")
