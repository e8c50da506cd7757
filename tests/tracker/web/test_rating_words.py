"""Drafts for their author alone, revisions, confidence, forecasts, and the person's reply."""

import pytest
from django.urls import reverse

from tests.factories import close_reading, make_mentee, make_output, make_project, make_rating, make_rubric
from tests.tracker.web.worlds import make_fit
from tracker.errors import RuleBroken
from tracker.estimates.models import Release
from tracker.people.models import User
from tracker.ratings.models import Question, Rating, Reply, Unsent

SCORES = {"score-importance": "7", "score-rigour": "6", "score-clarity": "8", "score-execution": "5"}


@pytest.fixture
def output(cohort, stage, program, mentee):
    rubric = make_rubric(program)
    Question.objects.create(rubric=rubric, key="holds-up", text="Will this hold up?")
    return make_output(make_project(cohort, authors=[mentee]), stage=stage)


@pytest.fixture
def draft_url(output) -> str:
    return reverse("keep-draft", args=[output.public_id])


@pytest.fixture
def rate_url(output) -> str:
    return reverse("rate", args=[output.public_id])


class TestADraft:
    def test_it_is_kept_as_it_was_typed_and_found_again(self, enter, mentor, draft_url, rate_url):
        browser = enter(mentor)

        answer = browser.post(draft_url, {"score-rigour": "6", "comment": "Half a thought", "other": "x"})

        assert answer.url == rate_url
        assert Unsent.objects.get().answers == {"score-rigour": "6", "comment": "Half a thought"}
        page = browser.get(rate_url).content.decode()
        assert "Half a thought" in page
        assert page.count(" checked") == 1

    def test_typing_on_keeps_the_latest(self, enter, mentor, draft_url):
        browser = enter(mentor)
        for comment in ("Half", "Half a thought"):
            answer = browser.post(draft_url, {"comment": comment}, headers={"HX-Request": "true"})

        assert "Kept as a draft at" in answer.content.decode()
        assert Unsent.objects.get().answers == {"comment": "Half a thought"}

    def test_submitting_it_leaves_none(self, enter, mentor, draft_url, rate_url):
        browser = enter(mentor)
        browser.post(draft_url, {"comment": "Half a thought"})

        browser.post(rate_url, {**SCORES, "comment": "A whole one"})

        assert Rating.objects.get().comment == "A whole one"
        assert not Unsent.objects.exists()

    def test_it_is_its_authors_alone(self, enter, mentor, lead, draft_url):
        enter(mentor).post(draft_url, {"comment": "Half a thought"})
        root = User.objects.create_superuser("root@example.org", "a-long-enough-passphrase")

        assert Unsent.objects.visible_to(mentor.user).exists()
        assert not Unsent.objects.visible_to(lead.user).exists()
        assert not Unsent.objects.visible_to(root).exists()

    def test_nothing_is_kept_after_the_reading_or_beyond_measure(self, output, mentor, stage):
        with pytest.raises(RuleBroken, match="too long"):
            Unsent.objects.keep(output=output, rater=mentor, answers={"comment": "x" * 50_000})
        close_reading(stage)
        output.refresh_from_db()

        with pytest.raises(RuleBroken, match="not open") as refusal:
            Unsent.objects.keep(output=output, rater=mentor, answers={})

        assert refusal.value.code == "reading-closed"
        assert not Unsent.objects.exists()


class TestSayingMore:
    def test_confidence_and_forecasts_are_kept(self, enter, mentor, rate_url):
        enter(mentor).post(rate_url, {**SCORES, "confidence": "3", "chance-holds-up": "70"})

        rating = Rating.objects.get()
        assert rating.confidence == Rating.Confidence.SURE
        assert rating.foresees() == {"holds-up": 0.7}

    @pytest.mark.parametrize("more", [{"confidence": "9"}, {"chance-holds-up": "101"}])
    def test_it_refuses_what_is_not_offered(self, enter, mentor, rate_url, more):
        page = enter(mentor).post(rate_url, {**SCORES, **more})

        assert page.status_code == 422
        assert not Rating.objects.exists()


class TestARevision:
    def test_it_begins_with_what_was_said(self, enter, mentor, output):
        rating = make_rating(output, mentor, comment="Thin.", confidence=2, forecasts={"holds-up": 0.25})

        page = enter(mentor).get(reverse("revise", args=[rating.public_id])).content.decode()

        assert "Thin." in page
        assert 'value="25"' in page
        assert page.count(" checked") == 4

    def test_it_is_given_beside_the_version_before(self, enter, mentor, output):
        rating = make_rating(output, mentor)
        browser = enter(mentor)

        browser.post(
            reverse("revise", args=[rating.public_id]), {**SCORES, "comment": "Better than I thought."}
        )

        assert Rating.objects.standing().get().revises == rating
        assert "an earlier version" in browser.get(reverse("reading")).content.decode()

    def test_a_missing_score_is_asked_for(self, enter, mentor, output):
        rating = make_rating(output, mentor)

        page = enter(mentor).post(reverse("revise", args=[rating.public_id]), {"comment": "Kept."})

        assert page.status_code == 422
        assert "Kept." in page.content.decode()

    def test_a_rating_of_somebody_else_is_not_found(self, enter, mentor, lead, output):
        rating = make_rating(output, mentor)

        assert enter(lead).get(reverse("revise", args=[rating.public_id])).status_code == 404


class TestAReply:
    @pytest.fixture
    def rating(self, output, mentor, lead, stage, mentee) -> Rating:
        rating = make_rating(output, mentor, comment="No control group.")
        make_fit(output.program, {mentee: 0.0})
        Release.objects.release(close_reading(stage), by=lead)
        return rating

    def test_the_person_reads_what_was_said_without_name_or_score(self, enter, mentee, mentor, rating):
        page = enter(mentee).get(reverse("mine")).content.decode()

        assert "No control group." in page
        assert mentor.name not in page
        assert "6" not in page[page.index('id="said"') : page.index("No control group.")]

    def test_nothing_is_read_before_the_release(self, enter, mentee, output, mentor, stage):
        rating = make_rating(output, mentor, comment="No control group.")
        close_reading(stage)
        browser = enter(mentee)

        assert "No control group." not in browser.get(reverse("mine")).content.decode()
        assert browser.post(reverse("reply", args=[rating.public_id]), {"text": "It has."}).status_code == 404

    def test_it_stands_beside_the_rating_for_its_reader_and_the_lead(
        self, enter, mentee, mentor, lead, rating
    ):
        enter(mentee).post(reverse("reply", args=[rating.public_id]), {"text": "It is in the appendix."})

        assert "It is in the appendix." in enter(mentor).get(reverse("reading")).content.decode()
        assert Reply.objects.visible_to(lead.user).get().person == mentee

    def test_once_and_with_words(self, mentee, rating):
        with pytest.raises(RuleBroken, match="Write the reply"):
            Reply.objects.give(rating, person=mentee, text=" ")
        Reply.objects.give(rating, person=mentee, text="It is in the appendix.")

        with pytest.raises(RuleBroken, match="replied already"):
            Reply.objects.give(rating, person=mentee, text="And another thing.")

        assert Reply.objects.count() == 1

    def test_somebody_elses_rating_is_not_theirs_to_answer(self, enter, cohort, rating):
        other = make_mentee(cohort)

        assert (
            enter(other).post(reverse("reply", args=[rating.public_id]), {"text": "Hm."}).status_code == 404
        )
        assert not Reply.objects.exists()
