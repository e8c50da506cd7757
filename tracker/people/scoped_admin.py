"""The third door: an admin that shows, offers and filters by only what its user may see, and deletes nothing."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import Permission
from django.db import IntegrityError, models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from tracker.errors import RuleBroken
from tracker.people.history_admin import HistoryAdmin
from tracker.people.models import Program, Role

# How a filter of a list may end; anything longer would search through what is not shown.
ENDINGS = {"", "exact", "isnull", "gte", "lt", "year", "month", "day", "id__exact", "pk__exact"}

STANDS_ALREADY = "This stands already: end or change the one that does, or enter another."


class ScopedModelAdmin(HistoryAdmin):
    """Everybody sees what ``visible_to`` shows them; leads change what is their program's."""

    program_path = "program"
    leads_view = True
    leads_add = False
    leads_change = False
    funds_view = False
    is_computed = False
    show_full_result_count = False
    list_per_page = 100

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows: Any = self.model._default_manager.all()
        visible: models.QuerySet[Any] = rows if is_superuser(request) else rows.visible_to(request.user)
        return visible.order_by(*self.get_ordering(request) or self.model._meta.ordering)

    def led(self, request: HttpRequest) -> models.QuerySet[Any]:
        """What this user may change or choose: all of programs they lead."""
        rows = self.model._default_manager.all()
        if request.user.is_superuser:
            return rows
        programs = Program.objects.where(request.user, Role.LEAD)
        return rows.filter(**{f"{self.program_path}__in": programs})

    def leads(self, request: HttpRequest, obj: Any) -> bool:
        """Whether this row is of a program that the user leads."""
        return obj is not None and self.led(request).filter(pk=obj.pk).exists()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (
            is_superuser(request)
            or (self.leads_view and leads_somewhere(request))
            or (self.funds_view and f"view_{self.opts.model_name}" in granted(request))
        )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = is_superuser(request) or (self.leads_add and leads_somewhere(request))
        return may and not self.is_computed

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if self.is_computed or not (self.leads_change or is_superuser(request)):
            return False
        if obj is None or is_superuser(request):
            return is_superuser(request) or leads_somewhere(request)
        return self.leads(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> Any:
        """What a relation can be set to: never another program's rows."""
        model = db_field.remote_field.model
        related = self.admin_site._registry.get(model)
        if isinstance(related, ScopedModelAdmin):
            return related.led(request).order_by(*model._meta.ordering)
        if hasattr(model._default_manager, "visible_to"):
            return model._default_manager.visible_to(request.user)
        return model._default_manager.all() if is_superuser(request) else model._default_manager.none()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what the list offers to filter by: a hidden column must not be searched through its address."""
        offered = [entry[0] if isinstance(entry, tuple) else entry for entry in self.get_list_filter(request)]
        offered += [self.date_hierarchy] if self.date_hierarchy else []
        return any(
            lookup == name or (lookup.startswith(f"{name}__") and lookup[len(name) + 2 :] in ENDINGS)
            for name in offered
            if isinstance(name, str)
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write what was changed and nothing else, so that nobody's newer values are written over."""
        if change:
            self.save_changes(obj, [name for name in form.changed_data if name in form._meta.fields])
        else:
            self.save_new(obj)

    def save_new(self, obj: Any) -> None:
        obj.save()

    def save_changes(self, obj: Any, names: list[str]) -> None:
        obj.save(update_fields=names)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """As the stock one, but a broken rule, or row that stands already, is a message and not a crash."""
        try:
            with transaction.atomic():
                return super().changeform_view(request, *args, **kwargs)
        except RuleBroken as broken:
            self.message_user(request, broken.message, messages.ERROR)
        except IntegrityError:
            self.message_user(request, STANDS_ALREADY, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """As the stock one, but a date that no calendar has is answered as any other filter that means nothing."""
        try:
            return super().get_changelist_instance(request)
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters(str(error)) from None

    def perform(
        self, request: HttpRequest, rows: models.QuerySet[Any], verb: Callable[[Any], object], *, done: str
    ) -> None:
        """Do a verb on each chosen row that is the user's to change, and say what came of it."""
        own = self.led(request).filter(pk__in=[row.pk for row in rows])
        count = 0
        for row in own:
            try:
                verb(row)
                count += 1
            except RuleBroken as broken:
                self.message_user(request, f"{row}: {broken.message}", messages.ERROR)
        if count:
            self.message_user(request, f"{done}: {count}.", messages.SUCCESS)
        if len(own) < len(rows):
            self.message_user(
                request, "Some of these belong to a program that you do not lead.", messages.ERROR
            )


class MadeByVerb(ScopedModelAdmin):
    """New rows come from the model's own verb, so that its rules hold at this door too."""

    def make(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        raise NotImplementedError

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        saved = super().save_form(request, form, change)
        return saved if change else self.make(request, form.cleaned_data)

    def save_new(self, obj: Any) -> None:
        """The verb has stored it already."""


class SuperusersOnly(HistoryAdmin):
    """What nobody else is to open."""

    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ShownInline(admin.TabularInline):
    """Rows beside their parent, for reading: what verbs or the worker wrote."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


class ScopedRelatedFilter(admin.RelatedFieldListFilter):
    """Offers only rows that the user may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        rows = field.remote_field.model._default_manager.all()
        seen = rows if is_superuser(request) else rows.visible_to(request.user)
        return field.get_choices(
            include_blank=False,
            ordering=self.field_admin_ordering(field, request, model_admin),
            limit_choices_to={"pk__in": seen.values("pk")},
        )


def is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


def leads_somewhere(request: HttpRequest) -> bool:
    """Whether the user leads a program; asked once for each request."""
    known = getattr(request, "leads_somewhere", None)
    if known is None:
        known = Program.objects.where(request.user, Role.LEAD).exists()
        request.leads_somewhere = known  # type: ignore[attr-defined]
    return bool(known and request.user.is_staff)


def granted(request: HttpRequest) -> set[str]:
    """The rights that come with the user's groups, such as a fund's; asked once for each request."""
    known: set[str] | None = getattr(request, "granted", None)
    if known is None:
        rights = Permission.objects.filter(group__user=request.user.pk)
        known = set(rights.values_list("codename", flat=True))
        request.granted = known  # type: ignore[attr-defined]
    return known if request.user.is_staff else set()


def event_actor(request: HttpRequest) -> Any:
    """Who did it, for the record."""
    return request.user.public_id  # type: ignore[union-attr]
