"""Questions about order, answered from joint draws with their Monte-Carlo error."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evals.noise.arrays import Floats, Ints, Label
from evals.noise.fitted import Fitted


@dataclass(frozen=True)
class Chance:
    """A probability, or an expectation, with its Monte-Carlo error."""

    value: float
    error: float


@dataclass(frozen=True)
class Chances:
    """One number for each person; ``chances[person]`` is one of them."""

    id: tuple[Label, ...]
    value: Floats
    error: Floats

    def __getitem__(self, label: Label) -> Chance:
        at = self.id.index(label)
        return Chance(float(self.value[at]), float(self.error[at]))

    def __iter__(self) -> Iterator[tuple[Label, Chance]]:
        return ((label, self[label]) for label in self.id)


@dataclass(frozen=True)
class LotteryBand:
    """Who has a place, who has none, and among whom the remaining places are drawn."""

    chosen: tuple[Label, ...]
    drawn_from: tuple[Label, ...]
    places_left: int
    out: tuple[Label, ...]


def probability_above(posterior: Fitted, bar: float, *, report: str = "person") -> Chances:
    """From the mixture itself, so without Monte-Carlo error."""
    labels = posterior.model.labels(report)
    above = 1.0 - posterior.mixtures[report].cdf(np.full(len(labels), float(bar)))
    return Chances(labels, above, np.zeros(len(labels)))


def _ranks(posterior: Fitted, seed: int) -> Ints:
    draws = posterior.draws(seed=seed)
    return np.asarray(draws.shape[1] - np.argsort(np.argsort(draws, axis=1), axis=1))


def rank_probabilities(posterior: Fitted, k: int, *, seed: int = 0) -> Chances:
    people = posterior.model.labels("person")
    if not 1 <= k <= len(people):
        raise ValueError(f"The best {k} of {len(people)} people make no sense: give 1 to {len(people)}.")
    return _mean_of(people, _ranks(posterior, seed) <= k)


def expected_ranks(posterior: Fitted, *, seed: int = 0) -> Chances:
    return _mean_of(posterior.model.labels("person"), _ranks(posterior, seed))


def _mean_of(people: tuple[Label, ...], draws: Floats | Ints | np.ndarray) -> Chances:
    return Chances(people, draws.mean(axis=0), draws.std(axis=0) / np.sqrt(draws.shape[0]))


def pairwise(posterior: Fitted, one: Label, other: Label, *, seed: int = 0) -> Chance:
    place = posterior.persons.place
    draws = posterior.draws(seed=seed)
    above = draws[:, place[one]] > draws[:, place[other]]
    return Chance(float(above.mean()), float(above.std() / np.sqrt(above.size)))


def tiers(posterior: Fitted, level: float, *, seed: int = 0) -> tuple[tuple[Label, ...], ...]:
    """The split of the list by expected rank that loses least.

    A pair apart costs the probability that its order is wrong, a pair together 1 - level.
    """
    if not 0.5 <= level < 1:
        raise ValueError(f"The level is {level!r}: give a probability from 0.5 to below 1.")
    draws = posterior.draws(seed=seed)
    order = np.argsort(expected_ranks(posterior, seed=seed).value, kind="stable")
    wrong = wrong_order(draws[:, order])
    labels = posterior.model.labels("person")
    return tuple(tuple(labels[at] for at in order[block]) for block in best_blocks(wrong, level))


def wrong_order(draws: Floats) -> Floats:
    """For people in listed order, the probability that a later one is above an earlier one."""
    wrong = np.zeros((draws.shape[1], draws.shape[1]))
    for at in range(draws.shape[1] - 1):
        wrong[at, at + 1 :] = (draws[:, at + 1 :] > draws[:, at : at + 1]).mean(axis=0)
    return wrong


def best_blocks(wrong: Floats, level: float) -> list[slice]:
    """Consecutive blocks of least loss, by dynamic programming over where the last one starts."""
    size = wrong.shape[0]
    gain = np.triu((1.0 - level) - wrong, 1)
    inside = np.zeros((size + 1, size + 1))
    for end in range(1, size + 1):
        column = np.cumsum(gain[:end, end - 1][::-1])[::-1]
        inside[:end, end] = inside[:end, end - 1] + column
    best, start = np.zeros(size + 1), np.zeros(size + 1, dtype=np.intp)
    for end in range(1, size + 1):
        losses = best[:end] + inside[:end, end]
        start[end] = int(np.argmin(losses))
        best[end] = losses[start[end]]
    blocks, end = [], size
    while end > 0:
        blocks.append(slice(int(start[end]), end))
        end = int(start[end])
    return blocks[::-1]


def lottery_band(posterior: Fitted, k: int, *, level: float = 0.75, seed: int = 0) -> LotteryBand:
    """In with a probability of at least ``level`` of the top k, out below its complement, else drawn."""
    chances = rank_probabilities(posterior, k, seed=seed)
    order = np.argsort(-chances.value, kind="stable")
    sure = [chances.id[at] for at in order if chances.value[at] >= level]
    between = [chances.id[at] for at in order if 1.0 - level < chances.value[at] < level]
    out = [chances.id[at] for at in order if chances.value[at] <= 1.0 - level]
    if len(sure) > k:
        return LotteryBand((), tuple(sure), k, tuple(between + out))
    left = k - len(sure)
    if left > len(between):
        extra, out = out[: left - len(between)], out[left - len(between) :]
        between += extra
    return (
        LotteryBand(tuple(sure), tuple(between), left, tuple(out))
        if left
        else LotteryBand(tuple(sure), (), 0, tuple(between + out))
    )
