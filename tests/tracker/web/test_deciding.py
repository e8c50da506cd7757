"""Pages where people are decided about: a leaning, the proposal, a decision, a second reader, an appeal."""

import re

import pytest
import time_machine
from django.utils import timezone

from tests.factories import make_mentee, make_output, make_person, make_project, make_rating
from tests.tracker.gate_world import (
    SURE,
    UNLIKELY,
    appealed,
    decide,
    draft,
    fix_gate,
    lean,
    make_chances,
    second,
)
from tests.tracker.test_progression import past_stage
from tracker.decisions.models import Appeal, GateRule, Proposal, StageDecision
from tracker.estimates.models import Viewing
from tracker.people.models import Person, Role
from tracker.projects.models import Output
from tracker.ratings.reading import outputs_to_read

pytestmark = pytest.mark.django_db
ANSWERS = ("Clear yes", "clear yes", "clear no", "too close to call", "about 9 in 10")


@pytest.fixture
def committee(program) -> Person:
    return make_person(Role.COMMITTEE, program=program, name="Cora Committee")


@pytest.fixture
def gate(stage, mentee, lead) -> GateRule:
    rule = fix_gate(stage, lead)
    make_chances(stage, {mentee: SURE})
    return rule


def page_of(stage, mentee) -> str:
    return f"/stages/{stage.public_id}/decisions/{mentee.public_id}/"


def typed(outcome="go_on", **values) -> dict:
    given = draft(outcome, **values)
    return {"percent": round(100 * given.pop("forecast")), **given}


class TestTheDeciderSaysFirst:
    def test_the_proposal_is_not_shown_before(self, enter, stage, mentee, lead, gate):
        page = enter(lead).get(page_of(stage, mentee)).content.decode()

        assert "What would you do?" in page
        assert not [answer for answer in ANSWERS if answer in page]
        assert not Proposal.objects.exists()

    def test_it_is_shown_after_and_then_decided(self, enter, stage, mentee, lead, gate):
        browser, path = enter(lead), page_of(stage, mentee)

        said = browser.post(f"{path}leaning/", {"outcome": "extend", "why": "Early."}, follow=True)
        answer = browser.post(path, typed(), follow=True)

        assert "<strong>Clear yes</strong>: go on." in said.content.decode()
        assert "You leaned to: extend" in said.content.decode()
        decision = StageDecision.objects.get()
        assert (decision.outcome, decision.forecast, decision.leaning.outcome) == ("go_on", 0.8, "extend")
        assert "goes on" in answer.content.decode()

    def test_whoever_is_shown_a_proposal_has_looked_and_reads_no_longer_blind(
        self, enter, stage, mentee, lead, gate
    ):
        output = make_output(make_project(stage.cohort, authors=[mentee]), stage=stage)
        make_rating(output)
        browser, path = enter(lead), page_of(stage, mentee)
        browser.get(path)
        assert not Viewing.objects.exists()

        browser.post(f"{path}leaning/", {"outcome": "extend"}, follow=True)

        assert [(look.viewer, look.person) for look in Viewing.objects.all()] == [(lead.user, mentee)]
        assert not make_rating(output, lead).is_blind

    def test_the_list_says_how_many_are_left(self, enter, stage, mentee, lead, gate):
        browser, path = enter(lead), f"/stages/{stage.public_id}/decisions/"
        before = browser.get(path).content.decode()

        decide(stage, mentee, lead, "go_on")

        after = browser.get(path).content.decode()
        assert "1 of 1 to decide, due" in before
        assert "All are decided." in after
        assert "to decide, due" not in after

    def test_without_a_leaning_nothing_is_decided(self, enter, stage, mentee, lead, gate):
        answer = enter(lead).post(page_of(stage, mentee), typed())

        assert answer.status_code == 302
        assert not StageDecision.objects.exists()

    def test_another_deciders_leaning_shows_nothing(self, enter, stage, mentee, lead, committee, gate):
        lean(stage, mentee, committee)

        page = enter(lead).get(page_of(stage, mentee)).content.decode()

        assert not [answer for answer in ANSWERS if answer in page]

    def test_when_the_picture_has_moved_on_it_is_looked_at_again(self, enter, stage, mentee, lead, gate):
        browser, path = enter(lead), page_of(stage, mentee)
        browser.post(f"{path}leaning/", {"outcome": "go_on"}, follow=True)
        make_chances(stage, {mentee: UNLIKELY})

        answer = browser.post(path, typed()).content.decode()

        assert "has changed since this was proposed" in answer
        assert "Clear no" in answer
        assert not StageDecision.objects.exists()

    @pytest.mark.parametrize(
        ("values", "says"),
        [
            ({"percent": ""}, "from 0 to 100"),
            ({"reasons": ""}, "Give the reasons"),
            ({"outcome": ""}, "Choose one"),
        ],
    )
    def test_what_is_missing_is_said_at_its_field(self, enter, stage, mentee, lead, gate, values, says):
        lean(stage, mentee, lead)

        answer = enter(lead).post(page_of(stage, mentee), {**typed(), **values})

        assert says in answer.content.decode()
        assert not StageDecision.objects.exists()


class TestTheList:
    def test_it_shows_no_answer_and_who_is_read_next(self, enter, stage, mentee, lead, gate):
        few, fewer = make_mentee(stage.cohort, name="Fay Few"), make_mentee(stage.cohort, name="Zed Zero")
        make_chances(stage, {mentee: SURE, few: {"readers": 2}, fewer: {"readers": 0}})

        answer = enter(lead).get(f"/stages/{stage.public_id}/decisions/")
        page = answer.content.decode()

        assert [row.person for row in answer.context["sitting"].read_next] == [fewer, few]
        assert not [said for said in ANSWERS if said in page]

    def test_without_a_rule_nobody_is_said_to_have_no_readers(self, enter, stage, mentee, lead):
        answer = enter(lead).get(f"/stages/{stage.public_id}/decisions/")

        assert answer.context["sitting"].read_next == []
        assert "not counted" in answer.content.decode()

    def test_it_costs_the_same_for_many(
        self, enter, stage, mentee, lead, committee, gate, django_assert_max_num_queries
    ):
        browser, path = enter(lead), f"/stages/{stage.public_id}/decisions/"
        people = [make_mentee(stage.cohort) for _ in range(12)]
        make_chances(stage, dict.fromkeys(people, SURE))
        for person in people[:4]:
            decide(stage, person, lead, "end")
        for person in people[4:7]:
            appealed(second(decide(stage, person, lead, "end"), committee))
        lean(stage, people[8], lead)

        with django_assert_max_num_queries(26):
            browser.get(path)

    def test_a_rubber_stamp_is_named(self, enter, stage, lead):
        people = [make_mentee(stage.cohort, with_user=False) for _ in range(20)]
        fix_gate(stage, lead, places=20)
        make_chances(stage, dict.fromkeys(people, SURE))
        for person in people:
            decide(stage, person, lead)

        assert "a rubber stamp?" in enter(lead).get(f"/stages/{stage.public_id}/decisions/").content.decode()

    def test_the_lottery_is_drawn_by_a_button(self, enter, stage, mentee, lead):
        fix_gate(stage, lead, middle="lottery")
        make_chances(stage, {mentee: {}})
        stage.move_reading(opens_at=stage.reading_opens_at, closes_at=timezone.now())
        browser, path = enter(lead), f"/stages/{stage.public_id}/"

        assert "Draw the lottery" in browser.get(f"{path}decisions/").content.decode()
        browser.post(f"{path}lottery/")

        rule = GateRule.objects.get()
        assert rule.lottery.drawn_by == lead
        assert rule.seed in browser.get(path).content.decode()


class TestAnEnd:
    @pytest.fixture
    def ended(self, stage, mentee, lead, gate) -> StageDecision:
        return decide(stage, mentee, lead, "end")

    def test_the_person_hears_of_it_after_the_second_reader(self, enter, ended, mentee, committee):
        path = f"/decisions/{ended.public_id}/"
        assert enter(mentee).get(path).status_code == 404
        assert "what was decided" not in enter(mentee).get("/mine/").content.decode()

        enter(committee).get(f"{path}second/")
        enter(committee).post(f"{path}second/", {"agrees": "yes", "reasons": "The same."})

        page = enter(mentee).get(path).content.decode()
        assert "Your place is to end" in page
        assert "you can appeal" in page
        assert "what was decided" in enter(mentee).get("/mine/").content.decode()
        assert not [said for said in ANSWERS if said in page]

    def test_an_end_nobody_has_seconded_changes_nothing_that_the_person_sees(
        self, enter, stage, mentee, lead, committee, gate
    ):
        """Two worlds: after more evidence was asked for, an end is decided in one of them."""
        path = f"/decisions/{decide(stage, mentee, lead, 'more_evidence').public_id}/"
        browser = enter(mentee)

        def seen() -> list[str]:
            return [
                without_tokens(browser.get(one)) for one in (path, "/mine/", f"/stages/{stage.public_id}/")
            ]

        with time_machine.travel(timezone.now(), tick=False):
            before = seen()
            ended = decide(stage, mentee, lead, "end")
            assert seen() == before
        second(ended, committee)

        assert "decided again" in browser.get(path).content.decode()

    def test_a_second_reader_who_has_not_read_is_refused(self, enter, ended, committee):
        answer = enter(committee).post(
            f"/decisions/{ended.public_id}/second/", {"agrees": "yes", "reasons": "The same."}
        )

        assert "Read what it rests on first" in answer.content.decode()
        ended.refresh_from_db()
        assert ended.second_agrees is None

    def test_the_person_appeals_and_somebody_else_hears(self, enter, ended, mentee, committee, program):
        second(ended, committee)
        third = make_person(Role.LEAD, program=program)

        enter(mentee).post(f"/decisions/{ended.public_id}/appeal/", {"words": "Another version was read."})
        appeal = Appeal.objects.get()
        values = {"upholds": "no", "instead": "extend", "weeks": 2, "reasons": "So it was."}
        refused = enter(committee).post(f"/appeals/{appeal.public_id}/", values)
        enter(third).post(f"/appeals/{appeal.public_id}/", values)

        assert "somebody else hears the appeal" in refused.content.decode()
        assert StageDecision.objects.standing().get().weeks == 2

    def test_an_appeal_without_words_is_asked_for_them(self, enter, ended, mentee, committee):
        second(ended, committee)

        answer = enter(mentee).post(f"/decisions/{ended.public_id}/appeal/", {"words": " "})

        assert "Say why" in answer.content.decode()
        assert not Appeal.objects.exists()


class TestTheGate:
    def form(self, **values) -> dict:
        form = {"places": 2, "planned_readers": 3, "pieces": 2, "floor": 3, "yes_from": 0.75, "no_to": 0.25}
        return {**form, "middle": "lottery", **values}

    def test_a_lead_fixes_it(self, enter, stage, lead, mentee):
        answer = enter(lead).post(f"/stages/{stage.public_id}/gate/", self.form(), follow=True)

        rule = GateRule.objects.get()
        assert (rule.places, rule.middle, rule.set_by) == (2, "lottery", lead)
        assert "before results" in answer.content.decode()
        assert rule.seed not in answer.content.decode()
        assert rule.commitment in answer.content.decode()

    def test_what_is_no_gate_is_said_at_its_field(self, enter, stage, lead):
        answer = enter(lead).post(f"/stages/{stage.public_id}/gate/", self.form(bar=0.5))

        assert "Give places or a bar" in answer.content.decode()
        assert not GateRule.objects.exists()

    @pytest.mark.parametrize("headers", [{"HX-Request": "true"}, {}])
    def test_the_middle_is_expected_before_it_is_fixed(self, enter, stage, lead, headers):
        for _ in range(6):
            make_mentee(stage.cohort, with_user=False)

        answer = enter(lead).get(f"/stages/{stage.public_id}/gate/middle/", self.form(), headers=headers)

        page = answer.content.decode()
        assert "too close to call" in page
        assert "±" in page
        assert ("<html" in page) is not bool(headers)
        assert not GateRule.objects.exists()

    def test_people_see_the_rule_and_those_before_them(self, enter, stage, lead, mentee, program, gate):
        past_stage(program, lead, went=17, stopped=9, name=stage.name)

        page = enter(mentee).get(f"/stages/{stage.public_id}/").content.decode()

        assert "17 of 26" in page
        assert "46 to 81 %" in page
        assert "3 places" in page
        assert "Set up the gate" not in page

    def test_a_few_are_hidden_from_them_and_not_from_a_lead(self, enter, stage, lead, mentee, program):
        past_stage(program, lead, went=2, stopped=1, name=stage.name)
        path = f"/stages/{stage.public_id}/"

        assert "too few to tell" in enter(mentee).get(path).content.decode()
        assert "2 of 3" in enter(lead).get(path).content.decode()


def test_nothing_leads_below_a_decider_to_the_proposal(enter, stage, mentee, lead, mentor, gate):
    """Two worlds: the gate's answer differs, and no page of a mentor's or mentee's does."""
    paths = [f"/stages/{stage.public_id}/", "/mine/", "/reading/", "/released/", page_of(stage, mentee)]
    paths.append(f"/stages/{stage.public_id}/decisions/")

    def seen() -> list:
        found = []
        for somebody in (mentee, mentor):
            browser = enter(somebody)
            answers = [browser.get(path) for path in paths]
            found += [(answer.status_code, without_tokens(answer)) for answer in answers]
        return found

    before = seen()
    make_chances(stage, {mentee: UNLIKELY})
    lean(stage, mentee, lead)

    assert seen() == before


def without_tokens(answer) -> str:
    return re.sub(r'(csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]+"', "", answer.content.decode())


class TestReviewsOfPeople:
    def test_a_lead_opens_them_by_a_button_that_then_goes(self, enter, stage, mentee, lead, mentor):
        browser, path = enter(lead), f"/stages/{stage.public_id}/"
        before = browser.get(path).content.decode()

        after = browser.post(f"{path}reviews/", follow=True).content.decode()

        assert "Open a review of 1 person<" in before
        assert "Everybody in this stage has a review" in after
        assert "Open a review" not in after
        review = Output.objects.get(kind="stage_review")
        assert (review.project.person, review.stage) == (mentee, stage)
        assert review in outputs_to_read(mentor.user)

    def test_nobody_else_is_offered_them(self, enter, stage, mentee, committee):
        path = f"/stages/{stage.public_id}/"

        assert "Open a review" not in enter(committee).get(path).content.decode()
        assert enter(committee).post(f"{path}reviews/").status_code == 403
        assert not Output.objects.exists()
