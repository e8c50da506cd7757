"""Whose turn it is: cheap before dear, small before large, and no program waits for another's heap."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from tests.factories import make_artifact, make_benchmark, make_cohort, make_project, make_submission
from tracker.grading.models import Run, Submission
from tracker.grading.models.turns import LATE_AFTER, SHARE_WINDOW, in_turn

pytestmark = pytest.mark.django_db
LONG_AGO = Now() - SHARE_WINDOW - timedelta(seconds=5)


@pytest.fixture
def sender() -> Any:
    """Sends for a program of its own, with no limit a day."""

    def make() -> Any:
        cohort = make_cohort()
        project = make_project(cohort)
        benchmark = make_benchmark(cohort.program)
        benchmark.spec["limits"]["submissions_per_day"] = 10_000
        return lambda size=100: make_submission(project, benchmark, artifact=make_artifact(size=size))

    return make


def serve() -> Run:
    Run.objects.filter(state=Run.State.QUEUED).update(not_before=Now() - timedelta(seconds=1))
    run = Run.objects.lease_next(uuid4())
    assert run is not None
    return run


def pass_first_check() -> None:
    run = serve()
    assert run.succeed(measurements=[], record={}, claims=[])


def age(*submissions: Submission, by: timedelta) -> None:
    Run.objects.filter(submission__in=submissions).update(queued_at=Now() - by)


def test_a_heap_of_one_program_does_not_keep_another_waiting(sender):
    heap, other = sender(), sender()
    for _ in range(40):
        heap()
    for _ in range(5):
        serve()

    single = other()

    assert serve().submission == single


def test_programs_take_turns(sender):
    first, second = sender(), sender()
    sent = {first().program_id, second().program_id}
    for send in (first, first, second, second):
        send()

    pairs = [{serve().submission.program_id, serve().submission.program_id} for _ in range(3)]

    assert pairs == [sent] * 3


def test_large_files_of_one_program_take_turns_with_small_ones_of_another(sender):
    large, small = sender(), sender()
    for _ in range(4):
        large(size=10_000_000)
        small(size=10)

    sizes = [serve().submission.artifact.size for _ in range(4)]

    assert sorted(sizes) == [10, 10, 10_000_000, 10_000_000]


def test_within_a_program_small_comes_before_large(sender):
    send = sender()
    sent = [send(size=size) for size in (900, 100, 500)]

    served = [serve().submission for _ in sent]

    assert [submission.artifact.size for submission in served] == [100, 500, 900]


def test_a_large_file_does_not_wait_for_ever_for_smaller_ones(sender):
    send = sender()
    large = send(size=1_000_000)
    send(size=10)
    age(large, by=LATE_AFTER + timedelta(seconds=1))

    assert serve().submission == large


def test_a_first_check_comes_before_anybodys_later_phases(sender):
    busy, other = sender(), sender()
    other()
    pass_first_check()
    for _ in range(3):
        busy()
        serve()
    Run.objects.filter(state="running").update(started_at=Now())

    fresh = busy()

    assert serve().submission == fresh


def test_a_later_phase_that_waited_long_goes_by_its_programs_share(sender):
    busy, other = sender(), sender()
    patient = other()
    pass_first_check()
    Run.objects.update(started_at=LONG_AGO)
    for _ in range(4):
        busy()
        serve()
    busy()
    age(patient, by=LATE_AFTER + timedelta(seconds=1))

    assert serve().submission == patient


def test_a_worker_goes_on_with_what_it_knows_where_the_order_is_all_the_same(sender):
    send = sender()
    sent = [send(size=100) for _ in range(3)]

    known = Run.objects.lease_next(uuid4(), familiar={sent[2].pk})

    assert known is not None
    assert known.submission == sent[2]


def test_what_it_knows_passes_no_other_program_no_cheaper_phase_and_nothing_that_waited_long(sender):
    own, other = sender(), sender()
    known = own()
    pass_first_check()
    cheaper = own()
    turns = in_turn(Run.objects.all(), familiar={known.pk})
    foreign, own_later = other(), own()
    Run.objects.filter(submission=cheaper).update(state="cancelled", ended_at=Now())
    age(foreign, by=LATE_AFTER + timedelta(seconds=1))

    late_first = in_turn(Run.objects.all(), familiar={own_later.pk})

    assert turns[0] == cheaper.runs.get().pk
    assert late_first[0] == foreign.runs.get().pk


def test_a_share_of_long_ago_is_forgotten(sender):
    heavy, light = sender(), sender()
    for _ in range(5):
        heavy()
        serve()
    light()
    serve()
    Run.objects.update(started_at=LONG_AGO, state="refused", ended_at=Now(), owner=None, lease_ends_at=None)
    small, _ = heavy(size=1), light(size=2)

    assert serve().submission == small


def test_whose_turn_it_is_takes_one_query_however_many_wait(sender, django_assert_num_queries):
    send = sender()
    for _ in range(30):
        send()

    with django_assert_num_queries(1):
        assert len(in_turn(Run.objects.all())) == 5
