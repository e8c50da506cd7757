"""Unsent: a rating in the making, its author's alone. Reply: what the person rated says to a rating."""

import uuid
from typing import Any, Self

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import Person, Visitor
from tracker.projects.models import Output
from tracker.ratings.models.ratings import Rating
from tracker.wording import worded

LARGEST_DRAFT = 40_000


class UnsentQuerySet(models.QuerySet["Unsent"]):
    def visible_to(self, user: Visitor) -> Self:
        """Nobody's but the author's: no lead, no operator."""
        return self.filter(rater__in=Person.objects.of(user))

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """Of two drafts about one output the later is kept."""
        for draft in self.filter(rater=doubled, output__in=self.filter(rater=kept).values("output")):
            both = self.filter(output=draft.output_id, rater__in=(kept, doubled)).order_by("-saved_at", "-pk")
            both.exclude(pk=both[0].pk).delete()
        self.filter(rater=doubled).update(rater=kept)

    def keep(self, *, output: Output, rater: Person, answers: dict[str, Any]) -> "Unsent":
        """What was typed so far; it is judged when it is submitted."""
        if sum(len(str(value)) for value in answers.values()) > LARGEST_DRAFT:
            raise RuleBroken("This is too long to keep: shorten the comment.", code="too-long")
        if output.stage is None or not output.stage.is_reading or output.retracted_at is not None:
            raise RuleBroken("The reading is not open: nothing is kept.", code="reading-closed")
        kept: Unsent
        kept, _ = self.update_or_create(
            output=output, rater=rater, defaults={"answers": answers, "saved_at": timezone.now()}
        )
        return kept


class Unsent(models.Model):
    """What a reader has typed and not submitted. It becomes a rating, or nothing."""

    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="unsent")
    rater = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="unsent")
    answers = models.JSONField(default=dict)
    saved_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = UnsentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["output", "rater"], name="one_unsent_rating_per_output"),
        )

    def __str__(self) -> str:
        return f"{self.rater} on {self.output}, unsent"


class ReplyQuerySet(TrackedQuerySet["Reply"]):
    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """Where both replied to one rating, the later entry's reply stays under its own name."""
        twice = self.filter(person=kept).values("rating")
        self.filter(person=doubled).exclude(rating__in=twice).update(person=kept)

    def visible_to(self, user: Visitor) -> Self:
        """Whoever sees the rating, and who wrote it."""
        return self.filter(
            Q(rating__in=Rating.objects.visible_to(user)) | Q(person__in=Person.objects.of(user))
        )

    def give(self, rating: Rating, *, person: Person, text: str) -> "Reply":
        """The person's own word on a rating of their work; one, which stands beside it."""
        if person.user is None or not Rating.objects.about(person.user).filter(pk=rating.pk).exists():
            raise RuleBroken(
                "Only those whose work was rated reply, once it is released to them.", code="not-theirs"
            )
        text = worded(text, "Write the reply before sending it.")
        with transaction.atomic():
            Rating.objects.select_for_update(of=("self",)).get(pk=rating.pk)
            if self.filter(rating=rating, person=person).exists():
                raise RuleBroken("You have replied already: it stands beside.", code="replied-already")
            reply: Reply = self.create(rating=rating, person=person, text=text)
            Event.objects.write(
                "rating.replied",
                program=rating.program.public_id,
                subject=rating.public_id,
                actor=person.public_id,
            )
        return reply


class Reply(Tracked):
    history_is_for_leads = True

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    rating = models.ForeignKey(Rating, on_delete=models.PROTECT, related_name="replies")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="replies")
    text = models.TextField(max_length=10_000)
    replied_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ReplyQuerySet.as_manager()

    class Meta:
        ordering = ("replied_at", "pk")
        verbose_name_plural = "replies"
        constraints = (
            models.UniqueConstraint(fields=["rating", "person"], name="one_reply_per_person_and_rating"),
            models.CheckConstraint(condition=~Q(text=""), name="a_reply_says_something"),
        )

    def __str__(self) -> str:
        return f"{self.person} on {self.rating_id}"
