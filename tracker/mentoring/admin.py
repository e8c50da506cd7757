"""Feedback, for reading, and who supports whom. How somebody feels is shown by no admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from tracker.mentoring.models import Feedback, Support
from tracker.people.models import Person, Role
from tracker.people.scoped_admin import MadeByVerb, ScopedModelAdmin, event_actor


@admin.register(Feedback)
class FeedbackAdmin(ScopedModelAdmin):
    program_path = "project__program"
    is_computed = True
    list_display = ("project", "author", "given_at", "acknowledged_at")
    list_select_related = ("project", "author")
    search_fields = ("project__title", "author__name")
    date_hierarchy = "given_at"
    fields = ("project", "output", "author", "text", "given_at", "acknowledged_at", "acknowledged_by")


@admin.register(Support)
class SupportAdmin(MadeByVerb):
    """Leads say who supports whom; a new manager takes over from the one before."""

    program_path = "person__program"
    leads_add = True
    leads_change = True
    list_display = ("person", "manager", "started_on", "ended_on")
    list_select_related = ("person", "manager")
    search_fields = ("person__name", "manager__name")
    date_hierarchy = "started_on"
    fields = ("person", "manager")
    autocomplete_fields = ("person",)
    actions = ("end",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("person", "manager", "started_on", "ended_on") if obj is not None else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("person", "manager") if obj is None else ("person", "manager", "started_on", "ended_on")

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> Any:
        offered = super().get_field_queryset(db, db_field, request)
        if db_field.name != "manager":
            return offered
        managers = Person.objects.active_as(Role.RESEARCH_MANAGER)
        return offered.filter(pk__in=managers.values("pk"))

    def make(self, request: HttpRequest, values: dict[str, Any]) -> Support:
        return Support.objects.begin(values["person"], manager=values["manager"], by=event_actor(request))

    @admin.action(description="End the chosen supports", permissions=["change"])
    def end(self, request: HttpRequest, rows: QuerySet[Support]) -> None:
        self.perform(request, rows, Support.end, done="Supports ended")
