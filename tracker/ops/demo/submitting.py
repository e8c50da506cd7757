"""Send the trained files to the benchmark, each by the project whose people it suits."""

import json
from pathlib import Path
from typing import Any

from django.core.files import File
from django.db.models import Avg

from tracker.grading.intake import receive
from tracker.grading.models import Benchmark, Submission
from tracker.grading.models.submissions import SubmissionQuerySet
from tracker.ops.demo.benchmark import SLUG
from tracker.people.models import Program
from tracker.projects.models import Project, TeamMember

# From the strongest team by the simulated truth to the weakest, so that what is measured fits what is true.
FILES_BY_STRENGTH = (
    "mlp.safetensors",
    "linear.safetensors",
    "broken.safetensors",
    "predictions.npz",
    "overfitted.safetensors",
)


def sent_by_demo(program: Program) -> SubmissionQuerySet:
    return Submission.objects.filter(program=program, external_id__startswith="demo:")


def are_all_sent(program: Program) -> bool:
    return sent_by_demo(program).count() == len(FILES_BY_STRENGTH)


def submit_all(program: Program, folder: Path) -> None:
    """Doing it again sends nothing twice: each file has its external_id."""
    benchmark = Benchmark.objects.standing().get(program=program, slug=SLUG)
    claims = json.loads((folder / "claims.json").read_text())
    for name, project in zip(FILES_BY_STRENGTH, strongest_first(program, benchmark), strict=True):
        submit(project, benchmark, path=folder / name, claims=claims[Path(name).stem])


def strongest_first(program: Program, benchmark: Benchmark) -> list[Project]:
    """The projects that have a place for results, by the mean level of their authors."""
    prefix = f"benchmark:{benchmark.slug}:"
    submitting = Project.objects.filter(program=program, outputs__external_id__startswith=prefix)
    authors = TeamMember.objects.active().filter(role=TeamMember.Role.AUTHOR, project__in=submitting)
    by_level = authors.values("project").annotate(level=Avg("person__simulated_truth__level"))
    order = by_level.order_by("-level").values_list("project", flat=True)
    projects = submitting.in_bulk()
    return [projects[pk] for pk in order]


def submit(project: Project, benchmark: Benchmark, *, path: Path, claims: dict[str, Any]) -> Submission:
    with path.open("rb") as file:
        artifact = receive(File(file, name=path.name), benchmark)
    return Submission.objects.submit(
        project=project,
        benchmark=benchmark,
        artifact=artifact,
        filename=path.name,
        by=project.authors().first(),
        claims=claims,
        external_id=f"demo:{path.stem}",
    )
