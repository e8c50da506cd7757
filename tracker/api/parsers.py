"""JSON as it comes in: of bounded size and depth, and without numbers that are none."""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from tracker.api.errors import TooLarge

LONGEST_WHOLE_NUMBER = 18
HALF_A_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


class BoundedJSONParser(BaseParser):
    """Reads no more than the largest body that the settings allow."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(most + 1)
        if len(body) > most:
            raise TooLarge(f"The body is larger than {most // 2**20} MiB: send it in parts.")
        try:
            return strict_json(body.decode())
        except UnicodeDecodeError:
            raise ParseError("The body is not UTF-8 text: encode it as UTF-8.") from None


def strict_json(text: str) -> Any:
    try:
        value = json.loads(text, parse_int=bounded, parse_constant=refuse_constant)
        if HALF_A_CHARACTER.search(text):
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeEncodeError:
        raise ParseError("A text in the JSON holds half a character: send whole ones.") from None
    except RecursionError:
        raise ParseError("The JSON is nested too deeply: flatten it.") from None
    except json.JSONDecodeError as error:
        raise ParseError(
            f"The JSON breaks off at line {error.lineno}, column {error.colno}: correct it there."
        ) from None
    except ValueError as error:
        raise ParseError(f"The JSON cannot be read: {error}") from None


def bounded(digits: str) -> int | float:
    """No column of ours holds a whole number this long; as a float it is refused as off the scale."""
    return int(digits) if len(digits) <= LONGEST_WHOLE_NUMBER else float(digits)


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON: leave it out.")
