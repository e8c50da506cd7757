"""What exists: its kinds, and what each says of itself."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from tests.factories import (
    close_reading,
    make_cohort,
    make_mentee,
    make_output,
    make_project,
    make_rating,
    make_stage,
)
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.projects.models import AlreadyHere, Output, OutputVersion, Project
from tracker.projects.reviewing import open_reviews, without_review

pytestmark = pytest.mark.django_db
LINE = {"question": "Does depth matter?", "did": "Halved the layers.", "saw": "Loss rose by 2 %."}


class TestAProbe:
    def test_it_is_one_line_and_empirical(self, cohort):
        probe = make_output(make_project(cohort), kind="probe", **LINE)

        assert (probe.question, probe.did, probe.saw) == tuple(LINE.values())
        assert probe.is_empirical

    @pytest.mark.parametrize("missing", LINE)
    def test_it_needs_its_whole_line(self, cohort, missing):
        with pytest.raises(RuleBroken, match="A probe is one line") as refusal:
            make_output(make_project(cohort), kind="probe", **{**LINE, missing: " "})

        assert refusal.value.field == missing
        assert not Output.objects.exists()

    def test_the_database_refuses_half_a_line(self, cohort):
        probe = make_output(make_project(cohort), kind="probe", **LINE)

        with pytest.raises(IntegrityError), transaction.atomic():
            Output.objects.filter(pk=probe.pk).update(saw="")

    def test_what_is_not_sent_again_stays(self, cohort):
        project = make_project(cohort)
        make_output(project, kind="probe", external_id="p-1", **LINE)

        again = make_output(project, kind="probe", external_id="p-1", saw="Loss rose by 3 %.")

        assert (again.did, again.saw) == (LINE["did"], "Loss rose by 3 %.")


class TestTheSameToldAgain:
    def test_on_one_day_it_is_one_output(self, cohort, stage):
        project = make_project(cohort)

        first, again = (make_output(project, title="Reading group", kind="workshop") for _ in range(2))

        assert first == again
        assert Output.objects.get().versions.count() == 1
        assert Event.objects.filter(kind="output.published").count() == 1

    def test_a_flagged_one_is_reviewed_once(self, cohort, stage):
        project = make_project(cohort)

        for _ in range(2):
            make_output(project, title="Jailbreaks", hazards=["capability"])

        assert Output.objects.get().reviews.count() == 1

    @pytest.mark.parametrize(
        "other",
        [
            {"title": "Second group"},
            {"shows": "That it works."},
            {"produced_on": date(2026, 1, 1)},
            {"stage": None},
            {"external_id": "o-1"},
        ],
    )
    def test_anything_else_makes_another(self, cohort, stage, other):
        project = make_project(cohort)
        told = {"title": "Reading group", "kind": "workshop"}
        make_output(project, **told)

        make_output(project, **{**told, **other})

        assert Output.objects.count() == 2

    def test_what_was_taken_back_is_told_anew(self, cohort, stage):
        project = make_project(cohort)
        make_output(project, title="Reading group").retract()

        make_output(project, title="Reading group")

        assert Output.objects.standing().count() == 1
        assert Output.objects.count() == 2


class TestAPersonsOwn:
    def test_its_project_is_made_once(self, cohort, stage):
        person = make_mentee(cohort)

        review = Output.objects.publish_personal(person, cohort=cohort, kind="stage_review", stage=stage)
        proposal = Output.objects.publish_personal(person, cohort=cohort, kind="proposal", title="Plan")

        assert review.project == proposal.project == Project.objects.get(person=person)
        assert [credit.person for credit in review.credits.all()] == [person]
        assert review.title == f"{person} in {stage}"

    def test_it_is_rated_as_any_other_but_not_by_the_person(self, cohort, stage, mentor):
        person = make_mentee(cohort)
        review = Output.objects.publish_personal(person, cohort=cohort, kind="stage_review", stage=stage)

        assert make_rating(review, mentor).output == review
        with pytest.raises(RuleBroken, match="was an author"):
            make_rating(review, person)

    def test_a_person_is_reviewed_once_in_a_stage(self, cohort, stage):
        person = make_mentee(cohort)
        first = Output.objects.publish_personal(person, cohort=cohort, kind="stage_review", stage=stage)

        with pytest.raises(RuleBroken, match="rate that one"):
            Output.objects.publish_personal(person, cohort=cohort, kind="stage_review", stage=stage)
        with pytest.raises(IntegrityError), transaction.atomic():
            Output.objects.bulk_create(
                [Output(project=first.project, program=first.program, stage=stage, kind="stage_review")]
            )
        later = make_stage(cohort)
        assert Output.objects.publish_personal(person, cohort=cohort, kind="stage_review", stage=later)

    def test_a_whole_stage_is_opened_at_once_and_once(self, cohort, stage):
        people = [make_mentee(cohort) for _ in range(3)]
        Output.objects.publish_personal(people[0], cohort=cohort, kind="stage_review", stage=stage)
        assert without_review(stage).count() == 2

        assert (open_reviews(stage), open_reviews(stage)) == (2, 0)

        reviews = Output.objects.filter(kind="stage_review", stage=stage)
        assert sorted(review.project.person.pk for review in reviews) == sorted(one.pk for one in people)

    def test_none_is_opened_once_the_reading_has_closed(self, cohort, stage):
        make_mentee(cohort)
        close_reading(stage)

        with pytest.raises(RuleBroken, match="nobody could rate"):
            open_reviews(stage)

        assert not Output.objects.exists()

    def test_a_teams_project_takes_no_stage_review(self, cohort, stage):
        with pytest.raises(RuleBroken, match="name the person"):
            make_output(make_project(cohort), kind="stage_review", stage=stage)

    def test_a_stage_review_names_its_stage(self, cohort):
        with pytest.raises(RuleBroken, match="Choose the stage"):
            Output.objects.publish_personal(
                make_mentee(cohort), cohort=cohort, kind="stage_review", stage=None
            )

    def test_the_cohort_is_of_the_persons_program(self, cohort):
        with pytest.raises(RuleBroken, match="name somebody of this program"):
            Output.objects.publish_personal(
                make_mentee(make_cohort()), cohort=cohort, kind="proposal", title="Plan"
            )

    def test_it_is_not_among_the_teams_projects(self, cohort):
        team = make_project(cohort)
        Output.objects.publish_personal(make_mentee(cohort), cohort=cohort, kind="proposal", title="Plan")

        assert list(Project.objects.of_teams()) == [team]


class TestWhatARatingSaw:
    def test_a_change_makes_a_new_version(self, cohort):
        output = make_output(make_project(cohort), title="First", url="https://arxiv.org/abs/2401.01234v1")
        seen = output.current_version()

        output.revise(url="arXiv:2401.01234v2")

        assert (seen.number, seen.revision) == (1, "v1")
        assert (output.current_version().number, output.current_version().revision) == (2, "v2")
        assert output.current_version().work == seen.work == "arxiv:2401.01234"

    def test_the_same_again_is_the_same_version(self, cohort):
        project = make_project(cohort)
        output = make_output(project, title="Same", external_id="o-1")

        make_output(project, title="Same", external_id="o-1")

        assert output.versions.count() == 1

    def test_a_changed_output_sent_again_keeps_what_was_seen(self, cohort):
        project = make_project(cohort)
        seen = make_output(project, title="Old", external_id="o-1").current_version()

        again = make_output(project, title="New", external_id="o-1")

        seen.refresh_from_db()
        assert (seen.title, again.current_version().title) == ("Old", "New")

    def test_what_was_stored_before_versions_gets_its_first_when_it_is_asked_for(self, cohort):
        output = make_output(make_project(cohort))
        output.versions.all().delete()

        assert output.current_version().number == 1
        assert output.current_version() == output.versions.get()

    def test_many_cost_as_little_as_one(self, cohort, django_assert_num_queries):
        outputs = [make_output(make_project(cohort)) for _ in range(5)]
        outputs[0].versions.all().delete()

        with django_assert_num_queries(3):
            versions = OutputVersion.objects.current_of(outputs)

        assert {pk: version.title for pk, version in versions.items()} == {
            output.pk: output.title for output in outputs
        }

    def test_a_version_has_its_number_alone(self, cohort):
        output = make_output(make_project(cohort))

        with pytest.raises(IntegrityError), transaction.atomic():
            OutputVersion.objects.bulk_create([OutputVersion.of(output, 1)])

    def test_a_retracted_output_is_not_revised(self, cohort):
        output = make_output(make_project(cohort))
        output.retract()

        with pytest.raises(RuleBroken, match="publish a new one"):
            output.revise(title="Other")


class TestOneWorkIsOneOutput:
    def test_the_same_link_is_said_and_not_doubled(self, cohort):
        first = make_output(make_project(cohort), url="https://arxiv.org/abs/2401.01234")

        with pytest.raises(AlreadyHere) as refusal:
            make_output(make_project(cohort), url="https://arxiv.org/pdf/2401.01234v3", title="Secret plan")

        assert refusal.value.existing == first
        assert first.title not in refusal.value.message
        assert Output.objects.count() == 1

    def test_the_database_refuses_it_too(self, cohort):
        first = make_output(make_project(cohort), url="https://arxiv.org/abs/2401.01234")

        with pytest.raises(IntegrityError), transaction.atomic():
            Output.objects.bulk_create(
                [Output(**first.content(), project=first.project, program=first.program)]
            )

    def test_another_program_and_what_was_retracted_are_no_hindrance(self, cohort):
        link = "https://arxiv.org/abs/2401.01234"
        make_output(make_project(make_cohort()), url=link)
        make_output(make_project(cohort), url=link).retract()

        assert make_output(make_project(cohort), url=link).work == "arxiv:2401.01234"

    def test_another_output_does_not_become_it(self, cohort):
        make_output(make_project(cohort), url="https://arxiv.org/abs/2401.01234")
        other = make_output(make_project(cohort), url="https://arxiv.org/abs/2401.99999")

        with pytest.raises(AlreadyHere):
            other.revise(url="arxiv:2401.01234")

    def test_its_own_link_again_is_welcome(self, cohort):
        project = make_project(cohort)
        make_output(project, url="arxiv:2401.01234", external_id="o-1")

        assert make_output(project, url="arxiv:2401.01234v2", external_id="o-1").revision == "v2"
