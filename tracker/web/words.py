"""The one table of labels: plain words for what the program calls things, which a program can change."""

import re

from tracker.people.models import Program

LABELS = {
    "mentee": "mentee",
    "mentor": "mentor",
    "reader": "reader",
    "cohort": "cohort",
    "project": "project",
    "piece": "piece",
    "estimate": "current picture",
    "interval": "likely range",
    "contributions": "what this rests on",
    "gate": "next-stage decision",
    "little-evidence": "too early to say",
    "tie": "too close to call",
    "luck": "specific to this piece",
    "fortune": "project circumstances",
    "affinity": "this reader and person",
    "halo": "overall impression",
    "panel": "read together",
    "raw": "bare scores",
    "qualification": "first check",
    "safety": "safety check",
    "thorough": "full measurement",
    "queued": "waiting",
    "running": "being graded",
    "succeeded": "done",
    "checked": "in order, not measured",
    "refused": "needs a change from you",
    "retrying": "our fault, retrying",
    "failed": "our fault",
    "quarantined": "held: we are looking into it",
    "held": "held: a person is looking at it",
    "cancelled": "cancelled",
    "not-reached": "not reached",
}
PLURAL = "-plural"
# What the noise model calls its sources of variation, and what that is in words.
SOURCES = {
    "person": "of people differing from each other",
    "aspect": "of people being better at one thing than at another",
    "rater": "of some readers being stricter than others",
    "habit": "of readers being stricter on some criteria than on others",
    "affinity": "of readers and persons suiting each other more or less",
    "halo": "of an overall impression colouring all criteria",
    "output": "of pieces differing from each other",
}
NOTE_OF_A_SOURCE = re.compile(r"The sd of (\w+) is at zero")
SURE, EDGE = 0.95, 0.05


def word(key: str, program: Program | None = None) -> str:
    """What a program calls something; a key with ``-plural`` is the word for several of them."""
    own = program.words if program is not None else {}
    if isinstance(own, dict) and key in own:
        return str(own[key])
    if key.endswith(PLURAL):
        return several(word(key.removesuffix(PLURAL), program))
    return LABELS[key]


def several(one: str) -> str:
    return f"{one[:-1]}ies" if one.endswith("y") else f"{one}s"


def chance(probability: float) -> str:
    """A probability as people say it."""
    if probability >= SURE:
        return "more than 19 in 20"
    if probability <= EDGE:
        return "less than 1 in 20"
    return f"about {max(1, min(9, round(probability * 10)))} in 10"


def note(text: str) -> str:
    """A note of the fit in words that need no statistics."""
    found = NOTE_OF_A_SOURCE.match(text)
    if found and found[1] in SOURCES:
        return f"These scores show no sign {SOURCES[found[1]]}."
    return text


def place(level: float, spread: float) -> str:
    """Where a level lies among the people of a program, whose levels spread so much."""
    if spread <= 0 or abs(level) < 0.25 * spread:
        return "around the middle"
    side = "above" if level > 0 else "below"
    return f"{side} the middle" if abs(level) < spread else f"clearly {side} the middle"
