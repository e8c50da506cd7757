"""Whatever way a row changes, what it was is kept: who, when, what, by which door."""

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_mentee, make_output, make_person, make_program, make_project, make_rating
from tests.tracker.admin.conftest import entering
from tests.tracker.api.conftest import caller
from tracker.celery import app
from tracker.events.doors import Door, through
from tracker.events.history import HistoryRow, Tracked, TrackedQuerySet, path_to_program
from tracker.funding.models import Fund
from tracker.mentoring.models import Feedback
from tracker.people.models import ApiKey, Membership, Person, Program, Role, Scope, ShareGrant, User
from tracker.projects.models import Credit, TeamMember
from tracker.ratings.models import Conflict, Rating, Score

# Rows of which no history is kept, and why.
UNTRACKED = {
    "events.Event": "is itself what happened",
    "events.Consumer": "bookkeeping of the outbox",
    "events.Delivery": "bookkeeping of the outbox",
    "projects.StoredFile": "bytes under their hash, which never change",
    "projects.OutputVersion": "is itself the history of an output's content, and never changed",
    "grading.Artifact": "bytes under their hash, which never change",
    "grading.Mistakes": "computed, and never changed",
    "grading.Resemblance": "computed, and never changed",
    "grading.Worker": "who is at work now, and forgotten when gone",
    "grading.Run": "leased and renewed all the time; its attempts and events say what became of it",
    "grading.Attempt": "is itself a record",
    "grading.Measurement": "computed, and never changed: measuring again makes new rows",
    "ratings.Sighting": "is itself what happened, and never changed",
    "ratings.Unsent": "nobody's but its author's, and gone once it is submitted",
    "estimates.FitRequest": "bookkeeping of the fits",
    "estimates.Fit": "computed, and every one stays",
    "estimates.Estimate": "computed, and stays with its fit",
    "estimates.RaterEstimate": "computed, and stays with its fit",
    "estimates.Contribution": "computed, and stays with its fit",
    "estimates.GateChance": "computed, and stays with its fit",
    "mentoring.Pulse": "for one reader: a second copy of it would be for others",
    "estimates.Viewing": "is itself a record",
    "estimates.SimulatedTruth": "what a simulation knows; no such row exists for real people",
}


def own_models() -> list[type]:
    own = [model for model in apps.get_models() if model.__module__.startswith("tracker.")]
    return [model for model in own if not issubclass(model, HistoryRow)]


def kept(row) -> list[tuple[str, str]]:
    """What is kept of a row, oldest first."""
    return list(row.history.order_by("history_id").values_list("history_type", "door"))


def test_every_model_is_tracked_or_says_why_not():
    untracked = {model._meta.label for model in own_models() if not issubclass(model, Tracked)}

    assert untracked == set(UNTRACKED)


def test_every_tracked_model_keeps_what_is_done_to_many_rows_at_once():
    tracked = [model for model in own_models() if issubclass(model, Tracked)]

    assert [model for model in tracked if not isinstance(model._default_manager.all(), TrackedQuerySet)] == []


def test_every_tracked_row_belongs_to_a_program_or_to_the_whole_house():
    homeless = {
        model._meta.label
        for model in own_models()
        if issubclass(model, Tracked)
        if not path_to_program(model)
    }

    assert homeless == {"people.User", "funding.Fund"}
    assert (path_to_program(Score), path_to_program(Membership)) == ("rating__program", "person__program")


def test_no_history_keeps_a_secret():
    """Digests of links and keys, passwords: a second copy of them helps nobody but a thief."""
    secrets = {"digest", "token", "password", "secret"}
    kept_fields = {
        f"{model._meta.label}.{field.name}"
        for model in own_models()
        if issubclass(model, Tracked)
        for field in model.history.model.tracked_fields
        if field.name in secrets
    }

    assert kept_fields == set()


@pytest.mark.django_db
class TestOneRow:
    def test_making_and_changing_it_are_kept_with_their_values(self, program):
        program.name = "Southern Lights"
        program.save(update_fields=["name"])

        assert kept(program) == [("+", "command"), ("~", "command")]
        assert [row.name for row in program.history.all()] == ["Southern Lights", "Northern Lights"]

    def test_what_the_database_has_is_kept_and_not_what_memory_had(self, program):
        stale = Program.objects.get(pk=program.pk)
        Program.objects.filter(pk=program.pk).update(name="Renamed")
        stale.slug = "other"
        stale.save(update_fields=["slug"])

        newest = program.history.first()
        assert (newest.name, newest.slug) == ("Renamed", "other")

    @pytest.mark.plants
    def test_a_row_that_is_gone_is_kept_as_it_was(self, cohort):
        credit = Credit.objects.filter(output=make_output(make_project(cohort))).get()
        pk, share = credit.pk, credit.share
        credit.delete()

        last = Credit.history.filter(id=pk).first()
        assert (last.history_type, last.share) == ("-", share)

    def test_secrets_and_looks_are_not_kept(self, mentor):
        before = len(kept(mentor.user))
        mentor.user.last_login = timezone.now()
        mentor.user.save(update_fields=["last_login"])
        User.objects.filter(pk=mentor.user.pk).update(last_login=timezone.now())

        assert len(kept(mentor.user)) == before

    @pytest.mark.django_db(transaction=True)
    def test_the_row_and_what_is_kept_of_it_stand_or_fall_together(self, monkeypatch):
        program = make_program(name="Before")
        monkeypatch.setattr("tracker.events.history.write_down", fail)
        program.name = "After"

        with pytest.raises(RuntimeError):
            program.save(update_fields=["name"])
        with pytest.raises(RuntimeError):
            Program.objects.filter(pk=program.pk).update(name="After")
        with pytest.raises(RuntimeError):
            Person.objects.bulk_create([Person(program=program, name="New")])

        program.refresh_from_db()
        assert (program.name, Person.objects.count()) == ("Before", 0)


def fail(*_, **__):
    raise RuntimeError


@pytest.mark.django_db
class TestManyRows:
    def test_updating_many_keeps_each_of_them_and_no_other(self, program):
        people = [make_person(program=program, name=name) for name in "abc"]

        count = Person.objects.filter(name__in=["a", "b"]).update(name="x")

        assert count == 2
        assert [len(kept(person)) for person in people] == [2, 2, 1]

    def test_an_update_that_moves_rows_out_of_its_own_filter_is_kept(self, mentor):
        Membership.objects.active().filter(person=mentor).update(ended_at=timezone.now())

        assert Membership.history.filter(person=mentor).first().ended_at is not None

    def test_bulk_update_is_kept(self, program):
        people = [make_person(program=program) for _ in range(3)]
        for person in people:
            person.name = "renamed"

        Person.objects.bulk_update(people, ["name"])

        assert all(person.history.first().name == "renamed" for person in people)

    def test_rows_of_a_relation_are_kept_too(self, cohort):
        project = make_project(cohort)
        project.team.update(left_on=timezone.localdate())
        project.team.all().delete()

        assert [row.history_type for row in TeamMember.history.filter(project=project)] == ["-", "~", "+"]

    def test_it_costs_the_same_for_many_rows(self, program):
        for _ in range(40):
            make_person(program=program)
        costs = []
        for some in (Person.objects.order_by("pk")[:2], Person.objects.order_by("pk")[:40]):
            keys = [person.pk for person in some]
            with CaptureQueriesContext(connection) as queries:
                Person.objects.filter(pk__in=keys).update(name="x")
            costs.append(len(queries))

        assert costs[0] == costs[1] <= 5

    def test_making_rows_that_may_be_there_already_is_refused(self, program):
        with pytest.raises(NotImplementedError), transaction.atomic():
            Person.objects.bulk_create([Person(program=program, name="x")], ignore_conflicts=True)


@pytest.mark.django_db
class TestDoors:
    def test_a_page_is_a_door_and_knows_its_visitor(self, mentor, cohort):
        project = make_project(cohort)
        entering(mentor.user).post(f"/projects/{project.public_id}/feedback/", {"text": "Good."})

        written = Feedback.history.get()
        assert (written.door, written.history_user) == (Door.WEB, mentor.user)

    def test_the_admin_is_another(self, leads_door_of, lead, program):
        leads_door_of(lead).post(
            f"/admin/people/program/{program.pk}/change/",
            {
                "name": "Renamed",
                "measurements_join_from": "20",
                "words": "{}",
                "conflicts_reach": "authors",
                "conflicted_ratings": "kept",
            },
        )

        newest = program.history.first()
        assert (newest.name, newest.door, newest.history_user) == ("Renamed", Door.ADMIN, lead.user)

    def test_a_key_is_known_as_its_account(self, program, cohort):
        key, text = ApiKey.objects.issue(program=program, name="Script", scopes=list(Scope.values))
        answer = caller(text).post("/api/v1/people/", {"name": "New", "roles": ["mentor"]})

        assert answer.status_code == 201
        newest = Person.history.first()
        assert (newest.door, newest.history_user) == (Door.API, key.person.user)

    def test_a_task_is_a_worker_and_all_else_a_command(self, program):
        @app.task
        def rename() -> None:
            Program.objects.filter(pk=program.pk).update(name="Renamed")

        rename()

        assert kept(program) == [("+", "command"), ("~", "worker")]

    def test_a_door_closes_behind_who_came_through(self, program):
        with through(Door.WORKER):
            pass
        program.save(update_fields=["name"])

        assert program.history.first().door == Door.COMMAND


@pytest.fixture
def leads_door_of(db):
    def enter(lead: Person):
        lead.user.become_staff()
        return entering(lead.user)

    return enter


@pytest.mark.django_db
class TestWhoSeesIt:
    def test_who_leads_or_audits_the_program_and_nobody_else(self, program, cohort, lead, mentor, stranger):
        auditor = make_person(Role.AUDITOR, program=program)
        project = make_project(cohort)

        seen = {
            user: project.history.visible_to(user).exists()
            for user in (lead.user, auditor.user, mentor.user, stranger, AnonymousUser())
        }

        assert list(seen.values()) == [True, True, False, False, False]

    def test_one_sees_what_became_of_ones_own_facts(self, cohort, mentor):
        mentee = make_mentee(cohort)

        assert mentee.history.visible_to(mentee.user).count() == 1
        assert Membership.history.visible_to(mentee.user).get().person == mentee
        assert not mentee.history.visible_to(mentor.user).exists()

    def test_who_read_whom_is_told_to_who_decides_alone(self, program, cohort, stage, lead):
        author, auditor = make_mentee(cohort), make_person(Role.AUDITOR, program=program)
        rating = make_rating(make_output(make_project(cohort, authors=[author]), stage=stage))
        Conflict.objects.declare(person=rating.rater, project=rating.output.project)

        for model in (Rating, Score, Conflict):
            assert model.history.visible_to(lead.user).exists()
            for user in (author.user, auditor.user, rating.rater.user):
                assert not model.history.visible_to(user).exists()

    def test_a_lead_of_another_program_sees_none_of_it(self, cohort, stage, stranger):
        make_rating(make_output(make_project(cohort), stage=stage))
        other = make_person(Role.LEAD)

        for model in own_models():
            if issubclass(model, Tracked) and path_to_program(model):
                theirs = model.history.filter(**{path_to_program(model): cohort.program.pk})
                assert not theirs.visible_to(other.user).exists(), model

    def test_what_a_lead_may_not_see_now_they_do_not_see_as_it_was(self, program, lead, mentor):
        """Shares are between a person and a fund: auditors don't hear of them either."""
        auditor = make_person(Role.AUDITOR, program=program)
        group = Fund.objects.found("A fund").group
        ShareGrant.objects.share(mentor, shared_with=group, what="profile")

        assert not ShareGrant.history.visible_to(lead.user).exists()
        assert not ShareGrant.history.visible_to(auditor.user).exists()
        assert ShareGrant.history.visible_to(mentor.user).exists()
