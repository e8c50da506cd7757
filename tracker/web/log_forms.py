"""What is asked of a program's logs: from when to when, by whom, by which door."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone

from tracker.events.changes import Span
from tracker.events.doors import Door
from tracker.people.models import Person, Program, User

DAYS_SHOWN = 7
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)


def a_day(label: str) -> forms.DateField:
    within = [MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]
    chooser = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(label=label, required=False, widget=chooser, validators=within)


class LogForm(forms.Form):
    """Left empty: the last week, by everybody, by every door."""

    since = a_day("From")
    until = a_day("To")
    by = forms.ModelChoiceField(
        User.objects.none(), to_field_name="public_id", label="By", required=False, empty_label="everybody"
    )
    door = forms.ChoiceField(label="Door", required=False, choices=[("", "every door"), *Door.choices])

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = User.objects.filter(persons__program=program).order_by("name", "email")
        self.fields["by"].queryset = known  # type: ignore[attr-defined]

    def span(self) -> Span:
        """What was asked for, as far as it makes sense."""
        asked = self.cleaned_data if self.is_valid() else {}
        until = asked.get("until") or timezone.localdate()
        since = asked.get("since") or until - timedelta(days=DAYS_SHOWN - 1)
        by = asked.get("by")
        return Span(
            beginning_of(since),
            beginning_of(until + timedelta(days=1)),
            asked.get("door") or "",
            None if by is None else by.pk,
        )


class LooksForm(LogForm):
    """At whom besides."""

    person = forms.ModelChoiceField(
        Person.objects.none(), to_field_name="public_id", label="At", required=False, empty_label="everybody"
    )

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, program=program, **kwargs)
        self.fields["person"].queryset = Person.objects.filter(program=program)  # type: ignore[attr-defined]


def beginning_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
