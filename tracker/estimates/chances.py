"""What a posterior says of everybody at the gates that stages have."""

from collections.abc import Iterable
from typing import Any

from evals.noise import Posterior
from evals.noise.gating import Gate, speaking_against, through
from tracker.estimates.evidence import Aim, Evidence
from tracker.estimates.models import GateChance

# As many as the estimates' own joint draws, which are then used again.
DRAWS = 4000


def gate_chances_of(evidence: Evidence, posterior: Posterior) -> Iterable[GateChance]:
    """A row for each gate and each person who stands before it."""
    if not evidence.aims:
        return
    readers, sources = evidence.different_readers(), evidence.sources()
    known = set(posterior.persons.id)
    behind: dict[int, dict[str, int]] = {}
    for aim in evidence.aims:
        members: list[Any] = [member for member in aim.members if member in known]
        chances = chances_of(posterior, aim, members)
        beside = chances if posterior.symmetric is None else chances_of(posterior.symmetric, aim, members)
        for member, chance, symmetric in zip(members, chances, beside, strict=True):
            if member not in behind:
                behind[member] = evidence_behind(
                    posterior, evidence, member, readers=readers[member], sources=sources
                )
            yield GateChance(
                stage_id=aim.stage,
                person_id=member,
                places=aim.places,
                bar=aim.bar,
                through=chance,
                symmetric=symmetric,
                **behind[member],
            )


def chances_of(posterior: Posterior, aim: Aim, members: list[Any]) -> list[float]:
    found = through(posterior, Gate(places=aim.places, bar=aim.bar), members, draws=DRAWS)
    return [min(1.0, max(0.0, float(chance))) for chance in found]


def evidence_behind(
    posterior: Posterior,
    evidence: Evidence,
    person: Any,
    *,
    readers: set[int],
    sources: dict[int, set[Any]],
) -> dict[str, int]:
    """Good pieces are counted as far as each has a reader or measurement of its own: one reader's two are one."""
    own = {output for output, author, share in evidence.credit if author == person and share > 0}
    pieces: Any = posterior.contributions(person)
    good = [
        sources[piece.output]
        for piece in pieces.outputs
        if piece.output in own and piece.total > 0 and sources[piece.output]
    ]
    return {
        "readers": len(readers),
        "against": len(readers.intersection(speaking_against(posterior, person))),
        "good_pieces": min(len(good), len(set().union(*good))),
    }
