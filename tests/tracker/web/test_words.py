"""Words and numbers: one table, plain, and no decimals beyond the noise."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from tests.factories import make_program
from tracker.people.models import Program
from tracker.web import words
from tracker.web.drawing import Axis
from tracker.web.templatetags.plumbline import ago, figures, in_days, signed, span

MINUS = "\N{MINUS SIGN}"
TEMPLATES = Path(settings.BASE_DIR) / "templates"


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.71, "about 7 in 10"),
        (0.96, "more than 19 in 20"),
        (0.02, "less than 1 in 20"),
        (0.06, "about 1 in 10"),
    ],
)
def test_a_chance_is_said_as_people_say_it(probability, said):
    assert words.chance(probability) == said


def test_a_program_changes_a_word_and_its_plural():
    program = Program(words={"mentee": "fellow", "cohort": "company"})

    assert words.word("mentee-plural", program) == "fellows"
    assert words.word("cohort-plural", program) == "companies"
    assert words.word("mentor-plural", program) == "mentors"


def test_a_word_that_is_in_no_table_is_an_error():
    with pytest.raises(KeyError):
        words.word("talent")


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_the_middle_is_the_middle(spread):
    assert words.place(0.0, spread) == "around the middle"


def test_a_note_of_the_fit_needs_no_statistics():
    note = words.note("The sd of affinity is at zero: the scores show no such source of variation.")

    assert note == "These scores show no sign of readers and persons suiting each other more or less."
    assert words.note("Something new.") == "Something new."


@pytest.mark.parametrize(
    ("value", "text"), [(0.04, "0.0"), (-0.04, "0.0"), (0.26, "+0.3"), (-1.25, f"{MINUS}1.2"), (None, "")]
)
def test_a_number_has_a_true_sign_and_zero_has_none(value, text):
    assert signed(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.87123, "0.871"), (-0.5, f"{MINUS}0.5"), (None, "")])
def test_a_measured_value_has_three_figures(value, text):
    assert figures(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "a moment"), (1, "1 second"), (119, "1 minute"), (7200, "2 hours"), (1e6, "11 days")],
)
def test_a_length_of_time_is_in_its_largest_unit(seconds, text):
    assert span(seconds) == text


def test_a_time_says_how_long_ago_and_when():
    text = ago(timezone.now() - timedelta(minutes=3))

    assert ">3 minutes ago<" in text
    assert "datetime=" in text


@pytest.mark.parametrize(
    ("days", "text"), [(0, "today"), (1, "tomorrow"), (-1, "yesterday"), (6, "in 6 days"), (-9, "9 days ago")]
)
def test_days_are_said_as_people_say_them(days, text):
    assert in_days(days) == text


def test_an_axis_around_zero_is_even_and_holds_everything():
    axis = Axis.around_zero([0.3, -1.7, None])

    assert axis.low == -axis.high
    assert axis.high >= 1.7
    assert axis.at(0) == "50.00%"
    assert [tick.x for tick in axis.ticks if tick.is_zero] == ["50.00%"]


@pytest.mark.parametrize("values", [[], [None], [0.0], [1e-9], [4e5]])
def test_an_axis_can_always_be_drawn(values):
    axis = Axis.around_zero(values)

    assert axis.high > axis.low
    assert 2 <= len(axis.ticks) <= 9


def test_an_axis_over_values_leaves_room_at_both_ends():
    axis = Axis.over([0.8, None, 0.9])

    assert 0 < axis.share(0.8) < axis.share(0.9) < 100
    assert Axis.over([0.5]).share(0.5) == 50


def test_a_bar_has_no_negative_width():
    assert Axis.around_zero([1]).bar(0.5, 0.2).width == "0.00%"


def test_no_template_speaks_of_averages_or_low_potential():
    forbidden = ("average", "potential", "rank ", "leniency", "posterior", "shrunk")

    for path in (path for path in TEMPLATES.rglob("*.html") if "admin" not in path.parts):
        text = path.read_text().lower()
        assert not [word for word in forbidden if f" {word}" in text], path


def test_no_template_has_inline_script_or_style():
    for path in (path for path in TEMPLATES.rglob("*.html") if "admin" not in path.parts):
        text = path.read_text()
        assert "style=" not in text, path
        assert "onclick" not in text, path
        assert "<script>" not in text, path


def test_a_program_needs_no_words_of_its_own(db):
    assert words.word("mentee", make_program()) == "mentee"


@pytest.mark.parametrize("own", [5, True, None, ["mentee"], "mentee"])
def test_words_that_are_none_leave_the_plain_ones(program, own):
    program.words = own

    assert words.word("mentee", program) == "mentee"
