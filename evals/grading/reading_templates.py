"""The jailed reader's trial of a chat template: every message must come back word for word, in order."""

from __future__ import annotations

from typing import Any, BinaryIO

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from evals.grading.frames import Frame, read_exactly
from evals.grading.refusals import Refused

MESSAGES = (
    {"role": "system", "content": "Answer with one letter."},
    {"role": "user", "content": "Is water wet? (A) yes (B) no"},
    {"role": "assistant", "content": "The answer is (A)."},
    {"role": "user", "content": "And why?  Two spaces, <tags> & quotes \"'."},
)
MAXIMUM_GROWTH = 4096
MISTAKES = (
    TemplateError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
)


def run(job: Frame, source: BinaryIO, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Render the template over a few messages."""
    text = read_exactly(source, job.header["files"][0]["bytes"]).decode("utf-8", "replace")
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    settings = {"bos_token": "", "eos_token": "", **job.header["settings"]}
    try:
        rendered = environment.from_string(text).render(
            messages=list(MESSAGES), add_generation_prompt=True, **settings
        )
    except MISTAKES as error:
        raise Refused("bad-template") from error
    place = 0
    for message in MESSAGES:
        place = rendered.find(message["content"], place)
        if place < 0:
            raise Refused("bad-template")
        place += len(message["content"])
    if len(rendered) > MAXIMUM_GROWTH:
        raise Refused("bad-template")
    return {"characters": len(rendered)}, {}


def refuse(message: str) -> None:
    """What templates call to reject a conversation."""
    raise Refused("bad-template")
