"""Answers that are kept between phases: as many as have room, the oldest forgotten first."""

import numpy as np

from evals.grading.answering import KEPT_BYTES, Answered, Kept


def answers(size: int) -> Answered:
    return Answered({"classes": np.zeros(size, np.uint8)}, items=size, seconds=0.0)


def test_small_answers_of_a_thousand_submissions_are_all_kept():
    kept = Kept()
    for number in range(1000):
        kept.put((str(number),), answers(6_000))

    assert all(kept.get((str(number),)) for number in range(1000))


def test_what_has_no_room_makes_the_oldest_go():
    kept = Kept()
    for name in ("first", "second", "third"):
        kept.put((name,), answers(KEPT_BYTES // 2))

    assert [kept.get((name,)) is not None for name in ("first", "second", "third")] == [False, True, True]


def test_an_answer_that_was_asked_for_is_young_again():
    kept = Kept()
    kept.put(("early",), answers(KEPT_BYTES // 2))
    kept.put(("late",), answers(KEPT_BYTES // 2))

    kept.get(("early",))
    kept.put(("new",), answers(KEPT_BYTES // 2))

    assert [kept.get((name,)) is not None for name in ("early", "late", "new")] == [True, False, True]


def test_answers_larger_than_all_room_push_out_no_others():
    kept = Kept()
    kept.put(("small",), answers(100))

    kept.put(("giant",), answers(KEPT_BYTES + 1))

    assert kept.get(("small",)) is not None
    assert kept.get(("giant",)) is None
