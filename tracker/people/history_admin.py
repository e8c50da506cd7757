"""What became of a row, in the admin: who changed what, when, and by which door."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from tracker.events.changes import DEEDS
from tracker.events.doors import Door
from tracker.events.history import Tracked

CHANGES_SHOWN = 200


@dataclass(frozen=True)
class Change:
    """One change of one row, beside what was before."""

    row: Any
    values: tuple[tuple[str, str, str], ...]

    @property
    def at(self) -> datetime:
        return self.row.history_date

    @property
    def by(self) -> str:
        return str(self.row.history_user or "nobody by name")

    @property
    def door(self) -> str:
        return str(Door(self.row.door).label)

    @property
    def deed(self) -> str:
        return DEEDS[self.row.history_type]


def changes_of(rows: Iterable[Any]) -> list[Change]:
    """What each of these rows, newest first, changed of the one before it."""
    return [Change(row, differences(before, row)) for row, before in pairwise([*rows, None])]


def differences(before: Any, row: Any) -> tuple[tuple[str, str, str], ...]:
    if before is None:
        return ()
    changed = [
        field for field in row.tracked_fields if getattr(before, field.attname) != getattr(row, field.attname)
    ]
    return tuple((capfirst(field.verbose_name), shown(before, field), shown(row, field)) for field in changed)


def shown(row: Any, field: Any) -> str:
    try:
        value = getattr(row, field.name)
    except ObjectDoesNotExist:
        value = getattr(row, field.attname)
    return "nothing" if value is None or value == "" else str(value)


class HistoryAdmin(admin.ModelAdmin):
    """Its history page shows what is kept of the row to whoever may see that."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": f"What became of {row}",
            "changes": self.changes(request, row),
            "is_kept": isinstance(row, Tracked),
            "object": row,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/history.html", context | (extra_context or {}))

    def changes(self, request: HttpRequest, row: Any) -> list[Change]:
        if not isinstance(row, Tracked):
            return []
        kept = self.model.history.visible_to(request.user).filter(id=row.pk).select_related("history_user")
        return changes_of(kept[:CHANGES_SHOWN])
