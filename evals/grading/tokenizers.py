"""Tokenizers and chat templates are programs: rewriting rules are refused by reading, the rest is tried in the jail."""

from __future__ import annotations

from typing import Any

from evals.grading.children import Bounds, Supervisor
from evals.grading.frames import Frame
from evals.grading.jail import Cell, jailed
from evals.grading.limits import MEBIBYTE
from evals.grading.refusals import ChildCrashed, Refused
from evals.grading.running import judged
from evals.grading.strict_json import parse_json

PROBE_SECONDS = 1.0
PROBE_BYTES = 384 * MEBIBYTE
FAITHFUL = frozenset(("NFC", "Prepend", "Sequence"))
REWRITING = frozenset(
    (
        "Replace",
        "NFD",
        "NFKC",
        "NFKD",
        "Lowercase",
        "Strip",
        "StripAccents",
        "BertNormalizer",
        "Nmt",
        "Precompiled",
    )
)
SPACE_MARK = "\u2581"
MAXIMUM_GROWTH = 2
KEPT_SETTINGS = ("bos_token", "eos_token", "unk_token", "pad_token")


def probe_tokenizer(text: bytes, *, vocabulary: int) -> None:
    """Refuse a tokenizer that rewrites, cuts or lengthens texts, or names ids that the model lacks."""
    tokenizer = parse_json(text, code="bad-tokenizer", max_depth=64)
    if not isinstance(tokenizer, dict) or not isinstance(tokenizer.get("model"), dict):
        raise Refused("bad-tokenizer")
    for rule in rules(tokenizer.get("normalizer")):
        check_rule(rule)
    if tokenizer.get("truncation") is not None:
        raise Refused("tokenizer-not-faithful")
    job = {"job": "tokenizer", "vocabulary": vocabulary}
    probe(Frame(job | {"files": [{"bytes": len(text)}]}), text, code="tokenizer-expands")


def rules(normalizer: Any) -> list[dict[str, Any]]:
    """The rules of a normaliser, sequences unfolded."""
    if normalizer is None:
        return []
    if not isinstance(normalizer, dict):
        raise Refused("bad-tokenizer")
    if normalizer.get("type") == "Sequence":
        inner = normalizer.get("normalizers")
        if not isinstance(inner, list):
            raise Refused("bad-tokenizer")
        return [rule for part in inner for rule in rules(part)]
    return [normalizer]


def check_rule(rule: dict[str, Any]) -> None:
    """One rule that keeps the text; the mark for a space is the only replacement allowed."""
    kind = rule.get("type")
    if not isinstance(kind, str) or kind not in FAITHFUL | REWRITING:
        raise Refused("bad-tokenizer")
    if kind == "Prepend" and rule.get("prepend") != SPACE_MARK:
        raise Refused("tokenizer-not-faithful")
    if kind != "Replace":
        if kind in REWRITING:
            raise Refused("tokenizer-not-faithful")
        return
    pattern, content = rule.get("pattern"), rule.get("content")
    found = pattern.get("String") if isinstance(pattern, dict) else None
    if (found, content) == (" ", SPACE_MARK):
        return
    if isinstance(content, str) and len(content) > MAXIMUM_GROWTH * len(found or "x"):
        raise Refused("tokenizer-expands")
    raise Refused("tokenizer-not-faithful")


def probe_template(template: str, settings: dict[str, Any]) -> None:
    """Refuse a chat template that does not give back every message as it is."""
    kept = {name: settings[name] for name in KEPT_SETTINGS if isinstance(settings.get(name), str)}
    text = template.encode("utf-8", "replace")
    job = {"job": "template", "settings": kept, "files": [{"bytes": len(text)}]}
    probe(Frame(job), text, code="bad-template")


def probe(job: Frame, text: bytes, *, code: str) -> None:
    """Try it in a small jail; whatever ends the trial early is the program's own doing."""
    cell = Cell(memory=PROBE_BYTES, seconds=PROBE_SECONDS, processes=16)
    with jailed(cell) as start:
        trial = Supervisor(start.popen(), Bounds(seconds=cell.seconds, memory=cell.memory, output=MEBIBYTE))
        try:
            judged(trial.run(iter([job.pack(), text])))
        except ChildCrashed as error:
            # A jail that fails before it has read a byte is our fault, e.g. a missing library.
            if not trial.is_ready:
                raise
            raise Refused(code) from error
        except Refused as error:
            limits = ("over-time", "over-memory", "over-output")
            raise Refused(code if error.code in limits else error.code) from error
