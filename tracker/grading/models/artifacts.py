"""Artifact: bytes under their hash."""

from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Artifact(models.Model):
    """Bytes, stored once under their SHA-256 and never changed."""

    sha256 = models.CharField(max_length=64, primary_key=True, editable=False)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    format = models.CharField(max_length=20)
    stored_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(size__gt=0), name="an_artifact_is_not_empty"),)

    def __str__(self) -> str:
        return f"{self.format} {self.sha256[:12]}"

    @property
    def path(self) -> Path:
        return Path(settings.ARTIFACTS_DIR) / self.sha256[:2] / self.sha256
