"""Projects, their teams and what they have made."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from tracker.people.scoped_admin import MadeByVerb, ScopedModelAdmin, ScopedRelatedFilter, ShownInline
from tracker.projects.models import (
    Milestone,
    Output,
    OutputVersion,
    Project,
    ReleasePolicy,
    ReleaseReview,
    TeamMember,
)


class TeamInline(ShownInline):
    model = TeamMember
    fields = ("person", "role", "joined_on", "left_on")


class MilestoneInline(ShownInline):
    model = Milestone
    fields = ("title", "due_on", "reached_at")


class VersionInline(ShownInline):
    model = OutputVersion
    fields = ("number", "made_at", "title", "work", "revision", "filename")
    readonly_fields = fields


@admin.register(Project)
class ProjectAdmin(ScopedModelAdmin):
    leads_change = True
    list_display = ("title", "cohort", "state", "started_at", "finished_at")
    list_select_related = ("cohort",)
    list_filter = ("state", ("cohort", ScopedRelatedFilter))
    search_fields = ("title", "external_id")
    date_hierarchy = "started_at"
    fields = (
        "program",
        "cohort",
        "person",
        "title",
        "summary",
        "external_id",
        "state",
        "started_at",
        "finished_at",
    )
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
        "work",
        "revision",
        "external_id",
        "is_empirical",
        "question",
        "did",
        "saw",
        "shows",
        "does_not_show",
        "likely_misreading",
        "produced_on",
        "retracted_at",
    )
    readonly_fields = fields
    inlines = (VersionInline,)
    actions = ("retract",)

    @admin.action(description="Retract the chosen outputs", permissions=["change"])
    def retract(self, request: HttpRequest, rows: QuerySet[Output]) -> None:
        self.perform(request, rows, Output.retract, done="Outputs retracted")


@admin.register(ReleasePolicy)
class ReleasePolicyAdmin(MadeByVerb):
    """A new policy is a new version; the old ones stay for the reviews that went by them."""

    leads_add = True
    list_display = ("program", "version", "published_at")
    list_select_related = ("program",)
    fields = ("program", "text")

    def make(self, request: HttpRequest, values: dict[str, Any]) -> ReleasePolicy:
        return ReleasePolicy.objects.publish(values["program"], values["text"])


@admin.register(ReleaseReview)
class ReleaseReviewAdmin(ScopedModelAdmin):
    """For reading: reviews are answered on their own pages, one at a time."""

    program_path = "output__program"
    is_computed = True
    actions = None
    list_display = ("output", "flagged_at", "reviewer", "answer", "answered_at")
    list_select_related = ("output", "reviewer")
    list_filter = ("answer",)
    search_fields = ("output__title",)
    date_hierarchy = "flagged_at"
    fields = ("output", "policy", "hazards", "flagged_at", "reviewer", "answer", "reasons", "answered_at")
