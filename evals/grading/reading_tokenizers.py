"""The jailed reader's trial of a tokenizer: texts must come back as they were, with ids that the model has."""

from __future__ import annotations

from typing import Any, BinaryIO

from tokenizers import Tokenizer

from evals.grading.frames import Frame, read_exactly
from evals.grading.refusals import Refused

PROBES = (
    "The answer is no",
    "The answer is yes",
    "The answer is A",
    "The answer is B",
    "True",
    "False",
    "yes",
    "no",
    "I am not sure which of these it is",
    "one two three four five six seven eight nine ten",
    "A" * 64,
    "a b c d e f g h i j k l m n o p q r s t u v w x y z",
    "The answer is 42, not 17.",
    "(A) and (B)",
    'He said: "No!"',
    "x = 3 * (4 + 5)\n",
    "caf\u00e9 \u4e2d\u6587 \U0001f600",
)
MAXIMUM_TOKENS_PER_BYTE = 4
FEWEST_KNOWN = 4


def run(job: Frame, source: BinaryIO, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Try the tokenizer on texts in which the answers to questions occur."""
    tokenizer = loaded(read_exactly(source, job.header["files"][0]["bytes"]))
    if max(tokenizer.get_vocab(with_added_tokens=True).values(), default=0) >= job.header["vocabulary"]:
        raise Refused("token-id-range")
    known = [text for text in PROBES if comes_back(tokenizer, text)]
    if len(known) < FEWEST_KNOWN:
        raise Refused("tokenizer-not-faithful", found=len(known), expected=FEWEST_KNOWN)
    return {"probes": len(known)}, {}


def loaded(text: bytes) -> Tokenizer:
    """The tokenizer; its library says what is wrong in many ways, all of them one refusal."""
    try:
        return Tokenizer.from_str(text.decode("utf-8"))
    except Exception as error:  # the Rust library raises bare Exception
        raise Refused("bad-tokenizer") from error


def comes_back(tokenizer: Tokenizer, text: str) -> bool:
    """Whether a text survives; False where the tokenizer does not know its letters, which is no fault."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    if len(encoding.ids) > MAXIMUM_TOKENS_PER_BYTE * len(text.encode()) + MAXIMUM_TOKENS_PER_BYTE:
        raise Refused("tokenizer-expands")
    unknown = getattr(tokenizer.model, "unk_token", None)
    if unknown and unknown in encoding.tokens:
        return False
    if tokenizer.decode(encoding.ids, skip_special_tokens=False) != text:
        raise Refused("tokenizer-not-faithful")
    return True
