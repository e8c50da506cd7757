from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("estimates", "0005_who_looked"),
    ]

    operations = [
        migrations.AddField(
            model_name="fit",
            name="stale_at",
            field=models.DateTimeField(
                blank=True, editable=False, help_text="Since when its evidence is not the newest.", null=True
            ),
        ),
    ]
