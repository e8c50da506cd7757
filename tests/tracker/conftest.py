"""A cohort with enough ratings for a fit."""

from typing import Any

import pytest

from tests.factories import make_output, make_person, make_project, make_rating, make_rubric
from tracker.people.models import Role

KEYS = ("importance", "rigour", "clarity", "execution")


@pytest.fixture
def rated(stage) -> Any:
    """Four people, each with two outputs read by three readers, who see them apart."""
    program = stage.cohort.program
    make_rubric(program, *KEYS)
    readers = [make_person(Role.MENTOR, program=program, with_user=False) for _ in range(3)]
    for place, level in enumerate((4.0, 5.0, 6.5, 8.0)):
        project = make_project(stage.cohort)
        for step in (2 * place, 2 * place + 1):
            output = make_output(project, stage=stage)
            for lean, reader in enumerate(readers):
                scores = {
                    key: level + 0.3 * lean + 0.2 * ((7 * step + 3 * lean + 4 * at * at) % 5)
                    for at, key in enumerate(KEYS)
                }
                make_rating(output, reader, scores=scores)
    return stage
