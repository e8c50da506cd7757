"""A research manager's caseload, and how people say they are."""

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_mentee, make_output, make_person, make_project, make_rating, make_stage
from tests.tracker.api.conftest import caller
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.mentoring.models import Pulse, Support
from tracker.people.models import ApiKey, Person, Role, Scope, User
from tracker.ratings.models import Conflict

pytestmark = pytest.mark.django_db
NOTE = "Zebra crossing in the rain"


@pytest.fixture
def manager(program) -> Person:
    return make_person(Role.RESEARCH_MANAGER, program=program, name="Mo Manager")


@pytest.fixture
def supported(mentee, manager) -> Person:
    Support.objects.begin(mentee, manager=manager)
    return mentee


@pytest.fixture
def pulse(supported) -> Pulse:
    return Pulse.objects.answer(supported, value=2, note=NOTE)


class TestTheCaseload:
    def test_it_shows_amounts_of_evidence_and_no_score(self, enter, manager, supported, cohort):
        output = make_output(make_project(cohort, authors=[supported]), stage=make_stage(cohort))
        for _ in range(2):
            make_rating(output, scores=dict.fromkeys(("importance", "rigour", "clarity", "execution"), 7.25))

        page = enter(manager).get("/caseload/").content.decode()

        words = " ".join(page.split())
        assert "1 piece of work, 2 readings by 2 different readers." in words
        assert "7.25" not in page

    def test_it_counts_neither_models_nor_what_was_retracted(self, enter, manager, supported, cohort):
        output = make_output(make_project(cohort, authors=[supported]), stage=make_stage(cohort))
        make_rating(output).retract(reason="A slip.")

        page = enter(manager).get("/caseload/").content.decode()

        assert "0 readings" in " ".join(page.split())

    def test_a_reader_with_a_conflict_is_no_different_reader(self, enter, manager, supported, cohort):
        output = make_output(make_project(cohort, authors=[supported]), stage=make_stage(cohort))
        for rating in (make_rating(output), make_rating(output)):
            last = rating
        Conflict.objects.declare(person=last.rater, project=output.project)

        page = enter(manager).get("/caseload/").content.decode()

        assert "2 readings by 1 different reader." in " ".join(page.split())

    def test_it_shows_nobody_else(self, enter, manager, supported, cohort):
        other = make_mentee(cohort, name="Otto Other")

        assert other.name not in enter(manager).get("/caseload/").content.decode()

    def test_whoever_is_no_manager_any_more_supports_nobody(self, manager, supported):
        manager.memberships.get().end()

        assert not Support.objects.given_by(manager.user).exists()
        assert not Pulse.objects.visible_to(manager.user).exists()

    def test_it_costs_the_same_for_many(self, enter, manager, supported, cohort):
        browser, costs = enter(manager), []
        for more in (0, 12):
            for _ in range(more):
                Support.objects.begin(make_mentee(cohort), manager=manager)
            with CaptureQueriesContext(connection) as queries:
                browser.get("/caseload/")
            costs.append(len(queries))

        assert costs[0] == costs[1]


class TestSupport:
    def test_a_new_manager_takes_over_from_the_one_before(self, program, manager, supported):
        other = make_person(Role.RESEARCH_MANAGER, program=program)

        Support.objects.begin(supported, manager=other)

        assert Support.objects.standing().get(person=supported).manager == other
        assert Support.objects.get(manager=manager).ended_on == timezone.localdate()

    @pytest.mark.parametrize("who", ["mentor", "foreigner", "self"])
    def test_only_a_research_manager_of_the_program_supports(self, program, mentor, mentee, manager, who):
        foreigner = make_person(Role.RESEARCH_MANAGER)
        person = manager if who == "self" else mentee
        chosen = {"mentor": mentor, "foreigner": foreigner, "self": manager}[who]

        with pytest.raises(RuleBroken):
            Support.objects.begin(person, manager=chosen)

    @pytest.mark.parametrize("role", [Role.LEAD, Role.COMMITTEE])
    def test_nobody_supports_who_decides_or_comes_to_decide(self, manager, supported, pulse, role):
        """How somebody feels never reaches a decider, by no second role either."""
        manager.memberships.create(role=role)

        assert not Support.objects.given_by(manager.user).exists()
        assert not Pulse.objects.visible_to(manager.user).exists()
        Support.objects.get().end()
        with pytest.raises(RuleBroken, match="somebody who does not"):
            Support.objects.begin(supported, manager=manager)

    def test_it_ends_once(self, supported):
        support = Support.objects.get()
        support.end()

        with pytest.raises(RuleBroken, match="already"):
            support.end()

    def test_a_lead_sets_it_up_in_the_admin(self, enter, lead, manager, mentee):
        lead.user.become_staff()

        answer = enter(lead).post(
            "/admin/mentoring/support/add/", {"person": mentee.pk, "manager": manager.pk}
        )

        assert answer.status_code == 302
        assert Support.objects.get().manager == manager


class TestThePulse:
    def test_somebody_says_how_they_are_and_their_manager_reads_it(self, enter, manager, supported):
        answer = enter(supported).post("/pulse/", {"value": "2", "note": NOTE})

        assert answer.status_code == 302
        assert NOTE in enter(supported).get("/pulse/").content.decode()
        assert NOTE in enter(manager).get("/caseload/").content.decode()

    def test_what_is_said_again_on_the_same_day_replaces_it(self, supported, pulse):
        Pulse.objects.answer(supported, value=4)

        assert [(pulse.value, pulse.note) for pulse in Pulse.objects.all()] == [(4, "")]

    @pytest.mark.parametrize("value", ["0", "6", "", "x"])
    def test_what_is_off_the_scale_is_refused(self, enter, supported, value):
        assert enter(supported).post("/pulse/", {"value": value}).status_code == 422
        assert not Pulse.objects.exists()

    def test_without_a_manager_there_is_nobody_to_tell(self, enter, mentee):
        assert enter(mentee).get("/pulse/").status_code == 404

    def test_nobody_else_sees_it_whatever_their_roles(self, program, pulse, lead, mentor, stranger):
        master = User.objects.create_superuser("root@example.org", "a-long-enough-passphrase")
        other_manager = make_person(Role.RESEARCH_MANAGER, program=program)
        everything = make_person(*set(Role) - {Role.CLIENT}, program=program)

        for user in (
            lead.user,
            mentor.user,
            stranger,
            master,
            other_manager.user,
            everything.user,
            AnonymousUser(),
        ):
            assert not Pulse.objects.visible_to(user).exists()

    def test_who_supports_no_more_sees_no_more(self, manager, pulse):
        Support.objects.get().end()

        assert not Pulse.objects.visible_to(manager.user).exists()

    def test_no_admin_no_endpoint_no_event_and_no_history_has_it(self, program, pulse, client, lead):
        client.force_login(User.objects.create_superuser("root@example.org", "a-long-enough-passphrase"))
        _, text = ApiKey.objects.issue(program=program, name="All", scopes=list(Scope.values))
        shown = [client.get(f"/admin/people/person/{pulse.person.pk}/change/").content]
        shown += [caller(text).get(f"/api/v1/{name}/").content for name in ("people", "projects", "outputs")]

        assert Pulse not in admin.site._registry
        assert not any(NOTE.encode() in page for page in shown)
        assert not any(NOTE in str(event.payload) for event in Event.objects.all())
        assert not hasattr(Pulse, "history")

    def test_only_its_own_page_reads_it(self):
        """Not the model of noise, nor decisions, exports, mails, pages of others: nothing imports it."""
        readers = {
            str(path)
            for path in Path("tracker").rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom) and "Pulse" in {alias.name for alias in node.names}
        }

        assert readers == {"tracker/mentoring/models/__init__.py", "tracker/web/views/care.py"}
        pointing = [
            relation for relation in Pulse._meta.related_objects if not relation.related_model._meta.abstract
        ]
        assert pointing == []
        assert apps.get_model("mentoring.Pulse") is Pulse
