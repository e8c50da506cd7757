from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("grading", "0003_clear_earlier_thorough_runs"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("clearance__isnull", False), ("phase", "thorough")),
                    models.Q(models.Q(("phase", "thorough"), _negated=True), ("clearance", None)),
                    _connector="OR",
                ),
                name="a_run_shows_a_clearance_exactly_when_thorough",
            ),
        ),
    ]
