"""Decisions, for reading: they are made on their own page, after one's own leaning."""

from django.contrib import admin

from tracker.decisions.models import StageDecision
from tracker.people.scoped_admin import ScopedModelAdmin, ScopedRelatedFilter


@admin.register(StageDecision)
class StageDecisionAdmin(ScopedModelAdmin):
    program_path = "stage__cohort__program"
    is_computed = True
    list_display = ("enrollment", "stage", "outcome", "decider", "decided_at")
    list_select_related = ("enrollment__person", "enrollment__cohort", "stage", "decider")
    list_filter = ("outcome", ("stage", ScopedRelatedFilter))
    search_fields = ("enrollment__person__name",)
    date_hierarchy = "decided_at"
    fields = ("enrollment", "stage", "outcome", "reasons", "decider", "fit", "decided_at")
