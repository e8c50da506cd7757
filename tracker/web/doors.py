"""How a request comes through: by its method, as whom, and with what told of a broken rule."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods
from django_htmx.middleware import HtmxDetails

from tracker.errors import RuleBroken
from tracker.people.models import Person, Program, User, Visitor

View = Callable[..., HttpResponse]


class PageRequest(HttpRequest):
    """A request of somebody who is logged in, as every page but the entrance demands."""

    user: User
    htmx: HtmxDetails


def by_method(*, get: View, post: View) -> View:
    """One address for a form: one view shows it, another takes it."""

    @require_http_methods(["GET", "HEAD", "POST"])
    def dispatch(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        view = post if request.method == "POST" else get
        return view(request, **kwargs)

    return dispatch


def self_in(program: Program, user: Visitor) -> Person:
    """Who the visitor is in a program."""
    return get_object_or_404(Person.objects.of(user), program=program)


def demand(allowed: QuerySet[Any], row: Model) -> None:
    """Refuse what a visitor may see but not change."""
    if not allowed.filter(pk=row.pk).exists():
        raise PermissionDenied("You may see this, but not change it.")


@contextmanager
def told(request: HttpRequest, *, done: str) -> Iterator[None]:
    """Say on the next page that the deed was done, or which rule it broke."""
    try:
        yield
    except RuleBroken as broken:
        messages.error(request, broken.message)
    else:
        messages.success(request, done)


@contextmanager
def told_by(form: Form) -> Iterator[None]:
    """Say at the form's field which rule the deed broke; what was typed stays."""
    try:
        yield
    except RuleBroken as broken:
        form.add_error(broken.field if broken.field in form.fields else None, broken.message)


def broken_rules_are_told(get_response: View) -> View:
    """A middleware: a rule that a page itself runs into is told on a page of its own, not a fault of ours."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, RuleBroken):
            return render(request, "409.html", {"sentence": error.message}, status=409)
        return None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware
