"""A program's key opens the API; each endpoint names the scope it takes."""

from typing import Any

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tracker.people.models import ApiKey, User


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer plb_…``"""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        kind, _, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if kind.lower() != "bearer":
            return None
        key = ApiKey.objects.matching(text.strip())
        if key is None or key.person.user is None:
            raise AuthenticationFailed(
                "This key is unknown, expired or revoked: ask the program's lead for a new one."
            )
        return key.person.user, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="plumbline"'


class HasScope(BasePermission):
    """Default deny: an endpoint that names no scope is open to no key."""

    def has_permission(self, request: Request, view: Any) -> bool:
        needed = getattr(view, "scopes", {}).get(getattr(view, "action", None))
        if needed is None or request.auth is None:
            return False
        self.message = f"This key lacks the scope {needed}."
        return needed in request.auth.scopes
