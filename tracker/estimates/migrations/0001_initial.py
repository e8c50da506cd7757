import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cohorts", "0001_initial"),
        ("people", "0001_initial"),
        ("projects", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Fit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("is_current", models.BooleanField(default=False)),
                (
                    "hyper",
                    models.CharField(
                        choices=[("mode", "most likely spread"), ("integrated", "averaged over spreads")],
                        max_length=12,
                    ),
                ),
                ("settings", models.JSONField(default=dict)),
                ("rows", models.PositiveIntegerField(help_text="Scores and measurements it saw.")),
                ("content_hash", models.CharField(help_text="SHA-256 of what it saw.", max_length=64)),
                ("model_version", models.CharField(max_length=40)),
                ("criterion", models.FloatField(help_text="-2 log of the penalised marginal likelihood.")),
                (
                    "spreads",
                    models.JSONField(
                        default=dict, help_text="Standard deviation of each source of variation."
                    ),
                ),
                ("fixed", models.JSONField(default=dict)),
                (
                    "notes",
                    models.JSONField(default=list, help_text="What the reader of the estimates should know."),
                ),
                (
                    "measured",
                    models.JSONField(
                        default=dict, help_text="Which benchmarks entered, and which did not and why."
                    ),
                ),
                ("seconds", models.FloatField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="fits", to="people.program"
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at", "-pk"),
                "get_latest_by": ("created_at", "pk"),
            },
        ),
        migrations.CreateModel(
            name="Estimate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("mean", models.FloatField()),
                ("sd", models.FloatField()),
                ("q05", models.FloatField()),
                ("q25", models.FloatField()),
                ("q50", models.FloatField()),
                ("q75", models.FloatField()),
                ("q95", models.FloatField()),
                (
                    "symmetric_mean",
                    models.FloatField(blank=True, help_text="The same with symmetric luck.", null=True),
                ),
                ("symmetric_sd", models.FloatField(blank=True, null=True)),
                (
                    "raw",
                    models.FloatField(
                        blank=True, help_text="The bare mean of the scores, for comparison only.", null=True
                    ),
                ),
                (
                    "probability_top",
                    models.FloatField(blank=True, help_text="Of being among those with a place.", null=True),
                ),
                (
                    "tier",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="1 is first; the order within a tier is not known.", null=True
                    ),
                ),
                ("observations", models.PositiveIntegerField()),
                ("raters", models.PositiveIntegerField(help_text="Different readers behind it.")),
                ("outputs", models.PositiveIntegerField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="estimates",
                        to="people.person",
                    ),
                ),
                (
                    "fit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="estimates",
                        to="estimates.fit",
                    ),
                ),
            ],
            options={
                "ordering": ("fit", "person"),
            },
        ),
        migrations.CreateModel(
            name="Contribution",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("amount", models.FloatField()),
                (
                    "specific",
                    models.FloatField(default=0, help_text="What the fit takes as specific to this piece."),
                ),
                ("observations", models.PositiveIntegerField()),
                (
                    "output",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contributions",
                        to="projects.output",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contributions",
                        to="people.person",
                    ),
                ),
                (
                    "fit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contributions",
                        to="estimates.fit",
                    ),
                ),
            ],
            options={
                "ordering": ("fit", "person", "-amount"),
            },
        ),
        migrations.CreateModel(
            name="FitRequest",
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
                (
                    "hyper",
                    models.CharField(
                        choices=[("mode", "most likely spread"), ("integrated", "averaged over spreads")],
                        default="mode",
                        max_length=12,
                    ),
                ),
                (
                    "requested_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "not_before",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("done_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("failed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("failure", models.TextField(blank=True, editable=False)),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="fit_requests",
                        to="people.program",
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="RaterEstimate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("mean", models.FloatField()),
                ("sd", models.FloatField()),
                ("q05", models.FloatField()),
                ("q95", models.FloatField()),
                ("observations", models.PositiveIntegerField()),
                (
                    "fit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rater_estimates",
                        to="estimates.fit",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rater_estimates",
                        to="people.person",
                    ),
                ),
            ],
            options={
                "ordering": ("fit", "person"),
            },
        ),
        migrations.CreateModel(
            name="Release",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("released_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "fit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="releases",
                        to="estimates.fit",
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="releases",
                        to="people.person",
                    ),
                ),
                (
                    "stage",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="release",
                        to="cohorts.stage",
                    ),
                ),
            ],
            options={
                "ordering": ("-released_at",),
            },
        ),
        migrations.CreateModel(
            name="SimulatedTruth",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("level", models.FloatField()),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="simulated_truth",
                        to="people.person",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="fit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_current", True)),
                fields=("program",),
                name="one_current_fit_in_a_program",
            ),
        ),
        migrations.AddConstraint(
            model_name="estimate",
            constraint=models.UniqueConstraint(
                fields=("fit", "person"), name="one_estimate_per_person_and_fit"
            ),
        ),
        migrations.AddConstraint(
            model_name="estimate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("mean__gt", -1e300), ("mean__lt", 1e300), ("sd__gte", 0), ("sd__lt", 1e300)
                ),
                name="an_estimate_is_finite",
            ),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.UniqueConstraint(
                fields=("fit", "person", "output"), name="one_contribution_per_person_and_output"
            ),
        ),
        migrations.AddConstraint(
            model_name="fitrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("done_at", None), ("failed_at", None), ("owner", None)),
                fields=("program", "hyper"),
                name="one_waiting_fit_request_of_a_kind_in_a_program",
            ),
        ),
        migrations.AddConstraint(
            model_name="fitrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lease_ends_at", None), ("owner", None)),
                    models.Q(("lease_ends_at__isnull", False), ("owner__isnull", False)),
                    _connector="OR",
                ),
                name="a_leased_fit_request_has_an_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="raterestimate",
            constraint=models.UniqueConstraint(
                fields=("fit", "person"), name="one_rater_estimate_per_person_and_fit"
            ),
        ),
    ]
