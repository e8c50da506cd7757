"""Wilson's interval, against SciPy and at its limits."""

import pytest
from scipy.stats import binomtest

from evals.statistics.shares import wilson


@pytest.mark.parametrize(("count", "of"), [(17, 26), (0, 5), (5, 5), (1, 1000), (499, 1000)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_it_is_what_scipy_finds(count, of, level):
    expected = binomtest(count, of).proportion_ci(level, method="wilson")

    found = wilson(count, of, level=level)

    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_it_holds_the_share_and_stays_within_0_and_1():
    for count in range(8):
        found = wilson(count, 7)
        assert 0 <= found.low <= found.share <= found.high <= 1


@pytest.mark.parametrize(("count", "of", "level"), [(1, 0, 0.95), (3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0)])
def test_it_refuses_what_is_no_share(count, of, level):
    with pytest.raises(ValueError, match=r"no share|between 0 and 1"):
        wilson(count, of, level=level)
