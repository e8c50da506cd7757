"""A program's key opens the API; each endpoint names the scope it takes."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed
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


def key_of(request: Request) -> ApiKey:
    """The key that permission was given to."""
    assert isinstance(request.auth, ApiKey)
    return request.auth


def user_of(request: Request) -> User:
    """The account that the key acts as."""
    assert isinstance(request.user, User)
    return request.user


class KeyScheme(OpenApiAuthenticationExtension):
    """The key in the OpenAPI description."""

    target_class = "tracker.api.authentication.ApiKeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A key that a program's lead issued."}


class HasScope(BasePermission):
    """Default deny: an endpoint that names no scope is open to no key."""

    def has_permission(self, request: Request, view: Any) -> bool:
        action = getattr(view, "action", None)
        if action in (None, "metadata"):
            raise MethodNotAllowed(str(request.method))
        needed = getattr(view, "scopes", {}).get(action)
        if needed is None or not isinstance(request.auth, ApiKey):
            return False
        self.message = f"This key lacks the scope {needed}: ask the program's lead for a key that has it."
        return needed in request.auth.scopes
