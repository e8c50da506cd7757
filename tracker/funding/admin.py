"""What funds see: the people who share with them, with what was released, and until when."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest

from tracker.estimates.admin import UNTOLD, LoggedAdmin, likely_range, range_picture
from tracker.estimates.models import Estimate
from tracker.funding.models import Fund
from tracker.people.admin import PersonAdmin
from tracker.people.models import Person, ShareGrant, User
from tracker.people.scoped_admin import (
    MadeByVerb,
    ScopedModelAdmin,
    ScopedRelatedFilter,
    event_actor,
    granted,
    is_superuser,
    leads_somewhere,
)


def with_what_is_shared(people: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    """Adds what these people share with this user's funds, and the estimates released to them, newest first."""
    grants = ShareGrant.objects.standing().shared_with_user(request.user)
    released = Estimate.objects.released_to(request.user).filter(
        person__in=grants.filter(what=ShareGrant.What.ESTIMATES).values("person")
    )
    newest_first = released.select_related("fit__program", "person").order_by("-fit__created_at", "-pk")
    return people.prefetch_related(
        Prefetch("share_grants", grants, to_attr="grants"),
        Prefetch("estimates", newest_first, to_attr="shared_estimates"),
    )


def manages_a_fund(request: HttpRequest) -> bool:
    """Whether anything can be shared with this user: the right comes with the group of a fund."""
    return not is_superuser(request) and "view_sharegrant" in granted(request)


def newest(person: Any) -> Estimate | None:
    return person.shared_estimates[0] if person.shared_estimates else None


class SharedEstimateInline(admin.TabularInline):
    """Every estimate of a person that was released and is shared."""

    model = Estimate
    extra = 0
    can_delete = False
    verbose_name_plural = "released estimates"
    fields = ("likely_range", "picture", "readers", "computed_at")
    readonly_fields = fields
    ordering = ("-fit__created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Estimate.objects.released_to(request.user).select_related("fit__program", "person")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    @admin.display(description="likely range (9 in 10)")
    def likely_range(self, estimate: Estimate) -> str:
        return likely_range(estimate)

    @admin.display(description="from -4 to +4")
    def picture(self, estimate: Estimate) -> str:
        return range_picture(estimate)

    @admin.display(description="readers")
    def readers(self, estimate: Estimate) -> int:
        return estimate.raters

    @admin.display(description="computed")
    def computed_at(self, estimate: Estimate) -> str:
        return f"{estimate.fit.created_at:%Y-%m-%d %H:%M}"


# A person is registered here, above estimates, so that one page can tell a fund what the person shares.
@admin.register(Person)
class SharingPersonAdmin(LoggedAdmin, PersonAdmin):
    is_computed = False
    funds_view = True

    def is_inside(self, request: HttpRequest) -> bool:
        return is_superuser(request) or leads_somewhere(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        people = super().get_queryset(request)
        if self.is_inside(request):
            people = people.prefetch_related("memberships").annotate(is_led=self.is_led(request))
        return with_what_is_shared(people, request) if manages_a_fund(request) else people

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        inside = ("roles", "known_as", "kind") if self.is_inside(request) else ()
        shared = ("likely_range", "picture", "shared_until") if manages_a_fund(request) else ()
        return ("name", "program", *inside, *shared)

    def get_list_filter(self, request: HttpRequest) -> Any:
        return super().get_list_filter(request) if self.is_inside(request) else self.list_filter[:1]

    def is_led(self, request: HttpRequest) -> Exists:
        return Exists(self.led(request).filter(pk=OuterRef("pk")))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Everybody by name; by what a program calls them inside only who is of a program that the user leads."""
        found, repeats = super().get_search_results(request, queryset, search_term)
        if self.is_inside(request):
            by_name = Q(*(Q(name__icontains=part) for part in search_term.split()))
            found = found.filter(Q(is_led=True) | by_name)
        return found, repeats

    def get_search_fields(self, request: HttpRequest) -> Any:
        return super().get_search_fields(request) if self.is_inside(request) else ("name",)

    @admin.display(description="roles")
    def roles(self, person: Any) -> str:
        return super().roles(person) if person.is_led else UNTOLD

    @admin.display(description="external id")
    def known_as(self, person: Any) -> str:
        return person.external_id if person.is_led else UNTOLD

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or self.led(request).filter(pk=obj.pk).exists():
            return super().get_fields(request, obj)
        shared = ("projects", "likely_range", "shared_until") if manages_a_fund(request) else ()
        return ("name", "of_program", *shared)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shared = ("of_program", "projects", "likely_range", "shared_until") if obj is not None else ()
        return (*super().get_readonly_fields(request, obj), *shared)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        inside = super().get_inlines(request, obj)
        return inside or ((SharedEstimateInline,) if obj is not None else ())

    def estimates_of(self, request: HttpRequest, rows: Iterable[Any]) -> list[Estimate]:
        return [estimate for person in rows for estimate in getattr(person, "shared_estimates", ())[:1]]

    @admin.display(description="likely range (9 in 10)")
    def likely_range(self, person: Any) -> str:
        return likely_range(newest(person))

    @admin.display(description="from -4 to +4")
    def picture(self, person: Any) -> str:
        return range_picture(newest(person))

    @admin.display(description="program")
    def of_program(self, person: Person) -> str:
        return str(person.program)

    @admin.display(description="shared until")
    def shared_until(self, person: Any) -> str:
        estimates = [grant for grant in person.grants if grant.what == ShareGrant.What.ESTIMATES]
        ends = [grant.ends_at for grant in estimates or person.grants]
        if not ends or None in ends:
            return "until revoked" if ends else UNTOLD
        return f"{max(ends):%Y-%m-%d}"

    @admin.display(description="projects")
    def projects(self, person: Any) -> str:
        if not any(grant.what == ShareGrant.What.PROFILE for grant in person.grants):
            return UNTOLD
        teams = person.teams.active().select_related("project")
        return ", ".join(member.project.title for member in teams) or UNTOLD


@admin.register(ShareGrant)
class ShareGrantAdmin(ScopedModelAdmin):
    """What people share. Only they themselves share and revoke."""

    program_path = "person__program"
    leads_view = False
    funds_view = True
    is_computed = True
    list_display = ("person", "program", "what", "granted_at", "ends_at")
    list_select_related = ("person__program",)
    list_filter = ("what", ("person__program", ScopedRelatedFilter))
    search_fields = ("person__name",)
    date_hierarchy = "granted_at"
    ordering = ("person__name", "pk")
    fields = ("person", "what", "shared_with", "granted_at", "ends_at")

    @admin.display(ordering="person__program__name")
    def program(self, grant: ShareGrant) -> Any:
        return grant.person.program


class FundForm(forms.ModelForm):
    manager = forms.ModelChoiceField(
        User.objects.filter(is_active=True),
        required=False,
        help_text="Make somebody a manager of this fund: they log in here and see what people share with it.",
    )

    class Meta:
        model = Fund
        fields = ("name",)


@admin.register(Fund)
class FundAdmin(MadeByVerb):
    """Funds are founded, and their managers appointed, by superusers."""

    leads_view = False
    funds_view = True
    list_display = ("name", "managers")
    search_fields = ("name",)
    fields = ("name", "managers")
    readonly_fields = ("managers",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("group__user_set")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if is_superuser(request):
            kwargs |= {"form": FundForm, "fields": ("name",)}
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name", "managers", "manager") if is_superuser(request) else ("name", "managers")

    def make(self, request: HttpRequest, values: dict[str, Any]) -> Fund:
        return Fund.objects.found(values["name"])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if form.cleaned_data.get("manager") is not None:
            fund = Fund.objects.get(name=form.cleaned_data["name"])
            fund.appoint(form.cleaned_data["manager"], by=event_actor(request))

    @admin.display(description="managers")
    def managers(self, fund: Fund) -> str:
        return ", ".join(str(user) for user in fund.group.user_set.all()) or UNTOLD
