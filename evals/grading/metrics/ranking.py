"""Graders of rankings: within each query, how high the relevant items stand."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from evals.grading.metrics.answers import Answers, Truth, need
from evals.grading.metrics.grade import Grade, distinct, mean_grade


def ndcg(answers: Answers, truth: Truth) -> Grade:
    """Mean over queries of discounted gain, over the best possible; ties share their discounts evenly."""
    return by_query(answers, truth, query_ndcg)


def mrr(answers: Answers, truth: Truth) -> Grade:
    """Mean over queries of 1 / rank of the first relevant item; among ties the relevant one comes last."""
    return by_query(answers, truth, query_reciprocal)


def by_query(answers: Answers, truth: Truth, score: Callable[[Tensor, Tensor], Tensor]) -> Grade:
    """A mean over queries, which are what is drawn again: the grade's items are queries."""
    scores, gains = need(answers.scores).double(), need(truth.labels).double()
    groups = torch.zeros_like(scores).long() if truth.groups is None else truth.groups
    _, member = distinct(groups)
    values = [
        score(scores[member == query], gains[member == query]) for query in range(int(member.max()) + 1)
    ]
    return mean_grade(torch.stack(values))


def query_ndcg(scores: Tensor, gains: Tensor) -> Tensor:
    """One query's normalised discounted gain."""
    best = discounted(gains, gains)
    return discounted(scores, gains) / best if best > 0 else torch.zeros_like(best)


def discounted(scores: Tensor, gains: Tensor) -> Tensor:
    """Gain by falling score, each tie at its mean discount."""
    discount = 1 / torch.arange(2, len(scores) + 2, dtype=torch.float64, device=scores.device).log2()
    _, place = distinct(-scores)
    count = torch.bincount(place).double()
    order = place.sort().values
    shared = torch.zeros_like(count).index_add_(0, order, discount) / count
    return (gains * shared[place]).sum()


def query_reciprocal(scores: Tensor, gains: Tensor) -> Tensor:
    """One query's reciprocal rank, 0 where nothing is relevant."""
    relevant = gains > 0
    if not bool(relevant.any()):
        return scores.new_zeros(())
    best = scores[relevant].max()
    ahead = (scores > best).sum() + ((scores == best) & ~relevant).sum()
    return 1.0 / (ahead + 1).double()
