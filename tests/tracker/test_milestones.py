"""Milestones: what counts as done, forecasts of their dates, and what these say together."""

from datetime import date, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_mentee, make_project
from tracker.errors import RuleBroken
from tracker.projects.models import DateForecast, Milestone

pytestmark = pytest.mark.django_db
NOW = timezone.now()
TODAY = timezone.localdate()


@pytest.fixture
def author(cohort):
    return make_mentee(cohort, name="Ann Author")


@pytest.fixture
def project(cohort, author):
    return make_project(cohort, authors=[author])


@pytest.fixture
def milestone(project, author) -> Milestone:
    told = {"title": "First result", "definition_of_done": "A figure with five seeds."}
    return Milestone.objects.plan(project, due_on=TODAY + timedelta(days=30), by=author, **told)


def foresee(milestone, author, *said: tuple[int, int]) -> None:
    """(days ago, days from today)"""
    for ago, ahead in said:
        milestone.predict(TODAY + timedelta(days=ahead), by=author, at=NOW - timedelta(days=ago))


class TestAMilestone:
    @pytest.mark.parametrize("missing", ["title", "definition_of_done"])
    def test_it_says_when_it_is_done(self, project, author, missing):
        told = {"title": "x", "definition_of_done": "y", missing: " "}
        with pytest.raises(RuleBroken, match="counts as done"):
            Milestone.objects.plan(project, due_on=TODAY, by=author, **told)

    def test_it_is_the_teams_to_plan_and_to_reach(self, project, milestone, mentor):
        with pytest.raises(RuleBroken, match="Only the authors"):
            Milestone.objects.plan(project, title="x", definition_of_done="y", due_on=TODAY, by=mentor)
        with pytest.raises(RuleBroken, match="Only the authors"):
            milestone.reach(by=mentor)

    def test_it_is_reached_once(self, milestone, author):
        milestone.reach(by=author)

        with pytest.raises(RuleBroken, match="already"):
            milestone.reach(by=author)

    def test_planned_again_in_the_same_words_it_is_the_same(self, project, milestone, author):
        again = Milestone.objects.plan(
            project,
            title=milestone.title,
            definition_of_done=milestone.definition_of_done,
            due_on=milestone.due_on,
            by=author,
        )

        assert again == milestone


class TestAForecast:
    def test_what_was_said_last_is_expected(self, milestone, author):
        before = milestone.expected_on
        foresee(milestone, author, (7, 31), (0, 35))

        assert (before, milestone.expected_on) == (TODAY + timedelta(days=30), TODAY + timedelta(days=35))

    def test_only_the_team_predicts(self, milestone, mentor, lead):
        with pytest.raises(RuleBroken, match="Only the team"):
            milestone.predict(TODAY, by=mentor)
        assert milestone.predict(TODAY, by=lead)

    def test_nothing_is_predicted_of_what_is_done(self, milestone, author):
        milestone.reach()

        with pytest.raises(RuleBroken, match="nothing to predict"):
            milestone.predict(TODAY, by=author)

    @pytest.mark.parametrize(("low", "high"), [(1, None), (None, 9), (6, 9), (1, 4)])
    def test_a_range_holds_its_date(self, milestone, author, low, high):
        ends = {
            name: TODAY + timedelta(days=days) if days is not None else None
            for name, days in (("low_on", low), ("high_on", high))
        }
        with pytest.raises(RuleBroken, match="both ends"):
            milestone.predict(TODAY + timedelta(days=5), by=author, **ends)
        with pytest.raises(IntegrityError), transaction.atomic():
            DateForecast.objects.create(
                milestone=milestone, person=author, predicted_on=TODAY + timedelta(days=5), **ends
            )


class TestThePage:
    @pytest.fixture
    def url(self, milestone) -> str:
        return reverse("milestone", args=[milestone.public_id])

    @pytest.fixture
    def page(self, client, author, url):
        def show(query: str = "") -> str:
            client.force_login(author.user)
            return client.get(url + query).content.decode()

        return show

    def test_one_click_says_that_the_date_still_holds(self, client, author, milestone, url):
        client.force_login(author.user)
        still = milestone.expected_on

        with time_machine.travel(NOW - timedelta(days=7), tick=False):
            milestone.predict(still, by=author)
        client.post(url, {"predicted_on": still.isoformat()})

        assert [one.predicted_on for one in milestone.forecasts.all()] == [still, still]

    def test_a_second_click_on_the_same_day_adds_nothing_and_another_mind_does(
        self, client, author, milestone, url
    ):
        client.force_login(author.user)
        still, later = milestone.expected_on, milestone.expected_on + timedelta(days=5)

        for day in (still, still, later, still):
            client.post(url, {"predicted_on": day.isoformat()})

        assert [one.predicted_on for one in milestone.forecasts.all()] == [still, later, still]

    def test_a_date_that_has_passed_is_asked_for_anew(self, client, author, milestone, url, page):
        Milestone.objects.filter(pk=milestone.pk).update(due_on=TODAY - timedelta(days=1))

        assert "when now?" in page()
        assert "Still" not in page()
        refused = client.post(url, {"predicted_on": (TODAY - timedelta(days=1)).isoformat()})
        assert refused.status_code == 422
        assert "say a day to come" in refused.content.decode()

    def test_two_days_make_no_line(self, milestone, author, page):
        foresee(milestone, author, (7, 31), (0, 35))

        assert "at least three different days" in page()

    def test_it_tells_where_the_line_meets_today(self, milestone, author, page):
        foresee(milestone, author, (30, 0), (20, 5), (10, 10), (0, 15))
        meets = TODAY + timedelta(days=30)

        text = page()

        assert f"on <strong>{meets:%-d %b %Y}</strong>" in text
        assert f"likely between {meets:%-d %b %Y} and {meets:%-d %b %Y}" in text
        assert text.count('<circle class="middle"') == 4
        assert "it promises nothing" in text

    def test_a_date_that_recedes_is_said_to(self, milestone, author, page):
        foresee(milestone, author, (20, 10), (10, 20), (0, 30))

        assert "recedes as fast as time passes" in page()

    def test_an_open_interval_is_said_to_be_open(self, milestone, author, page):
        foresee(milestone, author, (28, -8), (21, 1), (14, 5), (7, 16), (0, 17))

        assert "these forecasts leave it open when" in page()

    def test_the_pace_depends_on_the_window(self, milestone, author, page):
        foresee(milestone, author, (50, 5), (40, 5), (30, 5), (10, 5), (7, 20), (3, 30))

        text, near = page(), page("?window=14")

        assert "Last 14 days" in text
        assert text.split("moves by")[1][:8] != near.split("moves by")[1][:8]

    def test_what_the_newest_forecast_changed_is_told(self, milestone, author, page):
        foresee(milestone, author, (30, 0), (20, 5), (10, 10), (0, 40))

        assert "The newest 1 forecast changed the pace by" in page()

    def test_forecasters_are_scored_when_it_is_done(self, milestone, author, page):
        made = NOW - timedelta(days=10)
        ends = {"low_on": TODAY - timedelta(days=8), "high_on": TODAY - timedelta(days=2)}
        milestone.predict(TODAY - timedelta(days=4), by=author, at=made, **ends)
        before = page()
        milestone.reach()

        text = page()

        assert "How well it was foreseen" not in before
        assert "<td>Ann Author</td><td>1</td><td>4.0</td><td>+4.0</td>" in text
        assert "score 26.0 days" in text

    def test_a_date_that_is_none_is_told_at_its_field(self, client, author, url):
        client.force_login(author.user)

        page = client.post(url, {"predicted_on": "soon"})

        assert page.status_code == 422
        assert "Give a date, such as" in page.content.decode()

    def test_dates_beyond_every_plan_do_no_harm(self, milestone, author, page):
        milestone.predict(date.max, by=author, at=NOW - timedelta(days=20))
        foresee(milestone, author, (10, 0), (0, 3))

        assert "How the date drifts" in page()

    def test_a_reader_sees_it_and_predicts_nothing(self, client, mentor, milestone, url):
        client.force_login(mentor.user)

        assert "Still" not in client.get(url).content.decode().split('id="drift"')[0]
        assert client.post(url, {"predicted_on": "2026-08-12"}).status_code == 422
        assert not milestone.forecasts.exists()

    def test_a_strangers_is_not_found(self, client, stranger, url):
        client.force_login(stranger)

        assert client.get(url).status_code == 404

    def test_the_team_plans_one(self, client, author, project):
        client.force_login(author.user)
        typed = {"title": "Second", "definition_of_done": "Draft sent.", "due_on": "2026-12-01"}

        client.post(reverse("plan-milestone", args=[project.public_id]), typed)

        assert Milestone.objects.get(title="Second").due_on == date(2026, 12, 1)
