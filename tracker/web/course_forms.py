"""What pages take in about how a project goes."""

from typing import Any

from django import forms

from tracker.projects.models import Bottleneck, Claim, Project
from tracker.web.forms import TOO_LONG

LINES = {"required": "Write a sentence first.", "max_length": TOO_LONG}


class BottleneckForm(forms.Form):
    kind = forms.ChoiceField(label="What do you lack most?", choices=Bottleneck.Kind)
    note = forms.CharField(label="In a line", max_length=300, required=False, error_messages=LINES)


class PivotForm(forms.Form):
    title = forms.CharField(label="The new question, as a title", max_length=300, error_messages=LINES)
    summary = forms.CharField(
        label="In a paragraph", required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3})
    )
    reasons = forms.CharField(
        label="What led to it?",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages=LINES,
    )


class ClaimForm(forms.Form):
    text = forms.CharField(label="What do you take to be so?", max_length=500, error_messages=LINES)
    url = forms.CharField(label="Where is it claimed?", max_length=1000, required=False)
    rests_on: Any = forms.ModelChoiceField(
        label="It rests on", queryset=None, required=False, empty_label="nothing else here"
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rests_on"].queryset = project.claims.standing()  # type: ignore[attr-defined]


class CheckForm(forms.Form):
    state = forms.ChoiceField(label="What came of it?", choices=Claim.State)
    evidence = forms.CharField(label="What was done and seen?", max_length=2000, required=False)
    output: Any = forms.ModelChoiceField(
        label="Which output shows it?", queryset=None, required=False, empty_label="none"
    )

    def __init__(self, *args: Any, outputs: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["output"].queryset = outputs  # type: ignore[attr-defined]
