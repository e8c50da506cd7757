"""The decider says first; then the proposal; then a decision with reasons, which a constraint holds together."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.factories import make_cohort, make_mentee, make_person, make_stage
from tests.tracker.admin.conftest import entering
from tests.tracker.gate_world import SURE, UNLIKELY, decide, draft, fix_gate, lean, make_chances, proposed
from tracker.decisions.following import following_at
from tracker.decisions.models import Answer, Leaning, Proposal, StageDecision
from tracker.decisions.proposing import draw_lottery, propose
from tracker.errors import RuleBroken
from tracker.estimates.models import FitRequest
from tracker.people.models import Person, Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def mentee(cohort) -> Person:
    return make_mentee(cohort)


@pytest.fixture
def committee(program) -> Person:
    return make_person(Role.COMMITTEE, program=program)


class TestLeaning:
    def test_leads_and_committee_say_theirs(self, stage, mentee, lead, committee):
        for decider in (lead, committee):
            assert lean(stage, mentee, decider).decider == decider

    @pytest.mark.parametrize("role", [Role.MENTOR, Role.RESEARCH_MANAGER, Role.MENTEE, Role.CLIENT])
    def test_nobody_else_decides(self, stage, mentee, role):
        with pytest.raises(RuleBroken, match="does not decide"):
            lean(stage, mentee, make_person(role, program=stage.cohort.program))

    def test_a_model_does_not_decide(self, stage, mentee, program):
        with pytest.raises(RuleBroken, match="does not decide"):
            lean(stage, mentee, make_person(Role.LEAD, program=program, kind=Person.Kind.MODEL))

    def test_nobody_decides_about_themselves(self, stage, cohort):
        both = make_mentee(cohort)
        both.memberships.create(role=Role.COMMITTEE)

        with pytest.raises(RuleBroken, match="about themselves"):
            lean(stage, both, both)

    def test_a_stage_decides_about_its_own_people(self, mentee, program, lead):
        with pytest.raises(RuleBroken, match="does not decide about"):
            lean(make_stage(make_cohort(program)), mentee, lead)

    def test_it_is_said_once(self, stage, mentee, lead):
        lean(stage, mentee, lead)

        with pytest.raises(RuleBroken, match="has said already"):
            lean(stage, mentee, lead, "end")

    def test_the_database_holds_one_and_lets_none_change(self, stage, mentee, lead):
        said = lean(stage, mentee, lead)

        with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
            Leaning.objects.update(outcome="end")
        said.pk = None
        said.public_id = mentee.public_id
        with pytest.raises(IntegrityError), transaction.atomic():
            said.save(force_insert=True)

    def test_a_proposal_that_a_decision_left_open_leads_nobody(self, stage, mentee, lead, committee):
        """More evidence asks everybody again: whoever leans next has seen no proposal."""
        fix_gate(stage, lead)
        make_chances(stage, {mentee: SURE})
        path = f"/decisions/{decide(stage, mentee, lead, 'more_evidence').public_id}/"

        shown = [
            b"What is proposed" in entering(decider.user).get(path).content for decider in (lead, committee)
        ]
        decide(stage, mentee, committee)

        assert shown == [True, False]
        assert b"What is proposed" in entering(committee.user).get(path).content

    def test_nobodys_leaning_leads_another(self, stage, mentee, lead, committee):
        lean(stage, mentee, lead)

        assert Leaning.objects.visible_to(lead.user).exists()
        assert not Leaning.objects.visible_to(committee.user).exists()
        decide(stage, mentee, committee)
        assert Leaning.objects.visible_to(committee.user).count() == 2


class TestProposal:
    def propose(self, stage, mentee, lead, known, **gate) -> Proposal:
        fix_gate(stage, lead, **gate)
        make_chances(stage, {mentee: known})
        return proposed(stage, mentee, lead)

    @pytest.mark.parametrize(
        ("known", "answer", "outcome"),
        [
            (SURE, Answer.YES, "go_on"),
            (SURE | {"good_pieces": 1}, Answer.CLOSE, "more_evidence"),
            (UNLIKELY, Answer.NO, "end"),
            (UNLIKELY | {"against": 1}, Answer.CLOSE, "more_evidence"),
            (UNLIKELY | {"symmetric": 0.4}, Answer.CLOSE, "more_evidence"),
            ({"readers": 2}, Answer.EARLY, "more_evidence"),
        ],
    )
    def test_it_says_what_the_gate_answers(self, stage, mentee, lead, known, answer, outcome):
        proposal = self.propose(stage, mentee, lead, known)

        assert (proposal.answer, proposal.outcome) == (answer, outcome)

    def test_a_failed_check_stands_for_the_second_reader_against(self, stage, mentee, lead, monkeypatch):
        monkeypatch.setattr("tracker.decisions.proposing.has_failed_check", lambda person: True)

        proposal = self.propose(stage, mentee, lead, UNLIKELY | {"against": 1})

        assert proposal.answer == Answer.NO

    def test_where_the_two_fits_disagree_it_shows_both(self, stage, mentee, lead):
        assert self.propose(stage, mentee, lead, UNLIKELY | {"symmetric": 0.4}).fits_disagree

    def test_the_middle_can_be_the_deciders(self, stage, mentee, lead):
        assert self.propose(stage, mentee, lead, {}, middle="leads_choice").outcome == ""

    def test_without_a_rule_nothing_is_proposed(self, stage, mentee, lead):
        proposal = proposed(stage, mentee, lead)

        assert (proposal.answer, proposal.outcome) == (Answer.NO_RULE, "")

    def test_without_a_picture_it_is_too_early(self, stage, mentee, lead):
        fix_gate(stage, lead)

        assert proposed(stage, mentee, lead).answer == Answer.EARLY

    def test_a_picture_of_another_gate_is_computed_anew(self, stage, mentee, lead):
        self.propose(stage, mentee, lead, SURE)
        FitRequest.objects.all().delete()
        fix_gate(stage, lead, places=2, reason="One place fewer.")

        with pytest.raises(RuleBroken, match="computed for this gate"):
            propose(Leaning.objects.get())

        assert FitRequest.objects.waiting().exists()

    def test_asked_again_it_is_the_same_until_the_picture_changes(self, stage, mentee, lead):
        first = self.propose(stage, mentee, lead, SURE)
        again = propose(Leaning.objects.get())
        make_chances(stage, {mentee: UNLIKELY})

        assert again == first
        assert propose(Leaning.objects.get()).answer == Answer.NO
        assert Proposal.objects.count() == 2

    @pytest.mark.parametrize(
        ("values", "rule"),
        [
            ({"answer": "clear_no"}, "a_clear_no_needs_two_readers_or_a_failed_check"),
            ({"answer": "clear_yes"}, "a_clear_yes_needs_a_second_good_result"),
            ({"answer": "too_close", "outcome": "end"}, "only_a_clear_no_proposes_an_end"),
        ],
    )
    def test_the_database_keeps_its_rules(self, stage, mentee, lead, values, rule):
        leaning = lean(stage, mentee, lead)

        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            Proposal.objects.create(leaning=leaning, readers=3, against=1, good_pieces=1, **values)

    def test_the_database_lets_none_change(self, stage, mentee, lead):
        self.propose(stage, mentee, lead, SURE)

        for values in ({"outcome": "extend"}, {"readers": 9}, {"is_drawn": True}):
            with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
                Proposal.objects.update(**values)


class TestLottery:
    @pytest.fixture
    def tied(self, stage, lead) -> list[Person]:
        people = [make_mentee(stage.cohort) for _ in range(6)]
        fix_gate(stage, lead, places=3, middle="lottery")
        make_chances(stage, {person: SURE if at == 0 else {} for at, person in enumerate(people)})
        return people

    def close(self, stage) -> None:
        stage.move_reading(opens_at=stage.reading_opens_at, closes_at=timezone.now())

    def test_it_draws_the_places_that_are_left(self, stage, lead, tied):
        self.close(stage)
        rule = stage.gate_rules.get()

        lottery = draw_lottery(rule, by=lead)

        drawn = [lottery.drew(person) for person in tied]
        assert drawn[0] is None
        assert (drawn.count(True), drawn.count(False)) == (2, 3)
        assert lottery.rule.revealed_seed == rule.seed

    def test_its_result_is_proposed_and_an_end_is_not(self, stage, lead, tied):
        self.close(stage)
        lottery = draw_lottery(stage.gate_rules.get(), by=lead)

        proposals = [proposed(stage, person, lead) for person in tied[1:]]

        assert {one.outcome for one in proposals} == {"go_on", ""}
        assert [one.is_drawn for one in proposals] == [lottery.drew(person) for person in tied[1:]]

    def test_it_is_drawn_once_and_after_the_reading(self, stage, lead, tied):
        rule = stage.gate_rules.get()
        with pytest.raises(RuleBroken, match="The reading is open"):
            draw_lottery(rule, by=lead)
        self.close(stage)
        rule = stage.gate_rules.get()
        draw_lottery(rule, by=lead)

        with pytest.raises(RuleBroken, match="drawn already"):
            draw_lottery(rule, by=lead)


class TestDeciding:
    @pytest.mark.parametrize("outcome", ["go_on", "extend", "more_evidence"])
    def test_what_is_no_end_takes_effect_at_once(self, stage, mentee, lead, outcome):
        decision = decide(stage, mentee, lead, outcome)

        assert decision.took_effect_at is not None
        assert decision.forecast == 0.8
        assert decision.proposal.leaning == decision.leaning
        assert not Leaning.objects.open().exists()

    @pytest.mark.parametrize(
        ("values", "says"),
        [
            ({"reasons": " "}, "reasons"),
            ({"forecast": None}, "how probable"),
            ({"forecast": 1.1}, "how probable"),
            ({"outcome": "extend", "weeks": None}, "how many weeks"),
            ({"outcome": "extend", "weeks": 0}, "how many weeks"),
            ({"outcome": "extend", "weeks": 53}, "how many weeks"),
            ({"outcome": "more_evidence", "again_on": None}, "by which day"),
            ({"outcome": "more_evidence", "again_on": timezone.localdate()}, "by which day"),
            ({"outcome": "hope"}, "Decide one of"),
        ],
    )
    def test_it_refuses(self, stage, mentee, lead, values, says):
        with pytest.raises(RuleBroken, match=says):
            decide(stage, mentee, lead, **values)

        assert not StageDecision.objects.exists()

    def test_more_evidence_is_judged_before_people_must_know(self, stage, mentee, lead):
        late = stage.notice_on + timedelta(days=1)

        with pytest.raises(RuleBroken, match="decide again by then"):
            decide(stage, mentee, lead, "more_evidence", again_on=late)

        with time_machine.travel(timezone.now() + timedelta(days=30), tick=False):
            later = timezone.localdate() + timedelta(days=5)
            said = propose(Leaning.objects.get())
            assert (
                StageDecision.objects.decide(said, **draft("more_evidence", again_on=later)).again_on == later
            )

    def test_the_estimate_of_that_moment_is_kept(self, stage, mentee, lead):
        fix_gate(stage, lead)
        fit = make_chances(stage, {mentee: SURE})

        assert decide(stage, mentee, lead).fit == fit

    def test_a_decision_rests_on_the_newest_proposal(self, stage, mentee, lead):
        fix_gate(stage, lead)
        make_chances(stage, {mentee: SURE})
        proposal = proposed(stage, mentee, lead)
        make_chances(stage, {mentee: UNLIKELY})

        with pytest.raises(RuleBroken, match="has changed since"):
            StageDecision.objects.decide(proposal, **draft())

        assert StageDecision.objects.decide(propose(proposal.leaning), **draft()).proposal.answer == Answer.NO

    def test_who_no_longer_decides_does_not(self, stage, mentee, lead):
        proposal = proposed(stage, mentee, lead)
        lead.memberships.get().end()

        with pytest.raises(RuleBroken, match="does not decide"):
            StageDecision.objects.decide(proposal, **draft())

    def test_it_stands(self, stage, mentee, lead, committee):
        proposal = proposed(stage, mentee, committee)
        decide(stage, mentee, lead)

        with pytest.raises(RuleBroken, match="decided already: go on"):
            lean(stage, mentee, lead)
        with pytest.raises(RuleBroken, match="decided already"):
            StageDecision.objects.decide(proposal, **draft())

    def test_more_evidence_leads_to_another_decision_and_the_first_stays_on_record(self, stage, mentee, lead):
        first = decide(stage, mentee, lead, "more_evidence")
        second = decide(stage, mentee, lead)

        first.refresh_from_db()
        assert StageDecision.objects.standing().get() == second
        assert first.undone == "decided_again"
        assert first.leaning != second.leaning

    def test_a_person_sees_their_own_decision(self, stage, mentee, lead, mentor, stranger):
        decision = decide(stage, mentee, lead)

        assert list(StageDecision.objects.visible_to(mentee.user)) == [decision]
        assert not StageDecision.objects.visible_to(mentor.user).exists()
        assert not StageDecision.objects.visible_to(stranger).exists()


class TestTheDatabase:
    @pytest.mark.parametrize(
        ("values", "rule"),
        [
            ({}, "whoever_decides_says_first_and_forecasts"),
            ({"origin": "record", "outcome": "end"}, "only_a_person_ends"),
            ({"origin": "silence"}, "only_silence_has_no_decider"),
            ({"origin": "record", "decider": None}, "only_silence_has_no_decider"),
            ({"origin": "appeal"}, "a_decision_by_appeal_has_its_appeal"),
            ({"origin": "record", "reasons": ""}, "a_decision_has_reasons"),
            ({"origin": "record", "outcome": "extend"}, "an_extension_has_its_weeks"),
            ({"origin": "record", "outcome": "extend", "weeks": 0}, "an_extension_has_its_weeks"),
            ({"origin": "record", "weeks": 2}, "an_extension_has_its_weeks"),
            ({"origin": "record", "forecast": 1.5}, "a_forecast_is_a_probability"),
            ({"origin": "record", "replaced_at": timezone.now()}, "a_decision_is_replaced_for_a_reason"),
        ],
    )
    def test_it_keeps_the_rules(self, stage, mentee, lead, values, rule):
        base = {"enrollment": mentee.enrollments.get(), "stage": stage, "decider": lead}
        base |= {"outcome": "go_on", "reasons": "So it was."}

        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            StageDecision.objects.create(**{**base, **values})

        assert StageDecision.objects.create(**base, origin="record").origin == "record"

    def test_one_decision_stands(self, stage, mentee, lead):
        decide(stage, mentee, lead)
        same = {"enrollment": mentee.enrollments.get(), "stage": stage, "decider": lead, "origin": "record"}

        with pytest.raises(IntegrityError), transaction.atomic():
            StageDecision.objects.create(**same, outcome="go_on", reasons="Again.")


class TestFollowing:
    def decided(self, stage, lead, *, count, followed) -> None:
        people = [make_mentee(stage.cohort) for _ in range(count)]
        fix_gate(stage, lead, places=count)
        make_chances(stage, dict.fromkeys(people, SURE))
        for at, person in enumerate(people):
            decide(stage, person, lead, "go_on" if at < followed else "extend")

    def test_the_share_of_decisions_that_follow_is_told_with_its_interval(self, stage, lead):
        self.decided(stage, lead, count=5, followed=3)

        together, own = following_at(stage, lead.user)

        assert (together.interval.count, together.interval.of) == (3, 5)
        assert own.decider == lead.name
        assert together.interval.low < 0.6 < together.interval.high

    @pytest.mark.parametrize(
        ("count", "followed", "warns"), [(20, 20, True), (20, 19, False), (19, 19, False)]
    )
    def test_nearly_always_is_a_rubber_stamp(self, stage, lead, count, followed, warns):
        self.decided(stage, lead, count=count, followed=followed)

        assert following_at(stage, lead.user)[0].is_rubber_stamp is warns

    def test_an_open_choice_follows_nothing(self, stage, mentee, lead):
        fix_gate(stage, lead, middle="leads_choice")
        make_chances(stage, {mentee: {}})
        decide(stage, mentee, lead)

        assert following_at(stage, lead.user) == []
