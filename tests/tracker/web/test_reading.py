"""The reading list and the rate page: blind, scoped, and nothing typed is lost."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import (
    close_reading,
    make_mentee,
    make_output,
    make_person,
    make_project,
    make_rating,
    make_rubric,
)
from tests.tracker.web.worlds import make_fit
from tracker.errors import RuleBroken
from tracker.mentoring.models import Feedback
from tracker.people.models import Role
from tracker.ratings.models import Assignment, Criterion, Rating, Reply

SCORES = {"score-importance": "7", "score-rigour": "6", "score-clarity": "8", "score-execution": "5"}
KEYS = ("importance", "rigour", "clarity", "execution")


@pytest.fixture
def rubric(program):
    return make_rubric(program)


@pytest.fixture
def output(cohort, stage, rubric, mentee):
    return make_output(make_project(cohort, authors=[mentee]), title="A careful ablation")


@pytest.fixture
def url(output) -> str:
    return reverse("rate", args=[output.public_id])


def test_nothing_in_the_list_tells_what_others_have_read(enter, mentor, output):
    unread = make_output(output.project, title="Unread so far", produced_on=timezone.localdate())
    browser = enter(mentor)
    before = list_of(browser)

    make_rating(unread)

    assert list_of(browser) == before


def list_of(browser: Client) -> str:
    page = browser.get(reverse("reading")).content.decode()
    return page[page.index('id="waiting"') :]


def test_what_a_reader_is_given_comes_first_and_in_their_order(enter, mentor, output):
    given = [make_output(output.project, title=title) for title in ("Given first", "Given second")]
    for piece in given:
        Assignment.objects.assign(mentor, piece)

    page = enter(mentor).get(reverse("reading")).content.decode()

    assert page.index("Given first") < page.index("Given second") < page.index(output.title)


def test_what_nobody_was_given_comes_to_each_reader_in_an_order_that_stays(enter, program, output):
    titles = [f"Piece {n:02}" for n in range(12)]
    for title in titles:
        make_output(output.project, title=title)
    readers = [make_person(Role.MENTOR, program=program) for _ in range(3)]

    orders = [[sorted(titles, key=list_of(enter(reader)).index) for reader in readers] for _ in range(2)]

    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders[0]}) == 3


def test_own_work_is_not_to_be_rated(enter, program, cohort, stage, rubric):
    both = make_person(Role.MENTOR, Role.MENTEE, program=program)
    make_output(make_project(cohort, authors=[both]), title="My own")

    assert "My own" not in enter(both).get(reverse("reading")).content.decode()


def test_a_rating_is_recorded_with_its_reasons_and_words_to_the_team(enter, mentor, output, url):
    answer = enter(mentor).post(url, {**SCORES, "comment": "No control.", "feedback": "Add a control."})

    rating = Rating.objects.get()
    assert answer.url == reverse("reading")
    assert rating.says() == {"importance": 7, "rigour": 6, "clarity": 8, "execution": 5}
    assert (rating.rater, rating.comment) == (mentor, "No control.")
    assert Feedback.objects.get().text == "Add a control."


def test_a_rating_is_of_the_version_that_was_opened(enter, mentor, output, url):
    browser = enter(mentor)
    page = browser.get(url).content.decode()
    seen = re.search(r'name="seen" value="([0-9a-f-]{36})"', page)[1]
    output.revise(title="A better ablation")

    browser.post(url, {**SCORES, "seen": seen})
    rating = Rating.objects.get()
    browser.post(reverse("revise", args=[rating.public_id]), SCORES)

    assert (rating.version.number, rating.version.title) == (1, "A careful ablation")
    assert Rating.objects.standing().get().version.number == 2


@pytest.mark.parametrize("seen", ["x", "other"])
def test_a_version_of_something_else_is_not_what_was_read(enter, mentor, output, url, seen):
    other = make_output(output.project).current_version()

    enter(mentor).post(url, {**SCORES, "seen": str(other.public_id) if seen == "other" else seen})

    assert Rating.objects.get().version == output.current_version()
    with pytest.raises(RuleBroken, match="of another output"):
        Rating.objects.get().revise(scores=dict.fromkeys(KEYS, 5.0), seen=other)


def test_a_missing_score_is_asked_for_and_nothing_typed_is_lost(enter, mentor, url):
    typed = {**SCORES, "comment": "A long and careful comment."}
    del typed["score-clarity"]

    page = enter(mentor).post(url, typed)

    text = page.content.decode()
    assert page.status_code == 422
    assert "Score Clarity too." in text
    assert "A long and careful comment." in text
    assert text.count(" checked") == 3
    assert not Rating.objects.exists()


@pytest.mark.parametrize("value", ["11", "0", "nan", "7.5", "<b>"])
def test_it_refuses_a_score_off_the_scale(enter, mentor, url, value):
    page = enter(mentor).post(url, {**SCORES, "score-rigour": value})

    assert page.status_code == 422
    assert "Score Rigour with a number from 1 to 10." in page.content.decode()
    assert not Rating.objects.exists()


@pytest.mark.parametrize("value", ["11", "nan", "inf", "many"])
def test_a_finer_scale_takes_numbers_and_refuses_the_same(enter, mentor, rubric, url, value):
    Criterion.objects.filter(key="rigour").update(lowest=0.5)
    browser = enter(mentor)

    assert browser.post(url, {**SCORES, "score-rigour": value}).status_code == 422
    browser.post(url, {**SCORES, "score-rigour": "6.25"})

    assert Rating.objects.get().says()["rigour"] == 6.25


def test_rating_twice_is_refused_and_keeps_what_was_typed(enter, mentor, output, url):
    make_rating(output, mentor)

    page = enter(mentor).post(url, {**SCORES, "comment": "Second thoughts."})

    text = page.content.decode()
    assert page.status_code == 422
    assert "retract that rating first" in text
    assert "Second thoughts." in text


def test_own_output_is_refused_by_the_rule(enter, program, cohort, stage, rubric):
    both = make_person(Role.MENTOR, Role.MENTEE, program=program)
    own = make_output(make_project(cohort, authors=[both]))

    page = enter(both).post(reverse("rate", args=[own.public_id]), SCORES)

    assert "somebody else must rate it" in page.content.decode()
    assert not Rating.objects.exists()


def test_a_closed_reading_takes_no_rating(enter, mentor, output, stage, url):
    close_reading(stage)

    page = enter(mentor).post(url, SCORES)

    assert f"The reading of {stage} closed on" in page.content.decode()
    assert not Rating.objects.exists()


def test_words_to_the_team_are_not_sent_with_a_refused_rating(enter, mentor, output, url):
    make_rating(output, mentor)

    enter(mentor).post(url, {**SCORES, "feedback": "Sent by accident"})

    assert not Feedback.objects.exists()


def test_a_mentee_may_not_rate_what_they_see(enter, mentee, output, url):
    page = enter(mentee).post(url, SCORES)

    assert page.status_code == 422
    assert not Rating.objects.exists()


def test_others_do_not_find_the_rate_page(enter, stranger, program, cohort, url):
    browser = enter(stranger)
    assert (browser.get(url).status_code, browser.post(url, SCORES).status_code) == (404, 404)

    other = make_mentee(cohort)
    assert enter(other).get(url).status_code == 404


def test_it_is_blind_to_pictures_and_to_other_readers(enter, mentor, mentee, output, url):
    make_rating(output, comment="Sentinel opinion", scores=dict.fromkeys(output_keys(), 9.0))
    make_fit(output.program, {mentee: 1.2345}, raw={mentee: 4.321})
    browser = enter(mentor)

    for path in (url, reverse("reading"), reverse("released")):
        page = browser.get(path).content.decode()
        assert "Sentinel opinion" not in page
        assert 'class="range"' not in page
        assert "1.2" not in page


def output_keys() -> tuple[str, ...]:
    return ("importance", "rigour", "clarity", "execution")


def test_a_rating_is_retracted_with_a_reason(enter, mentor, output):
    rating = make_rating(output, mentor)
    url = reverse("retract", args=[rating.public_id])
    browser = enter(mentor)

    refused = browser.post(url, {"reason": ""})
    browser.post(url, {"reason": "I had misread the table."})

    rating.refresh_from_db()
    assert "Say in a sentence why you retract it." in refused.content.decode()
    assert rating.retraction_reason == "I had misread the table."


def test_after_the_reading_a_rating_stands(enter, mentor, output, stage):
    rating = make_rating(output, mentor)
    close_reading(stage)

    page = enter(mentor).post(reverse("retract", args=[rating.public_id]), {"reason": "Too late."})

    rating.refresh_from_db()
    assert "this rating stands" in page.content.decode()
    assert rating.retracted_at is None


def test_a_rating_of_somebody_else_is_not_found(enter, lead, mentor, output):
    rating = make_rating(output, mentor)

    assert enter(lead).get(reverse("retract", args=[rating.public_id])).status_code == 404


def test_asking_for_a_page_changes_nothing(enter, mentor, output, url):
    rating = make_rating(output, mentor)

    enter(mentor).get(reverse("retract", args=[rating.public_id]), {"reason": "By a link"})

    rating.refresh_from_db()
    assert rating.retracted_at is None


def test_the_list_costs_the_same_for_many_pieces(enter, mentor, mentee, output, django_assert_num_queries):
    for number in range(12):
        piece = make_output(output.project)
        if number % 2:
            rating = make_rating(piece, mentor)
            Reply.objects.create(rating=rating, person=mentee, text="Thank you.")
    browser = enter(mentor)

    with django_assert_num_queries(9):
        browser.get(reverse("reading"))


def test_a_program_without_a_rubric_says_so(client, stage, mentor):
    output = make_output(make_project(stage.cohort), stage=stage)
    client.force_login(mentor.user)

    answer = client.get(f"/outputs/{output.public_id}/rate/")

    assert answer.status_code == 409
    assert "has no rubric yet" in answer.content.decode()


def test_who_took_a_rating_back_reads_blind_again_and_the_new_one_says_so(enter, mentor, output):
    project = reverse("project", args=[output.project.public_id])
    other = make_person(Role.MENTOR, program=output.program)
    Feedback.objects.give(project=output.project, author=other, text="SECRET OPINION", output=output)
    first = make_rating(output, mentor)
    heard = "SECRET OPINION" in enter(mentor).get(project).content.decode()

    first.refresh_from_db()
    first.retract(reason="A slip.")
    again = "SECRET OPINION" in enter(mentor).get(project).content.decode()
    second = make_rating(output, mentor)

    assert (heard, again) == (True, False)
    assert (first.is_blind, second.is_blind) == (True, False)
    assert second.others_seen_at == first.others_seen_at > first.submitted_at


def test_a_teams_own_mentor_hears_others_only_after_reading(enter, mentor, output):
    output.project.set_team(authors=None, mentors=[mentor])
    other = make_person(Role.MENTOR, program=output.program)
    Feedback.objects.give(project=output.project, author=other, text="SECRET OPINION", output=output)

    before = enter(mentor).get(reverse("mine")).content.decode()
    make_rating(output, mentor)
    after = enter(mentor).get(reverse("mine")).content.decode()

    assert ("SECRET OPINION" in before, "SECRET OPINION" in after) == (False, True)
