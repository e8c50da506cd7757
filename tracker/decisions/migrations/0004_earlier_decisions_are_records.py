from django.db import migrations
from django.db.models import F


def mark(apps, schema_editor):
    """Decisions made before anybody was asked for a leaning; none of them is an end."""
    decisions = apps.get_model("decisions", "StageDecision").objects
    decisions.update(origin="record", took_effect_at=F("decided_at"))
    decisions.filter(outcome="extend").update(weeks=1)


class Migration(migrations.Migration):
    dependencies = [("decisions", "0003_leanings_gates_and_appeals")]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
