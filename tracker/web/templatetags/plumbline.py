"""Words and numbers as pages show them."""

from datetime import date, datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from evals.grading.refusals import readable
from tracker.decisions.models import Answer
from tracker.events.doors import Door
from tracker.grading.models import Run
from tracker.web import words
from tracker.web.gradings import state_of

register = template.Library()
MINUS = "\N{MINUS SIGN}"
UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


@register.simple_tag(takes_context=True)
def word(context: template.Context, key: str) -> str:
    """What the page's program, else the visitor's own, calls something."""
    program = context.get("program") or context["workplace"].program
    return words.word(key, program)


@register.filter
def signed(value: float | None, decimals: int = 1) -> str:
    """A number with its sign, a true minus, and no decimals beyond the noise."""
    if value is None:
        return ""
    text = f"{value:+.{decimals}f}"
    if not float(text):
        return f"{0:.{decimals}f}"
    return text.replace("-", MINUS)


@register.simple_tag
def door(name: str) -> str:
    """By which door somebody came, in words."""
    return str(Door(name).label)


@register.filter
def figures(value: float | None) -> str:
    """A measured value with three figures."""
    return "" if value is None else f"{value:.3g}".replace("-", MINUS)


@register.filter
def span(seconds: float) -> str:
    """A length of time in its largest unit."""
    for unit, size in UNITS:
        count = int(seconds // size)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "a moment"


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """How long ago, which static/ago.js keeps true while the page stays open."""
    if moment is None:
        return ""
    passed = (timezone.now() - moment).total_seconds()
    return format_html(
        '<time datetime="{}" title="{} UTC" data-ago>{} ago</time>',
        moment.isoformat(),
        f"{moment:%Y-%m-%d %H:%M}",
        span(passed),
    )


@register.filter
def until(moment: datetime | None) -> str:
    """How long until a moment that lies ahead."""
    return "" if moment is None else span((moment - timezone.now()).total_seconds())


@register.filter
def in_days(days: int) -> str:
    """A number of days as people say it."""
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    if days in near:
        return near[days]
    return f"in {days} days" if days > 0 else f"{-days} days ago"


@register.filter
def is_past(day: date) -> bool:
    return day < timezone.localdate()


@register.filter
def days_ahead(day: date) -> str:
    return in_days((day - timezone.localdate()) // timedelta(days=1))


@register.filter
def spoken(name: str) -> str:
    """A name of a machine's as a person reads it."""
    return name.replace("_", " ")


@register.filter
def run_state(run: Run) -> str:
    return state_of(run)


@register.filter
def plain(note: str) -> str:
    return words.note(note)


@register.filter
def chance(probability: float) -> str:
    return words.chance(probability)


@register.filter
def percent(share: float) -> str:
    """A share in per cent, without its sign."""
    return f"{100 * share:.0f}"


@register.simple_tag(takes_context=True)
def answer(context: template.Context, key: str) -> str:
    """What a gate answers, in the program's words."""
    labels = {"too_close": "tie", "too_early": "little-evidence"}
    return word(context, labels[key]) if key in labels else str(Answer(key).label)


@register.filter
def bytes_as_read(size: int) -> str:
    return readable(size)
