"""What may be recorded as a rating. One and many are judged by the same rules."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.utils import timezone

from tracker.cohorts.models import Stage
from tracker.errors import RuleBroken, RulesBroken
from tracker.people.models import Person, Program
from tracker.projects.models import Output


@dataclass(frozen=True)
class Draft:
    """A rating that somebody wants to record."""

    output: Output
    rater: Person
    scores: Mapping[str, float]
    comment: str = ""
    external_id: str = ""
    submitted_at: datetime | None = None


class Scale(Protocol):
    lowest: float
    highest: float


class Recorded(Protocol):
    output_id: int
    rater_id: int
    comment: str
    retracted_at: datetime | None

    def says(self) -> dict[str, float]: ...


@dataclass(frozen=True)
class ReadingRules:
    """The facts that decide: who reads, who is on which team, who has rated what already."""

    program: Program
    criteria: Mapping[str, Any]
    readers: set[int]
    authors: set[tuple[int, int]]
    credited: set[tuple[int, int]]
    conflicts: set[tuple[int, int]]
    rated: set[tuple[int, int]]

    def judge(self, draft: Draft) -> None:
        """Raise the first rule that the draft breaks, with what to change."""
        self._judge_pair(draft)
        self._judge_reading(draft.output)
        self._judge_scores(draft.scores)
        if (draft.output.pk, draft.rater.pk) in self.rated:
            raise RuleBroken(
                f"{draft.rater} has rated {draft.output} already: retract that rating first.",
                code="rated-twice",
            )

    def _judge_pair(self, draft: Draft) -> None:
        output, rater = draft.output, draft.rater
        if output.program_id != self.program.pk or rater.program_id != self.program.pk:
            raise RuleBroken(
                "Output and reader must belong to the program the rating is sent to.", code="other-program"
            )
        if (output.project_id, rater.pk) in self.authors or (output.pk, rater.pk) in self.credited:
            raise RuleBroken(
                f"{rater} is an author of {output}: somebody else must rate it.", code="own-output"
            )
        if rater.pk not in self.readers:
            raise RuleBroken(
                f"{rater} is not a reader in {self.program}: a lead can make them one.", code="not-a-reader"
            )
        if (rater.pk, output.project_id) in self.conflicts:
            raise RuleBroken(
                f"{rater} has declared a conflict with this project: somebody else must rate it.",
                code="conflict",
            )

    def _judge_reading(self, output: Output) -> None:
        if output.retracted_at is not None:
            raise RuleBroken(
                f"{output} has been retracted: there is nothing to rate.", code="output-retracted"
            )
        if output.stage is None:
            raise RuleBroken(
                f"{output} belongs to no stage: give it one before it is rated.", code="no-stage"
            )
        if not output.stage.is_reading:
            raise RuleBroken(closed(output.stage), code="reading-closed")

    def _judge_scores(self, scores: Mapping[str, float]) -> None:
        for key, value in scores.items():
            if key not in self.criteria:
                raise RuleBroken(
                    f"Unknown criterion {key[:40]!r}: use {', '.join(self.criteria)}.",
                    code="unknown-criterion",
                    field=key,
                )
            judge_score(value, self.criteria[key], key)
        missing = [key for key in self.criteria if key not in scores]
        if missing:
            raise RuleBroken(f"Score {', '.join(missing)} too.", code="criterion-missing", field=missing[0])


def closed(stage: Stage) -> str:
    """When the reading was or will be, and what to do about it."""
    if stage.reading_opens_at > timezone.now():
        return f"The reading of {stage} opens on {stage.reading_opens_at:%Y-%m-%d %H:%M} UTC: rate it then."
    when = f"{stage.reading_closes_at:%Y-%m-%d %H:%M} UTC"
    return f"The reading of {stage} closed on {when}: ask the lead to reopen it."


def judge_score(value: Any, scale: Scale, key: str) -> None:
    # What is not a number compares as outside every scale, and so does an infinite one.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not scale.lowest <= value <= scale.highest:
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
                rated.add((draft.output.pk, draft.rater.pk))
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
        and earlier.says() == dict(draft.scores)
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
