import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("people", "0001_initial"),
        ("projects", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Run",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("owner", models.UUIDField(blank=True, editable=False, null=True)),
                ("lease_ends_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("attempts", models.PositiveIntegerField(default=0, editable=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "phase",
                    models.CharField(
                        choices=[
                            ("qualification", "qualification"),
                            ("safety", "safety"),
                            ("thorough", "thorough"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("running", "running"),
                            ("succeeded", "done"),
                            ("refused", "needs a change from you"),
                            ("failed", "our fault"),
                            ("cancelled", "cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        blank=True,
                        help_text="Why it was refused, failed or is held, for machines.",
                        max_length=60,
                    ),
                ),
                (
                    "message",
                    models.CharField(blank=True, help_text="The same, for the submitter.", max_length=500),
                ),
                ("traceback", models.TextField(blank=True, help_text="For operators only.")),
                ("crashes", models.PositiveSmallIntegerField(default=0)),
                ("losses", models.PositiveSmallIntegerField(default=0)),
                ("progress_done", models.PositiveBigIntegerField(default=0)),
                ("progress_total", models.PositiveBigIntegerField(default=0)),
                (
                    "record",
                    models.JSONField(blank=True, default=dict, help_text="What it was computed with."),
                ),
                (
                    "claims",
                    models.JSONField(
                        blank=True, default=list, help_text="Each claim beside what was measured."
                    ),
                ),
                ("queued_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "not_before",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("started_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("ended_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("cancel_requested_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="Artifact",
            fields=[
                (
                    "sha256",
                    models.CharField(editable=False, max_length=64, primary_key=True, serialize=False),
                ),
                ("size", models.PositiveBigIntegerField(help_text="Bytes.")),
                ("format", models.CharField(max_length=20)),
                ("stored_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("size__gt", 0)), name="an_artifact_is_not_empty"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Benchmark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("slug", models.SlugField()),
                ("name", models.CharField(max_length=200)),
                ("version", models.PositiveIntegerField()),
                ("content_hash", models.CharField(editable=False, max_length=64)),
                (
                    "spec",
                    models.JSONField(
                        editable=False, help_text="What benchmark.toml declares, without the labels."
                    ),
                ),
                ("installed_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="benchmarks",
                        to="people.program",
                    ),
                ),
            ],
            options={
                "ordering": ("name", "-version"),
            },
        ),
        migrations.CreateModel(
            name="Measurement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("metric", models.CharField(max_length=60)),
                (
                    "slice",
                    models.CharField(
                        blank=True, help_text="Which part of the items; empty: all.", max_length=100
                    ),
                ),
                ("value", models.FloatField()),
                ("standard_error", models.FloatField(blank=True, null=True)),
                (
                    "low",
                    models.FloatField(blank=True, help_text="Lower end of the 95 % interval.", null=True),
                ),
                (
                    "high",
                    models.FloatField(blank=True, help_text="Upper end of the 95 % interval.", null=True),
                ),
                ("n", models.PositiveIntegerField()),
                ("clusters", models.PositiveIntegerField(blank=True, null=True)),
                ("method", models.CharField(max_length=60)),
                ("seed", models.BigIntegerField(blank=True, null=True)),
                (
                    "analytic",
                    models.JSONField(
                        blank=True, default=list, help_text="Errors by formula, beside the resampled one."
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="measurements",
                        to="grading.run",
                    ),
                ),
            ],
            options={
                "ordering": ("run", "pk"),
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("owner", models.UUIDField()),
                ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ending",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("ended", "came to an end"),
                            ("crashed", "crashed"),
                            ("lost", "worker lost"),
                            ("drained", "given back"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempt_rows",
                        to="grading.run",
                    ),
                ),
            ],
            options={
                "ordering": ("run", "number"),
            },
        ),
        migrations.CreateModel(
            name="Submission",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("external_id", models.CharField(blank=True, max_length=200)),
                ("filename", models.CharField(max_length=200)),
                (
                    "claims",
                    models.JSONField(
                        blank=True, default=dict, help_text="What its senders say they measured."
                    ),
                ),
                (
                    "is_chosen",
                    models.BooleanField(default=False, help_text="The one its team wants to be counted."),
                ),
                ("submitted_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "held_at",
                    models.DateTimeField(
                        blank=True, help_text="When safety raised something for a person.", null=True
                    ),
                ),
                ("retracted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "artifact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="grading.artifact",
                    ),
                ),
                (
                    "benchmark",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="grading.benchmark",
                    ),
                ),
                (
                    "output",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="projects.output",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="people.program",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="projects.project",
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="people.person",
                    ),
                ),
            ],
            options={
                "ordering": ("-submitted_at", "-pk"),
            },
        ),
        migrations.AddField(
            model_name="run",
            name="submission",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="grading.submission"
            ),
        ),
        migrations.AddConstraint(
            model_name="benchmark",
            constraint=models.UniqueConstraint(
                fields=("program", "slug", "version"), name="one_benchmark_per_slug_and_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="benchmark",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at", None)),
                fields=("program", "slug"),
                name="one_standing_version_of_a_benchmark",
            ),
        ),
        migrations.AddConstraint(
            model_name="measurement",
            constraint=models.UniqueConstraint(
                fields=("run", "metric", "slice"), name="one_value_per_run_metric_and_slice"
            ),
        ),
        migrations.AddConstraint(
            model_name="measurement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("value__gt", -1e300),
                    ("value__lt", 1e300),
                    models.Q(
                        ("standard_error", None),
                        models.Q(("standard_error__gte", 0), ("standard_error__lt", 1e300)),
                        _connector="OR",
                    ),
                ),
                name="a_measurement_is_finite",
            ),
        ),
        migrations.AddConstraint(
            model_name="measurement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("high", None), ("low", None)), ("low__lte", models.F("high")), _connector="OR"
                ),
                name="an_interval_has_its_ends_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(fields=("run", "number"), name="one_attempt_per_number"),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("program", "external_id"),
                name="one_submission_per_external_id_in_a_program",
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_chosen", True)),
                fields=("project", "benchmark"),
                name="a_team_chooses_one_submission_per_benchmark",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("state", "queued")), fields=["not_before"], name="run_queued"
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("state", "running")), fields=["lease_ends_at"], name="run_leased"
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("lease_ends_at__isnull", False), ("owner__isnull", False), ("state", "running")
                    ),
                    models.Q(
                        models.Q(("state", "running"), _negated=True),
                        ("lease_ends_at", None),
                        ("owner", None),
                    ),
                    _connector="OR",
                ),
                name="a_run_is_leased_exactly_while_it_runs",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("state__in", ("queued", "running"))),
                    models.Q(
                        models.Q(("state__in", ("queued", "running")), _negated=True),
                        ("ended_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="a_run_has_an_end_exactly_when_it_is_over",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(("crashes__lte", 4), ("losses__lte", 21)),
                name="a_run_is_not_retried_for_ever",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("queued", "running"))),
                fields=("submission",),
                name="one_open_run_per_submission",
            ),
        ),
    ]
