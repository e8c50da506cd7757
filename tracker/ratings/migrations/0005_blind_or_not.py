from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ratings", "0004_blind_as_recorded")]

    operations = [
        migrations.AddConstraint(
            model_name="rating",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_blind", True),
                    models.Q(
                        ("others_seen_at__isnull", False), ("others_seen_at__lte", models.F("submitted_at"))
                    ),
                    _connector="OR",
                ),
                name="who_is_not_blind_saw_others_before",
            ),
        ),
        migrations.AddConstraint(
            model_name="rating",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_blind", False),
                    ("others_seen_at", None),
                    ("others_seen_at__gte", models.F("submitted_at")),
                    _connector="OR",
                ),
                name="who_is_blind_saw_others_after_if_at_all",
            ),
        ),
    ]
