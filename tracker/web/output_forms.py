"""What pages take in about outputs."""

from typing import Any

from django import forms

from tracker.projects.models import HAZARDS, Output, Project
from tracker.web.forms import TOO_LONG

SAYS = ("shows", "does_not_show", "likely_misreading")


def line(label: str, **values: Any) -> forms.CharField:
    messages = {"required": "Fill in this line too.", "max_length": TOO_LONG}
    return forms.CharField(label=label, max_length=300, error_messages=messages, **values)


def paragraph(label: str, **values: Any) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 2})
    return forms.CharField(
        label=label,
        max_length=1000,
        required=False,
        widget=area,
        error_messages={"max_length": TOO_LONG},
        **values,
    )


def address(**values: Any) -> forms.CharField:
    return forms.CharField(label="Link", max_length=1000, required=False, **values)


def triage() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label="Before others see it: is any of these so?",
        help_text="If one is, only your team, the leads and a reviewer see it until the reviewer has answered,"
        " within 48 hours.",
        choices=list(HAZARDS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class ProbeForm(forms.Form):
    """One line of a log."""

    question = line("What did you ask?")
    did = line("What did you do?")
    saw = line("What did you see?")
    url = address(help_text="To the notebook, the run or the figure, where there is one.")
    hazards = triage()

    def values(self) -> dict[str, Any]:
        return {**self.cleaned_data, "title": self.cleaned_data["question"], "kind": Output.Kind.PROBE}


class OutputForm(forms.Form):
    """Something that exists, and how it is to be read."""

    title = line("Title")
    kind = forms.ChoiceField(
        label="What is it?",
        choices=[kind for kind in Output.Kind.choices if kind[0] not in Output.MADE_OTHERWISE],
    )
    url = address()
    file = forms.FileField(
        label="Or a file",
        required=False,
        help_text="At most 50 MB.",
        error_messages={"empty": "This file has nothing in it: choose one that does."},
    )
    stage: Any = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="none: it is not read for a stage", label="Stage"
    )
    is_empirical = forms.BooleanField(
        label="It is empirical", help_text="Something was tried and measured.", required=False
    )
    shows = paragraph("What does it show?")
    does_not_show = paragraph("What does it not show?")
    likely_misreading = paragraph("How will it likely be misread?")
    hazards = triage()

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stage: Any = self.fields["stage"]
        stage.queryset = project.cohort.stages.all()
        stage.initial = project.cohort.current_stage

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("kind") in Output.RESULTS:
            for name in SAYS:
                if name not in self.errors and not values.get(name):
                    self.add_error(name, "Readers are told this beside the piece: say it in a sentence.")
        return values

    def values(self) -> dict[str, Any]:
        """A file that is not sent again stays."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "file"}
        upload = self.cleaned_data["file"]
        return {**values, "file": upload.store(), "filename": upload.name[:200]} if upload else values
