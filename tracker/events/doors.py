"""Which door a deed comes through, and who is at it: known to whatever is written meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.db import models
from django.http import HttpRequest, HttpResponse


class Door(models.TextChoices):
    WEB = "web", "web page"
    ADMIN = "admin", "admin"
    API = "api", "API"
    WORKER = "worker", "worker"
    COMMAND = "command", "command"


PATHS = {"/admin/": Door.ADMIN, "/api/": Door.API}


@dataclass(frozen=True)
class Entry:
    """A door that is open now; behind a request stands whoever it turns out to be of."""

    door: str
    request: HttpRequest | None = None

    @property
    def user_id(self) -> int | None:
        user = getattr(self.request, "user", None)
        return user.pk if user is not None and user.is_authenticated else None


present: ContextVar[Entry | None] = ContextVar("door", default=None)


def entered() -> Entry:
    """Where we came in; nobody's request and no worker's task is a command."""
    return present.get() or Entry(Door.COMMAND)


@contextmanager
def through(door: str, request: HttpRequest | None = None) -> Iterator[None]:
    """What is written in this block was done through this door."""
    token = present.set(Entry(door, request))
    try:
        yield
    finally:
        present.reset(token)


def door_of(path: str) -> str:
    return next((door for start, door in PATHS.items() if path.startswith(start)), Door.WEB)


def doors_are_noted(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware: whatever a request writes knows its door."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with through(door_of(request.path_info), request):
            return get_response(request)

    return middleware
