"""Where the demo is refused, and what its scores are drawn from."""

import pytest

from tests.factories import make_program
from tracker.errors import RuleBroken
from tracker.ops.demo.loading import load_demo
from tracker.ops.demo.simulating import Reading, draw, on_the_scale


@pytest.mark.django_db
def test_it_is_refused_where_real_programs_are():
    make_program()

    with pytest.raises(RuleBroken, match="into an empty one"):
        load_demo()


@pytest.mark.django_db
def test_it_is_refused_where_https_is_on(settings):
    settings.HTTPS = True

    with pytest.raises(RuleBroken, match="known to everybody"):
        load_demo()


def test_the_same_seed_draws_the_same_scores():
    readings = [Reading(output, rater) for output in range(4) for rater in (10, 11)]
    credit = [(output, output % 2, 1.0) for output in range(4)]
    draws = [draw(readings, credit, people=[0, 1], criteria=["rigour", "clarity"]) for _ in range(2)]

    assert draws[0] == draws[1]


@pytest.mark.parametrize(("drawn", "kept"), [(11.3, 10.0), (-2.0, 1.0), (6.6, 7.0), (6.4, 6.0)])
def test_a_drawn_score_is_a_whole_point_on_the_scale(drawn, kept):
    assert on_the_scale(drawn) == kept
