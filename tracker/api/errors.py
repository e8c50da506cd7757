"""Every refusal as problem+json (RFC 9457), with one sentence that says what to change."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from tracker.errors import RuleBroken, RulesBroken


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's one exception handler. What it does not know is ours to mend and stays an error."""
    if isinstance(error, RuleBroken):
        set_rollback()
        return answer(409, error.code, error.message, **rows_of(error))
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is nothing here that you may see.")
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        set_rollback()
        return from_rest_framework(error)
    return None


def rows_of(error: RuleBroken) -> dict[str, Any]:
    if isinstance(error, RulesBroken):
        return {
            "rows": [
                {"row": row, "code": fault.code, "detail": fault.message, "field": fault.field}
                for row, fault in error.faults
            ]
        }
    return {"field": error.field} if error.field else {}


def from_rest_framework(error: exceptions.APIException) -> Response:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))
    if isinstance(error, exceptions.ValidationError):
        return answer(error.status_code, "invalid", "Correct the fields named below.", errors=error.detail)
    return answer(error.status_code, str(error.get_codes()), str(error.detail), headers=headers)


def answer(
    status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    body = {"type": "about:blank", "title": code.replace("-", " ").replace("_", " "), "status": status}
    return Response(
        {**body, "code": code, "detail": detail, **more},
        status=status,
        headers=headers,
        content_type="application/problem+json",
    )
