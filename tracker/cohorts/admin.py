"""Cohorts, their stages, and who is in them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tracker.cohorts.models import Cohort, Enrollment, Stage
from tracker.people.models import Program
from tracker.people.scoped_admin import MadeByVerb, ScopedModelAdmin, ScopedRelatedFilter, event_actor

READING = {"reading_opens_at", "reading_closes_at"}


@admin.register(Cohort)
class CohortAdmin(ScopedModelAdmin):
    leads_add = True
    leads_change = True
    list_display = ("name", "program", "starts_on", "ends_on")
    list_select_related = ("program",)
    list_filter = (("program", ScopedRelatedFilter),)
    search_fields = ("name",)
    date_hierarchy = "starts_on"
    fields = ("program", "name", "external_id", "starts_on", "ends_on")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("program",) if obj is not None else ()


@admin.register(Stage)
class StageAdmin(ScopedModelAdmin):
    """Stages with their dates. The default when nobody decides is never to end."""

    program_path = "cohort__program"
    leads_add = True
    leads_change = True
    list_display = ("name", "cohort", "starts_on", "ends_on", "reading_closes_at", "decisions_due_on")
    list_select_related = ("cohort",)
    list_filter = (("cohort", ScopedRelatedFilter),)
    search_fields = ("name", "cohort__name")
    date_hierarchy = "starts_on"
    fields = (
        ("cohort", "name", "position"),
        ("starts_on", "ends_on"),
        ("reading_opens_at", "reading_closes_at"),
        ("decisions_due_on", "notice_on"),
        ("default", "places"),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("cohort",) if obj is not None else ()

    def save_changes(self, obj: Stage, names: list[str]) -> None:
        if READING & set(names):
            obj.move_reading(opens_at=obj.reading_opens_at, closes_at=obj.reading_closes_at)
        super().save_changes(obj, [name for name in names if name not in READING])


@admin.register(Enrollment)
class EnrollmentAdmin(MadeByVerb):
    program_path = "cohort__program"
    leads_add = True
    list_display = ("person", "cohort", "program", "joined_on", "left_on")
    list_select_related = ("person", "cohort__program")
    list_filter = (("cohort", ScopedRelatedFilter),)
    search_fields = ("person__name",)
    autocomplete_fields = ("person",)
    date_hierarchy = "joined_on"
    ordering = ("-joined_on", "pk")
    fields = ("person", "cohort", "joined_on")

    @admin.display(ordering="cohort__program__name")
    def program(self, enrollment: Enrollment) -> Program:
        return enrollment.cohort.program

    def make(self, request: HttpRequest, values: dict[str, Any]) -> Enrollment:
        return Enrollment.objects.enroll(**values, by=event_actor(request))
