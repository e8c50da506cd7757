import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("grading", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Clearance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("benchmark_hash", models.CharField(editable=False, max_length=64)),
                (
                    "let_through_by",
                    models.UUIDField(
                        blank=True,
                        editable=False,
                        help_text="Public id of the user who let it through.",
                        null=True,
                    ),
                ),
                (
                    "granted_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "artifact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clearances",
                        to="grading.artifact",
                    ),
                ),
                (
                    "qualification",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="qualified",
                        to="grading.run",
                    ),
                ),
                (
                    "safety",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="found_safe",
                        to="grading.run",
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clearances",
                        to="grading.submission",
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.AddField(
            model_name="run",
            name="clearance",
            field=models.OneToOneField(
                blank=True,
                editable=False,
                help_text="What a thorough run rests on: both earlier phases passed.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="grading.clearance",
            ),
        ),
    ]
