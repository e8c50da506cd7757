"""Graders of free text: equal to an accepted answer, or how much of it in the same order."""

from __future__ import annotations

import re
import string
import unicodedata

import torch

from evals.grading.metrics.answers import Answers, NotMeasurable, Truth
from evals.grading.metrics.grade import Grade, mean_grade

PUNCTUATION = str.maketrans("", "", string.punctuation)
WORD = re.compile(r"\w+")
# The common subsequence takes time by the product of lengths, and answers are anybody's.
MAXIMUM_WORDS = 400


def exact_match(answers: Answers, truth: Truth) -> Grade:
    """Share of answers that equal an accepted one, apart from case, punctuation and spaces."""
    pairs = pairs_of(answers, truth)
    return mean_grade(torch.tensor([is_accepted(*pair) for pair in pairs], dtype=torch.float64))


def is_accepted(answer: str, accepted: tuple[str, ...]) -> bool:
    """Whether an answer equals an accepted one, apart from case, punctuation and spaces."""
    return any(plain(answer) == plain(text) for text in accepted)


def rouge_l(answers: Answers, truth: Truth) -> Grade:
    """Mean F of the longest common subsequence of words, with the accepted answer that fits best."""
    pairs = pairs_of(answers, truth)
    found = [max(overlap(words(answer), words(accepted)) for accepted in key) for answer, key in pairs]
    return mean_grade(torch.tensor(found, dtype=torch.float64))


def pairs_of(answers: Answers, truth: Truth) -> list[tuple[str, tuple[str, ...]]]:
    """Each answer with its accepted ones."""
    if answers.texts is None or truth.texts is None:
        raise NotMeasurable
    return list(zip(answers.texts, truth.texts, strict=True))


def plain(text: str) -> str:
    """Text as it is compared."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate(PUNCTUATION).split())


def words(text: str) -> list[str]:
    """The words of a text, not more than ``MAXIMUM_WORDS``."""
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())[:MAXIMUM_WORDS]


def overlap(answer: list[str], accepted: list[str]) -> float:
    """F of precision and recall of the longest common subsequence."""
    if not answer or not accepted:
        return 0.0
    common = longest_common(answer, accepted)
    return 2 * common / (len(answer) + len(accepted))


def longest_common(first: list[str], second: list[str]) -> int:
    """Length of the longest common subsequence, row by row."""
    row = [0] * (len(second) + 1)
    for word in first:
        before = 0
        for place, other in enumerate(second, start=1):
            kept = row[place]
            row[place] = before + 1 if word == other else max(row[place], row[place - 1])
            before = kept
    return row[-1]
