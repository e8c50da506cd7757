"""Reference: what somebody outside the program is asked to write about an applicant."""

import hashlib
import secrets
import uuid
from datetime import timedelta
from typing import Self

from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from tracker.cohorts.models import Application
from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import STAFF, Person, Program, Visitor
from tracker.projects.models.outputs import Output
from tracker.wording import worded

LINK_LIFETIME = timedelta(days=30)
MOST_ASKED = 5


class ReferenceQuerySet(TrackedQuerySet["Reference"]):
    def visible_to(self, user: Visitor) -> Self:
        """Applicants see whom they named and whether it came; so does the program's staff."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        workplaces = Program.objects.where(user, *STAFF)
        return self.filter(
            Q(application__round__cohort__program__in=workplaces)
            | Q(application__enrollment__person__in=Person.objects.of(user))
        )

    def of_sent_applications(self) -> Self:
        return self.exclude(application__state=Application.State.DRAFT)

    def ask(self, application: Application, *, name: str, email: str) -> "Reference":
        """The applicant names somebody; the same address again is the same request."""
        if application.state not in (Application.State.DRAFT, Application.State.SUBMITTED):
            raise RuleBroken(
                f"This application is {application.get_state_display()}: nobody is asked any more."
            )
        most = max(application.round.references_asked, 1) + MOST_ASKED
        if application.references.count() >= most:
            raise RuleBroken(f"You have named {most} people: that is enough.", code="enough")
        reference: Reference
        reference, _ = self.get_or_create(
            application=application, email=email.lower(), defaults={"name": name}
        )
        return reference

    def awaited(self, token: str) -> Self:
        """The request that this link opens, while it does."""
        digest = hashlib.sha256(token.encode()).hexdigest()
        return self.filter(digest=digest, link_ends_at__gt=Now(), received_at=None)


class Reference(Tracked):
    """Somebody named by an applicant, the link they write through, and what they wrote."""

    history_leaves_out = ("digest",)
    history_is_for_leads = True

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="references")
    name = models.CharField(max_length=200)
    email = models.EmailField()
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)
    link_ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    received_at = models.DateTimeField(null=True, blank=True, editable=False)
    output = models.OneToOneField(
        Output, on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="reference"
    )

    objects = ReferenceQuerySet.as_manager()

    class Meta:
        ordering = ("asked_at", "pk")
        constraints = (
            models.UniqueConstraint(fields=["application", "email"], name="one_reference_per_address"),
            models.CheckConstraint(
                condition=Q(received_at=None, output=None)
                | Q(received_at__isnull=False, output__isnull=False),
                name="a_received_reference_has_its_text",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} about {self.application.person}"

    def issue_link(self) -> str:
        """A new way in for whoever is asked; an earlier one no longer opens. Shown once and kept nowhere."""
        token = secrets.token_urlsafe(32)
        awaited = Reference.objects.filter(pk=self.pk, received_at=None)
        digest = hashlib.sha256(token.encode()).hexdigest()
        if not awaited.update(digest=digest, link_ends_at=timezone.now() + LINK_LIFETIME):
            raise RuleBroken("This reference is in already.", code="received")
        self.refresh_from_db()
        return token

    def receive(self, text: str, *, is_confidential: bool) -> Output:
        """What they wrote, read with the application."""
        text = worded(text, "Write the reference before you send it.")
        application = self.application
        with transaction.atomic():
            locked = Reference.objects.select_for_update(of=("self",)).get(pk=self.pk)
            if locked.received_at is not None:
                raise RuleBroken("This reference is in already.", code="received")
            self.output = Output.objects.publish_personal(
                application.person,
                cohort=application.round.cohort,
                kind=Output.Kind.REFERENCE,
                title=f"Reference by {self.name}",
                text=text,
                is_confidential=is_confidential,
                stage=application.round.stage,
            )
            self.received_at = timezone.now()
            self.save(update_fields=["output", "received_at"])
            Event.objects.write(
                "reference.received",
                program=application.round.cohort.program.public_id,
                subject=self.public_id,
            )
        return self.output
