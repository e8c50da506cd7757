"""What a fit says of everybody at a stage's gate."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.factories import make_mentee, make_output, make_person, make_rating
from tracker.cohorts.models import Enrollment
from tracker.estimates.evidence import evidence_of
from tracker.estimates.models import Fit, GateChance
from tracker.estimates.refresh import refresh_estimates
from tracker.people.models import Person, Role
from tracker.ratings.models import Conflict, Rating

pytestmark = pytest.mark.django_db
LOW, HIGH = (dict.fromkeys(("importance", "rigour", "clarity", "execution"), level) for level in (1.0, 9.0))


def fit_of(stage) -> Fit:
    fit = refresh_estimates(stage.cohort.program)
    assert fit is not None
    return fit


def test_a_stage_without_a_gate_has_none(rated):
    fit_of(rated)

    assert not GateChance.objects.exists()


def test_everybody_who_stands_before_it_has_one(rated):
    rated.aim_for(places=2, bar=None, planned_readers=3)
    unread = make_mentee(rated.cohort)

    fit_of(rated)

    chances = GateChance.objects.in_bulk(field_name="id").values()
    assert {chance.person_id for chance in chances} == set(
        Person.objects.filter(enrollments__isnull=False).values_list("pk", flat=True)
    )
    assert sum(chance.through for chance in chances) == pytest.approx(2)
    assert {chance.readers for chance in chances} == {0, 3}
    assert GateChance.objects.get(person=unread).good_pieces == 0


def test_a_bar_gives_each_their_own(rated):
    rated.aim_for(places=None, bar=0.0, planned_readers=3)

    fit_of(rated)

    listed = list(GateChance.objects.order_by("person"))
    assert [chance.through for chance in listed] == sorted(chance.through for chance in listed)
    assert (listed[0].against, listed[0].good_pieces) == (3, 0)
    assert (listed[-1].against, listed[-1].good_pieces) == (0, 2)


def test_models_and_readers_in_conflict_are_not_different_readers(rated):
    rated.aim_for(places=None, bar=0.0, planned_readers=3)
    rating = Rating.objects.order_by("pk").first()
    assert rating is not None
    author = rating.output.project.authors().get()
    Person.objects.filter(pk=rating.rater_id).update(kind=Person.Kind.MODEL)
    another = Rating.objects.filter(output=rating.output).exclude(rater=rating.rater).first()
    assert another is not None
    Conflict.objects.declare(person=another.rater, project=rating.output.project)

    fit_of(rated)

    assert GateChance.objects.get(person=author).readers == 1


def test_one_readers_two_good_pieces_are_no_independent_results(rated):
    """A second result counts as one where somebody else has read it, or where it was measured."""
    rated.aim_for(places=None, bar=0.0, planned_readers=3)
    best = rated.cohort.projects.order_by("-pk").first()
    readings = Rating.objects.filter(output__project=best).order_by("pk")
    reader = readings[0].rater
    readings.exclude(rater=reader).update(
        retracted_at=timezone.now(), retraction_reason="Not theirs to read."
    )
    author = best.authors().get()
    make_rating(make_output(best, stage=rated), make_person(Role.MENTOR, program=author.program), scores=LOW)

    fit_of(rated)
    assert GateChance.objects.get(person=author).good_pieces == 1

    make_rating(readings[0].output, make_person(Role.MENTOR, program=author.program), scores=HIGH)
    fit_of(rated)
    assert GateChance.objects.current().get(person=author).good_pieces == 2


def test_another_gate_or_somebody_leaving_is_another_evidence(rated):
    program = rated.cohort.program
    before = evidence_of(program).content_hash
    rated.aim_for(places=2, bar=None, planned_readers=3)
    with_gate = evidence_of(program).content_hash

    Enrollment.objects.order_by("pk")[0].leave()

    assert len({before, with_gate, evidence_of(program).content_hash}) == 3


def test_only_those_who_decide_see_them(rated, lead, mentor, stranger):
    rated.aim_for(places=2, bar=None, planned_readers=3)
    fit_of(rated)
    manager = make_person(Role.RESEARCH_MANAGER, program=rated.cohort.program)
    committee = make_person(Role.COMMITTEE, program=rated.cohort.program)

    def seen(user) -> int:
        return GateChance.objects.visible_to(user).count()

    assert (seen(lead.user), seen(committee.user)) == (4, 4)
    assert not any(map(seen, (mentor.user, manager.user, stranger, make_mentee(rated.cohort).user)))


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"through": 1.2}, "a_chance_is_a_probability"),
        ({"places": None}, "a_chance_is_of_places_or_of_a_bar"),
    ],
)
def test_the_database_keeps_its_rules(rated, values, rule):
    rated.aim_for(places=2, bar=None, planned_readers=3)
    fit_of(rated)

    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        GateChance.objects.update(**values)
