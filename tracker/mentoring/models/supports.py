"""Support: which research manager looks after whom, from when to when."""

from collections.abc import Iterator
from typing import Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import DECIDERS, Person, Program, Role, Visitor


class SupportQuerySet(TrackedQuerySet["Support"]):
    def standing(self) -> Self:
        return self.filter(ended_on=None)

    def given_by(self, user: Visitor) -> Self:
        """The caseload of this user, while they are a research manager and decide about nobody."""
        own = Person.objects.of(user)
        managers = own.active_as(Role.RESEARCH_MANAGER).exclude(pk__in=own.active_as(*DECIDERS))
        return self.standing().filter(manager__in=managers)

    def hindrances_to_merging(self, name: str, *, kept: Person, doubled: Person) -> Iterator[str]:
        """Nobody supports themselves."""
        pair = (kept, doubled)
        if name == "person" and self.filter(manager__in=pair, person__in=pair).exists():
            yield f"One of {kept} and {doubled} supports the other: these are two people."

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """Whoever has two research managers keeps the kept entry's."""
        if name == "person" and self.standing().filter(person=kept).exists():
            self.standing().filter(person=doubled).update(ended_on=timezone.localdate())
        self.filter(**{name: doubled}).update(**{name: kept})

    def visible_to(self, user: Visitor) -> Self:
        """Leads see who supports whom; managers and the people they support see their own."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        own = Person.objects.of(user)
        led = Program.objects.where(user, Role.LEAD)
        return self.filter(Q(manager__in=own) | Q(person__in=own) | Q(person__program__in=led))

    def begin(self, person: Person, *, manager: Person, by: UUID | None = None) -> "Support":
        """From today this manager supports the person; whoever did so before hands over."""
        if person.program_id != manager.program_id:
            raise RuleBroken(f"{manager} is not in {person.program}: choose somebody of this program.")
        if not manager.holds(Role.RESEARCH_MANAGER):
            raise RuleBroken(f"{manager} is no research manager: give them that role first.", field="manager")
        if manager.holds(*DECIDERS):
            raise RuleBroken(
                f"{manager} decides in {person.program}: how people feel is for somebody who does not.",
                field="manager",
                code="decides",
            )
        if person.pk == manager.pk:
            raise RuleBroken("Nobody supports themselves: choose another manager.", field="manager")
        with transaction.atomic():
            Person.objects.select_for_update().get(pk=person.pk)
            before = self.standing().filter(person=person)
            if before.filter(manager=manager).exists():
                raise RuleBroken(f"{manager} supports {person} already.", code="repeated")
            before.update(ended_on=timezone.localdate())
            support: Support = self.create(person=person, manager=manager)
            Event.objects.write(
                "support.began", program=person.program.public_id, subject=person.public_id, actor=by
            )
        return support


class Support(Tracked):
    """It decides nothing, and shows the manager no score and no estimate."""

    history_told_to = "person__user"

    manager = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="supports_given")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="supports")
    started_on = models.DateField(default=timezone.localdate)
    ended_on = models.DateField(null=True, blank=True, editable=False)

    objects = SupportQuerySet.as_manager()

    class Meta:
        ordering = ("person__name", "-started_on", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(ended_on=None),
                name="somebody_has_one_research_manager_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__gte=F("started_on")),
                name="a_support_ends_after_it_starts",
            ),
            models.CheckConstraint(condition=~Q(manager=F("person")), name="nobody_supports_themselves"),
        )

    def __str__(self) -> str:
        return f"{self.manager} supports {self.person}"

    def end(self) -> None:
        if self.ended_on is not None:
            raise RuleBroken("This support has ended already.")
        with transaction.atomic():
            self.ended_on = timezone.localdate()
            self.save(update_fields=["ended_on"])
            Event.objects.write(
                "support.ended", program=self.person.program.public_id, subject=self.person.public_id
            )
