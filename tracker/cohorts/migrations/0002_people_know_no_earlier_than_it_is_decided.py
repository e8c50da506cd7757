from django.db import migrations
from django.db.models import F


def move_notices(apps, schema_editor):
    """A notice before the decision could not have been given: it moves to the day of the decision."""
    stages = apps.get_model("cohorts", "Stage").objects
    stages.filter(notice_on__lt=F("decisions_due_on")).update(notice_on=F("decisions_due_on"))


class Migration(migrations.Migration):
    dependencies = [("cohorts", "0001_initial")]

    operations = [migrations.RunPython(move_notices, migrations.RunPython.noop)]
