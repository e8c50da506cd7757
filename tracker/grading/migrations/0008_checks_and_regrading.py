import uuid

import django.db.models.deletion
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("grading", "0007_teams_that_share_mistakes"),
        ("people", "0003_every_change_is_kept"),
        ("people", "__first__"),
        ("projects", "0006_what_a_rating_saw"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalRegradePlan",
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
                (
                    "submissions",
                    models.PositiveIntegerField(
                        help_text="How many would be measured again: those that count."
                    ),
                ),
                ("expected_seconds", models.FloatField(help_text="By how long their last gradings took.")),
                ("proposed_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("carried_out", "carried out"),
                            ("dropped", "dropped"),
                            ("lapsed", "a newer plan took its place"),
                        ],
                        max_length=12,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "queued",
                    models.PositiveIntegerField(blank=True, help_text="How many runs were made.", null=True),
                ),
                (
                    "benchmark",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="grading.benchmark",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                "verbose_name": "historical regrade plan",
                "verbose_name_plural": "historical regrade plans",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalRegradeRequest",
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
                ("reason", models.TextField(max_length=2000)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[("granted", "granted"), ("refused", "not granted")],
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("answer", models.TextField(blank=True, max_length=2000)),
                (
                    "submission",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="grading.submission",
                    ),
                ),
                (
                    "asked_by",
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
                (
                    "decided_by",
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
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="grading.run",
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
                "verbose_name": "historical regrade request",
                "verbose_name_plural": "historical regrade requests",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="RegradePlan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "benchmark",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="regrade_plans",
                        to="grading.benchmark",
                    ),
                ),
                (
                    "submissions",
                    models.PositiveIntegerField(
                        help_text="How many would be measured again: those that count."
                    ),
                ),
                ("expected_seconds", models.FloatField(help_text="By how long their last gradings took.")),
                ("proposed_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("carried_out", "carried out"),
                            ("dropped", "dropped"),
                            ("lapsed", "a newer plan took its place"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "queued",
                    models.PositiveIntegerField(blank=True, help_text="How many runs were made.", null=True),
                ),
            ],
            options={
                "ordering": ("-pk",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at", None), ("decided_by", None), ("decision", ""), ("queued", None)
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                ("decision", "carried_out"),
                                ("queued__isnull", False),
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                ("decision", "dropped"),
                                ("queued", None),
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by", None),
                                ("decision", "lapsed"),
                                ("queued", None),
                            ),
                            _connector="OR",
                        ),
                        name="a_regrading_is_carried_out_or_dropped_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expected_seconds__gte", 0), ("expected_seconds__lt", 1e300)),
                        name="a_regrading_costs_a_finite_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RegradeRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="regrade_requests",
                        to="grading.submission",
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="regrades_asked",
                        to="people.person",
                    ),
                ),
                ("reason", models.TextField(max_length=2000)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[("granted", "granted"), ("refused", "not granted")],
                        max_length=10,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="regrades_decided",
                        to="people.person",
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("answer", models.TextField(blank=True, max_length=2000)),
                (
                    "run",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="asked_for",
                        to="grading.run",
                    ),
                ),
            ],
            options={
                "ordering": ("-pk",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("decided_at", None)),
                        fields=("submission",),
                        name="a_submission_has_one_open_request_to_regrade",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at", None), ("decided_by", None), ("decision", ""), ("run", None)
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                ("decision", "granted"),
                                ("run__isnull", False),
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                ("decision", "refused"),
                                ("run", None),
                                models.Q(("answer", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="a_granted_regrade_has_its_run_and_a_refused_one_its_reasons",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by", None),
                            models.Q(("decided_by", models.F("asked_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="nobody_decides_on_their_own_request_to_regrade",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="historicalsubmission",
            name="is_check_only",
            field=models.BooleanField(
                default=False,
                editable=False,
                help_text="Stops after the first check; costs and counts nothing.",
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="benchmark",
            field=models.ForeignKey(
                help_text="The version that it measures on.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runs",
                to="grading.benchmark",
            ),
        ),
        migrations.AddField(
            model_name="submission",
            name="is_check_only",
            field=models.BooleanField(
                default=False,
                editable=False,
                help_text="Stops after the first check; costs and counts nothing.",
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="output",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="submissions",
                to="projects.output",
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("is_check_only", True), ("is_chosen", False), ("output", None)),
                    models.Q(("is_check_only", False), ("output__isnull", False)),
                    _connector="OR",
                ),
                name="a_check_alone_is_no_output_and_never_counts",
            ),
        ),
    ]
