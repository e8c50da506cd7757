"""Who decides here and is judged here too sees nothing of themselves before they are told, and acts on none of it."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import close_reading, make_mentee, make_output, make_person, make_project, make_rating
from tests.tracker.gate_world import SURE, decide, fix_gate, make_chances, proposed, second
from tests.tracker.web.worlds import make_fit
from tracker.cohorts.models import Enrollment
from tracker.decisions.following import following_at
from tracker.decisions.models import GateRule, Leaning, Lottery, Proposal, StageDecision
from tracker.decisions.proposing import draw_lottery
from tracker.errors import RuleBroken
from tracker.estimates.models import Contribution, Estimate, GateChance, Release
from tracker.funding.models import Fund
from tracker.people.models import Person, Role, ShareGrant
from tracker.ratings.models import Rating, Score

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[Role.COMMITTEE, Role.LEAD])
def both(request, cohort) -> Person:
    person = make_mentee(cohort)
    person.memberships.create(role=request.param)
    return person


@pytest.fixture
def mentee(cohort) -> Person:
    return make_mentee(cohort)


@pytest.fixture
def committee(program) -> Person:
    return make_person(Role.COMMITTEE, program=program)


def as_user(person: Person) -> Client:
    client = Client()
    client.force_login(person.user)
    return client


class TestOnesOwnEnd:
    def test_it_is_seen_when_a_second_reader_agrees_and_not_before(self, stage, both, lead, committee):
        ended = decide(stage, both, lead, "end")
        assert StageDecision.objects.visible_to(lead.user).get() == ended
        assert not StageDecision.objects.visible_to(both.user).exists()
        assert not StageDecision.history.visible_to(both.user).exists()

        second(ended, committee)

        assert StageDecision.objects.visible_to(both.user).get() == ended

    def test_no_page_of_decisions_tells_of_it(self, stage, both, mentee, lead):
        fix_gate(stage, lead)
        make_chances(stage, {mentee: SURE, both: SURE})
        client = as_user(both)
        before = client.get(reverse("decisions", args=[stage.public_id])).content.decode()
        ended = decide(stage, both, lead, "end")

        after = client.get(reverse("decisions", args=[stage.public_id])).content.decode()

        assert str(ended.public_id) not in after
        assert (after.count("<li>"), after.count("<tr>")) == (before.count("<li>"), before.count("<tr>"))
        assert following_at(stage, both.user) == []
        for name in ("decision", "second"):
            assert client.get(reverse(name, args=[ended.public_id])).status_code == 404
        own = reverse("decide", args=[stage.public_id, both.public_id])
        assert client.get(own).status_code == 404


class TestOnesOwnPicture:
    def test_it_is_seen_with_the_decision_and_not_before(self, stage, both, mentee, lead):
        make_fit(stage.cohort.program, {both: 0.3, mentee: 0.1})
        assert list(Estimate.objects.visible_to(both.user).values_list("person", flat=True)) == [mentee.pk]
        Release.objects.release(close_reading(stage), by=lead)
        assert not Estimate.objects.visible_to(both.user).filter(person=both).exists()

        decide(stage, both, lead)

        assert Estimate.objects.visible_to(both.user).filter(person=both).exists()

    def test_no_share_with_a_fund_of_ones_own_shows_it_sooner(self, stage, mentee, lead, fund_manager):
        make_fit(stage.cohort.program, {mentee: 0.3})
        group = fund_manager.groups.get()
        ShareGrant.objects.share(mentee, shared_with=group, what="estimates")
        Fund.objects.get(group=group).appoint(mentee.user)
        Release.objects.release(close_reading(stage), by=lead)
        assert Estimate.objects.visible_to(fund_manager).exists()

        assert not Estimate.objects.visible_to(mentee.user).exists()

    def test_who_mentors_and_makes_one_project_sees_it_no_sooner(self, stage, mentor, mentee, lead):
        make_fit(stage.cohort.program, {mentor: 0.3, mentee: 0.1})
        Enrollment.objects.create(person=mentor, cohort=stage.cohort)
        project = make_project(stage.cohort, authors=[mentee], mentors=[mentor])
        project.team.create(person=mentor, role="author")
        Release.objects.release(close_reading(stage), by=lead)

        seen = Estimate.objects.visible_to(mentor.user)

        assert list(seen.values_list("person", flat=True)) == [mentee.pk]

    def test_what_it_rests_on_is_never_theirs_to_see(self, stage, both, mentee, lead):
        fix_gate(stage, lead)
        fit = make_chances(stage, {both: SURE, mentee: SURE})
        for person in (both, mentee):
            Contribution.objects.create(fit=fit, person=person, amount=0.1, observations=3)

        for rows in (GateChance.objects, Contribution.objects):
            assert list(rows.visible_to(both.user).values_list("person", flat=True)) == [mentee.pk]

    def test_neither_is_a_proposal_about_them(self, stage, both, mentee, lead):
        fix_gate(stage, lead)
        make_chances(stage, {both: SURE, mentee: SURE})
        decide(stage, both, lead)
        other = proposed(stage, mentee, both)

        assert list(Proposal.objects.visible_to(both.user)) == [other]
        assert list(Leaning.objects.visible_to(both.user)) == [other.leaning]

    def test_their_own_page_shows_none(self, stage, both, mentee):
        make_fit(stage.cohort.program, {both: 0.3, mentee: 0.1})
        client = as_user(both)

        for name, one in (("person", both), ("cohort", stage.cohort)):
            assert client.get(reverse(name, args=[one.public_id])).status_code == 200

        assert not both.viewings.exists()


class TestWhatIsSaidOfOnesOwnWork:
    def test_no_rating_of_it_is_seen_by_name(self, stage, both, mentee):
        own = make_rating(make_output(make_project(stage.cohort, authors=[both]), stage=stage))
        others = make_rating(make_output(make_project(stage.cohort, authors=[mentee]), stage=stage))
        close_reading(stage)

        assert list(Rating.objects.visible_to(both.user)) == [others]
        assert not Score.objects.visible_to(both.user).filter(rating=own).exists()
        assert not Rating.history.visible_to(both.user).filter(id=own.pk).exists()

    def test_it_is_read_without_names_once_it_is_released(self, stage, both, lead):
        own = make_rating(make_output(make_project(stage.cohort, authors=[both]), stage=stage))
        make_fit(stage.cohort.program, {both: 0.3})
        Release.objects.release(close_reading(stage), by=lead)

        assert list(Rating.objects.about(both.user)) == [own]
        assert not Rating.objects.visible_to(both.user).exists()


class TestTheGateBeforeWhichTheyStand:
    @pytest.fixture
    def judged_lead(self, cohort) -> Person:
        person = make_mentee(cohort)
        person.memberships.create(role=Role.LEAD)
        return person

    def test_they_do_not_fix_it(self, stage, judged_lead):
        with pytest.raises(RuleBroken, match="decides about") as refusal:
            fix_gate(stage, judged_lead)

        assert refusal.value.code == "own-decision"
        assert not GateRule.objects.exists()

    def test_they_neither_draw_its_lottery_nor_see_who_was_drawn_from(self, stage, judged_lead, lead):
        rule = fix_gate(stage, lead, places=1, middle="lottery")
        make_chances(stage, {judged_lead: {}})
        close_reading(stage)
        rule.refresh_from_db()
        with pytest.raises(RuleBroken, match="decides about"):
            draw_lottery(rule, by=judged_lead)

        drawn = draw_lottery(rule, by=lead)

        assert list(Lottery.objects.visible_to(lead.user)) == [drawn]
        assert not Lottery.objects.visible_to(judged_lead.user).exists()
