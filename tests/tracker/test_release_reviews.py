"""What may do harm is private until somebody outside the team has answered, case by case."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib import admin
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_mentee, make_output, make_person, make_project, make_rating, make_rubric
from tests.security.test_two_worlds import TOKENS
from tests.tracker.api.conftest import caller
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.mentoring.models import Feedback
from tracker.people.models import ApiKey, Role, Scope
from tracker.projects.models import Output, OutputVersion, Project, ReleasePolicy, ReleaseReview
from tracker.ratings.handing_out import hand_out
from tracker.ratings.models import Assignment, Rating, ReadingPlan
from tracker.ratings.reading import outputs_to_read

pytestmark = pytest.mark.django_db
LINK = "https://arxiv.org/abs/2401.01234"


@pytest.fixture
def author(cohort):
    return make_mentee(cohort)


@pytest.fixture
def own_mentor(program):
    return make_person(Role.MENTOR, program=program, name="Their Mentor")


@pytest.fixture
def project(cohort, author, own_mentor):
    return make_project(cohort, authors=[author], mentors=[own_mentor])


@pytest.fixture
def output(project, stage):
    return make_output(project, stage=stage, title="Sentinel exploit", url=LINK, hazards=["misuse"])


@pytest.fixture
def review(output) -> ReleaseReview:
    return output.reviews.get()


@pytest.fixture
def assigned(review, mentor, lead) -> ReleaseReview:
    ReleasePolicy.objects.publish(lead.program, "What helps nobody but an attacker stays private.")
    review.assign(mentor, by=lead)
    return review


class TestWhatIsFlagged:
    def test_it_is_for_the_team_the_leads_and_the_reviewer(
        self, output, assigned, author, own_mentor, lead, mentor
    ):
        program = output.program
        others = [
            make_person(role, program=program)
            for role in (Role.MENTOR, Role.COMMITTEE, Role.RESEARCH_MANAGER)
        ]
        key, _ = ApiKey.objects.issue(program=program, name="Script", scopes=list(Scope.values))

        for person in (author, own_mentor, lead, mentor):
            assert output in Output.objects.visible_to(person.user), person
        for person in (*others, key.person, make_mentee(output.project.cohort)):
            assert output not in Output.objects.visible_to(person.user), person
            assert not OutputVersion.objects.visible_to(person.user).filter(output=output).exists()
            assert not ReleaseReview.objects.visible_to(person.user).exists()

    def test_it_is_read_and_rated_by_nobody(self, output, mentor, assigned):
        make_rubric(output.program)

        assert output not in outputs_to_read(mentor.user)
        with pytest.raises(RuleBroken, match="waits for its release review"):
            make_rating(output, mentor)

    def test_it_is_given_to_nobody_to_read(self, output, stage, mentor):
        assert hand_out(ReadingPlan.objects.create(stage=stage, readers_each=1)) == []
        with pytest.raises(RuleBroken, match="waits for its release review"):
            Assignment.objects.assign(mentor, output)

    def test_what_was_said_and_given_before_it_was_flagged_is_for_leads_and_who_said_it(
        self, project, stage, mentor, lead
    ):
        output, program = make_output(project, stage=stage), project.program
        rating = make_rating(output, mentor)
        other = make_person(Role.MENTOR, program=program)
        given = Assignment.objects.assign(other, output)
        committee = make_person(Role.COMMITTEE, program=program)
        key, _ = ApiKey.objects.issue(program=program, name="Script", scopes=[])
        before = [Rating.objects.visible_to(one.user).count() for one in (committee, key.person)]

        output.flag(["misuse"])

        assert before == [1, 1]
        for person in (committee, key.person):
            assert not Rating.objects.visible_to(person.user).exists()
            assert not Assignment.objects.visible_to(person.user).exists()
        assert list(Rating.objects.visible_to(lead.user)) == list(Rating.objects.visible_to(mentor.user))
        assert list(Rating.objects.visible_to(lead.user)) == [rating]
        assert list(Assignment.objects.visible_to(lead.user)) == [given]

    def test_it_says_nothing_of_having_been_published(self, output):
        assert not Event.objects.filter(kind="output.published", subject=output.public_id).exists()

    def test_its_link_is_no_trace_for_others(self, output, cohort):
        other = make_output(make_project(cohort), url=LINK)

        assert other.work == output.work

    def test_what_was_said_of_it_is_as_private(self, output, own_mentor, mentor):
        Feedback.objects.give(project=output.project, author=own_mentor, text="Dangerous.", output=output)

        assert not Feedback.objects.visible_to(mentor.user).exists()
        assert Feedback.objects.visible_to(own_mentor.user).exists()

    def test_it_is_no_result_yet(self, project, stage):
        make_output(project, stage=stage, is_empirical=True, hazards=["misuse"])

        assert project.days_to_first_result is None
        assert Project.objects.with_latest_empirical_output().get(pk=project.pk).latest_empirical_on is None

    @pytest.mark.parametrize("hazards", [["boredom"], ["misuse", "boredom"]])
    def test_a_hazard_is_one_of_the_policys(self, project, hazards):
        with pytest.raises(RuleBroken, match="Name what it may do"):
            make_output(project, hazards=hazards)

    def test_it_is_flagged_once_at_a_time(self, output):
        with pytest.raises(RuleBroken, match="already"):
            output.flag(["private"])
        with pytest.raises(IntegrityError), transaction.atomic():
            ReleaseReview.objects.create(output=output, hazards=["private"])

    def test_a_program_does_not_change_it_through_its_key(self, project):
        make_output(project, external_id="o-1", hazards=["misuse"])

        with pytest.raises(RuleBroken, match="its team changes it"):
            make_output(project, external_id="o-1", title="Harmless")


class TestAReviewer:
    @pytest.mark.parametrize("part", ["author", "mentor", "former", "credited"])
    def test_it_is_nobody_with_a_part_in_it(self, output, review, author, own_mentor, program, lead, part):
        person = make_person(Role.MENTOR, program=program)
        if part == "credited":
            output.set_credit({"idea": {person: 1.0}})
        elif part == "former":
            output.project.set_team(authors=None, mentors=[own_mentor, person])
            output.project.set_team(authors=None, mentors=[own_mentor])
        chosen = {"mentor": own_mentor, "former": person, "credited": person}.get(part)
        if chosen is None:
            chosen = make_person(Role.MENTOR, program=program)
            output.project.set_team(authors=[author, chosen], mentors=None)

        with pytest.raises(RuleBroken, match="somebody outside it"):
            review.assign(chosen, by=lead)

    def test_who_joins_the_team_afterwards_does_not_answer(self, output, assigned, author, mentor):
        output.project.set_team(authors=[author, mentor], mentors=None)

        with pytest.raises(RuleBroken, match="somebody outside it"):
            assigned.conclude("release", reasons="Fine.", by=mentor)

    def test_it_is_a_reader_and_a_lead_asks_them(self, review, cohort, lead, mentor, stranger):
        with pytest.raises(RuleBroken, match="reviews nothing"):
            review.assign(make_mentee(cohort), by=lead)
        with pytest.raises(RuleBroken, match="reviews nothing"):
            review.assign(stranger.persons.get(), by=lead)
        with pytest.raises(RuleBroken, match="Only a lead"):
            review.assign(mentor, by=mentor)

    def test_nobody_else_answers(self, assigned, lead):
        with pytest.raises(RuleBroken, match="Only its reviewer"):
            assigned.conclude("release", reasons="Fine.", by=lead)


class TestAnAnswer:
    def test_a_release_shows_it_to_all(self, output, assigned, mentor):
        other = make_person(Role.MENTOR, program=output.program)

        assigned.conclude("release", reasons="The weakness is mended.", by=mentor)
        assert assigned.policy is not None

        assert output in Output.objects.visible_to(other.user)
        assert output in outputs_to_read(other.user)
        assert Event.objects.filter(kind="output.published", subject=output.public_id).exists()

    @pytest.mark.parametrize("answer", ["with_changes", "keep_private"])
    def test_anything_else_keeps_it_private(self, output, assigned, mentor, answer):
        assigned.conclude(answer, reasons="Leave the payload out.", by=mentor)

        output.refresh_from_db()
        assert output.private_at is not None
        assert output not in Output.objects.visible_to(mentor.user)

    def test_a_changed_output_is_looked_at_again_by_the_same_person(self, output, assigned, mentor):
        assigned.conclude("with_changes", reasons="Leave the payload out.", by=mentor)

        output.refresh_from_db()
        output.revise(title="Without payload")
        output.revise(title="Without payload, again")

        again = output.reviews.unanswered().get()
        assert (again.reviewer, again.hazards) == (mentor, ["misuse"])
        again.conclude("release", reasons="Now it is fine.", by=mentor)
        assert Output.objects.released().filter(pk=output.pk).exists()

    @pytest.mark.parametrize(
        ("answer", "reasons", "says"),
        [("release", " ", "Give the reasons"), ("perhaps", "x", "Answer release")],
    )
    def test_it_is_one_of_three_with_reasons(self, assigned, mentor, answer, reasons, says):
        with pytest.raises(RuleBroken, match=says):
            assigned.conclude(answer, reasons=reasons, by=mentor)

    def test_it_is_given_once(self, assigned, mentor):
        twin = ReleaseReview.objects.get(pk=assigned.pk)
        assigned.conclude("keep_private", reasons="Too dangerous.", by=mentor)

        with pytest.raises(RuleBroken, match="answered already"):
            twin.conclude("release", reasons="Fine.", by=mentor)

    @pytest.mark.parametrize(
        "values",
        [{"answer": "release"}, {"answered_at": timezone.now()}, {"reasons": "x", "answer": "release"}],
    )
    def test_the_database_refuses_half_of_one(self, assigned, values):
        with pytest.raises(IntegrityError), transaction.atomic():
            ReleaseReview.objects.filter(pk=assigned.pk).update(**values)

    def test_a_work_that_others_published_meanwhile_is_told_to_the_reviewer(
        self, output, assigned, cohort, mentor
    ):
        make_output(make_project(cohort), url=LINK)

        with pytest.raises(RuleBroken, match="here already"):
            assigned.conclude("release", reasons="Fine.", by=mentor)
        assigned.refresh_from_db()
        assert assigned.answered_at is None


def test_what_is_not_answered_within_48_hours_is_overdue(review):
    fresh = list(ReleaseReview.objects.overdue())
    ReleaseReview.objects.filter(pk=review.pk).update(
        flagged_at=timezone.now() - timedelta(hours=48, minutes=1)
    )

    assert (fresh, list(ReleaseReview.objects.overdue())) == ([], [review])


def test_without_a_published_policy_nothing_is_answered(review, mentor, lead):
    review.assign(mentor, by=lead)

    with pytest.raises(RuleBroken, match="no policy to go by"):
        review.conclude("release", reasons="Fine.", by=mentor)
    review.refresh_from_db()
    assert review.answered_at is None


def test_a_review_keeps_the_policy_it_goes_by(program, project):
    first = ReleasePolicy.objects.publish(program, "Ask first.")
    review = make_output(project, hazards=["misuse"]).reviews.get()
    ReleasePolicy.objects.publish(program, "Ask twice.")

    assert review.policy == first
    assert ReleasePolicy.objects.of(program).version == 2


class TestThePages:
    def enter(self, person) -> Client:
        client = Client()
        client.force_login(person.user)
        return client

    def test_a_team_flags_at_the_form(self, project, author, mentor):
        typed = {"title": "Course", "kind": "workshop", "hazards": ["misuse", "private"]}

        answer = self.enter(author).post(reverse("add-output", args=[project.public_id]), typed)

        assert Output.objects.get().reviews.get().hazards == ["misuse", "private"]
        assert "Private until its release review" in self.enter(author).get(answer.url).content.decode()
        assert self.enter(mentor).get(answer.url).status_code == 404

    def test_a_team_flags_later(self, project, author, stage):
        output = make_output(project, stage=stage)

        self.enter(author).post(reverse("flag-output", args=[output.public_id]), {"hazards": ["unfixed"]})

        output.refresh_from_db()
        assert output.private_at is not None

    def test_a_lead_asks_and_the_reviewer_answers(self, review, lead, mentor):
        ReleasePolicy.objects.publish(lead.program, "Ask first.")
        url = reverse("review", args=[review.public_id])
        asked = {"reviewer": str(mentor.public_id)}
        assert self.enter(mentor).get(url).status_code == 404
        self.enter(lead).post(reverse("assign-review", args=[review.public_id]), asked)
        assert self.enter(mentor).get(url).status_code == 200

        self.enter(mentor).post(url, {"answer": "release", "reasons": "Mended.", "seen": 1})

        review.refresh_from_db()
        assert (review.answer, review.reviewer) == ("release", mentor)

    def test_what_changed_while_it_was_read_is_read_again(self, output, assigned, mentor):
        url, typed = reverse("review", args=[assigned.public_id]), {"answer": "release", "reasons": "Fine."}
        client = self.enter(mentor)
        assert 'name="seen" value="1"' in client.get(url).content.decode()
        output.revise(title="With payload")

        page = client.post(url, {**typed, "seen": 1})

        assert page.status_code == 422
        assert "It has changed since you opened it" in page.content.decode()
        assert Output.objects.get(pk=output.pk).private_at is not None
        assert 'name="seen" value="2"' in page.content.decode()
        assert client.post(url, {**typed, "seen": 2}).status_code == 302
        assert client.post(url, typed).status_code == 404

    def test_what_its_team_took_back_waits_for_nobody(self, output, assigned, lead, mentor):
        output.retract()

        assert "Sentinel exploit" not in self.enter(lead).get(reverse("reviews")).content.decode()
        page = self.enter(lead).get(reverse("review", args=[assigned.public_id])).content.decode()
        assert "Its team has taken it back" in page
        with pytest.raises(RuleBroken, match="has been retracted"):
            assigned.conclude("release", reasons="Fine.", by=mentor)

    def test_a_lead_sees_what_is_overdue(self, review, lead):
        ReleaseReview.objects.filter(pk=review.pk).update(flagged_at=timezone.now() - timedelta(days=3))

        page = self.enter(lead).get(reverse("reviews")).content.decode()

        assert "Sentinel exploit" in page
        assert "overdue" in page

    def test_no_door_answers_several_at_once(self, lead):
        lead.user.become_staff()
        page = self.enter(lead).get("/admin/projects/releasereview/")

        assert page.status_code == 200
        assert 'name="action"' not in page.content.decode()
        assert not admin.site._registry[ReleaseReview].actions


def test_two_worlds_with_and_without_it_look_alike_to_everybody_else(
    project, stage, author, own_mentor, mentor, program, cohort, stranger
):
    """Pages, lists, counts and the API's answers, before a private output exists and after."""
    make_rubric(program)
    shown = make_output(project, stage=stage)
    viewers = [mentor.user, stranger, make_mentee(cohort).user]
    viewers += [make_person(role, program=program).user for role in (Role.COMMITTEE, Role.RESEARCH_MANAGER)]
    _, text = ApiKey.objects.issue(program=program, name="Script", scopes=list(Scope.values))
    paths = ["/cohorts/", "/reading/", "/mine/", "/reviews/", f"/cohorts/{cohort.public_id}/"]
    paths += [f"/projects/{project.public_id}/{page}" for page in ("", "course/", "credit/")]
    paths += [
        f"/outputs/{shown.public_id}/",
        f"/outputs/{shown.public_id}/rate/",
        f"/people/{author.public_id}/",
    ]

    def world() -> list[tuple[str, int, bytes]]:
        found = []
        for user in viewers:
            client = Client()
            client.force_login(user)
            answers = [(path, client.get(path)) for path in paths]
            found += [(path, answer.status_code, TOKENS.sub(b"", answer.content)) for path, answer in answers]
        api = caller(text)
        for name in ("projects", "outputs", "people", "ratings"):
            answer = api.get(f"/api/v1/{name}/")
            found.append((name, answer.status_code, answer.content))
        return found

    with time_machine.travel(timezone.now(), tick=False):
        before = world()
        secret = make_output(project, stage=stage, is_empirical=True, hazards=["misuse"])
        Feedback.objects.give(project=project, author=own_mentor, text="Careful.", output=secret)

        for then, now in zip(before, world(), strict=True):
            assert then == now
