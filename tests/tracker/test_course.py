"""What a project stands on, what holds it up, and where it turned."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_mentee, make_output, make_project
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.projects.models import Bottleneck, Claim, Ground, Pivot, Project

pytestmark = pytest.mark.django_db


@pytest.fixture
def author(cohort):
    return make_mentee(cohort)


@pytest.fixture
def project(cohort, author):
    return make_project(cohort, authors=[author], title="Old question", summary="Old")


@pytest.fixture
def stack(project, author) -> list[Claim]:
    """Three untried claims, each on the one before."""
    claims = [Claim.objects.make(project, text, by=author) for text in ("base", "middle", "top")]
    for lower, upper in pairwise(claims):
        upper.rest_on(lower, by=author)
    return claims


class TestClaims:
    def test_three_untried_ones_on_each_other_are_flagged_at_the_top(self, stack):
        assert list(Claim.objects.stacked_untried()) == [stack[2]]

    @pytest.mark.parametrize("tried", [0, 1, 2])
    def test_trying_any_of_them_ends_it(self, stack, author, tried):
        stack[tried].check_off("tried", by=author, evidence="Ran it once: it holds.")

        assert not Claim.objects.stacked_untried().exists()

    def test_a_withdrawn_one_carries_nothing(self, stack, author):
        stack[1].withdraw(by=author)

        assert not Claim.objects.stacked_untried().exists()

    def test_two_branches_flag_it_once(self, stack, project, author):
        other = Claim.objects.make(project, "other base", by=author)
        stack[1].rest_on(other, by=author)

        assert Claim.objects.stacked_untried().count() == 1

    def test_claims_do_not_hold_each_other_up(self, stack, author):
        for lower in stack:
            with pytest.raises(RuleBroken, match="stand on nothing"):
                lower.rest_on(stack[2], by=author)

    def test_the_database_refuses_one_on_itself(self, stack):
        with pytest.raises(IntegrityError), transaction.atomic():
            Ground.objects.create(claim=stack[0], rests_on=stack[0])

    def test_it_rests_on_its_own_project(self, stack, cohort, author):
        elsewhere = make_project(cohort, authors=[author])
        with pytest.raises(RuleBroken, match="its own project"):
            Claim.objects.make(elsewhere, "x", by=author).rest_on(stack[0], by=author)

    def test_what_was_tried_shows_its_evidence(self, stack, author, project, cohort):
        with pytest.raises(RuleBroken, match="Say what was done"):
            stack[0].check_off("reproduced", by=author)
        with pytest.raises(RuleBroken, match="another project"):
            stack[0].check_off("reproduced", by=author, output=make_output(make_project(cohort)))

        stack[0].check_off("reproduced", by=author, output=make_output(project, kind="claim_check"))

        assert Claim.objects.untried().count() == 2

    def test_the_database_refuses_a_check_without_evidence(self, stack):
        with pytest.raises(IntegrityError), transaction.atomic():
            Claim.objects.filter(pk=stack[0].pk).update(state="failed")

    def test_named_again_it_is_the_same_claim(self, stack, project, author):
        again = Claim.objects.make(project, " base ", by=author)
        elsewhere = Claim.objects.make(project, "base", by=author, url="arXiv:2401.01234")

        assert again == stack[0]
        assert elsewhere != stack[0]

    def test_the_same_check_again_changes_nothing(self, stack, author):
        stack[0].check_off("failed", by=author, evidence="It did not hold.")
        checked_at = stack[0].checked_at

        stack[0].check_off("failed", by=author, evidence="It did not hold.")

        assert stack[0].checked_at == checked_at
        assert Event.objects.filter(kind="claim.changed").count() == 1

    def test_on_a_withdrawn_one_nothing_is_done(self, stack, author, project):
        stale = Claim.objects.get(pk=stack[1].pk)
        stack[1].withdraw(by=author)
        fresh = Claim.objects.make(project, "newest", by=author)

        for deed in (
            lambda: stale.check_off("tried", by=author, evidence="Ran it."),
            lambda: stale.withdraw(by=author),
            lambda: stale.rest_on(fresh, by=author),
            lambda: fresh.rest_on(stale, by=author),
        ):
            with pytest.raises(RuleBroken, match="has been withdrawn"):
                deed()
        assert Claim.objects.get(pk=stale.pk).state == "read"

    def test_a_retracted_output_shows_nothing(self, stack, author, project):
        output = make_output(project)
        output.retract()

        with pytest.raises(RuleBroken, match="it shows nothing"):
            stack[0].check_off("reproduced", by=author, output=output)

    def test_readers_name_none(self, project, mentor):
        with pytest.raises(RuleBroken, match="Only the authors"):
            Claim.objects.make(project, "x", by=mentor)

    def test_the_page_adds_checks_and_flags(self, client, project, stack, author):
        client.force_login(author.user)
        url = reverse("course", args=[project.public_id])
        added = {"text": "newest", "url": "arXiv:2401.01234", "rests_on": stack[2].pk}
        client.post(reverse("add-claim", args=[project.public_id]), added)
        before = client.get(url).content.decode()

        client.post(
            reverse("check-claim", args=[stack[1].public_id]),
            {"state": "failed", "evidence": "Did not hold."},
        )

        assert before.count("untried, on untried, on untried") == 2
        assert "untried, on untried" not in client.get(url).content.decode()
        assert Claim.objects.get(text="newest").url == "https://arxiv.org/abs/2401.01234"

    def test_the_page_withdraws_one_once(self, client, stack, author, mentor):
        url = reverse("withdraw-claim", args=[stack[1].public_id])
        client.force_login(mentor.user)
        assert client.post(url).status_code == 403
        client.force_login(author.user)

        pages = [client.post(url, follow=True).content.decode() for _ in range(2)]

        assert "stands on it no more." in pages[0]
        assert "untried, on untried" not in pages[0]
        assert "has been withdrawn" in pages[1]


class TestTheClock:
    def test_idea_to_first_result(self, project):
        began = timezone.localdate(project.started_at)
        make_output(project, produced_on=began + timedelta(days=2))
        make_output(project, is_empirical=True, produced_on=began + timedelta(days=9))
        make_output(project, is_empirical=True, produced_on=began + timedelta(days=5)).retract()

        assert project.days_to_first_result == 9
        assert Project.objects.with_first_result().get().first_result_on == began + timedelta(days=9)

    @pytest.mark.parametrize(("days", "asked"), [(20, False), (21, True)])
    def test_after_some_weeks_neighbouring_questions_are_asked_for(
        self, client, project, author, days, asked
    ):
        Project.objects.filter(pk=project.pk).update(started_at=timezone.now() - timedelta(days=days))
        client.force_login(author.user)

        page = client.get(reverse("project", args=[project.public_id])).content.decode()

        assert ("Which question close by" in page) == asked

    def test_a_result_starts_the_weeks_anew(self, project):
        Project.objects.filter(pk=project.pk).update(started_at=timezone.now() - timedelta(days=40))
        project.refresh_from_db()
        before = project.asks_for_neighbours

        make_output(project, is_empirical=True, produced_on=timezone.localdate() - timedelta(days=6))

        assert (before, project.asks_for_neighbours) == (True, False)


class TestBottlenecks:
    def test_each_is_kept(self, project, author):
        Bottleneck.objects.name_it(project, "ideas", by=author)
        Bottleneck.objects.name_it(project, "evidence", by=author, note="No labels yet.")

        assert [str(one) for one in project.bottlenecks.all()] == ["evidence", "ideas"]

    def test_it_is_one_of_three(self, project, author):
        with pytest.raises(RuleBroken, match="Choose one of"):
            Bottleneck.objects.name_it(project, "luck", by=author)
        with pytest.raises(IntegrityError), transaction.atomic():
            Bottleneck.objects.create(project=project, kind="luck", named_by=author)

    def test_the_team_names_it_and_a_reader_may_not(self, client, project, author, mentor):
        url = reverse("name-bottleneck", args=[project.public_id])
        client.force_login(mentor.user)
        assert client.post(url, {"kind": "ideas"}).status_code == 403
        client.force_login(author.user)
        client.post(url, {"kind": "execution"})

        assert [one.kind for one in Bottleneck.objects.all()] == ["execution"]


class TestAPivot:
    def take(self, project, by, **values):
        told = {"title": "New question", "summary": "New", "reasons": "The effect was a bug.", **values}
        return Pivot.objects.take(project, by=by, **told)

    def test_clock_and_evidence_stay(self, project, author):
        output, began = make_output(project, is_empirical=True), project.started_at

        pivot = self.take(project, author)

        project.refresh_from_db()
        assert (project.title, pivot.from_title) == ("New question", "Old question")
        assert (project.state, project.started_at, project.outputs.get()) == ("active", began, output)
        assert project.days_to_first_result is not None

    @pytest.mark.parametrize("missing", ["title", "reasons"])
    def test_it_says_where_to_and_why(self, project, author, missing):
        with pytest.raises(RuleBroken, match="what led to it"):
            self.take(project, author, **{missing: " "})

    def test_the_database_refuses_one_without_reasons(self, project, author):
        pivot = self.take(project, author)
        with pytest.raises(IntegrityError), transaction.atomic():
            Pivot.objects.filter(pk=pivot.pk).update(reasons="")

    def test_a_finished_project_keeps_its_question(self, project, author):
        project.finish()
        with pytest.raises(RuleBroken, match="Only an active"):
            self.take(project, author)

    def test_the_page_calls_it_a_turn(self, client, project, author):
        client.force_login(author.user)
        typed = {"title": "New question", "summary": "", "reasons": "The effect was a bug."}

        answer = client.post(reverse("take-pivot", args=[project.public_id]), typed)

        page = client.get(answer.url).content.decode()
        assert "Before: Old question" in page
        assert "fail" not in page.split('id="pivots"')[1].split("</section>")[0]
