"""Runs of before measured on the version that their submission was sent to."""

from django.db import migrations
from django.db.models import OuterRef, Subquery


def say_version(apps, schema_editor):
    Run, Submission = apps.get_model("grading", "Run"), apps.get_model("grading", "Submission")
    sent_to = Submission.objects.filter(pk=OuterRef("submission")).values("benchmark")
    Run.objects.filter(benchmark=None).update(benchmark=Subquery(sent_to[:1]))


def keep(apps, schema_editor):
    """Going back, the column goes away with what is in it."""


class Migration(migrations.Migration):
    dependencies = [
        ("grading", "0008_checks_and_regrading"),
    ]

    operations = [migrations.RunPython(say_version, keep)]
