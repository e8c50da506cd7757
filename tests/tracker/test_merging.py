"""Merging two entries of one person: nothing is lost, nothing counts twice."""

from itertools import permutations

import pytest
from django.db.models import UniqueConstraint

from tests.factories import (
    make_mentee,
    make_output,
    make_person,
    make_program,
    make_project,
    make_rating,
    make_round,
)
from tests.tracker.gate_world import appealed, decide, second
from tests.tracker.web.test_admission import as_user
from tracker.cohorts.models import Enrollment, Stream, Track
from tracker.errors import RuleBroken
from tracker.mentoring.models import Pulse
from tracker.people.merging import is_frozen, merge_people, preview_merge, relations
from tracker.people.models import Person, Role
from tracker.projects.models import Credit, CreditStatement, Output
from tracker.ratings.models import Rating

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(cohort):
    return make_mentee(cohort, name="Ann"), make_mentee(cohort, name="Anne", external_id="a-17")


def test_work_and_ratings_become_one_persons(pair, stage):
    kept, doubled = pair
    own, other = (make_output(make_project(stage.cohort, authors=[person]), stage=stage) for person in pair)

    merge_people(kept, doubled)

    assert {credit.person for output in (own, other) for credit in output.credits.all()} == {kept}
    assert {member.person for output in (own, other) for member in output.project.team.all()} == {kept}
    assert Enrollment.objects.active().get(cohort=stage.cohort).person == kept


def test_shares_in_one_output_are_added(pair, stage):
    kept, doubled = pair
    output = make_output(make_project(stage.cohort, authors=list(pair)), stage=stage)

    merge_people(kept, doubled)

    assert [(credit.person, credit.share) for credit in Credit.objects.filter(output=output)] == [(kept, 1.0)]
    assert output.project.team.active().count() == 1


def test_of_two_ratings_of_one_output_the_later_stands(stage):
    program = stage.cohort.program
    kept, doubled = (make_person(Role.MENTOR, program=program) for _ in range(2))
    output = make_output(stage=stage, project=make_project(stage.cohort))
    earlier, later = make_rating(output, kept), make_rating(output, doubled)

    merge_people(kept, doubled)

    earlier.refresh_from_db()
    assert list(Rating.objects.standing().filter(rater=kept)) == [later]
    assert earlier.retracted_at is not None
    assert earlier.rater == kept


def test_the_log_in_and_the_number_are_taken_over(cohort):
    kept = make_mentee(cohort, with_user=False)
    doubled = make_mentee(cohort, external_id="a-17")
    user = doubled.user

    merge_people(kept, doubled)

    kept.refresh_from_db()
    assert (kept.user, kept.external_id) == (user, "a-17")
    assert doubled not in Person.objects.visible_to(user)


def test_an_entry_is_merged_once(pair):
    merge_people(*pair)

    with pytest.raises(RuleBroken, match="merged already"):
        merge_people(*pair)


def test_people_of_different_programs_stay_apart(pair, lead):
    other = make_person(Role.MENTEE, program=make_program())

    assert preview_merge(pair[0], other, seen_by=lead.user).hindrances == [
        "They are in different programs: an entry belongs to one."
    ]
    with pytest.raises(RuleBroken, match="different programs"):
        merge_people(pair[0], other)


def test_nobody_becomes_the_rater_of_their_own_work(stage):
    mentee = make_mentee(stage.cohort)
    output = make_output(make_project(stage.cohort, authors=[mentee]), stage=stage)
    reader = make_person(Role.MENTOR, program=stage.cohort.program)
    make_rating(output, reader)

    with pytest.raises(RuleBroken, match="rated"):
        merge_people(mentee, reader)


def test_nobody_has_two_parts_in_a_decision_under_two_names(stage):
    """Decider, second reader, who hears the appeal, and whom it is about are four people."""
    mentee = make_mentee(stage.cohort)
    lead, reader, hearer = (make_person(Role.LEAD, program=stage.cohort.program) for _ in range(3))
    decision = second(decide(stage, mentee, lead, "end"), reader)
    appealed(decision).hear(by=hearer, upholds=True, reasons="The same version was read.")

    for one, other in permutations((mentee, lead, reader, hearer), 2):
        with pytest.raises(RuleBroken, match="these are two people"):
            merge_people(one, other)


def test_one_stage_review_stands(pair, stage):
    for person in pair:
        Output.objects.publish_personal(person, cohort=stage.cohort, kind="stage_review", stage=stage)

    with pytest.raises(RuleBroken, match="retract one of them first"):
        merge_people(*pair)


def test_what_is_ones_own_lies_in_one_place(pair, cohort):
    round = make_round(cohort)
    for person in pair:
        Output.objects.publish_personal(
            person, cohort=cohort, kind="proposal", stage=round.stage, title="A plan"
        )

    merge_people(*pair)

    assert {output.project.person for output in Output.objects.all()} == {pair[0]}


def test_a_preview_changes_nothing(pair, stage, lead):
    make_output(make_project(stage.cohort, authors=[pair[1]]), stage=stage)

    preview = preview_merge(*pair, seen_by=lead.user)

    assert dict(preview.moves)["credits"] == 1
    assert not preview.hindrances
    assert Credit.objects.get().person == pair[1]


def test_a_preview_tells_nothing_of_how_somebody_feels(pair, lead):
    for person in pair:
        Pulse.objects.answer(person, value=2)

    preview = preview_merge(*pair, seen_by=lead.user)
    merge_people(*pair)

    assert "pulses" not in dict(preview.moves)
    assert Pulse.objects.get(person=pair[0]).value == 2


def test_a_mentor_of_a_stream_is_in_it_once(cohort):
    pair = [make_person(Role.MENTOR, program=cohort.program) for _ in range(2)]
    stream = Stream.objects.open_in(Track.objects.create(cohort=cohort, name="Control"), name="Agents")
    stream.assign(pair)

    merge_people(*pair)

    assert list(stream.mentors.all()) == [pair[0]]


def test_both_entries_shares_of_a_statement_are_one_persons(pair, cohort):
    project = make_project(cohort, authors=list(pair))
    CreditStatement.objects.state(project, {"idea": {pair[0]: 0.25, pair[1]: 0.75}}, by=pair[0]).confirm(
        by=pair[1]
    )

    merge_people(*pair)

    assert project.credit_statements.in_force().get().by_kind() == {"idea": {pair[0]: 1.0}}


def test_whatever_a_person_has_once_says_how_it_is_merged():
    for model, name in relations():
        once = any(
            isinstance(rule, UniqueConstraint) and name in rule.fields for rule in model._meta.constraints
        )
        if (once or model._meta.get_field(name).unique) and model.__name__ != "ApiKey":
            rows = model._default_manager.all()
            assert is_frozen(model) or hasattr(rows, "merge_people"), f"{model.__name__}.{name}"


def test_a_lead_sees_what_moves_and_then_does_it(pair, lead, stage):
    make_output(make_project(stage.cohort, authors=[pair[1]]), stage=stage)
    address = f"/people/{pair[0].public_id}/merge/"
    door = as_user(lead.user)

    shown = door.get(address, {"double": pair[1].public_id}).content.decode()
    door.post(address, {"double": pair[1].public_id})

    assert "Credits: 1" in shown
    assert f"{pair[1].user.email} opens nothing here any more" in shown
    assert Credit.objects.get().person == pair[0]
    assert door.get(f"/people/{pair[1].public_id}/").status_code == 404


def test_nobody_elses_double_is_offered(pair, lead):
    other = make_person(Role.MENTEE, program=make_program())

    answer = as_user(lead.user).post(f"/people/{pair[0].public_id}/merge/", {"double": other.public_id})

    assert answer.status_code == 422
    assert "Choose one of the list." in answer.content.decode()
