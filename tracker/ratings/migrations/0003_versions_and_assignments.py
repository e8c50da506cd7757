import uuid

import django.db.models.deletion
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import tracker.ratings.models.assignments


class Migration(migrations.Migration):
    dependencies = [
        ("cohorts", "0006_when_to_ask_for_neighbours"),
        ("people", "0003_every_change_is_kept"),
        ("people", "__first__"),
        ("projects", "0009_release_reviews"),
        ("ratings", "0002_every_change_is_kept"),
    ]

    operations = [
        migrations.CreateModel(
            name="Assignment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="people.person",
                    ),
                ),
                (
                    "output",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="projects.output",
                    ),
                ),
                (
                    "stage",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="cohorts.stage",
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("floor", "so that the person has enough different readers"),
                            ("second", "drawn for a second reader"),
                            ("sample", "everybody reads it"),
                            ("next", "where one more reading tells most"),
                        ],
                        default="next",
                        max_length=10,
                    ),
                ),
                ("assigned_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("withdrawn_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("withdrawal_reason", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "ordering": ("reader", "position"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at", None)),
                        fields=("reader", "output"),
                        name="an_output_is_given_to_a_reader_once",
                    ),
                    models.UniqueConstraint(
                        fields=("reader", "stage", "position"),
                        name="one_output_at_each_place_of_a_readers_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("position__gte", 1)), name="an_order_begins_with_1"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("withdrawn_at", None),
                            models.Q(("withdrawal_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="an_assignment_is_withdrawn_with_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAssignment",
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
                ("position", models.PositiveIntegerField()),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("floor", "so that the person has enough different readers"),
                            ("second", "drawn for a second reader"),
                            ("sample", "everybody reads it"),
                            ("next", "where one more reading tells most"),
                        ],
                        default="next",
                        max_length=10,
                    ),
                ),
                ("assigned_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("withdrawn_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("withdrawal_reason", models.CharField(blank=True, max_length=300)),
                (
                    "reader",
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
                    "stage",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="cohorts.stage",
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
                "verbose_name": "historical assignment",
                "verbose_name_plural": "historical assignments",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalOutlook",
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
                ("key", models.SlugField(db_index=False, max_length=40)),
                ("text", models.CharField(max_length=300)),
                ("due_on", models.DateField()),
                ("is_true", models.BooleanField(blank=True, null=True)),
                ("answer_reason", models.TextField(blank=True, verbose_name="why")),
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
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
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
                "verbose_name": "historical outlook",
                "verbose_name_plural": "historical outlooks",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalQuestion",
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
                ("key", models.SlugField(db_index=False, max_length=40)),
                ("text", models.CharField(default="Will this hold up?", max_length=300)),
                (
                    "months",
                    models.PositiveSmallIntegerField(
                        default=12, help_text="After how many months it is asked."
                    ),
                ),
                (
                    "rubric",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ratings.rubric",
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
                "verbose_name": "historical question",
                "verbose_name_plural": "historical questions",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalReadingPlan",
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
                    "readers_each",
                    models.PositiveSmallIntegerField(
                        default=3,
                        help_text="Served before anything else, over all a person's pieces.",
                        verbose_name="different readers for each person",
                    ),
                ),
                (
                    "second_share",
                    models.FloatField(
                        default=0,
                        help_text="From 0 to 1: this share of the pieces, drawn by lot, is given to one more reader.",
                        verbose_name="share read by a second reader",
                    ),
                ),
                (
                    "seed",
                    models.PositiveBigIntegerField(
                        default=tracker.ratings.models.assignments.new_seed, editable=False
                    ),
                ),
                (
                    "stage",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="cohorts.stage",
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
                "verbose_name": "historical reading plan",
                "verbose_name_plural": "historical reading plans",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalReply",
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
                ("text", models.TextField(max_length=10000)),
                ("replied_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "rating",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ratings.rating",
                    ),
                ),
                (
                    "person",
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
                "verbose_name": "historical reply",
                "verbose_name_plural": "historical replies",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Outlook",
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
                        related_name="outlooks",
                        to="projects.output",
                    ),
                ),
                ("key", models.SlugField(max_length=40)),
                ("text", models.CharField(max_length=300)),
                ("due_on", models.DateField()),
                ("is_true", models.BooleanField(blank=True, null=True)),
                ("answer_reason", models.TextField(blank=True, verbose_name="why")),
                ("answered_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outlooks_answered",
                        to="people.person",
                    ),
                ),
            ],
            options={
                "ordering": ("due_on", "pk"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("output", "key"), name="a_question_is_asked_once_of_an_output"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at", None), ("answered_by", None), ("is_true", None)),
                            models.Q(
                                ("answered_at__isnull", False),
                                ("answered_by__isnull", False),
                                ("is_true__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="an_outlook_is_answered_by_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Question",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "rubric",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="questions",
                        to="ratings.rubric",
                    ),
                ),
                ("key", models.SlugField(max_length=40)),
                ("text", models.CharField(default="Will this hold up?", max_length=300)),
                (
                    "months",
                    models.PositiveSmallIntegerField(
                        default=12, help_text="After how many months it is asked."
                    ),
                ),
            ],
            options={
                "ordering": ("rubric", "pk"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("rubric", "key"), name="one_question_per_key_in_a_rubric"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("months__gte", 1)), name="a_question_is_asked_later"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Forecast",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "rating",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="forecasts",
                        to="ratings.rating",
                    ),
                ),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="forecasts",
                        to="ratings.question",
                    ),
                ),
                (
                    "outlook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="forecasts",
                        to="ratings.outlook",
                    ),
                ),
                ("probability", models.FloatField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("rating", "question"), name="one_forecast_per_question"),
                    models.CheckConstraint(
                        condition=models.Q(("probability__gte", 0), ("probability__lte", 1)),
                        name="a_probability_is_from_0_to_1",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalForecast",
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
                ("probability", models.FloatField()),
                (
                    "rating",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ratings.rating",
                    ),
                ),
                (
                    "question",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ratings.question",
                    ),
                ),
                (
                    "outlook",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ratings.outlook",
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
                "verbose_name": "historical forecast",
                "verbose_name_plural": "historical forecasts",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ReadingPlan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "stage",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reading_plan",
                        to="cohorts.stage",
                    ),
                ),
                (
                    "readers_each",
                    models.PositiveSmallIntegerField(
                        default=3,
                        help_text="Served before anything else, over all a person's pieces.",
                        verbose_name="different readers for each person",
                    ),
                ),
                (
                    "second_share",
                    models.FloatField(
                        default=0,
                        help_text="From 0 to 1: this share of the pieces, drawn by lot, is given to one more reader.",
                        verbose_name="share read by a second reader",
                    ),
                ),
                (
                    "seed",
                    models.PositiveBigIntegerField(
                        default=tracker.ratings.models.assignments.new_seed, editable=False
                    ),
                ),
                (
                    "samples",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Pieces that every reader is given.",
                        related_name="+",
                        to="projects.output",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("second_share__gte", 0), ("second_share__lte", 1)),
                        name="a_share_is_from_0_to_1",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Reply",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "rating",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replies",
                        to="ratings.rating",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replies",
                        to="people.person",
                    ),
                ),
                ("text", models.TextField(max_length=10000)),
                ("replied_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "verbose_name_plural": "replies",
                "ordering": ("replied_at", "pk"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("rating", "person"), name="one_reply_per_person_and_rating"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="a_reply_says_something"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Sighting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sightings",
                        to="people.person",
                    ),
                ),
                (
                    "output",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sightings",
                        to="projects.output",
                    ),
                ),
                ("seen_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("reader", "output"), name="others_are_first_seen_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Unsent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "output",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unsent",
                        to="projects.output",
                    ),
                ),
                (
                    "rater",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="unsent", to="people.person"
                    ),
                ),
                ("answers", models.JSONField(default=dict)),
                ("saved_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("output", "rater"), name="one_unsent_rating_per_output")
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="rating",
            name="one_standing_rating_per_reader_and_output",
        ),
        migrations.RemoveConstraint(
            model_name="rubric",
            name="one_standing_rubric_in_a_program",
        ),
        migrations.AddField(
            model_name="criterion",
            name="anchors",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text='What scores between the ends mean, as {"5": "a result that others can use"}.',
            ),
        ),
        migrations.AddField(
            model_name="historicalcriterion",
            name="anchors",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text='What scores between the ends mean, as {"5": "a result that others can use"}.',
            ),
        ),
        migrations.AddField(
            model_name="historicalrating",
            name="confidence",
            field=models.PositiveSmallIntegerField(
                blank=True,
                choices=[(1, "a guess"), (2, "fairly sure"), (3, "sure"), (4, "I know this work well")],
                help_text="How sure the reader is, in their own words.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="historicalrating",
            name="is_blind",
            field=models.BooleanField(
                default=True, editable=False, help_text="Given before the reader could see what others say."
            ),
        ),
        migrations.AddField(
            model_name="historicalrating",
            name="place_in_order",
            field=models.PositiveIntegerField(
                blank=True,
                editable=False,
                help_text="The how manieth piece of its stage it was for this reader.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="historicalrating",
            name="revised_at",
            field=models.DateTimeField(
                blank=True, editable=False, help_text="When its reader gave a further version.", null=True
            ),
        ),
        migrations.AddField(
            model_name="historicalrating",
            name="revises",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="ratings.rating",
            ),
        ),
        migrations.AddField(
            model_name="historicalrating",
            name="version",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text="The output as its reader saw it.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="projects.outputversion",
            ),
        ),
        migrations.AddField(
            model_name="historicalrubric",
            name="published_at",
            field=models.DateTimeField(
                blank=True,
                default=django.utils.timezone.now,
                help_text="Empty: a draft that nobody is asked by yet.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="historicalrubric",
            name="readers",
            field=models.CharField(
                choices=[
                    ("model", "models"),
                    ("lead", "leads"),
                    ("committee", "committee"),
                    ("mentor", "mentors"),
                    ("everybody", "everybody else"),
                ],
                default="everybody",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="rating",
            name="confidence",
            field=models.PositiveSmallIntegerField(
                blank=True,
                choices=[(1, "a guess"), (2, "fairly sure"), (3, "sure"), (4, "I know this work well")],
                help_text="How sure the reader is, in their own words.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="rating",
            name="is_blind",
            field=models.BooleanField(
                default=True, editable=False, help_text="Given before the reader could see what others say."
            ),
        ),
        migrations.AddField(
            model_name="rating",
            name="place_in_order",
            field=models.PositiveIntegerField(
                blank=True,
                editable=False,
                help_text="The how manieth piece of its stage it was for this reader.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="rating",
            name="revised_at",
            field=models.DateTimeField(
                blank=True, editable=False, help_text="When its reader gave a further version.", null=True
            ),
        ),
        migrations.AddField(
            model_name="rating",
            name="revises",
            field=models.OneToOneField(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="revision",
                to="ratings.rating",
            ),
        ),
        migrations.AddField(
            model_name="rating",
            name="version",
            field=models.ForeignKey(
                blank=True,
                help_text="The output as its reader saw it.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="ratings",
                to="projects.outputversion",
            ),
        ),
        migrations.AddField(
            model_name="rubric",
            name="published_at",
            field=models.DateTimeField(
                blank=True,
                default=django.utils.timezone.now,
                help_text="Empty: a draft that nobody is asked by yet.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="rubric",
            name="readers",
            field=models.CharField(
                choices=[
                    ("model", "models"),
                    ("lead", "leads"),
                    ("committee", "committee"),
                    ("mentor", "mentors"),
                    ("everybody", "everybody else"),
                ],
                default="everybody",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="historicalrating",
            name="others_seen_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When this reader first could see what others say of the output.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="rating",
            name="others_seen_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When this reader first could see what others say of the output.",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="conflict",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("withdrawn_at", None), ("withdrawn_at__gte", models.F("declared_at")), _connector="OR"
                ),
                name="a_conflict_is_withdrawn_after_it_is_declared",
            ),
        ),
        migrations.AddConstraint(
            model_name="rating",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retracted_at", None), ("revised_at", None)),
                fields=("output", "rater"),
                name="one_standing_rating_per_reader_and_output",
            ),
        ),
        migrations.AddConstraint(
            model_name="rating",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("retracted_at", None),
                    models.Q(("retraction_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="a_retraction_has_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="rating",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("confidence", None),
                    models.Q(("confidence__gte", 1), ("confidence__lte", 4)),
                    _connector="OR",
                ),
                name="confidence_is_from_1_to_4",
            ),
        ),
        migrations.AddConstraint(
            model_name="rubric",
            constraint=models.UniqueConstraint(
                condition=models.Q(("published_at__isnull", False), ("retired_at", None)),
                fields=("program", "readers"),
                name="one_standing_rubric_for_its_readers",
            ),
        ),
        migrations.AddConstraint(
            model_name="rubric",
            constraint=models.UniqueConstraint(
                condition=models.Q(("published_at", None), ("retired_at", None)),
                fields=("program", "readers"),
                name="one_rubric_in_the_making_for_its_readers",
            ),
        ),
    ]
