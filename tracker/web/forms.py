"""What pages take in. The rules are the verbs'; a form makes values of what was typed, and keeps it."""

from typing import Any

from django import forms

from tracker.grading.models import Benchmark
from tracker.grading.models.submissions import LONGEST_SENTENCE
from tracker.ratings.models import Criterion, Rubric

MOST_CHOICES = 11
LONGEST_TEXT = 10_000
TOO_LONG = "Shorten this to %(limit_value)d characters: it has %(show_value)d."


class FeedbackForm(forms.Form):
    text = forms.CharField(
        label="Feedback to the team",
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Write the feedback before sending it.", "max_length": TOO_LONG},
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why do you retract it?",
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say in a sentence why you retract it.", "max_length": TOO_LONG},
    )


class RefusalForm(forms.Form):
    sentence = forms.CharField(label="What its senders are to change", max_length=LONGEST_SENTENCE)


class ConflictForm(forms.Form):
    reason = forms.CharField(
        label="Why should somebody else read it?",
        max_length=300,
        required=False,
        error_messages={"max_length": TOO_LONG},
    )


class RatingForm(forms.Form):
    """One scale for each criterion of the rubric, a comment, and words to the team."""

    comment = forms.CharField(
        label="Reasons for your scores",
        help_text="Assume that the person can read this.",
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"max_length": TOO_LONG},
    )
    feedback = forms.CharField(
        label="Feedback to the team",
        help_text="The team reads this as soon as you send it, without your scores.",
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"max_length": TOO_LONG},
    )

    def __init__(self, *args: Any, rubric: Rubric, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.criteria = list(rubric.criteria.all())
        scales = {f"score-{criterion.key}": scale_for(criterion) for criterion in self.criteria}
        self.fields = {**scales, **self.fields}

    def scales(self) -> list[tuple[Criterion, forms.BoundField]]:
        return [(criterion, self[f"score-{criterion.key}"]) for criterion in self.criteria]

    def scores(self) -> dict[str, float]:
        return {
            criterion.key: self.cleaned_data[f"score-{criterion.key}"]
            for criterion in self.criteria
            if self.cleaned_data.get(f"score-{criterion.key}") is not None
        }


def scale_for(criterion: Criterion) -> forms.Field:
    """Buttons where the scale has a few whole steps, a number elsewhere."""
    ends = f"from {criterion.lowest:g} to {criterion.highest:g}"
    messages = {
        "required": f"Score {criterion.name} too.",
        "invalid_choice": f"Score {criterion.name} with a number {ends}.",
        "invalid": f"Score {criterion.name} with a number {ends}.",
    }
    steps = criterion.highest - criterion.lowest
    if criterion.lowest == int(criterion.lowest) and steps == int(steps) and steps < MOST_CHOICES:
        numbers = [criterion.lowest + step for step in range(int(steps) + 1)]
        return forms.TypedChoiceField(
            label=criterion.name,
            coerce=float,
            choices=[(f"{number:g}", f"{number:g}") for number in numbers],
            widget=forms.RadioSelect,
            error_messages=messages,
        )
    return forms.FloatField(label=criterion.name, help_text=f"A number {ends}.", error_messages=messages)


class SubmissionForm(forms.Form):
    """A file and what its senders claim to have measured. The file itself is judged as it streams in."""

    file = forms.FileField(
        label="File",
        required=False,
        error_messages={"empty": "This file has nothing in it: choose one that does."},
    )
    value = forms.FloatField(label="Your own result", required=False)
    seeds = forms.IntegerField(label="From how many seeds", required=False, min_value=1, max_value=10_000)
    n = forms.IntegerField(label="On how many items", required=False, min_value=1, max_value=10**9)

    def __init__(self, *args: Any, benchmark: Benchmark, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.benchmark = benchmark
        names = [(name, name.replace("_", " ")) for name in benchmark.spec["metrics"]]
        metric = forms.ChoiceField(
            label="Claimed metric", choices=names, initial=benchmark.headline, required=False
        )
        self.fields = {"file": self.fields.pop("file"), "metric": metric, **self.fields}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        says_how = values.get("seeds") or values.get("n")
        if says_how and values.get("value") is None and "value" not in self.errors:
            self.add_error(
                "value", "Give the result that these seeds and items belong to, or leave them out."
            )
        return values

    def claims(self) -> dict[str, dict[str, float]]:
        """What is claimed, by metric, in the words of ``Submission.claims``."""
        values = self.cleaned_data
        if values.get("value") is None:
            return {}
        claim = {key: values[key] for key in ("value", "seeds", "n") if values.get(key) is not None}
        return {values["metric"] or self.benchmark.headline: claim}
