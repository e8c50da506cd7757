"""What every page knows: the words of the program one is in, and whether this is the demo."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def workplace(request: HttpRequest) -> dict[str, Any]:
    return {"is_demo": settings.DEMO}
