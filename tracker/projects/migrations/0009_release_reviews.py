import uuid

import django.db.models.deletion
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cohorts", "0006_when_to_ask_for_neighbours"),
        ("people", "0003_every_change_is_kept"),
        ("people", "__first__"),
        ("projects", "0008_claims_bottlenecks_and_pivots"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalReleasePolicy",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "door",
                    models.CharField(
                        choices=[
                            ("web", "web page"),
                            ("admin", "admin"),
                            ("api", "API"),
                            ("worker", "worker"),
                            ("command", "command"),
                        ],
                        default="command",
                        max_length=10,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("text", models.TextField()),
                ("published_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "program",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="people.program",
                    ),
                ),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical release policy",
                "verbose_name_plural": "historical release policies",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ReleasePolicy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="release_policies",
                        to="people.program",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("text", models.TextField()),
                ("published_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "verbose_name_plural": "release policies",
                "ordering": ("program", "-version"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("program", "version"), name="release_policies_of_a_program_are_numbered_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalReleaseReview",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "door",
                    models.CharField(
                        choices=[
                            ("web", "web page"),
                            ("admin", "admin"),
                            ("api", "API"),
                            ("worker", "worker"),
                            ("command", "command"),
                        ],
                        default="command",
                        max_length=10,
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("hazards", models.JSONField(default=list)),
                ("flagged_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("release", "release"),
                            ("with_changes", "release with changes"),
                            ("keep_private", "keep private"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reasons", models.TextField(blank=True, max_length=2000)),
                ("answered_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "output",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="projects.output",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="projects.releasepolicy",
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="people.person",
                    ),
                ),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical release review",
                "verbose_name_plural": "historical release reviews",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ReleaseReview",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "output",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to="projects.output",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to="projects.releasepolicy",
                    ),
                ),
                ("hazards", models.JSONField(default=list)),
                ("flagged_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "reviewer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="release_reviews",
                        to="people.person",
                    ),
                ),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("release", "release"),
                            ("with_changes", "release with changes"),
                            ("keep_private", "keep private"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reasons", models.TextField(blank=True, max_length=2000)),
                ("answered_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "ordering": ("flagged_at", "pk"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("answered_at", None)),
                        fields=("output",),
                        name="one_release_review_is_open_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer", ""), ("answered_at", None), ("reasons", "")),
                            models.Q(
                                ("answered_at__isnull", False),
                                ("reviewer__isnull", False),
                                models.Q(("answer", ""), _negated=True),
                                models.Q(("reasons", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="a_release_is_answered_by_its_reviewer_with_reasons",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("answered_at", None),
                            ("answered_at__gte", models.F("flagged_at")),
                            _connector="OR",
                        ),
                        name="a_release_is_answered_after_it_is_asked",
                    ),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="output",
            name="one_standing_output_of_a_work_in_a_program",
        ),
        migrations.AddField(
            model_name="historicaloutput",
            name="private_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When it became private until its release review.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="output",
            name="private_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When it became private until its release review.",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="output",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("private_at", None), ("retracted_at", None), models.Q(("work", ""), _negated=True)
                ),
                fields=("program", "work"),
                name="one_standing_output_of_a_work_in_a_program",
            ),
        ),
    ]
