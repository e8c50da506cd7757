import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("grading", "0009_runs_say_their_version"),
    ]

    operations = [
        migrations.AlterField(
            model_name="run",
            name="benchmark",
            field=models.ForeignKey(
                help_text="The version that it measures on.",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runs",
                to="grading.benchmark",
            ),
        ),
    ]
