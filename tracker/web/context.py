"""What every page knows: where its visitor works, the words used there, and whether this is the demo."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from tracker.people.models import Membership, Program, Role, Visitor


@dataclass(frozen=True)
class Workplace:
    """The roles that somebody holds, and where."""

    user: Visitor

    @cached_property
    def memberships(self) -> list[Membership]:
        return list(Membership.objects.active().of(self.user).select_related("person__program"))

    @cached_property
    def roles(self) -> set[str]:
        return {membership.role for membership in self.memberships}

    @property
    def program(self) -> Program | None:
        return self.memberships[0].person.program if self.memberships else None

    @property
    def decides(self) -> bool:
        return bool(self.roles & {Role.LEAD, Role.COMMITTEE})

    @property
    def sees_cohorts(self) -> bool:
        return self.decides or Role.RESEARCH_MANAGER in self.roles

    @property
    def supports(self) -> bool:
        return Role.RESEARCH_MANAGER in self.roles

    @property
    def reads(self) -> bool:
        return Role.MENTOR in self.roles

    @property
    def learns(self) -> bool:
        return Role.MENTEE in self.roles

    @property
    def applies(self) -> bool:
        return Role.APPLICANT in self.roles

    @property
    def audited(self) -> set[int]:
        """The programs whose logs are theirs to read."""
        told = {Role.LEAD, Role.AUDITOR}
        return {held.person.program_id for held in self.memberships if held.role in told}

    @property
    def has_admin(self) -> bool:
        return self.user.is_authenticated and self.user.is_staff

    @property
    def front_page(self) -> str | None:
        """The name of the page where this visitor works most."""
        pages = (
            (self.sees_cohorts, "cohorts"),
            (self.reads, "reading"),
            (self.learns, "mine"),
            (self.applies, "applications"),
            (bool(self.audited), "logs"),
            (self.has_admin, "admin:index"),
        )
        return next((page for is_theirs, page in pages if is_theirs), None)


def workplace(request: HttpRequest) -> dict[str, Any]:
    return {
        "is_demo": settings.DEMO,
        "workplace": SimpleLazyObject(lambda: Workplace(request.user)),
    }
