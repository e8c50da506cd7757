"""Projects, their teams and what they have made."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from tracker.people.scoped_admin import ScopedModelAdmin, ScopedRelatedFilter
from tracker.projects.models import Milestone, Output, Project, TeamMember


class ShownInline(admin.TabularInline):
    """Rows beside their parent, for reading."""

    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


class TeamInline(ShownInline):
    model = TeamMember
    fields = ("person", "role", "joined_on", "left_on")


class MilestoneInline(ShownInline):
    model = Milestone
    fields = ("title", "due_on", "reached_at")


@admin.register(Project)
class ProjectAdmin(ScopedModelAdmin):
    leads_change = True
    list_display = ("title", "cohort", "state", "started_at", "finished_at")
    list_select_related = ("cohort",)
    list_filter = ("state", ("cohort", ScopedRelatedFilter))
    search_fields = ("title", "external_id")
    date_hierarchy = "started_at"
    fields = ("program", "cohort", "title", "summary", "external_id", "state", "started_at", "finished_at")
    readonly_fields = fields
    inlines = (TeamInline, MilestoneInline)
    actions = ("finish",)

    @admin.action(description="Finish the chosen projects", permissions=["change"])
    def finish(self, request: HttpRequest, rows: QuerySet[Project]) -> None:
        self.perform(request, rows, Project.finish, done="Projects finished")


@admin.register(Output)
class OutputAdmin(ScopedModelAdmin):
    leads_change = True
    list_display = ("title", "kind", "project", "stage", "is_empirical", "produced_on", "retracted_at")
    list_select_related = ("project", "stage")
    list_filter = ("kind", "is_empirical", ("stage", ScopedRelatedFilter))
    search_fields = ("title", "external_id")
    date_hierarchy = "produced_on"
    fields = (
        "project",
        "stage",
        "title",
        "kind",
        "url",
        "external_id",
        "is_empirical",
        "produced_on",
        "retracted_at",
    )
    readonly_fields = fields
    actions = ("retract",)

    @admin.action(description="Retract the chosen outputs", permissions=["change"])
    def retract(self, request: HttpRequest, rows: QuerySet[Output]) -> None:
        self.perform(request, rows, Output.retract, done="Outputs retracted")
