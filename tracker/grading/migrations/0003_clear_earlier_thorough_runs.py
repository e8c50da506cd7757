"""Thorough runs of before get the clearance that their earlier phases would have given."""

import uuid

from django.db import migrations

# Who let a held submission through was told in an event; where that is missing nobody is named.
NOBODY = uuid.UUID(int=0)


def give_clearances(apps, schema_editor):
    Run, Clearance = apps.get_model("grading", "Run"), apps.get_model("grading", "Clearance")
    related = ("submission__benchmark",)
    for run in Run.objects.filter(phase="thorough", clearance=None).select_related(*related).order_by("pk"):
        earlier = Run.objects.filter(submission=run.submission, pk__lt=run.pk, state="succeeded")
        safety = earlier.filter(phase="safety").order_by("-pk").first()
        qualification = earlier.filter(phase="qualification").order_by("-pk").first()
        run.clearance = Clearance.objects.create(
            submission=run.submission,
            artifact_id=run.submission.artifact_id,
            benchmark_hash=run.submission.benchmark.content_hash,
            qualification=qualification,
            safety=safety,
            let_through_by=who_let_through(apps, run.submission) if safety.message else None,
        )
        run.save(update_fields=["clearance"])


def who_let_through(apps, submission):
    told = apps.get_model("events", "Event").objects.filter(
        kind="submission.let-through", subject=submission.public_id
    )
    return told.order_by("-pk").values_list("actor", flat=True).first() or NOBODY


def keep(apps, schema_editor):
    """Going back, the column goes away with what is in it."""


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0001_initial"),
        ("grading", "0002_clearance"),
    ]

    operations = [migrations.RunPython(give_clearances, keep)]
