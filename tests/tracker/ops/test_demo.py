"""The demo cohort: what it holds, that its truth is known, and that it enters no real database."""

import json

import numpy as np
import pytest
from django.db.models.functions import Now
from safetensors.numpy import save_file

from tests.factories import make_thorough_run
from tracker.cohorts.models import Cohort
from tracker.decisions.models import GateRule, StageDecision
from tracker.decisions.silence import undecided_in_time
from tracker.estimates.models import Estimate, Fit, Release, SimulatedTruth
from tracker.grading.models import Run
from tracker.mentoring.models import Support
from tracker.ops.demo.journey import facts, graded
from tracker.ops.demo.loading import load_demo
from tracker.ops.demo.people import EMAILS, KEY, PASSWORD
from tracker.ops.demo.submitting import FILES_BY_STRENGTH, are_all_sent, sent_by_demo, submit_all
from tracker.people.models import ApiKey, Person, Program, Role, ShareGrant, User
from tracker.projects.models import Output, Project
from tracker.ratings.models import Assignment, Conflict, Question, Rating, ReadingPlan
from tracker.ratings.reading import outputs_to_read

# Loading takes seconds, so one process does all of them.
pytestmark = pytest.mark.xdist_group("demo")
SIZE_OF_RAW_BOTTOM = 6


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker, tmp_path_factory):
    """The demo, loaded once for this module and taken back after it."""
    from django.db import transaction
    from django.test import override_settings

    folder = tmp_path_factory.mktemp("benchmarks")
    with django_db_blocker.unblock(), override_settings(BENCHMARKS_DIR=folder), transaction.atomic():
        yield load_demo()
        transaction.set_rollback(True)


@pytest.fixture
def demo(loaded, db) -> Program:
    return loaded


def test_it_has_the_people_that_the_readme_promises(demo):
    people = Person.objects.filter(program=demo)

    assert people.active_as(Role.MENTEE).count() == 24
    assert people.active_as(Role.MENTOR).count() == 10
    assert Project.objects.filter(program=demo).count() == 14


def test_one_team_tells_its_course_and_every_mentee_has_somebody_to_turn_to(demo):
    project = Project.objects.get(program=demo, title__startswith="Do sparse probes")

    assert project.claims.stacked_untried().count() == 1
    assert project.bottlenecks.get().kind == "evidence"
    assert [member.name for member in project.credit_statements.get().unconfirmed_by()] == ["Jonas Brandt"]
    assert Support.objects.standing().filter(person__program=demo).count() == 24


def test_it_stands_in_week_four_six_days_before_decisions(demo):
    cohort = Cohort.objects.get(program=demo)
    stage = cohort.current_stage

    assert cohort.week == 4
    assert stage.days_to_decisions == 6
    assert stage.is_reading


def test_its_gate_was_fixed_before_results_and_everybody_was_decided_about_by_a_person(demo):
    rule = GateRule.objects.get(stage__cohort__program=demo)
    decided = StageDecision.objects.filter(stage__cohort__program=demo)

    assert (rule.places, rule.is_after_results) == (12, False)
    assert list(decided.values_list("origin", flat=True)) == ["person"] * 24
    assert not undecided_in_time().exists()


def test_it_was_rated_by_the_rules_of_everybody(demo):
    ratings = Rating.objects.filter(program=demo)

    assert ratings.count() > 100
    for rating in ratings.select_related("output"):
        assert not rating.output.project.team.filter(person=rating.rater_id).exists()
        assert sorted(rating.says()) == ["clarity", "execution", "importance", "rigour"]


def test_its_log_ins_open(demo, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

    for email in EMAILS.values():
        assert User.objects.get(email=email).check_password(PASSWORD)
    assert ApiKey.objects.matching(KEY).person.program == demo


def test_one_stage_is_released_and_some_people_share_with_the_fund(demo):
    fund_manager = User.objects.get(email=EMAILS["fund_manager"])

    assert Release.objects.filter(stage__cohort__program=demo).count() == 1
    assert ShareGrant.objects.shared_with_user(fund_manager).count() == 6
    assert Estimate.objects.released_to(fund_manager).exists()


def test_everybody_has_an_estimate_before_the_workers_start(demo):
    fit = Fit.objects.current().get(program=demo)

    assert fit.estimates.count() == 24


def test_the_newest_outputs_still_wait_for_readers(demo):
    mentor = User.objects.get(email=EMAILS["mentor"])

    waiting = Output.objects.being_read().visible_to(mentor).exclude(ratings__rater__user=mentor)

    assert waiting.exists()
    assert Conflict.objects.standing().filter(project__program=demo).count() == 1


def test_its_reading_is_handed_out_with_a_sample_that_everybody_reads(demo):
    plan = ReadingPlan.objects.get(stage__cohort__program=demo)
    given = Assignment.objects.standing().filter(stage=plan.stage)
    sample = plan.samples.get()
    mentor = User.objects.get(email=EMAILS["mentor"])

    assert {row.reason for row in given} >= {"sample", "second"}
    team = sample.project.team.active().filter(role="mentor").count()
    assert given.filter(output=sample).count() >= len(Person.objects.active_as(Role.MENTOR)) - team - 1
    waiting = outputs_to_read(mentor)
    assert waiting[0].position is not None
    assert Question.objects.get(rubric__program=demo).months == 12


def test_the_raw_means_wrong_somebody_and_the_model_is_closer_to_the_truth(demo):
    truth = dict(SimulatedTruth.objects.filter(person__program=demo).values_list("person", "level"))
    estimates = {estimate.person_id: estimate for estimate in Estimate.objects.current()}
    raw_bottom = sorted(estimates, key=lambda person: estimates[person].raw)[:SIZE_OF_RAW_BOTTOM]
    level = np.array([truth[person] for person in estimates])

    raw = np.array([estimate.raw for estimate in estimates.values()])
    mean = np.array([estimate.mean for estimate in estimates.values()])

    assert any(truth[person] > np.median(level) for person in raw_bottom)
    assert np.std(mean - level) < np.std(raw - level)


def test_loading_it_again_changes_nothing(demo):
    ratings = Rating.objects.count()

    assert load_demo() == demo
    assert Rating.objects.count() == ratings


@pytest.fixture
def trained(tmp_path, settings):
    """Files of the right kinds in the place of trained ones."""
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    claims = {}
    for number, name in enumerate(FILES_BY_STRENGTH):
        stem, kind = name.split(".")
        claims[stem] = {"accuracy": {"value": 0.9, "n": 100}}
        if kind == "npz":
            np.savez(tmp_path / name, id=np.array(["a"]), pred=np.array([number]))
        else:
            save_file({"weight": np.full((10, 64), number, dtype=np.float32)}, tmp_path / name)
    (tmp_path / "claims.json").write_text(json.dumps(claims))
    return tmp_path


def test_each_file_is_sent_once_however_often_the_journey_starts(demo, trained):
    assert not are_all_sent(demo)

    submit_all(demo, trained)
    submit_all(demo, trained)

    assert are_all_sent(demo)
    assert graded(demo) == (0, 5)


def test_the_strongest_team_sends_the_strongest_model(demo, trained):
    submit_all(demo, trained)
    level = {}
    for submission in sent_by_demo(demo):
        authors = SimulatedTruth.objects.filter(person__in=submission.project.authors())
        level[submission.filename] = np.mean([truth.level for truth in authors])

    assert sorted(level, key=level.__getitem__, reverse=True) == list(FILES_BY_STRENGTH)


def test_the_report_counts_what_is_in_the_database(demo):
    told = facts(demo)

    assert told["People"] == "24 mentees, 10 mentors"
    assert told["Submissions"] == "0 graded, 0 refused"
    assert told["Ratings"] == str(Rating.objects.filter(program=demo).count())


def test_the_report_counts_each_submission_once_however_often_it_was_graded(demo, trained):
    submit_all(demo, trained)
    first, second, third, fourth, _ = sent_by_demo(demo).order_by("pk")
    Run.objects.update(state="cancelled", ended_at=Now())
    for submission in (first, first, second):
        make_thorough_run(submission)
    for submission in (third, third, second):
        ended(submission, phase="qualification", state="refused")
    ended(fourth, phase="safety", state="succeeded")
    fourth.hold()

    assert facts(demo)["Submissions"] == "1 graded, 2 refused, 1 held, 1 cancelled"


def ended(submission, **values) -> Run:
    values["benchmark"] = submission.benchmark
    return Run.objects.create(submission=submission, ended_at=Now(), **values)
