"""Benchmark: a task with hidden labels, in versions that never change."""

import uuid
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import Program, Visitor

DECLARATION = "benchmark.toml"


class BenchmarkQuerySet(TrackedQuerySet["Benchmark"]):
    def standing(self) -> Self:
        return self.filter(retired_at=None)

    def visible_to(self, user: Visitor) -> Self:
        """A program's benchmarks are open to everybody in it; its labels to nobody."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        return self.filter(program__in=Program.objects.visible_to(user))

    def install(
        self, program: Program, *, slug: str, content_hash: str, spec: dict[str, Any], by: UUID | None = None
    ) -> "Benchmark":
        """A benchmark whose folder lies in storage; changed content makes a new version beside the old."""
        if not (settings.BENCHMARKS_DIR / content_hash / DECLARATION).is_file():
            raise RuleBroken(
                "The benchmark's folder is not in storage: copy it there first.", code="no-folder"
            )
        with transaction.atomic():
            Program.objects.select_for_update().get(pk=program.pk)
            known = self.filter(program=program, slug=slug)
            same = known.standing().filter(content_hash=content_hash).first()
            if same is not None:
                return same
            version = known.count() + 1
            known.standing().update(retired_at=timezone.now())
            benchmark: Benchmark = self.create(
                program=program,
                slug=slug,
                name=spec["name"],
                version=version,
                content_hash=content_hash,
                spec=spec,
            )
            Event.objects.write(
                "benchmark.installed",
                program=program.public_id,
                subject=benchmark.public_id,
                actor=by,
                version=version,
            )
        return benchmark


class Benchmark(Tracked):
    class Gpu(models.TextChoices):
        """What weights sent to it are measured on, as benchmark.toml declares."""

        NO = "no", "no GPU"
        PREFERS = "prefers", "a GPU where there is one"
        NEEDS = "needs", "a GPU only"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="benchmarks")
    slug = models.SlugField()
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=64, editable=False)
    spec = models.JSONField(editable=False, help_text="What benchmark.toml declares, without the labels.")
    installed_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = BenchmarkQuerySet.as_manager()

    class Meta:
        ordering = ("name", "-version")
        constraints = (
            models.UniqueConstraint(
                fields=["program", "slug", "version"], name="one_benchmark_per_slug_and_version"
            ),
            models.UniqueConstraint(
                fields=["program", "slug"],
                condition=Q(retired_at=None),
                name="one_standing_version_of_a_benchmark",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def folder(self) -> Path:
        return Path(settings.BENCHMARKS_DIR) / self.content_hash

    def public_files(self) -> dict[str, Path]:
        """What everybody in the program may have, by name; what is hidden lies in a folder of its own.

        The declaration is not among them: the spec repeats of it what everybody may know.
        """
        if not self.folder.is_dir():
            return {}
        files = (
            path for path in sorted(self.folder.iterdir()) if path.is_file() and path.name != DECLARATION
        )
        return {path.name: path for path in files}

    @property
    def headline(self) -> str:
        return str(self.spec["headline"])

    @property
    def anchors(self) -> tuple[float, float]:
        """The headline metric's value of no skill, and that of the declared reference."""
        anchors = self.spec["anchors"]
        return float(anchors["start"]), float(anchors["reference"])

    @property
    def max_bytes(self) -> int:
        return int(self.spec["limits"]["max_bytes"])

    @property
    def submissions_per_day(self) -> int:
        return int(self.spec["limits"]["submissions_per_day"])

    @property
    def has_texts(self) -> bool:
        """Whether its inputs hold texts that training data could hold too."""
        return bool(self.spec.get("has_texts", False))

    @property
    def gpu(self) -> str:
        return str(self.spec.get("gpu", self.Gpu.NO))

    def higher_is_better(self, metric: str) -> bool:
        return bool(self.spec["metrics"][metric]["direction"] == "higher")
