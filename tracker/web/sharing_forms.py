"""What is typed where somebody shares something of themselves."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from tracker.funding.models import Fund
from tracker.people.models import Person, ShareGrant, User


class ShareForm(forms.Form):
    """With whom, what, and until when; as whom, where somebody is a person in several programs."""

    person = forms.ModelChoiceField(
        Person.objects.none(), to_field_name="public_id", label="Of your time in", empty_label=None
    )
    fund = forms.ModelChoiceField(
        Fund.objects.none(),
        to_field_name="public_id",
        label="With which fund",
        empty_label="Choose",
        error_messages={"required": "Choose a fund.", "invalid_choice": "Choose a fund of the list."},
    )
    what = forms.ChoiceField(
        label="What",
        choices=ShareGrant.What.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what."},
    )
    until = forms.DateField(
        label="Until the end of",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Left empty: until you take it back.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Person.objects.of(user).select_related("program")
        choices: Any = self.fields["person"]
        choices.queryset, choices.initial = own, own.first()
        choices.label_from_instance = lambda person: str(person.program)
        self.fields["fund"].queryset = Fund.objects.offered_to(user)  # type: ignore[attr-defined]

    def share(self) -> dict[str, Any]:
        """What the verb takes."""
        day = self.cleaned_data["until"]
        end = None if day is None else timezone.make_aware(datetime.combine(day, time.max))
        return {
            "person": self.cleaned_data["person"],
            "shared_with": self.cleaned_data["fund"].group,
            "what": self.cleaned_data["what"],
            "until": end,
        }
