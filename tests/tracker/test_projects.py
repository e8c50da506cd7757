"""Projects, their teams, outputs and credit; stages and decisions."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.factories import make_cohort, make_mentee, make_output, make_person, make_project, make_stage
from tracker.cohorts.models import Stage
from tracker.errors import RuleBroken
from tracker.people.models import Role
from tracker.projects.models import Output, Project, TeamMember

pytestmark = pytest.mark.django_db


def shares(output: Output) -> dict[str, float]:
    return {credit.person.name: credit.share for credit in output.credits.select_related("person")}


def test_credit_is_equal_until_the_team_says_otherwise(cohort):
    team = [make_mentee(cohort, name=name) for name in ("Ann", "Bo", "Cy")]

    output = make_output(make_project(cohort, authors=team))

    assert shares(output) == pytest.approx({"Ann": 1 / 3, "Bo": 1 / 3, "Cy": 1 / 3})


@pytest.mark.parametrize("split", [(0.5, 0.4), (0.5, 0.6), (1.5, -0.5), (0.0, 0.0)])
def test_shares_that_do_not_sum_to_one_are_refused(cohort, split):
    team = [make_mentee(cohort) for _ in split]
    output = make_output(make_project(cohort, authors=team))

    with pytest.raises(RuleBroken):
        output.set_credit({"idea": dict(zip(team, split, strict=True))})

    assert sum(shares(output).values()) == pytest.approx(1)


def test_the_same_external_id_changes_a_project(cohort):
    author = make_mentee(cohort)
    first = make_project(cohort, authors=[author], title="Old", external_id="p-1")

    again = make_project(cohort, authors=[author], title="New", external_id="p-1")

    assert again.pk == first.pk
    assert Project.objects.get().title == "New"


def test_whoever_is_no_longer_named_has_left_the_team(cohort):
    old, new = make_mentee(cohort), make_mentee(cohort)
    project = make_project(cohort, authors=[old])

    project.set_team(authors=[new], mentors=[])

    assert list(project.authors()) == [new]
    assert TeamMember.objects.get(person=old).left_on is not None


def test_a_team_is_of_one_program(cohort):
    with pytest.raises(RuleBroken, match="name people of this program"):
        make_project(cohort, authors=[make_person(Role.MENTEE)])


def test_an_external_id_stays_with_its_project(cohort):
    make_output(make_project(cohort), external_id="o-1")

    with pytest.raises(RuleBroken, match="another project"):
        make_output(make_project(cohort), external_id="o-1")


def test_an_output_takes_a_stage_of_its_own_cohort(cohort):
    with pytest.raises(RuleBroken, match="another cohort"):
        make_output(make_project(cohort), stage=make_stage(make_cohort(cohort.program)))


def test_a_project_finishes_once(cohort):
    project = make_project(cohort)
    project.finish()

    with pytest.raises(RuleBroken, match="Only an active project"):
        project.finish()


def test_every_forecast_of_a_milestone_is_kept(cohort):
    project = make_project(cohort)
    milestone = project.milestones.create(title="First result", due_on=cohort.ends_on)
    author = project.authors().get()

    dates = [cohort.ends_on - timedelta(days=7), cohort.ends_on]
    for day in dates:
        milestone.predict(day, by=author)

    assert [forecast.predicted_on for forecast in milestone.forecasts.all()] == dates


def test_a_mentee_sees_the_projects_they_are_in(cohort, mentor, stranger):
    project, other = make_project(cohort), make_project(cohort)
    author = project.authors().get()

    assert list(Project.objects.visible_to(author.user)) == [project]
    assert set(Project.objects.visible_to(mentor.user)) == {project, other}
    assert not Project.objects.visible_to(stranger).exists()
    assert not Project.objects.editable_by(mentor.user).exists()


def test_silence_ends_nobody(cohort):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_stage(cohort, default="end")

    assert not Stage.objects.exists()


@pytest.mark.parametrize("verb", [Output.retract, lambda output: output.project.finish()])
def test_a_deed_is_not_done_without_its_event(cohort, stage, monkeypatch, verb):
    output = make_output(make_project(cohort))

    def break_off(*_: object, **__: object) -> None:
        raise OSError("the process ends here")

    monkeypatch.setattr("tracker.events.models.EventQuerySet.write", break_off)
    with pytest.raises(OSError, match="ends here"):
        verb(output)

    assert Output.objects.get().retracted_at is None
    assert Project.objects.get().finished_at is None


def test_a_project_is_finished_once_even_by_who_saw_it_active(cohort):
    project = make_project(cohort)
    same = Project.objects.get()
    project.finish()

    with pytest.raises(RuleBroken, match="Only an active project"):
        same.finish()

    assert project.state == "finished"
