"""Content: what an output consists of, and so what a rating of it saw. StoredFile: bytes under their hash."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class StoredFile(models.Model):
    """Bytes, stored once under their SHA-256 and never changed."""

    sha256 = models.CharField(max_length=64, primary_key=True, editable=False)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    stored_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(size__gt=0), name="a_stored_file_is_not_empty"),)

    def __str__(self) -> str:
        return self.sha256[:12]

    @property
    def path(self) -> Path:
        return Path(settings.FILES_DIR) / self.sha256[:2] / self.sha256


class Content(models.Model):
    """Everything of an output that somebody who judges it goes by."""

    class Kind(models.TextChoices):
        POST = "post", "post"
        PAPER = "paper", "paper"
        REPOSITORY = "repository", "repository"
        DATASET = "dataset", "dataset"
        MODEL = "model", "model"
        EVALUATION = "evaluation", "evaluation result"
        PROPOSAL = "proposal", "proposal"
        STAGE_REVIEW = "stage_review", "stage review"
        PROBE = "probe", "probe"
        CLAIM_CHECK = "claim_check", "claim check"
        WORKSHOP = "workshop", "workshop or teaching"
        REFERENCE = "reference", "reference"
        WORK_TEST = "work_test", "work test"

    title = models.CharField(max_length=300)
    kind = models.CharField(max_length=20, choices=Kind)
    url = models.URLField("address", max_length=1000, blank=True)
    text = models.TextField(blank=True, help_text="The piece itself, where it was written here.")
    work = models.CharField(
        max_length=1000,
        blank=True,
        editable=False,
        help_text="What the address leads to, in its normal form.",
    )
    revision = models.CharField(
        max_length=200, blank=True, editable=False, help_text="The commit or version that the address names."
    )
    file = models.ForeignKey(
        StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    filename = models.CharField(max_length=200, blank=True, editable=False)
    is_empirical = models.BooleanField(default=False)
    question = models.CharField(max_length=300, blank=True, help_text="Of a probe: what was asked.")
    did = models.CharField(max_length=300, blank=True, help_text="Of a probe: what was done.")
    saw = models.CharField(max_length=300, blank=True, help_text="Of a probe: what was seen.")
    shows = models.TextField("what it shows", max_length=1000, blank=True)
    does_not_show = models.TextField("what it does not show", max_length=1000, blank=True)
    likely_misreading = models.TextField("a likely misreading", max_length=1000, blank=True)

    class Meta:
        abstract = True

    def content(self) -> dict[str, Any]:
        return {field.attname: getattr(self, field.attname) for field in Content._meta.fields}
