"""What pages take in about credit."""

from typing import Any

from django import forms

from tracker.people.models import Person
from tracker.projects.models import Credit
from tracker.web.forms import TOO_LONG

HUNDRED = 100.0
# Thirds cannot be typed: a sum this close to 100 is taken as 100.
NEAR = 0.5


class SharesForm(forms.Form):
    """A percentage for each member and kind; a kind that nobody fills in is not told apart."""

    def __init__(self, *args: Any, members: list[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.members = {str(person.public_id): person for person in members}
        for kind in Credit.Kind:
            for key, person in self.members.items():
                self.fields[f"{kind}-{key}"] = forms.FloatField(
                    label=f"{person}", required=False, min_value=0, max_value=HUNDRED
                )

    def by_kind(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [(kind.label, [self[f"{kind}-{key}"] for key in self.members]) for kind in Credit.Kind]

    def shares(self) -> dict[str, dict[Person, float]]:
        found: dict[str, dict[Person, float]] = {}
        for kind in Credit.Kind:
            typed = {person: self.cleaned_data[f"{kind}-{key}"] for key, person in self.members.items()}
            if any(value is not None for value in typed.values()):
                total = sum(value or 0.0 for value in typed.values())
                whole = total if abs(total - HUNDRED) <= NEAR else HUNDRED
                found[kind] = {person: (value or 0.0) / whole for person, value in typed.items()}
        return found


class TextForm(forms.Form):
    text = forms.CharField(
        label="In your words",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write a sentence first.", "max_length": TOO_LONG},
    )
