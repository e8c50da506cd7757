"""What readers are asked: by role, in versions that their answers keep."""

import pytest
from django.db import IntegrityError, transaction

from tests.factories import make_output, make_person, make_project, make_rating, make_rubric
from tracker.errors import RuleBroken
from tracker.people.models import Person, Role
from tracker.ratings.models import Criterion, Question, Rating, Rubric, Score

pytestmark = pytest.mark.django_db


@pytest.fixture
def rubric(program) -> Rubric:
    rubric = make_rubric(program, "rigour", "clarity")
    Question.objects.create(rubric=rubric, key="holds-up")
    return rubric


@pytest.fixture
def output(stage, rubric):
    return make_output(make_project(stage.cohort), stage=stage)


def of_role(program, readers: str) -> Rubric:
    rubric = Rubric.objects.create(program=program, name=f"For {readers}", readers=readers)
    Criterion.objects.create(rubric=rubric, key="judgement", name="Judgement")
    return rubric


class TestWhoIsAskedWhat:
    def test_a_role_has_its_own_rubric_and_everybody_else_the_common_one(self, program, rubric, mentor, lead):
        committee = make_person(Role.COMMITTEE, program=program)
        own = of_role(program, "committee")

        assert Rubric.objects.of(committee) == own
        assert Rubric.objects.of(mentor) == Rubric.objects.of(lead) == rubric

    def test_a_model_is_asked_what_models_are_asked(self, program, rubric):
        model = make_person(Role.MENTOR, program=program, kind=Person.Kind.MODEL)
        assert Rubric.objects.of(model) == rubric

        own = of_role(program, "model")
        of_role(program, "mentor")

        assert Rubric.objects.of(model) == own

    def test_each_reader_answers_their_own(self, program, output, mentor):
        of_role(program, "committee")
        committee = make_person(Role.COMMITTEE, program=program)

        with pytest.raises(RuleBroken, match="Unknown criterion") as refusal:
            Rating.objects.record(output=output, rater=committee, scores={"rigour": 5.0, "clarity": 5.0})
        rating = Rating.objects.record(output=output, rater=committee, scores={"judgement": 5.0})

        assert refusal.value.code == "unknown-criterion"
        assert rating.rubric.readers == "committee"

    def test_who_has_no_rubric_is_told_so(self, program, stage, mentor):
        of_role(program, "committee")
        output = make_output(make_project(stage.cohort), stage=stage)

        with pytest.raises(RuleBroken, match="has no rubric for") as refusal:
            Rating.objects.record(output=output, rater=mentor, scores={"judgement": 5.0})

        assert refusal.value.code == "no-rubric"

    def test_the_database_keeps_one_standing_rubric_for_its_readers(self, program, rubric):
        with pytest.raises(IntegrityError, match="readers"), transaction.atomic():
            Rubric.objects.create(program=program, name="Another")


class TestANewVersion:
    def test_it_copies_what_is_asked_and_asks_nobody_before_it_is_published(self, rubric, mentor):
        fresh = rubric.new_version()

        assert [criterion.key for criterion in fresh.criteria.all()] == ["rigour", "clarity"]
        assert (fresh.version, fresh.questions.get().key) == (2, "holds-up")
        assert Rubric.objects.of(mentor) == rubric

        fresh.publish()

        assert Rubric.objects.of(mentor) == fresh
        assert Rubric.objects.get(pk=rubric.pk).retired_at is not None

    def test_there_is_one_in_the_making(self, rubric):
        rubric.new_version()

        with pytest.raises(RuleBroken, match="in the making") as refusal:
            rubric.new_version()

        assert refusal.value.code == "in-the-making"

    def test_it_is_published_once_and_with_a_criterion(self, rubric):
        fresh = rubric.new_version()
        fresh.criteria.all().delete()
        with pytest.raises(RuleBroken, match="Give the rubric a criterion"):
            fresh.publish()
        Criterion.objects.create(rubric=fresh, key="rigour", name="Rigour")

        fresh.publish()

        with pytest.raises(RuleBroken, match="published already"):
            fresh.publish()

    def test_old_answers_still_say_what_they_said_and_count(self, rubric, output):
        old = make_rating(output, scores={"rigour": 4.0, "clarity": 7.0})
        fresh = rubric.new_version()
        fresh.criteria.filter(key="clarity").delete()
        fresh.publish()

        new = make_rating(output, scores={"rigour": 6.0})

        old.refresh_from_db()
        assert (old.rubric, new.rubric) == (rubric, fresh)
        assert old.says() == {"rigour": 4.0, "clarity": 7.0}
        instruments = [row["instrument"] for row in Score.objects.evidence(output.program).as_observations()]
        assert sorted(instruments) == ["clarity", "rigour", "rigour"]

    def test_a_criterion_with_another_scale_is_another_instrument(self, rubric, output):
        make_rating(output, scores={"rigour": 4.0, "clarity": 7.0})
        fresh = rubric.new_version()
        fresh.criteria.filter(key="rigour").update(highest=5)
        fresh.publish()

        make_rating(output, scores={"rigour": 4.0, "clarity": 7.0})

        rows = Score.objects.evidence(output.program).as_observations()
        assert sorted({row["instrument"] for row in rows}) == ["clarity", "rigour", "rigour (1 to 5)"]
