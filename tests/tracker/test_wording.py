import pytest

from tracker.errors import RuleBroken
from tracker.wording import LONGEST_TEXT, worded, wording


def test_a_text_is_kept_whole_without_blanks_around_it():
    assert worded("  Two lines\nof it. ", "Write it.") == "Two lines\nof it."
    assert wording("x" * LONGEST_TEXT) == "x" * LONGEST_TEXT


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_what_must_be_there_is_asked_for(text):
    with pytest.raises(RuleBroken) as broken:
        worded(text, "Write it.", field="reasons", code="reasons-missing")
    assert (broken.value.message, broken.value.field) == ("Write it.", "reasons")
    assert broken.value.code == "reasons-missing"
    assert wording(text) == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x" * 2001, "Shorten this to 2,000 characters: it has 2,001."),
        ("a\x00b", "Take out the character U+0000"),
    ],
)
def test_what_cannot_be_kept_whole_is_refused_and_never_cut(text, says):
    with pytest.raises(RuleBroken) as broken:
        wording(text, longest=2000)
    assert broken.value.message.startswith(says)
