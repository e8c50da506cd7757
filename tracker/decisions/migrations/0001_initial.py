import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cohorts", "0001_initial"),
        ("estimates", "0001_initial"),
        ("people", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="StageDecision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
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
                ("reasons", models.TextField()),
                ("decided_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "decider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions_made",
                        to="people.person",
                    ),
                ),
                (
                    "enrollment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="cohorts.enrollment",
                    ),
                ),
                (
                    "fit",
                    models.ForeignKey(
                        blank=True,
                        help_text="What the estimates said at that moment.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="estimates.fit",
                    ),
                ),
                (
                    "stage",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="cohorts.stage",
                    ),
                ),
            ],
            options={
                "ordering": ("-decided_at",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("enrollment", "stage"), name="one_decision_per_person_and_stage"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reasons", ""), _negated=True), name="a_decision_has_reasons"
                    ),
                ],
            },
        ),
    ]
