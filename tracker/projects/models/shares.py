"""What shares of credit may be."""

from collections.abc import Iterable, Mapping
from math import fsum, inf
from typing import TypeVar

from tracker.errors import RuleBroken

SHARE_TOLERANCE = 1e-6
KINDS = ("idea", "execution", "writing")
Member = TypeVar("Member")


def judge_shares(shares: Mapping[str, Mapping[Member, float]]) -> None:
    """The shares of each kind sum to 1, and none is negative."""
    if not shares:
        raise RuleBroken("Say whose it is by at least one kind of credit.", field="credit")
    for kind, by_person in shares.items():
        total = fsum(by_person.values())
        if kind not in KINDS:
            raise RuleBroken(f"Unknown kind of credit {kind[:40]!r}: use {', '.join(KINDS)}.", field="credit")
        if not 0 < total < inf or any(share < 0 for share in by_person.values()):
            raise RuleBroken("Shares of credit cannot be negative or all zero.", field="credit")
        if abs(total - 1) > SHARE_TOLERANCE:
            raise RuleBroken(f"The shares of {kind} sum to {total:g}: make them sum to 1.", field="credit")


def equal_shares(members: Iterable[Member]) -> dict[str, dict[Member, float]]:
    """What holds until the team says otherwise."""
    everybody = list(members)
    if not everybody:
        raise RuleBroken("This project has no author now: name one first.", field="authors")
    return {"execution": {member: 1 / len(everybody) for member in everybody}}
