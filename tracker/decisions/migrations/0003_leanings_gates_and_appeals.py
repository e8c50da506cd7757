import uuid

import django.db.models.deletion
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cohorts", "0005_every_change_is_kept"),
        ("decisions", "0002_every_change_is_kept"),
        ("estimates", "0004_chances_are_computed"),
        ("people", "0003_every_change_is_kept"),
        ("people", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Appeal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "decision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appeal",
                        to="decisions.stagedecision",
                    ),
                ),
                ("words", models.TextField()),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.person"
                    ),
                ),
                (
                    "seconded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.person"
                    ),
                ),
                (
                    "heard_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appeals_heard",
                        to="people.person",
                    ),
                ),
                ("upholds", models.BooleanField(blank=True, help_text="Whether the end stands.", null=True)),
                ("reasons", models.TextField(blank=True)),
                ("heard_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "ordering": ("-made_at",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("words", ""), _negated=True), name="an_appeal_says_why"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("heard_by", None),
                            models.Q(
                                models.Q(("heard_by", models.F("decided_by")), _negated=True),
                                models.Q(("heard_by", models.F("seconded_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="an_appeal_is_heard_by_somebody_else",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("heard_at", None), ("heard_by", None), ("upholds", None)),
                            models.Q(
                                ("heard_at__isnull", False),
                                ("heard_by__isnull", False),
                                ("upholds__isnull", False),
                                models.Q(("reasons", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="an_appeal_is_decided_with_reasons",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="GateRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "stage",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gate_rules",
                        to="cohorts.stage",
                    ),
                ),
                ("version", models.PositiveSmallIntegerField()),
                ("places", models.PositiveIntegerField(blank=True, null=True)),
                ("bar", models.FloatField(blank=True, null=True)),
                ("planned_readers", models.PositiveSmallIntegerField(default=3)),
                (
                    "floor",
                    models.PositiveSmallIntegerField(
                        default=3, help_text="Different readers a person has before anything is said."
                    ),
                ),
                ("yes_from", models.FloatField(default=0.75)),
                ("no_to", models.FloatField(default=0.25)),
                (
                    "middle",
                    models.CharField(
                        choices=[
                            ("more_readers", "more readers"),
                            ("leads_choice", "the decider chooses"),
                            ("lottery", "a lottery for the remaining places"),
                        ],
                        default="more_readers",
                        max_length=20,
                    ),
                ),
                ("seed", models.CharField(blank=True, editable=False, max_length=64)),
                (
                    "commitment",
                    models.CharField(
                        blank=True, editable=False, help_text="SHA-256 of the lottery's seed.", max_length=64
                    ),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gate_rules",
                        to="people.person",
                    ),
                ),
                ("set_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("reason", models.TextField(blank=True)),
                ("is_after_results", models.BooleanField(default=False, editable=False)),
                ("replaced_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "ordering": ("stage", "-version"),
                "constraints": [
                    models.UniqueConstraint(fields=("stage", "version"), name="one_gate_rule_per_version"),
                    models.UniqueConstraint(
                        condition=models.Q(("replaced_at", None)),
                        fields=("stage",),
                        name="one_standing_gate_rule_in_a_stage",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("bar__isnull", False), ("places", None)),
                            models.Q(("bar", None), ("places__isnull", False)),
                            _connector="OR",
                        ),
                        name="a_gate_has_places_or_a_bar",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("no_to__gt", 0), ("yes_from__gt", models.F("no_to")), ("yes_from__lt", 1)
                        ),
                        name="a_gate_leaves_a_middle",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("floor__gte", 2)),
                        name="a_gate_asks_for_two_different_readers_or_more",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("is_after_results", False), ("version", 1)),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="a_gate_is_changed_with_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("middle", "lottery"), _negated=True),
                            models.Q(("commitment", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="a_lottery_is_bound_beforehand",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAppeal",
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
                ("words", models.TextField()),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("upholds", models.BooleanField(blank=True, help_text="Whether the end stands.", null=True)),
                ("reasons", models.TextField(blank=True)),
                ("heard_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "decision",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="decisions.stagedecision",
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
                    "seconded_by",
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
                    "heard_by",
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
                "verbose_name": "historical appeal",
                "verbose_name_plural": "historical appeals",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalGateRule",
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
                ("version", models.PositiveSmallIntegerField()),
                ("places", models.PositiveIntegerField(blank=True, null=True)),
                ("bar", models.FloatField(blank=True, null=True)),
                ("planned_readers", models.PositiveSmallIntegerField(default=3)),
                (
                    "floor",
                    models.PositiveSmallIntegerField(
                        default=3, help_text="Different readers a person has before anything is said."
                    ),
                ),
                ("yes_from", models.FloatField(default=0.75)),
                ("no_to", models.FloatField(default=0.25)),
                (
                    "middle",
                    models.CharField(
                        choices=[
                            ("more_readers", "more readers"),
                            ("leads_choice", "the decider chooses"),
                            ("lottery", "a lottery for the remaining places"),
                        ],
                        default="more_readers",
                        max_length=20,
                    ),
                ),
                (
                    "commitment",
                    models.CharField(
                        blank=True, editable=False, help_text="SHA-256 of the lottery's seed.", max_length=64
                    ),
                ),
                ("set_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("reason", models.TextField(blank=True)),
                ("is_after_results", models.BooleanField(default=False, editable=False)),
                ("replaced_at", models.DateTimeField(blank=True, editable=False, null=True)),
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
                (
                    "set_by",
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
                "verbose_name": "historical gate rule",
                "verbose_name_plural": "historical gate rules",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalLeaning",
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
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("go_on", "go on"),
                            ("extend", "extend"),
                            ("more_evidence", "more evidence"),
                            ("end", "end"),
                        ],
                        max_length=20,
                    ),
                ),
                ("why", models.TextField(blank=True)),
                ("said_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("closed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "enrollment",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="cohorts.enrollment",
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
                (
                    "decider",
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
                "verbose_name": "historical leaning",
                "verbose_name_plural": "historical leanings",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalLottery",
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
                ("places", models.PositiveIntegerField(help_text="What was left after the clear answers.")),
                (
                    "entrants",
                    models.JSONField(help_text="Public ids in the order drawn; the first have the places."),
                ),
                ("drawn_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "rule",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="decisions.gaterule",
                    ),
                ),
                (
                    "fit",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="estimates.fit",
                    ),
                ),
                (
                    "drawn_by",
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
                "verbose_name": "historical lottery",
                "verbose_name_plural": "historical lotteries",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Leaning",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "enrollment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="leanings",
                        to="cohorts.enrollment",
                    ),
                ),
                (
                    "stage",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="leanings",
                        to="cohorts.stage",
                    ),
                ),
                (
                    "decider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="leanings",
                        to="people.person",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("go_on", "go on"),
                            ("extend", "extend"),
                            ("more_evidence", "more evidence"),
                            ("end", "end"),
                        ],
                        max_length=20,
                    ),
                ),
                ("why", models.TextField(blank=True)),
                ("said_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("closed_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "ordering": ("-said_at", "-pk"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)),
                        fields=("enrollment", "stage", "decider"),
                        name="a_decider_has_one_open_leaning_about_a_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["go_on", "extend", "more_evidence", "end"])),
                        name="a_leaning_is_to_one_of_the_outcomes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalProposal",
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
                (
                    "answer",
                    models.CharField(
                        choices=[
                            ("clear_yes", "clear yes"),
                            ("clear_no", "clear no"),
                            ("too_close", "too close to call"),
                            ("too_early", "too early to say"),
                            ("no_rule", "no rule was fixed"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("go_on", "go on"),
                            ("extend", "extend"),
                            ("more_evidence", "more evidence"),
                            ("end", "end"),
                        ],
                        help_text="Empty: the choice is the decider's.",
                        max_length=20,
                    ),
                ),
                ("through", models.FloatField(blank=True, null=True)),
                ("symmetric", models.FloatField(blank=True, null=True)),
                ("readers", models.PositiveIntegerField(default=0)),
                ("against", models.PositiveIntegerField(default=0)),
                ("good_pieces", models.PositiveIntegerField(default=0)),
                ("has_failed_check", models.BooleanField(default=False)),
                (
                    "is_drawn",
                    models.BooleanField(blank=True, help_text="Whether the lottery gave a place.", null=True),
                ),
                ("shown_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "leaning",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="decisions.leaning",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="decisions.gaterule",
                    ),
                ),
                (
                    "fit",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="estimates.fit",
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
                "verbose_name": "historical proposal",
                "verbose_name_plural": "historical proposals",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Lottery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "rule",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lottery",
                        to="decisions.gaterule",
                    ),
                ),
                (
                    "fit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lotteries",
                        to="estimates.fit",
                    ),
                ),
                ("places", models.PositiveIntegerField(help_text="What was left after the clear answers.")),
                (
                    "entrants",
                    models.JSONField(help_text="Public ids in the order drawn; the first have the places."),
                ),
                (
                    "drawn_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lotteries",
                        to="people.person",
                    ),
                ),
                ("drawn_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "verbose_name_plural": "lotteries",
            },
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "leaning",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="decisions.leaning",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="decisions.gaterule",
                    ),
                ),
                (
                    "fit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="estimates.fit",
                    ),
                ),
                (
                    "answer",
                    models.CharField(
                        choices=[
                            ("clear_yes", "clear yes"),
                            ("clear_no", "clear no"),
                            ("too_close", "too close to call"),
                            ("too_early", "too early to say"),
                            ("no_rule", "no rule was fixed"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("go_on", "go on"),
                            ("extend", "extend"),
                            ("more_evidence", "more evidence"),
                            ("end", "end"),
                        ],
                        help_text="Empty: the choice is the decider's.",
                        max_length=20,
                    ),
                ),
                ("through", models.FloatField(blank=True, null=True)),
                ("symmetric", models.FloatField(blank=True, null=True)),
                ("readers", models.PositiveIntegerField(default=0)),
                ("against", models.PositiveIntegerField(default=0)),
                ("good_pieces", models.PositiveIntegerField(default=0)),
                ("has_failed_check", models.BooleanField(default=False)),
                (
                    "is_drawn",
                    models.BooleanField(blank=True, help_text="Whether the lottery gave a place.", null=True),
                ),
                ("shown_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "ordering": ("-pk",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer", "clear_no"), _negated=True),
                            models.Q(("against__gte", 2), ("readers__gte", 2)),
                            models.Q(("has_failed_check", True), ("readers__gte", 2)),
                            _connector="OR",
                        ),
                        name="a_clear_no_needs_two_readers_or_a_failed_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer", "clear_yes"), _negated=True),
                            ("good_pieces__gte", 2),
                            _connector="OR",
                        ),
                        name="a_clear_yes_needs_a_second_good_result",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome", "end"), _negated=True),
                            ("answer", "clear_no"),
                            _connector="OR",
                        ),
                        name="only_a_clear_no_proposes_an_end",
                    ),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="stagedecision",
            options={"ordering": ("-decided_at", "-pk")},
        ),
        migrations.RemoveConstraint(
            model_name="stagedecision",
            name="one_decision_per_person_and_stage",
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="again_on",
            field=models.DateField(blank=True, help_text="When more evidence is judged.", null=True),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="appeal_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="appeal_upheld_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="forecast",
            field=models.FloatField(
                blank=True,
                help_text="How probable the decider found it then that, in a year, they would decide the same.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="origin",
            field=models.CharField(
                choices=[
                    ("person", "decided by a person"),
                    ("silence", "by default, for nobody decided"),
                    ("appeal", "by an appeal"),
                    ("record", "taken over from earlier records"),
                ],
                default="person",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="replaced_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="second_agrees",
            field=models.BooleanField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="second_read_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="second_reader",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="people.person",
            ),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="second_reasons",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="took_effect_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="undone",
            field=models.CharField(
                blank=True,
                choices=[
                    ("decided_again", "decided again"),
                    ("not_seconded", "the second reader did not agree"),
                    ("lapsed", "no second reader in time"),
                    ("overturned", "overturned on appeal"),
                ],
                editable=False,
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="weeks",
            field=models.PositiveSmallIntegerField(
                blank=True, help_text="How long an extension lasts.", null=True
            ),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="again_on",
            field=models.DateField(blank=True, help_text="When more evidence is judged.", null=True),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="appeal_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="appeal_upheld_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="forecast",
            field=models.FloatField(
                blank=True,
                help_text="How probable the decider found it then that, in a year, they would decide the same.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="origin",
            field=models.CharField(
                choices=[
                    ("person", "decided by a person"),
                    ("silence", "by default, for nobody decided"),
                    ("appeal", "by an appeal"),
                    ("record", "taken over from earlier records"),
                ],
                default="person",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="replaced_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="second_agrees",
            field=models.BooleanField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="second_read_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="second_reader",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions_read",
                to="people.person",
            ),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="second_reasons",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="took_effect_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="undone",
            field=models.CharField(
                blank=True,
                choices=[
                    ("decided_again", "decided again"),
                    ("not_seconded", "the second reader did not agree"),
                    ("lapsed", "no second reader in time"),
                    ("overturned", "overturned on appeal"),
                ],
                editable=False,
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="weeks",
            field=models.PositiveSmallIntegerField(
                blank=True, help_text="How long an extension lasts.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="stagedecision",
            name="decider",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions_made",
                to="people.person",
            ),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="appealed",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="decisions.appeal",
            ),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="appealed",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decision_instead",
                to="decisions.appeal",
            ),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="leaning",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="decisions.leaning",
            ),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="leaning",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decision",
                to="decisions.leaning",
            ),
        ),
        migrations.AddField(
            model_name="historicalstagedecision",
            name="proposal",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="decisions.proposal",
            ),
        ),
        migrations.AddField(
            model_name="stagedecision",
            name="proposal",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decision",
                to="decisions.proposal",
            ),
        ),
    ]
