"""An end: a named decider, a second reader, an appeal to somebody else; and nobody is ended by silence or in bulk."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib import admin
from django.db import IntegrityError, transaction
from django.urls import get_resolver
from django.utils import timezone

from tests.factories import make_cohort, make_mentee, make_person, make_project, make_stage
from tests.tracker.gate_world import appealed, decide, lean, second
from tracker.cohorts.models import Enrollment, Stage
from tracker.decisions.models import Appeal, StageDecision
from tracker.decisions.silence import keep_dates, undecided_in_time
from tracker.errors import RuleBroken
from tracker.people.models import Person, Role
from tracker.ratings.leaving import leave_program
from tracker.ratings.models import Conflict

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)
FORTNIGHT = timedelta(days=14)


@pytest.fixture
def mentee(cohort) -> Person:
    return make_mentee(cohort)


@pytest.fixture
def committee(program) -> Person:
    return make_person(Role.COMMITTEE, program=program)


@pytest.fixture
def third(program) -> Person:
    return make_person(Role.COMMITTEE, program=program)


@pytest.fixture
def ended(stage, mentee, lead) -> StageDecision:
    return decide(stage, mentee, lead, "end")


def later(passed: timedelta) -> time_machine.travel:
    return time_machine.travel(timezone.now() + passed, tick=False)


class TestSecondReader:
    def test_before_one_agrees_nothing_happens_and_the_person_hears_nothing(self, ended, mentee):
        assert ended.took_effect_at is None
        assert not StageDecision.objects.visible_to(mentee.user).exists()
        with later(2 * FORTNIGHT), pytest.raises(RuleBroken, match="takes effect when"):
            ended.take_effect()

    def test_one_who_agrees_opens_the_appeal(self, ended, committee, mentee):
        second(ended, committee)

        assert ended.appeal_until == ended.second_read_at + FORTNIGHT
        assert ended.took_effect_at is None
        assert StageDecision.objects.of(mentee.user).get() == ended

    def test_one_who_does_not_agree_undoes_it(self, ended, committee, mentee):
        second(ended, committee, agrees=False)

        assert ended.undone == "not_seconded"
        assert not StageDecision.objects.standing().exists()
        assert not StageDecision.objects.visible_to(mentee.user).exists()

    def test_they_have_read_what_it_rests_on(self, ended, committee):
        with pytest.raises(RuleBroken, match="Read what it rests on"):
            ended.second(reader=committee, agrees=True, reasons="Yes.")

    @pytest.mark.parametrize("role", [Role.MENTOR, Role.RESEARCH_MANAGER])
    def test_they_hold_the_role(self, ended, program, role):
        with pytest.raises(RuleBroken, match="does not decide"):
            second(ended, make_person(role, program=program))

    def test_nobody_seconds_their_own(self, ended, lead):
        with pytest.raises(RuleBroken, match="seconds their own"):
            second(ended, lead)

    def test_nobody_in_conflict_does(self, ended, committee, third, cohort, mentee):
        declared = make_project(cohort, authors=[mentee])
        make_project(cohort, authors=[mentee], mentors=[third])
        Conflict.objects.declare(person=committee, project=declared)

        for reader in (committee, third):
            with pytest.raises(RuleBroken, match="conflict"):
                second(ended, reader)

    def test_they_give_their_own_reasons_once(self, ended, committee, third):
        ended.was_read_by(committee)
        with pytest.raises(RuleBroken, match="your own reasons"):
            ended.second(reader=committee, agrees=True, reasons=" ")
        second(ended, committee)

        with pytest.raises(RuleBroken, match="waits for no second reader"):
            second(ended, third)

    def test_without_one_it_lapses(self, ended):
        with later(FORTNIGHT - A_DAY):
            keep_dates()
        assert StageDecision.objects.standing().filter(outcome="end").exists()
        with later(FORTNIGHT + A_DAY):
            keep_dates()

        ended.refresh_from_db()
        assert ended.undone == "lapsed"


class TestAppeal:
    def test_without_one_the_end_takes_effect_after_a_fortnight(self, ended, committee, mentee):
        second(ended, committee)
        with later(FORTNIGHT - A_DAY):
            keep_dates()
        assert Enrollment.objects.active().filter(person=mentee).exists()
        with later(FORTNIGHT + A_DAY):
            keep_dates()

        ended.refresh_from_db()
        assert ended.took_effect_at is not None
        assert not Enrollment.objects.active().filter(person=mentee).exists()

    def test_an_open_one_holds_it(self, ended, committee):
        appealed(second(ended, committee))

        with later(2 * FORTNIGHT):
            keep_dates()

        ended.refresh_from_db()
        assert ended.took_effect_at is None

    def test_upheld_it_takes_effect(self, ended, committee, third, mentee):
        appealed(second(ended, committee)).hear(by=third, upholds=True, reasons="The same version was read.")

        ended.refresh_from_db()
        assert ended.took_effect_at is not None
        assert not Enrollment.objects.active().filter(person=mentee).exists()

    @pytest.mark.parametrize("is_appealed", [True, False])
    def test_who_left_meanwhile_has_no_place_to_end(self, ended, committee, third, mentee, is_appealed):
        second(ended, committee)
        appeal = appealed(ended) if is_appealed else None
        leave_program(mentee, by=mentee.user.public_id)

        if appeal is not None:
            appeal.hear(by=third, upholds=True, reasons="The same version was read.")
        with later(FORTNIGHT + A_DAY):
            assert keep_dates() == int(not is_appealed)
            assert keep_dates() == 0

        ended.refresh_from_db()
        assert ended.took_effect_at is not None

    @pytest.mark.parametrize(("instead", "weeks"), [("go_on", None), ("extend", 2)])
    def test_overturned_something_else_stands(self, ended, committee, third, mentee, instead, weeks):
        appeal = appealed(second(ended, committee))

        appeal.hear(by=third, upholds=False, reasons="Another version.", instead=instead, weeks=weeks)

        standing = StageDecision.objects.standing().get()
        assert (standing.origin, standing.outcome, standing.weeks) == ("appeal", instead, weeks)
        assert standing.decider == third
        assert Enrollment.objects.active().filter(person=mentee).exists()
        ended.refresh_from_db()
        assert (ended.undone, ended.took_effect_at) == ("overturned", None)

    @pytest.mark.parametrize("values", [{"instead": "end"}, {"instead": "extend"}])
    def test_overturned_it_is_no_end_and_an_extension_has_weeks(self, ended, committee, third, values):
        appeal = appealed(second(ended, committee))

        with pytest.raises(RuleBroken, match=r"go on or extend|how many weeks"):
            appeal.hear(by=third, upholds=False, reasons="So.", **values)

        assert Appeal.objects.open().get() == appeal

    def test_only_the_person_appeals(self, ended, committee, cohort):
        second(ended, committee)

        with pytest.raises(RuleBroken, match="Only the person"):
            Appeal.objects.make(ended, by=make_mentee(cohort), words="No.")
        with pytest.raises(RuleBroken, match="Say why"):
            Appeal.objects.make(ended, by=ended.person, words=" ")

    def test_it_is_made_once_and_in_time(self, ended, committee):
        with pytest.raises(RuleBroken, match="within 14 days"):
            appealed(ended)
        second(ended, committee)
        with later(FORTNIGHT + A_DAY), pytest.raises(RuleBroken, match="within 14 days"):
            appealed(ended)
        appealed(ended)

        with pytest.raises(RuleBroken, match="within 14 days"):
            appealed(ended)

    def test_somebody_else_hears_it(self, ended, committee, lead, mentor, third):
        appeal = appealed(second(ended, committee))

        for person in (lead, committee):
            with pytest.raises(RuleBroken, match="somebody else hears"):
                appeal.hear(by=person, upholds=True, reasons="Yes.")
        with pytest.raises(RuleBroken, match="does not decide"):
            appeal.hear(by=mentor, upholds=True, reasons="Yes.")
        with pytest.raises(RuleBroken, match="Give the reasons"):
            appeal.hear(by=third, upholds=True, reasons="")

    def test_it_is_heard_once(self, ended, committee, third):
        appeal = appealed(second(ended, committee))
        appeal.hear(by=third, upholds=True, reasons="Yes.")

        with pytest.raises(RuleBroken, match="decided already"):
            appeal.hear(by=third, upholds=False, reasons="No.")

    def test_those_who_decide_and_the_person_see_it(self, ended, committee, mentee, mentor, stranger):
        appealed(second(ended, committee))

        for user, count in ((committee.user, 1), (mentee.user, 1), (mentor.user, 0), (stranger, 0)):
            assert Appeal.objects.visible_to(user).count() == count


class TestTheDatabase:
    @pytest.mark.parametrize(
        ("values", "rule"),
        [
            ({"took_effect_at": timezone.now()}, "an_end_takes_effect"),
            ({"second_agrees": True}, "a_second_reader_gives_own_reasons"),
        ],
    )
    def test_it_holds_an_end_back(self, ended, values, rule):
        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            StageDecision.objects.filter(pk=ended.pk).update(**values)

    @pytest.mark.parametrize(
        ("values", "rule"),
        [
            ({"took_effect_at": timezone.now()}, "an_end_takes_effect_after_its_appeal"),
            ({"appeal_until": None}, "a_seconded_end_can_be_appealed"),
            ({"second_reasons": ""}, "a_second_reader_gives_own_reasons"),
        ],
    )
    def test_it_waits_for_the_appeal(self, ended, committee, values, rule):
        second(ended, committee)

        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            StageDecision.objects.filter(pk=ended.pk).update(**values)

    def test_nobody_seconds_their_own(self, ended, committee, lead):
        second(ended, committee)

        with (
            pytest.raises(IntegrityError, match="nobody_seconds_their_own_decision"),
            transaction.atomic(),
        ):
            StageDecision.objects.filter(pk=ended.pk).update(second_reader=lead)

    def test_an_appeal_is_heard_by_somebody_else_with_reasons(self, ended, committee, lead, third):
        appealed(second(ended, committee))
        heard = {"upholds": True, "heard_at": timezone.now(), "reasons": "So."}

        for values, rule in (
            ({"heard_by": lead}, "an_appeal_is_heard_by_somebody_else"),
            ({"heard_by": committee}, "an_appeal_is_heard_by_somebody_else"),
            ({"heard_by": third, "reasons": ""}, "an_appeal_is_decided_with_reasons"),
            ({"heard_by": third, "heard_at": None}, "an_appeal_is_decided_with_reasons"),
            ({"words": "", "heard_by": None, "upholds": None, "heard_at": None}, "an_appeal_says_why"),
        ):
            with pytest.raises(IntegrityError, match=rule), transaction.atomic():
                Appeal.objects.update(**{**heard, **values})


class TestSilence:
    @pytest.fixture
    def late(self, stage, mentee) -> Stage:
        past = timezone.localdate() - A_DAY
        Enrollment.objects.update(joined_on=past - A_DAY)
        Stage.objects.update(decisions_due_on=past, reading_closes_at=timezone.now() - 2 * A_DAY)
        return Stage.objects.get()

    @pytest.mark.parametrize(("default", "weeks"), [("go_on", None), ("extend", 3)])
    def test_the_default_applies_and_says_so(self, late, mentee, default, weeks):
        Stage.objects.update(default=default, default_weeks=3)

        assert keep_dates() == 1
        decision = StageDecision.objects.get()
        assert (decision.origin, decision.outcome, decision.weeks) == ("silence", default, weeks)
        assert decision.decider is None
        assert "Nobody had decided" in decision.reasons
        assert keep_dates() == 0

    def test_before_the_day_nothing_happens(self, stage, mentee):
        assert keep_dates() == 0

    def test_a_decision_in_time_stands(self, late, mentee, lead):
        decide(late, mentee, lead, "extend")

        assert keep_dates() == 0

    def test_who_came_later_or_left_is_not_decided_about(self, late, mentee):
        make_mentee(late.cohort)
        mentee.enrollments.get().leave()

        assert keep_dates() == 0

    def test_more_evidence_holds_until_its_day(self, late, mentee, lead):
        first = decide(late, mentee, lead, "more_evidence")
        assert keep_dates() == 0

        with later(timedelta(days=12)):
            assert keep_dates() == 1

        first.refresh_from_db()
        assert first.undone == "decided_again"
        assert StageDecision.objects.standing().get().origin == "silence"

    def test_an_end_that_was_not_seconded_leaves_a_week_to_decide(self, late, mentee, lead, committee):
        second(decide(late, mentee, lead, "end"), committee, agrees=False)
        assert keep_dates() == 0

        with later(timedelta(days=8)):
            assert keep_dates() == 1

        assert StageDecision.objects.standing().get().outcome == "go_on"

    def test_a_leaning_alone_decides_nothing(self, late, mentee, lead):
        lean(late, mentee, lead, "end")

        keep_dates()

        assert StageDecision.objects.get().outcome == "go_on"

    def test_nobody_is_decided_about_in_an_archived_cohort(self, late, mentee):
        late.cohort.archive()

        assert keep_dates() == 0

    def test_one_query_finds_them_all(self, late, django_assert_num_queries):
        other = make_cohort(late.cohort.program)
        for cohort in (late.cohort, other):
            make_stage(cohort)
            make_mentee(cohort)

        with django_assert_num_queries(1):
            list(undecided_in_time())


class TestNoBulk:
    def test_no_admin_adds_changes_or_acts_on_decisions(self, rf, lead):
        request = rf.get("/")
        request.user = lead.user
        request.user.is_superuser = request.user.is_staff = True
        door = admin.site._registry[StageDecision]

        assert not door.has_add_permission(request)
        assert not door.has_change_permission(request)
        assert not door.has_delete_permission(request)
        assert not door.get_actions(request)

    def test_no_address_decides_about_more_than_one(self):
        deciding = [route for route in routes(get_resolver()) if "decision" in route and "rate" not in route]

        assert deciding
        assert all("bulk" not in route for route in deciding)

    def test_no_verb_takes_more_than_one(self):
        for verb in (StageDecision.objects.decide, StageDecision.second, StageDecision.take_effect):
            assert not {"enrollments", "decisions", "people"} & set(verb.__code__.co_varnames)


def routes(resolver, prefix="") -> list[str]:
    found = []
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        found += routes(entry, path) if hasattr(entry, "url_patterns") else [path]
    return found
