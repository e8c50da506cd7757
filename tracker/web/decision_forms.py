"""What is typed where people are decided about. The rules are the verbs'."""

from typing import Any

from django import forms

from tracker.cohorts.models import MOST_PLACES, MOST_READERS, MOST_WEEKS, Stage
from tracker.decisions.models import GateRule, Outcome

LONGEST_REASONS = 5_000
YES_NO = (("yes", "Yes"), ("no", "No"))


def reasons(label: str, **values: Any) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 4})
    return forms.CharField(label=label, max_length=LONGEST_REASONS, widget=area, required=False, **values)


class GateForm(forms.Form):
    """What it takes to get through; with ``pieces`` the middle is simulated before it is fixed."""

    places = forms.IntegerField(label="Places", required=False, min_value=1, max_value=MOST_PLACES)
    bar = forms.FloatField(
        label="Or a bar", required=False, help_text="In points from the middle of everybody."
    )
    planned_readers = forms.IntegerField(
        label="Planned readers of each piece", min_value=1, max_value=MOST_READERS
    )
    pieces = forms.IntegerField(
        label="Pieces of each person",
        min_value=1,
        max_value=4,
        required=False,
        help_text="To expect the middle.",
    )
    floor = forms.IntegerField(
        label="Different readers before anything is said", min_value=2, max_value=MOST_READERS
    )
    yes_from = forms.FloatField(label="Clear yes from a probability of", min_value=0, max_value=1)
    no_to = forms.FloatField(label="Clear no up to a probability of", min_value=0, max_value=1)
    middle = forms.ChoiceField(label="Who is too close to call", choices=GateRule.Middle.choices)
    reason = reasons("Why it changes", help_text="Needed once a rule stands or results could be seen.")

    @classmethod
    def like(cls, stage: Stage, rule: GateRule | None, *, pieces: int) -> "GateForm":
        """As it stands now."""
        source: Any = stage if rule is None else rule
        first = {"places": source.places, "bar": source.bar, "planned_readers": source.planned_readers}
        kept = {name: getattr(rule or GateRule(), name) for name in ("floor", "yes_from", "no_to", "middle")}
        return cls(initial={**first, **kept, "pieces": pieces})

    def rule(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "pieces"}


class LeaningForm(forms.Form):
    outcome = forms.ChoiceField(
        label="What would you do?",
        choices=Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one."},
    )
    why = reasons("Why", help_text="Optional. Nobody else who decides sees it before they have decided.")


class DecisionForm(forms.Form):
    outcome = forms.ChoiceField(
        label="Your decision",
        choices=Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one."},
    )
    weeks = forms.IntegerField(
        label="Weeks, if it is extended", required=False, min_value=1, max_value=MOST_WEEKS
    )
    again_on = forms.DateField(
        label="Decided again on, if more evidence is asked for",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    reasons = reasons("Your reasons", help_text="The person reads them.")
    percent = forms.IntegerField(
        label="How likely is it that, in a year, you would decide the same?",
        help_text="In per cent. It is compared with how things went.",
        min_value=0,
        max_value=100,
        error_messages={"required": "Give a number from 0 to 100."},
    )

    def draft(self) -> dict[str, Any]:
        values = dict(self.cleaned_data)
        return {"forecast": values.pop("percent") / 100, **values}


class SecondReadingForm(forms.Form):
    agrees = forms.ChoiceField(
        label="Do you agree, from the evidence, that this place should end?",
        choices=YES_NO,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one."},
    )
    reasons = reasons("Your own reasons")


class AppealForm(forms.Form):
    words = reasons("Why the decision should not stand")


class HearingForm(forms.Form):
    upholds = forms.ChoiceField(
        label="Does the end stand?",
        choices=YES_NO,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one."},
    )
    instead = forms.ChoiceField(
        label="If not, instead", choices=[(one.value, one.label) for one in (Outcome.GO_ON, Outcome.EXTEND)]
    )
    weeks = forms.IntegerField(
        label="Weeks, if it is extended", required=False, min_value=1, max_value=MOST_WEEKS
    )
    reasons = reasons("Your reasons")

    def verdict(self) -> dict[str, Any]:
        return {**self.cleaned_data, "upholds": self.cleaned_data["upholds"] == "yes"}
