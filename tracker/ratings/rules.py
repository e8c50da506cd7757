"""What may be recorded as a rating. One and many are judged by the same rules."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.utils import timezone

from tracker.cohorts.models import Stage
from tracker.errors import RuleBroken, RulesBroken
from tracker.people.models import Person, Program
from tracker.projects.models import Output

CONFIDENCE = range(1, 5)
# In the place of a rating's key, for one of this request that has none yet.
TO_BE_RECORDED = 0


class Seen(Protocol):
    """A version of an output."""

    pk: int
    output_id: int


@dataclass(frozen=True)
class Draft:
    """A rating that somebody wants to record; of the version that was ``seen``, or of the present one."""

    output: Output
    rater: Person
    scores: Mapping[str, float]
    comment: str = ""
    confidence: int | None = None
    forecasts: Mapping[str, float] = field(default_factory=dict)
    external_id: str = ""
    submitted_at: datetime | None = None
    revises: int | None = None
    seen: Seen | None = None


class Scale(Protocol):
    lowest: float
    highest: float


class Recorded(Protocol):
    output_id: int
    rater_id: int
    comment: str
    confidence: int | None
    retracted_at: datetime | None

    def says(self) -> dict[str, float]: ...

    def foresees(self) -> dict[str, float]: ...


class Closeness(Protocol):
    def judge(self, output: Output, reader: Person) -> None: ...


@dataclass(frozen=True)
class ReadingRules:
    """The facts that decide: who reads, who is on which team, and which rating of a pair stands already."""

    program: Program
    rubrics: Mapping[int, Any]
    readers: set[int]
    closeness: Closeness
    rated: dict[tuple[int, int], int]

    def judge(self, draft: Draft) -> None:
        """Raise the first rule that the draft breaks, with what to change."""
        self._judge_pair(draft)
        self._judge_reading(draft.output)
        self._judge_answers(draft)
        self._judge_repetition(draft)

    def judge_invitation(self, draft: Draft) -> None:
        """Raise why this reader may not rate this output now, whatever they would say."""
        self._judge_pair(draft)
        self._judge_reading(draft.output)
        self._judge_repetition(draft)

    def _judge_repetition(self, draft: Draft) -> None:
        standing = self.rated.get((draft.output.pk, draft.rater.pk))
        if draft.revises is None and standing is not None:
            raise RuleBroken(
                f"{draft.rater} has rated {draft.output} already: retract that rating first.",
                code="rated-twice",
            )
        if draft.revises != standing:
            raise RuleBroken("This version stands no more: revise the present one.", code="not-standing")

    def _judge_pair(self, draft: Draft) -> None:
        output, rater = draft.output, draft.rater
        if output.program_id != self.program.pk or rater.program_id != self.program.pk:
            raise RuleBroken(
                "Output and reader must belong to the program the rating is sent to.", code="other-program"
            )
        self.closeness.judge(output, rater)
        if rater.pk not in self.readers:
            raise RuleBroken(
                f"{rater} is not a reader in {self.program}: a lead can make them one.", code="not-a-reader"
            )

    def _judge_reading(self, output: Output) -> None:
        if output.retracted_at is not None:
            raise RuleBroken(
                f"{output} has been retracted: there is nothing to rate.", code="output-retracted"
            )
        if output.private_at is not None:
            raise RuleBroken(
                f"{output} waits for its release review: rate it once it is released.", code="under-review"
            )
        if output.stage is None:
            raise RuleBroken(
                f"{output} belongs to no stage: give it one before it is rated.", code="no-stage"
            )
        if not output.stage.is_reading:
            raise RuleBroken(closed(output.stage), code="reading-closed")

    def _judge_answers(self, draft: Draft) -> None:
        if draft.seen is not None and draft.seen.output_id != draft.output.pk:
            raise RuleBroken("The version that was read is of another output.", code="other-output")
        rubric = self.rubrics.get(draft.rater.pk)
        if rubric is None:
            raise RuleBroken(
                f"{self.program} has no rubric for {draft.rater}: a lead adds one in the admin.",
                code="no-rubric",
            )
        judge_scores(draft.scores, {criterion.key: criterion for criterion in rubric.criteria.all()})
        judge_forecasts(draft.forecasts, {question.key for question in rubric.questions.all()})
        if draft.confidence is not None and draft.confidence not in CONFIDENCE:
            raise RuleBroken(
                "Say how sure you are from 1, a guess, to 4.", code="confidence", field="confidence"
            )


def judge_scores(scores: Mapping[str, float], criteria: Mapping[str, Scale]) -> None:
    for key, value in scores.items():
        if key not in criteria:
            raise RuleBroken(
                f"Unknown criterion {key[:40]!r}: use {', '.join(criteria)}.",
                code="unknown-criterion",
                field=key,
            )
        judge_score(value, criteria[key], key)
    missing = [key for key in criteria if key not in scores]
    if missing:
        raise RuleBroken(f"Score {', '.join(missing)} too.", code="criterion-missing", field=missing[0])


def judge_forecasts(forecasts: Mapping[str, float], questions: set[str]) -> None:
    """They may be left out; a probability is asked for, never a yes or no."""
    for key, value in forecasts.items():
        if key not in questions:
            raise RuleBroken(
                f"Unknown question {key[:40]!r}: use {', '.join(sorted(questions)) or 'none'}.",
                code="unknown-question",
                field=key,
            )
        if not is_number(value) or not 0 <= value <= 1:
            raise RuleBroken(
                f"Answer {key} with a probability from 0 to 1.", code="no-probability", field=key
            )


def closed(stage: Stage) -> str:
    """When the reading was or will be, and what to do about it."""
    if stage.reading_opens_at > timezone.now():
        return f"The reading of {stage} opens on {stage.reading_opens_at:%Y-%m-%d %H:%M} UTC: rate it then."
    when = f"{stage.reading_closes_at:%Y-%m-%d %H:%M} UTC"
    return f"The reading of {stage} closed on {when}: ask the lead to reopen it."


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def judge_score(value: Any, scale: Scale, key: str) -> None:
    # What is not a number compares as outside every scale, and so does an infinite one.
    if not is_number(value) or not scale.lowest <= value <= scale.highest:
        raise RuleBroken(
            f"Score {key} with a number from {scale.lowest:g} to {scale.highest:g}.",
            code="off-the-scale",
            field=key,
        )


def verdicts(drafts: list[Draft], rules: ReadingRules, repeated: Mapping[str, Recorded]) -> None:
    """Raise every fault of every draft at once; pairs within one request count as rated too."""
    faults = []
    rated = rules.rated
    names: set[str] = set()
    for row, draft in enumerate(drafts):
        try:
            if draft.external_id and draft.external_id in names:
                raise RuleBroken(
                    "This external_id stands in an earlier row too.", code="repeated", field="external_id"
                )
            names.add(draft.external_id)
            if draft.external_id in repeated:
                judge_repetition(draft, repeated[draft.external_id])
            else:
                rules.judge(draft)
                rated[draft.output.pk, draft.rater.pk] = TO_BE_RECORDED
        except RuleBroken as fault:
            faults.append((row, fault))
    if faults:
        raise RulesBroken(faults)


def judge_repetition(draft: Draft, earlier: Recorded) -> None:
    """The same rating sent again is welcome; another one under the same name is not."""
    is_same = (
        earlier.output_id == draft.output.pk
        and earlier.rater_id == draft.rater.pk
        and earlier.comment == draft.comment
        and earlier.confidence == draft.confidence
        and earlier.says() == dict(draft.scores)
        and earlier.foresees() == dict(draft.forecasts)
    )
    if not is_same:
        raise RuleBroken(
            "This external_id was sent before with another content: use a new one.",
            code="repeated",
            field="external_id",
        )
    if earlier.retracted_at is not None:
        raise RuleBroken(
            "The rating with this external_id has been retracted: to rate anew, use a new one.",
            code="repeated",
            field="external_id",
        )


@contextmanager
def sole_verdict() -> Iterator[None]:
    """Where one rating is recorded its own fault is raised, not a list of one."""
    try:
        yield
    except RulesBroken as broken:
        raise broken.faults[0][1] from None
