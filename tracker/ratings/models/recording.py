"""How drafts that the rules allow become rows: ratings, scores, forecasts and what is asked of them later."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from tracker.projects.models import Output, OutputVersion
from tracker.ratings.models.forecasts import Forecast, Outlook, months_after
from tracker.ratings.models.ratings import Rating, Score
from tracker.ratings.models.rubrics import Question, Rubric
from tracker.ratings.models.sightings import Sighting
from tracker.ratings.models.words import Unsent
from tracker.ratings.rules import Draft

Drafts = Sequence[Draft]
MOST_AT_ONCE = 1000


def keep(drafts: Drafts, rubrics: Mapping[int, Rubric]) -> list[Rating]:
    """All of them, in a number of queries that does not grow with theirs."""
    if not drafts:
        return []
    now = timezone.now()
    seen, places = sightings_of(drafts), places_of(drafts)
    versions = OutputVersion.objects.current_of(draft.output for draft in drafts)
    revised = [draft.revises for draft in drafts if draft.revises is not None]
    Rating.objects.filter(pk__in=revised).update(revised_at=now)
    ratings = [rating_of(draft, rubrics[draft.rater.pk], seen=seen, now=now) for draft in drafts]
    for rating, draft, place in zip(ratings, drafts, places, strict=True):
        rating.place_in_order = place
        rating.version_id = seen_by(draft, versions)
    Rating.objects.bulk_create(ratings, batch_size=MOST_AT_ONCE)
    keep_scores(ratings, drafts, rubrics)
    keep_forecasts(ratings, drafts, rubrics)
    pairs = {
        "output__in": {draft.output.pk for draft in drafts},
        "rater__in": {draft.rater.pk for draft in drafts},
    }
    done = {(draft.output.pk, draft.rater.pk) for draft in drafts}
    unsent = Unsent.objects.filter(**pairs).values_list("pk", "output", "rater")
    Unsent.objects.filter(pk__in=[pk for pk, *pair in unsent if tuple(pair) in done]).delete()
    return ratings


def seen_by(draft: Draft, versions: Mapping[int, OutputVersion]) -> int:
    """What the reader had before them: a newer version may have come while they wrote."""
    return draft.seen.pk if draft.seen is not None else versions[draft.output.pk].pk


def rating_of(
    draft: Draft,
    rubric: Rubric,
    *,
    seen: Mapping[tuple[int, int], datetime],
    now: datetime,
) -> Rating:
    submitted_at = draft.submitted_at or now
    seen_at = seen.get((draft.output.pk, draft.rater.pk))
    return Rating(
        program_id=draft.output.program_id,
        output=draft.output,
        rater=draft.rater,
        rubric=rubric,
        comment=draft.comment,
        confidence=draft.confidence,
        external_id=draft.external_id,
        submitted_at=submitted_at,
        others_seen_at=seen_at,
        is_blind=seen_at is None or seen_at > submitted_at,
        revises_id=draft.revises,
    )


def sightings_of(drafts: Drafts) -> dict[tuple[int, int], datetime]:
    """When these readers first could see what others say of these outputs."""
    found = Sighting.objects.filter(
        output__in={draft.output.pk for draft in drafts}, reader__in={draft.rater.pk for draft in drafts}
    )
    return {(output, reader): at for output, reader, at in found.values_list("output", "reader", "seen_at")}


def places_of(drafts: Drafts) -> list[int]:
    """The how manieth piece of its stage each is for its reader; a further version keeps its place."""
    raters, stages = {draft.rater.pk for draft in drafts}, {draft.output.stage_id for draft in drafts}
    given = Rating.objects.filter(rater__in=raters, output__stage__in=stages).order_by("pk")
    known: dict[tuple[int, int], int | None] = {}
    read: Counter[tuple[int, int | None]] = Counter()
    for rater, stage, output, place in given.values_list(
        "rater", "output__stage", "output", "place_in_order"
    ):
        read[rater, stage] += (output, rater) not in known
        known.setdefault((output, rater), place)
    places = []
    for draft in drafts:
        place = known.get((draft.output.pk, draft.rater.pk))
        if place is None:
            read[draft.rater.pk, draft.output.stage_id] += 1
            place = read[draft.rater.pk, draft.output.stage_id]
        places.append(place)
    return places


def keep_scores(ratings: Sequence[Rating], drafts: Drafts, rubrics: Mapping[int, Rubric]) -> None:
    criteria = {
        rubric.pk: {criterion.key: criterion.pk for criterion in rubric.criteria.all()}
        for rubric in rubrics.values()
    }
    Score.objects.bulk_create(
        (
            Score(rating_id=rating.pk, criterion_id=criteria[rating.rubric_id][key], value=value)
            for rating, draft in zip(ratings, drafts, strict=True)
            for key, value in draft.scores.items()
        ),
        batch_size=MOST_AT_ONCE,
    )


def keep_forecasts(ratings: Sequence[Rating], drafts: Drafts, rubrics: Mapping[int, Rubric]) -> None:
    """Each with the row that asks, when its time has come, how it was."""
    questions = {
        (rubric.pk, question.key): question
        for rubric in rubrics.values()
        for question in rubric.questions.all()
    }
    foreseen = [
        (rating, draft, questions[rating.rubric_id, key], probability)
        for rating, draft in zip(ratings, drafts, strict=True)
        for key, probability in draft.forecasts.items()
    ]
    if not foreseen:
        return
    outlooks = outlooks_of([(draft.output, question) for _, draft, question, _ in foreseen])
    Forecast.objects.bulk_create(
        (
            Forecast(
                rating=rating,
                question=question,
                outlook_id=outlooks[draft.output.pk, question.key],
                probability=probability,
            )
            for rating, draft, question, probability in foreseen
        ),
        batch_size=MOST_AT_ONCE,
    )


def outlooks_of(asked: Sequence[tuple[Output, Question]]) -> dict[tuple[int, str], int]:
    """The rows that ask later, made where there is none yet; the program's lock keeps two from making one."""
    wanted = {(output.pk, question.key): (output, question) for output, question in asked}
    known = Outlook.objects.filter(output__in={output.pk for output, _ in asked})
    found = {(output, key): pk for pk, output, key in known.values_list("pk", "output", "key")}
    made = Outlook.objects.bulk_create(
        (
            Outlook(
                output=output,
                key=question.key,
                text=question.text,
                due_on=months_after(output.produced_on, question.months),
            )
            for pair, (output, question) in wanted.items()
            if pair not in found
        ),
        batch_size=MOST_AT_ONCE,
    )
    return found | {(row.output_id, row.key): row.pk for row in made}
