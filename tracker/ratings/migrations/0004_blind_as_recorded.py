from django.db import migrations
from django.db.models import F


def mark(apps, schema_editor):
    """What was given after its reader could see others is not blind."""
    Rating, Sighting = apps.get_model("ratings", "Rating"), apps.get_model("ratings", "Sighting")
    seen = Rating.objects.filter(others_seen_at__isnull=False)
    seen.filter(others_seen_at__lte=F("submitted_at")).update(is_blind=False)
    for rating in seen.order_by("others_seen_at"):
        Sighting.objects.get_or_create(
            reader_id=rating.rater_id,
            output_id=rating.output_id,
            defaults={"seen_at": rating.others_seen_at},
        )


class Migration(migrations.Migration):
    dependencies = [("ratings", "0003_versions_and_assignments")]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
