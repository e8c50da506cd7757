"""A submission's page: phases, measurements, claims, and what may be done."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_benchmark, make_person, make_project, make_submission
from tests.tracker.web.worlds import graded, refused
from tracker.grading.models import Run
from tracker.people.models import Role

CLAIM = {"metric": "accuracy", "value": 0.99, "slice": "", "seeds": 1, "n": None, "standard_error": None}
CHECKED = {
    "claim": CLAIM,
    "measured": 0.871,
    "difference": 0.119,
    "standard_error": 0.012,
    "p_value": 0.0,
    "verdict": "differs",
}


@pytest.fixture
def submission(cohort, stage, mentee):
    return make_submission(make_project(cohort, authors=[mentee]), filename="answers.csv")


@pytest.fixture
def url(submission) -> str:
    return reverse("submission", args=[submission.public_id])


@pytest.fixture
def progress_url(submission) -> str:
    return reverse("submission-progress", args=[submission.public_id])


def test_while_it_waits_it_says_so_and_asks_again(enter, mentee, url, progress_url):
    page = enter(mentee).get(url).content.decode()

    assert page.count('class="tag queued"') == 3
    assert f'hx-get="{progress_url}"' in page


def test_what_the_grader_found_out_about_the_labels_is_not_told(enter, mentee, submission, url):
    graded(submission)
    secrets = {"items_hash": "f00d" * 16, "controls": {"constant": 0.1204}, "not_measured": ["f00d"]}
    Run.objects.filter(phase="thorough").update(record={"device": "cpu", **secrets})

    page = enter(mentee).get(url).content.decode()

    assert "cpu" in page
    assert "f00d" not in page
    assert "0.12" not in page


def test_progress_is_shown_while_it_runs(enter, mentee, submission, url):
    Run.objects.update(state="running", owner=submission.public_id, lease_ends_at="2100-01-01T00:00Z")
    Run.objects.update(progress_done=30, progress_total=120)

    page = enter(mentee).get(url).content.decode()

    assert '<progress value="30" max="120"' in page
    assert "30 of 120, 25 %" in page


def test_the_time_that_is_left_goes_by_the_pace_so_far(enter, mentee, submission, url):
    Run.objects.update(state="running", owner=submission.public_id, lease_ends_at="2100-01-01T00:00Z")
    began = timezone.now() - timedelta(seconds=10)
    Run.objects.update(progress_done=50, progress_total=100, started_at=began)

    page = enter(mentee).get(url).content.decode()

    assert re.search(r"about 1\d s left", page)


def test_a_poll_is_told_when_nothing_is_new_and_stops_at_the_end(enter, mentee, submission, progress_url):
    browser = enter(mentee)
    tag = browser.get(progress_url)["ETag"]

    same = browser.get(progress_url, HTTP_IF_NONE_MATCH=tag)
    graded(submission)
    end = browser.get(progress_url, HTTP_IF_NONE_MATCH=tag)

    assert same.status_code == 304
    assert end.status_code == 200
    assert "hx-get" not in end.content.decode()


@pytest.mark.parametrize(("is_new", "own"), [(False, 1), (True, 2)])
def test_a_poll_costs_at_most_two_queries_of_its_own(
    enter, mentee, submission, progress_url, django_assert_num_queries, is_new, own
):
    graded(submission)
    submission.regrade()
    browser = enter(mentee)
    tag = '"earlier"' if is_new else browser.get(progress_url)["ETag"]
    session_and_user = 2

    with django_assert_num_queries(session_and_user + own):
        browser.get(progress_url, HTTP_IF_NONE_MATCH=tag)


def test_measurements_have_intervals_and_a_record(enter, mentee, submission, url):
    graded(submission)

    page = enter(mentee).get(url).content.decode()

    assert page.count('class="tag succeeded"') == 3
    assert "0.847 to 0.893" in page
    assert "797" in page
    assert "Isolation" in page


def test_a_claim_stands_beside_what_was_measured(enter, mentee, submission, url):
    graded(submission, claims=[CHECKED])

    page = enter(mentee).get(url).content.decode()

    assert 'claimed <strong class="figure">0.99</strong>' in page
    assert "better than what we measured by 0.12, more than chance explains" in page


@pytest.mark.parametrize(
    ("metric", "verdict", "difference", "words"),
    [
        ("accuracy", "agrees", 0.01, "agree within what chance explains"),
        ("accuracy", "differs", -0.1, "We measured a better value than was claimed"),
        ("log_loss", "differs", -0.1, "The claim is better than what we measured"),
        ("log_loss", "differs", 0.1, "We measured a better value than was claimed"),
        ("accuracy", "not measured", None, "was not measured"),
    ],
)
def test_the_difference_is_said_in_the_metrics_direction(
    enter, mentee, submission, url, metric, verdict, difference, words
):
    claim = {**CLAIM, "metric": metric}
    graded(submission, claims=[{**CHECKED, "claim": claim, "verdict": verdict, "difference": difference}])

    assert words in enter(mentee).get(url).content.decode()


def test_a_refusal_tells_what_to_change(enter, mentee, submission, url):
    refused(submission, "bad-columns", "Send a header row with id and pred.")

    page = enter(mentee).get(url).content.decode()

    assert "needs a change from you" in page
    assert "Send a header row with id and pred." in page
    assert "<code>bad-columns</code>" in page
    assert page.count("not reached") == 2


def test_our_fault_is_said_to_be_ours_and_shows_no_traceback(enter, mentee, submission, url):
    run = Run.objects.lease_next(submission.public_id)
    run.fail("grader", traceback="Sentinel traceback")

    page = enter(mentee).get(url).content.decode()

    assert "our fault" in page
    assert "Sentinel traceback" not in page


def test_a_waiting_run_is_cancelled_by_its_team(enter, mentee, submission):
    run = submission.runs.get()

    enter(mentee).post(reverse("cancel-run", args=[run.public_id]))

    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED


def test_what_has_ended_cannot_be_cancelled(enter, mentee, submission, url):
    graded(submission)

    page = enter(mentee).post(reverse("cancel-run", args=[submission.runs.last().public_id]), follow=True)

    assert "This run has ended already." in page.content.decode()


def test_a_mentor_sees_it_and_may_change_nothing(enter, mentor, submission, url):
    graded(submission)
    browser = enter(mentor)

    page = browser.get(url).content.decode()

    assert "0.847 to 0.893" in page
    assert "Let this one count" not in page
    for name in ("choose", "regrade"):
        assert browser.post(reverse(name, args=[submission.public_id])).status_code == 403
    assert browser.post(reverse("cancel-run", args=[submission.runs.first().public_id])).status_code == 403


def test_the_team_chooses_which_one_counts(enter, mentee, submission):
    enter(mentee).post(reverse("choose", args=[submission.public_id]))

    submission.refresh_from_db()
    assert submission.is_chosen


def test_a_lead_has_it_graded_again_and_the_earlier_result_stays(enter, lead, submission, url):
    graded(submission)
    browser = enter(lead)

    browser.post(reverse("regrade", args=[submission.public_id]))
    page = browser.get(url).content.decode()

    assert submission.runs.count() == 4
    assert "Earlier gradings" in page
    assert "accuracy 0.871" in page
    assert "3 attempts of the workers" in page


def test_the_team_cannot_have_it_graded_again(enter, mentee, submission):
    graded(submission)

    assert enter(mentee).post(reverse("regrade", args=[submission.public_id])).status_code == 403


def test_others_find_nothing(enter, stranger, program, submission, url, progress_url):
    for somebody in (stranger, make_person(Role.MENTEE, program=program)):
        browser = enter(somebody)
        assert browser.get(url).status_code == 404
        assert browser.get(progress_url).status_code == 404
        assert browser.post(reverse("choose", args=[submission.public_id])).status_code == 404


def test_a_link_changes_nothing(enter, mentee, submission):
    assert enter(mentee).get(reverse("choose", args=[submission.public_id])).status_code == 405


def test_hostile_names_of_files_are_shown_as_text(enter, mentee, cohort):
    submission = make_submission(make_project(cohort, authors=[mentee]), filename="<svg onload=alert(1)>.csv")

    page = enter(mentee).get(reverse("submission", args=[submission.public_id])).content.decode()

    assert "<svg onload" not in page


def test_it_costs_the_same_after_many_gradings(enter, lead, submission, url, django_assert_max_num_queries):
    make_benchmark(slug="other")
    for _ in range(4):
        graded(submission)
        submission.regrade()
    browser = enter(lead)

    with django_assert_max_num_queries(12):
        browser.get(url)
