"""Feedback, for reading."""

from django.contrib import admin

from tracker.mentoring.models import Feedback
from tracker.people.scoped_admin import ScopedModelAdmin


@admin.register(Feedback)
class FeedbackAdmin(ScopedModelAdmin):
    program_path = "project__program"
    is_computed = True
    list_display = ("project", "author", "given_at", "acknowledged_at")
    list_select_related = ("project", "author")
    search_fields = ("project__title", "author__name")
    date_hierarchy = "given_at"
    fields = ("project", "output", "author", "text", "given_at", "acknowledged_at", "acknowledged_by")
