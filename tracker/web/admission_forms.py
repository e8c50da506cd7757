"""What applicants, their referees and those who invite them fill in."""

from typing import Any

from django import forms

from tracker.cohorts.models import AdmissionRound, Application, Stream, Track
from tracker.projects.applying import sent_of
from tracker.projects.models import Output
from tracker.web.forms import TOO_LONG
from tracker.wording import LONGEST_TEXT


def long_text(label: str, missing: str, rows: int = 10, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": missing, "max_length": TOO_LONG},
        **options,
    )


class ApplicationForm(forms.Form):
    """Words, an address where there is one, the answer to the work test, and where one would like to be."""

    text = long_text("Your application", "Write your application before you send it.")
    url = forms.URLField(label="An address that belongs to it", required=False, assume_scheme="https")

    def __init__(self, *args: Any, application: Application, **kwargs: Any) -> None:
        sent = sent_of(application, Output.Kind.PROPOSAL)
        wish = {"track": application.track_id, "stream": application.stream_id}
        tested = sent_of(application, Output.Kind.WORK_TEST)
        said = {"text": sent.text, "url": sent.url} if sent is not None else {}
        answer = {"work_test": tested.text} if tested is not None else {}
        kwargs["initial"] = {**wish, **said, **answer}
        super().__init__(*args, **kwargs)
        self.add_choices(application.round)

    def add_choices(self, round: AdmissionRound) -> None:
        if round.work_test:
            self.fields["work_test"] = long_text(
                "Your answer to the work test", "Give your answer to the work test too."
            )
        tracks = Track.objects.filter(cohort=round.cohort)
        streams = Stream.objects.filter(track__cohort=round.cohort)
        for name, rows in (("track", tracks), ("stream", streams)):
            if rows.exists():
                self.fields[name] = forms.ModelChoiceField(
                    rows, label=f"{name.capitalize()} you would like", required=False, empty_label="Any"
                )

    def said(self) -> dict[str, str]:
        return {name: self.cleaned_data.get(name, "") for name in ("text", "url", "work_test")}

    def wished(self) -> dict[str, Any]:
        stream = self.cleaned_data.get("stream")
        track = self.cleaned_data.get("track") or (stream.track if stream is not None else None)
        return {"track": track, "stream": stream}


class InvitationForm(forms.Form):
    name = forms.CharField(label="Name", max_length=200, error_messages={"required": "Give a name."})
    email = forms.EmailField(
        label="E-mail address", error_messages={"required": "Give the address they log in with."}
    )


class ReferenceForm(forms.Form):
    text = long_text("What you want to say", "Write the reference before you send it.")
    is_confidential = forms.BooleanField(label="The person I write about must not read this", required=False)
