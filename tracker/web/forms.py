"""What pages take in. The rules are the verbs'; a form makes values of what was typed, and keeps it."""

from typing import Any

from django import forms

from tracker.grading.models import Benchmark
from tracker.grading.models.submissions import LONGEST_SENTENCE
from tracker.mentoring.models.pulses import HIGHEST, LONGEST_NOTE, LOWEST
from tracker.ratings.models import Criterion, Question, Rating, Rubric
from tracker.wording import LONGEST_REASON, LONGEST_TEXT

MOST_CHOICES = 11
TOO_LONG = "Shorten this to %(limit_value)d characters: it has %(show_value)d."


class FeedbackForm(forms.Form):
    text = forms.CharField(
        label="Feedback to the team",
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Write the feedback before sending it.", "max_length": TOO_LONG},
    )


class PulseForm(forms.Form):
    value = forms.TypedChoiceField(
        label="From 1, badly, to 5, very well",
        choices=[(value, str(value)) for value in range(LOWEST, HIGHEST + 1)],
        coerce=int,
        error_messages={"required": "Choose a number."},
    )
    note = forms.CharField(
        label="What you want to say about it",
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": TOO_LONG},
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why do you retract it?",
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say in a sentence why you retract it.", "max_length": TOO_LONG},
    )


class ReplyForm(forms.Form):
    text = forms.CharField(
        label="Your reply", max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3})
    )


class RefusalForm(forms.Form):
    sentence = forms.CharField(label="What its senders are to change", max_length=LONGEST_SENTENCE)


class RegradeForm(forms.Form):
    """A team's question, and what a lead answers."""

    reason = forms.CharField(
        label="Why should it be graded again?",
        help_text="Somebody who does not work on it decides, and you read why.",
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label="Your reasons",
        help_text="The team reads them; needed where you do not grade it again.",
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ConflictForm(forms.Form):
    reason = forms.CharField(
        label="Why should somebody else read it?",
        max_length=300,
        required=False,
        error_messages={"max_length": TOO_LONG},
    )


class RatingForm(forms.Form):
    """One scale for each criterion of the rubric, what time will tell, a comment, and words to the team."""

    confidence = forms.TypedChoiceField(
        label="How sure are you of this?",
        choices=[("", "I would rather not say"), *Rating.Confidence.choices],
        coerce=int,
        empty_value=None,
        required=False,
        error_messages={"invalid_choice": "Choose how sure you are from the list."},
    )
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
        self.questions = list(rubric.questions.all())
        scales = {f"score-{criterion.key}": scale_for(criterion) for criterion in self.criteria}
        chances = {f"chance-{question.key}": chance_of(question) for question in self.questions}
        self.fields = {**scales, **chances, **self.fields}

    def scales(self) -> list[tuple[Criterion, forms.BoundField]]:
        return [(criterion, self[f"score-{criterion.key}"]) for criterion in self.criteria]

    def chances(self) -> list[forms.BoundField]:
        return [self[f"chance-{question.key}"] for question in self.questions]

    def said(self) -> dict[str, Any]:
        """All but the words to the team, as ``Rating.objects.record`` takes it."""
        values = self.cleaned_data
        forecasts = {question.key: values.get(f"chance-{question.key}") for question in self.questions}
        return {
            "scores": self.scores(),
            "comment": values["comment"],
            "confidence": values["confidence"],
            "forecasts": {key: value / 100 for key, value in forecasts.items() if value is not None},
        }

    def typed(self) -> dict[str, str]:
        """Whatever was typed, right or wrong, to be kept for later."""
        return {name: self.data[name] for name in self.fields if name in self.data}

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


def chance_of(question: Question) -> forms.Field:
    told = "Give a number from 0 to 100, in per cent."
    return forms.IntegerField(
        label=question.text,
        help_text=f"How probable is it, in per cent? In {question.months} months we ask again.",
        required=False,
        min_value=0,
        max_value=100,
        error_messages={"invalid": told, "min_value": told, "max_value": told},
    )


def answers_of(rating: Rating) -> dict[str, str]:
    """What a rating says, in the words of its form, to begin a revision with."""
    return {
        **{f"score-{key}": f"{value:g}" for key, value in rating.says().items()},
        **{f"chance-{key}": f"{value * 100:.0f}" for key, value in rating.foresees().items()},
        "comment": rating.comment,
        "confidence": "" if rating.confidence is None else str(rating.confidence),
    }


class SubmissionForm(forms.Form):
    """A file and what its senders claim to have measured. The file itself is judged as it streams in."""

    file = forms.FileField(
        label="File",
        required=False,
        error_messages={"empty": "This file has nothing in it: choose one that does."},
    )
    check_only = forms.BooleanField(
        label="Only check that it is in order",
        help_text="You read within seconds what is wrong. Nothing is measured, and it costs no submission.",
        required=False,
    )
    training = forms.FileField(
        label="What it was trained on",
        help_text="Optional. Text, one example a line, or JSON lines. We look in it for this benchmark's own texts; "
        "no score changes by what we find.",
        required=False,
        error_messages={"empty": "This file has nothing in it: choose one that does, or none."},
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
        if not benchmark.has_texts:
            del self.fields["training"]

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
