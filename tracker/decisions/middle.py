"""How many people a gate will leave too close to call, before it is fixed: by simulation, remembered by its inputs."""

from functools import lru_cache
from math import sqrt

from evals.noise import Shape
from evals.noise.gating import Gate, Middle, expect_middle
from tracker.cohorts.models import Enrollment, Stage
from tracker.estimates.models import Fit
from tracker.people.models import READERS, Person, Program
from tracker.projects.models import Output
from tracker.ratings.models import Criterion, Rubric

# Shares of a rating's variance in published studies, and the spread of scores that they are shares of.
PUBLISHED = {"person": 0.3, "affinity": 0.4, "rater": 0.1, "output": 0.1, "noise": 0.1}
SPREAD = 1.5
SIMULATED = ("person", "aspect", "rater", "habit", "affinity", "halo", "output")
MOST_PIECES = 4


def middle_of(stage: Stage, gate: Gate, *, readers: int, pieces: int) -> Middle | None:
    """None where too few people stand before the gate to simulate them."""
    program = stage.cohort.program
    people = Enrollment.objects.of_stage(stage).count()
    if people < 2:
        return None
    mentors = Person.objects.filter(program=program).active_as(*READERS).count()
    shape = Shape(
        people,
        max(readers, mentors),
        pieces,
        readers,
        criteria=Criterion.objects.filter(
            rubric__in=Rubric.objects.standing().filter(program=program)
        ).count()
        or 1,
    )
    return simulated(gate, shape, spreads_of(program))


@lru_cache(maxsize=128)
def simulated(gate: Gate, shape: Shape, spreads: tuple[tuple[str, float], ...]) -> Middle:
    return expect_middle(gate, shape, dict(spreads))


def spreads_of(program: Program) -> tuple[tuple[str, float], ...]:
    """The program's own, of its current fit, or published ones before there is one."""
    fit = Fit.objects.current().filter(program=program).first()
    if fit is None or "person" not in fit.spreads:
        return tuple((name, SPREAD * sqrt(share)) for name, share in PUBLISHED.items())
    known = {name: round(float(at["mean"]), 3) for name, at in fit.spreads.items() if name in SIMULATED}
    noise = [float(at["mean"]) for name, at in fit.spreads.items() if is_of_readers(name)]
    luck = float(fit.spreads.get("luck", {}).get("mean", 0.0))
    return (
        *known.items(),
        ("noise", round(sum(noise) / len(noise), 3) if noise else 0.5),
        ("luck", round(luck, 3)),
    )


def usual_pieces(stage: Stage) -> int:
    """How many pieces a person has in this stage so far, at least one."""
    people = Enrollment.objects.of_stage(stage).count()
    pieces = Output.objects.standing().filter(stage=stage).count()
    return min(MOST_PIECES, max(1, round(pieces / people))) if people else 1


def is_of_readers(name: str) -> bool:
    """Whether a spread is the noise of a rubric's criteria; a benchmark's metric has a colon."""
    return name.startswith("noise") and ":" not in name
