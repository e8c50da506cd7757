"""Cohorts, their stages, and who is in them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from tracker.cohorts.models import AdmissionRound, Application, Cohort, Enrollment, Stage, Stream, Track
from tracker.people.models import Person, Program
from tracker.people.scoped_admin import MadeByVerb, ScopedModelAdmin, ScopedRelatedFilter, event_actor

READING = {"reading_opens_at", "reading_closes_at"}
# Once a stage stands, what it takes to go on is changed by its gate's rule, with a reason.
AIM = ("places", "bar", "planned_readers")


@admin.register(Cohort)
class CohortAdmin(ScopedModelAdmin):
    leads_add = True
    leads_change = True
    list_display = ("name", "program", "starts_on", "ends_on", "archived_at")
    list_select_related = ("program",)
    list_filter = (("program", ScopedRelatedFilter),)
    search_fields = ("name",)
    date_hierarchy = "starts_on"
    fields = ("program", "name", "external_id", "starts_on", "ends_on", "neighbours_after_weeks")
    actions = ("archive", "take_up")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("program",) if obj is not None else ()

    @admin.action(description="Archive the chosen cohorts: they are only read", permissions=["change"])
    def archive(self, request: HttpRequest, cohorts: QuerySet[Cohort]) -> None:
        self.perform(
            request, cohorts, lambda cohort: cohort.archive(by=event_actor(request)), done="Archived"
        )

    @admin.action(description="Take the chosen cohorts out of the archive", permissions=["change"])
    def take_up(self, request: HttpRequest, cohorts: QuerySet[Cohort]) -> None:
        self.perform(
            request, cohorts, lambda cohort: cohort.take_up(by=event_actor(request)), done="Taken up again"
        )


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
        ("decisions_due_on", "notice_on", "commitments_lapse_on"),
        ("default", "default_weeks"),
        ("places", "bar", "planned_readers"),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("cohort", *AIM) if obj is not None else ()

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


@admin.register(Track)
class TrackAdmin(ScopedModelAdmin):
    program_path = "cohort__program"
    leads_add = True
    leads_change = True
    list_display = ("name", "cohort")
    list_select_related = ("cohort",)
    list_filter = (("cohort", ScopedRelatedFilter),)
    search_fields = ("name",)
    fields = ("cohort", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("cohort",) if obj is not None else ()


@admin.register(Stream)
class StreamAdmin(ScopedModelAdmin):
    program_path = "track__cohort__program"
    leads_add = True
    leads_change = True
    list_display = ("name", "track", "cohort", "places")
    list_select_related = ("track__cohort",)
    list_filter = (("track__cohort", ScopedRelatedFilter),)
    search_fields = ("name",)
    autocomplete_fields = ("mentors",)
    fields = ("track", "name", "places", "mentors")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("track",) if obj is not None else ()

    @admin.display(ordering="track__cohort__name")
    def cohort(self, stream: Stream) -> Cohort:
        return stream.track.cohort

    def save_changes(self, obj: Stream, names: list[str]) -> None:
        super().save_changes(obj, [name for name in names if name != "mentors"])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        form.instance.assign(list(form.cleaned_data["mentors"]), by=event_actor(request))


@admin.register(AdmissionRound)
class AdmissionRoundAdmin(MadeByVerb):
    """When people may apply, and what is asked of them; the stage says how many places there are."""

    program_path = "cohort__program"
    leads_add = True
    leads_change = True
    list_display = ("stage", "cohort", "opens_at", "closes_at")
    list_select_related = ("stage", "cohort")
    list_filter = (("cohort", ScopedRelatedFilter),)
    date_hierarchy = "opens_at"
    fields = ("stage", ("opens_at", "closes_at"), "asks", "work_test", "references_asked", "waitlist_places")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("stage",) if obj is not None else ()

    def make(self, request: HttpRequest, values: dict[str, Any]) -> AdmissionRound:
        return AdmissionRound.objects.announce(**values)


@admin.register(Application)
class ApplicationAdmin(ScopedModelAdmin):
    """What came of each application. It moves by its applicant and by decisions, not here."""

    program_path = "round__cohort__program"
    list_display = ("person", "round", "state", "waitlist_position", "submitted_at")
    list_select_related = ("enrollment__person", "round__stage", "round__cohort")
    list_filter = ("state", ("round", ScopedRelatedFilter))
    search_fields = ("enrollment__person__name",)
    date_hierarchy = "started_at"
    fields = (
        "person",
        "round",
        "track",
        "stream",
        "state",
        "submitted_at",
        "answered_at",
        "waitlist_position",
    )

    @admin.display(ordering="enrollment__person__name")
    def person(self, application: Application) -> Person:
        return application.person
