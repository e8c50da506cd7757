import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Consumer",
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
                ("name", models.CharField(max_length=60, unique=True)),
                (
                    "settled_to",
                    models.PositiveBigIntegerField(
                        default=0,
                        help_text="Every event up to this one is taken, and none can appear behind it.",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lease_ends_at", None), ("owner", None)),
                            models.Q(("lease_ends_at__isnull", False), ("owner__isnull", False)),
                            _connector="OR",
                        ),
                        name="a_leased_consumer_has_an_end",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=60)),
                (
                    "program",
                    models.UUIDField(
                        blank=True, help_text="Public id of the program it happened in.", null=True
                    ),
                ),
                (
                    "subject",
                    models.UUIDField(blank=True, help_text="Public id of what it happened to.", null=True),
                ),
                (
                    "actor",
                    models.UUIDField(blank=True, help_text="Public id of the user who did it.", null=True),
                ),
                ("payload", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
                "indexes": [
                    models.Index(fields=["program", "kind", "created_at"], name="event_program_kind"),
                    models.Index(fields=["subject", "kind"], name="event_subject_kind"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "failure",
                    models.TextField(
                        blank=True,
                        help_text="Why the consumer gave the event up; empty when it did its work.",
                    ),
                ),
                (
                    "delivered_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "consumer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="events.consumer",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="events.event",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("consumer", "event"), name="an_event_is_taken_once")
                ],
            },
        ),
    ]
