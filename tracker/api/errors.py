"""Every refusal as problem+json (RFC 9457), with one sentence that says what to change."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from tracker.errors import RuleBroken, RulesBroken

logger = logging.getLogger(__name__)

# Rules that HTTP has a status of its own for; every other broken rule is a conflict.
STATUS_BY_CODE = {"malformed": 400, "unknown-id": 400, "rows-malformed": 400, "too-big": 413}

# The framework's sentences that tell no one what to change, and ours.
OWN_KEY = "Send your program's key in a header: Authorization: Bearer plb_…"
OWN_WORDS = {
    "This field is required.": "Send this too: it cannot be left out.",
    "The submitted file is empty.": "This file has nothing in it: send one that does.",
}


class RowsMalformed(RulesBroken):
    """Rows of one request of which some are not even well formed."""

    def __init__(self, faults: list[tuple[int, RuleBroken]]) -> None:
        super().__init__(faults)
        self.code = "rows-malformed"


class TooLarge(exceptions.APIException):
    status_code = 413
    default_code = "too-large"


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's one exception handler. What it does not know is ours to mend and stays an error."""
    if isinstance(error, RuleBroken):
        set_rollback()
        return answer(STATUS_BY_CODE.get(error.code, 409), error.code, error.message, **faults_of(error))
    known = in_words_of_http(error)
    if known is None:
        return None
    set_rollback()
    return from_rest_framework(known)


def in_words_of_http(error: Exception) -> exceptions.APIException | None:
    """The same refusal as DRF would have raised it; None for what is nobody's refusal."""
    if isinstance(error, exceptions.NotAuthenticated):
        error.detail = exceptions.ErrorDetail(OWN_KEY, error.default_code)
    if isinstance(error, exceptions.ValidationError):
        error.detail = in_own_words(error.detail)
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, Http404):
        return exceptions.NotFound("There is nothing here that you may see.")
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, RequestDataTooBig):
        return TooLarge("The request is too large: send less at a time.")
    if isinstance(error, SuspiciousOperation):
        return exceptions.ParseError("The request cannot be read: send it as the documentation shows.")
    if isinstance(error, OperationalError | InterfaceError | IntegrityError):
        return from_database(error)
    return None


def in_own_words(detail: Any) -> Any:
    """The same faults, in sentences that say what to change."""
    if isinstance(detail, dict):
        return {name: in_own_words(inner) for name, inner in detail.items()}
    if isinstance(detail, list | tuple):
        return [in_own_words(inner) for inner in detail]
    return OWN_WORDS.get(str(detail), detail)


def from_database(error: Exception) -> exceptions.APIException:
    """A database that is away, or two requests that wanted the same row: both are worth another try."""
    logger.exception("The database refused a request.")
    if isinstance(error, IntegrityError):
        refusal = exceptions.APIException(
            "This collides with what was stored a moment ago: read it and try again.", code="collision"
        )
        refusal.status_code = 409
    else:
        refusal = exceptions.APIException(
            "The database is busy or away: try again in a few seconds.", code="unavailable"
        )
        refusal.status_code = 503
        refusal.wait = 5  # type: ignore[attr-defined]
    return refusal


def faults_of(error: RuleBroken) -> dict[str, Any]:
    if isinstance(error, RulesBroken):
        return {
            "rows": [
                {"row": row + 1, "code": fault.code, "detail": fault.message, "field": fault.field}
                for row, fault in error.faults
            ]
        }
    return {"field": error.field} if error.field else {}


def from_rest_framework(error: exceptions.APIException) -> Response:
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    if isinstance(error, exceptions.ValidationError):
        field, sentence = first_fault(error.detail)
        detail = f"{field}: {sentence}" if field else sentence
        return answer(error.status_code, "invalid", detail, errors=error.detail)
    code = error.get_codes()
    return answer(
        error.status_code,
        code if isinstance(code, str) else error.default_code,
        str(error.detail),
        headers=headers,
    )


def first_fault(detail: Any, field: str = "") -> tuple[str, str]:
    """Which input is at fault, as a dotted path, and why."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            path = field if name == "non_field_errors" else f"{field}.{name}".lstrip(".")
            return first_fault(inner, path)
    if isinstance(detail, list | tuple):
        for inner in detail:
            if inner:
                return first_fault(inner, field)
    return field, str(detail)


def crashed(request: HttpRequest) -> HttpResponse:
    """Our own mistake: a problem below the API, a page elsewhere, and nothing of what went wrong in either."""
    if not request.path.startswith("/api/"):
        return defaults.server_error(request)
    detail = "Something went wrong on our side: it was recorded, and trying again later may help."
    body = answer(500, "crashed", detail).data
    return JsonResponse(body, status=500, content_type="application/problem+json")


def answer(
    status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    title = code.replace("-", " ").replace("_", " ")
    return Response(
        {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail, **more},
        status=status,
        headers=headers,
        content_type="application/problem+json",
    )
