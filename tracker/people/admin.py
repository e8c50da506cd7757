"""Users, programs, roles and API keys in the admin. People themselves are registered by tracker.funding."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from tracker.errors import RuleBroken
from tracker.people.models import ApiKey, Membership, Person, Program, Role, Scope, User
from tracker.people.scoped_admin import (
    MadeByVerb,
    ScopedModelAdmin,
    ScopedRelatedFilter,
    SuperusersOnly,
    event_actor,
    is_superuser,
)


@admin.register(User)
class AccountAdmin(SuperusersOnly, UserAdmin):
    """Accounts, for superusers: nobody else hands out access."""

    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "password1", "password2")}),)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if change:
            form.instance.belong_to(form.cleaned_data["groups"], by=event_actor(request))
        super().save_related(request, form, formsets, change)


class SecondFactorAdmin(SuperusersOnly):
    """Second factors of log-ins: taken away when somebody has lost theirs, and otherwise left alone."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = ("user", "type", "created_at", "last_used_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)


@admin.register(Program)
class ProgramAdmin(ScopedModelAdmin):
    program_path = "pk"
    leads_change = True
    list_display = ("name", "slug", "is_simulated")
    search_fields = ("name",)
    fields = (
        "name",
        "slug",
        "words",
        "measurements_join_from",
        "conflicts_reach",
        "conflicted_ratings",
        "is_simulated",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if is_superuser(request) else ("slug", "is_simulated")

    def save_changes(self, obj: Program, names: list[str]) -> None:
        obj.rule(names)


# A key is made with the person it acts as; nobody else is one.
HUMAN_ROLES = [choice for choice in Role.choices if choice[0] != Role.CLIENT]


class JoinForm(forms.ModelForm):
    """Somebody new, with the roles they start in and, if they are to log in, an address."""

    roles = forms.MultipleChoiceField(
        choices=HUMAN_ROLES,
        widget=forms.CheckboxSelectMultiple,
    )
    email = forms.EmailField(
        required=False, help_text="To let them log in; they set a password by “forgotten password”."
    )

    class Meta:
        model = Person
        fields = ("program", "name", "external_id", "kind")


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    can_delete = False
    fields = ("role", "started_at", "ended_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


class PersonAdmin(MadeByVerb):
    """People of a program, as its leads see them; tracker.funding adds what funds see, and registers it."""

    leads_add = True
    leads_change = True
    list_select_related = ("program",)
    list_filter = (("program", ScopedRelatedFilter), "kind")
    search_fields = ("name", "external_id")
    fields = ("program", "name", "external_id", "kind", "logs_in_as")

    @admin.display(description="logs in as")
    def logs_in_as(self, person: Person) -> str:
        return person.user.email if person.user is not None else "nobody"

    @admin.display(description="roles")
    def roles(self, person: Person) -> str:
        held = [member.get_role_display() for member in person.memberships.all() if member.ended_at is None]
        return ", ".join(sorted(held)) or "none"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs |= {"form": JoinForm, "fields": ("program", "name", "external_id", "kind")}
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            fields = ("program", "name", "external_id", "kind", "roles", "email")
            return ((None, {"fields": fields}),)
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("program", "kind", "logs_in_as") if obj is not None else ()

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return (MembershipInline,) if obj is not None and self.led(request).filter(pk=obj.pk).exists() else ()

    def make(self, request: HttpRequest, values: dict[str, Any]) -> Person:
        email = values.pop("email")
        user = User.objects.invited(email, name=values["name"]) if email else None
        if user is not None and user.persons.filter(program=values["program"]).exists():
            raise RuleBroken("Somebody of this program has this address already: give another one.")
        return Person.objects.join(**{**values, "roles": tuple(values["roles"])}, user=user)


@admin.register(Membership)
class MembershipAdmin(ScopedModelAdmin):
    program_path = "person__program"
    leads_add = True
    leads_change = True
    list_display = ("person", "role", "program", "started_at", "ended_at")
    list_select_related = ("person__program",)
    list_filter = ("role", ("person__program", ScopedRelatedFilter))
    search_fields = ("person__name",)
    autocomplete_fields = ("person",)
    date_hierarchy = "started_at"
    ordering = ("person__name", "pk")
    fields = ("person", "role")
    actions = ("end",)

    @admin.display(ordering="person__program__name")
    def program(self, membership: Membership) -> Program:
        return membership.person.program

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("person", "role", "started_at", "ended_at") if obj is not None else ()

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "role":
            kwargs["choices"] = HUMAN_ROLES
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    @admin.action(description="End the chosen roles", permissions=["change"])
    def end(self, request: HttpRequest, rows: models.QuerySet[Membership]) -> None:
        self.perform(request, rows, Membership.end, done="Roles ended")


class IssueForm(forms.ModelForm):
    program = forms.ModelChoiceField(Program.objects.none())
    scopes = forms.MultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = ApiKey
        fields = ("name", "scopes")


@admin.register(ApiKey)
class ApiKeyAdmin(MadeByVerb):
    program_path = "person__program"
    leads_add = True
    leads_change = True
    list_display = ("name", "hint", "program", "scopes", "created_at", "expires_at", "revoked_at")
    list_select_related = ("person__program",)
    list_filter = (("person__program", ScopedRelatedFilter),)
    search_fields = ("name",)
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    actions = ("revoke",)

    @admin.display(ordering="person__program__name")
    def program(self, key: ApiKey) -> Program:
        return key.person.program

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            return super().get_form(request, obj, change=change, **kwargs)
        form = super().get_form(request, obj, change=change, form=IssueForm, fields=("name", "scopes"))
        form.base_fields["program"].queryset = self.admin_site._registry[Program].led(request)  # type: ignore[attr-defined]
        return form

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ("program", "name", "scopes")
        return ("name", "program", "hint", "scopes", "created_at", "expires_at", "revoked_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_fields(request, obj) if obj is not None else ()

    def make(self, request: HttpRequest, values: dict[str, Any]) -> ApiKey:
        key, text = ApiKey.objects.issue(**values)
        key.text = text  # type: ignore[attr-defined]
        return key

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """The key's text, shown once: it goes into this answer and into nothing that is stored."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Key issued",
            "key": obj,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/people/apikey/issued.html", context)

    @admin.action(description="Revoke the chosen keys", permissions=["change"])
    def revoke(self, request: HttpRequest, rows: models.QuerySet[ApiKey]) -> None:
        self.perform(request, rows, ApiKey.revoke, done="Keys revoked")
