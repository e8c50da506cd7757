"""The two logs of a program: who looked at whose estimate, and what changed; for its leads and auditors."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_mentee, make_output, make_person, make_project, make_rating
from tests.tracker.web.worlds import make_fit
from tracker.cohorts.models import Cohort
from tracker.estimates.models import Estimate
from tracker.estimates.viewing import record_view
from tracker.events.changes import NAMED_BY, path_to_name, tracked_in_programs
from tracker.events.doors import Door, through
from tracker.events.history import Tracked
from tracker.funding.models import Fund
from tracker.people.models import Person, Role, ShareGrant
from tracker.ratings.models import Assignment

pytestmark = pytest.mark.django_db


def looks_of(program) -> str:
    return f"/programs/{program.public_id}/looks/"


def changes_of(program) -> str:
    return f"/programs/{program.public_id}/changes/"


@pytest.fixture
def seen(program, cohort, lead, mentor) -> list[Person]:
    """The lead has looked at two people on a page; a mentor at one of them, in the admin."""
    people = [make_mentee(cohort, name=name) for name in ("Ada Able", "Ben Bold")]
    make_fit(program, dict.fromkeys(people, 0.0))
    estimates = list(Estimate.objects.order_by("person__name").select_related("person"))
    record_view(estimates, by=lead.user, door="web")
    record_view(estimates[1:], by=mentor.user, door="admin")
    return people


class TestWhoLooked:
    def test_it_tells_who_at_whom_when_and_by_which_door(self, enter, program, lead, seen):
        page = enter(lead).get(looks_of(program))

        told = [(look["viewer__name"], look["first"], look["people"]) for look in page.context["looks"]]
        assert set(told) == {(str(lead.user), "Ada Able", 2), (reader(), "Ben Bold", 1)}
        assert "Ada Able and 1 other" in page.content.decode()
        assert "web page" in page.content.decode()

    @pytest.mark.parametrize(
        ("asked", "count"),
        [
            ({"door": "admin"}, 1),
            ({"door": "api"}, 0),
            ({"until": timezone.localdate() - timedelta(days=1)}, 0),
            ({"since": timezone.localdate()}, 2),
            ({"since": "never"}, 2),
            ({"until": "9999-12-31"}, 2),
            ({"until": "0001-01-01"}, 2),
        ],
    )
    def test_it_is_asked_by_door_and_day(self, enter, program, lead, seen, asked, count):
        assert len(enter(lead).get(looks_of(program), asked).context["looks"]) == count

    def test_it_is_asked_by_whom_and_at_whom(self, enter, program, lead, seen):
        browser = enter(lead)

        by = browser.get(looks_of(program), {"by": lead.user.public_id}).context["looks"]
        at = browser.get(looks_of(program), {"person": seen[0].public_id}).context["looks"]

        assert [look["viewer"] for look in by] == [lead.user.pk]
        assert [(look["viewer"], look["people"]) for look in at] == [(lead.user.pk, 1)]

    def test_whoever_only_audits_comes_to_it_from_the_first_page(self, enter, program, seen):
        auditor = make_person(Role.AUDITOR, program=program)

        answer = enter(auditor).get("/", follow=True)

        assert answer.redirect_chain[-1][0] == looks_of(program)
        assert "Ben Bold" in answer.content.decode()

    def test_a_lead_comes_to_both_from_the_cohort(self, enter, program, cohort, lead):
        page = enter(lead).get(f"/cohorts/{cohort.public_id}/").content.decode()

        assert looks_of(program) in page
        assert changes_of(program) in page


def reader() -> str:
    return str(Person.objects.get(name="Max Mentor").user)


class TestWhatChanged:
    def test_it_tells_who_what_when_and_by_which_door(self, enter, program, cohort, lead):
        with through(Door.WORKER):
            Cohort.objects.filter(pk=cohort.pk).update(name="Spring")

        entries = [entry for entry, _ in enter(lead).get(changes_of(program)).context["entries"]]

        newest = entries[0]
        assert (newest.kind, newest.deed, newest.door, newest.name) == (
            "cohort",
            "changed",
            "worker",
            "Spring",
        )
        assert {("person", "made", "Lena Lead"), ("program", "made", program.name)} <= {
            (entry.kind, entry.deed, entry.name) for entry in entries
        }

    def test_it_is_asked_by_whom_door_and_day(self, enter, program, lead):
        browser = enter(lead)
        yesterday = timezone.now() - timedelta(days=1)
        with time_machine.travel(yesterday, tick=False), through(Door.API):
            make_person(program=program, name="Early Bird")

        def names(**asked) -> set[str]:
            return {entry.name for entry, _ in browser.get(changes_of(program), asked).context["entries"]}

        assert "Early Bird" in names()
        assert names(door="api") == {"Early Bird"}
        assert names(until=yesterday.date()) == {"Early Bird"}
        assert "Early Bird" not in names(since=timezone.localdate())
        assert names(by=lead.user.public_id) == set()

    def test_what_one_deed_did_to_many_rows_is_one_line(self, enter, program, lead):
        people = [make_person(program=program, name=name, with_user=False) for name in ("Ada", "Ben", "Cy")]
        with through(Door.WORKER):
            Person.objects.filter(pk__in=[person.pk for person in people]).update(external_id="")

        page = enter(lead).get(changes_of(program), {"door": "worker"})

        ((entry, _),) = page.context["entries"]
        assert (entry.kind, entry.deed, entry.others) == ("person", "changed", 2)
        assert "and 2 others" in page.content.decode()

    def test_it_costs_the_same_for_many(self, enter, program, lead):
        browser, costs = enter(lead), []
        for more in (0, 30):
            for _ in range(more):
                make_person(program=program)
            with CaptureQueriesContext(connection) as queries:
                browser.get(changes_of(program))
            costs.append(len(queries))

        assert costs[0] == costs[1] <= 10

    def test_it_tells_no_score_and_nothing_of_what_the_visitor_may_not_see(
        self, enter, program, cohort, stage, lead
    ):
        """Who read whom is for leads, but not of a piece that they are given to read; shares are for nobody here."""
        output = make_output(make_project(cohort), stage=stage)
        rating = make_rating(
            output, scores=dict.fromkeys(("importance", "rigour", "clarity", "execution"), 7.25)
        )
        ShareGrant.objects.share(rating.rater, shared_with=Fund.objects.found("A fund").group, what="profile")
        auditor = make_person(Role.AUDITOR, program=program)

        def kinds(somebody) -> set[str]:
            page = enter(somebody).get(changes_of(program))
            assert "7.25" not in page.content.decode()
            return {entry.kind for entry, _ in page.context["entries"]}

        assert {"rating", "score"} <= kinds(lead)
        assert not {"rating", "score", "share"} & kinds(auditor)
        Assignment.objects.assign(lead, output)
        assert not {"rating", "score", "share"} & kinds(lead)

    def test_every_kind_of_row_is_named(self):
        assert {path_to_name(model) for model in tracked_in_programs()} <= set(NAMED_BY)
        assert all(issubclass(model, Tracked) for model in tracked_in_programs())


def test_another_programs_logs_are_not_found(enter, program, mentor, stranger):
    committee = make_person(Role.COMMITTEE, program=program)

    for somebody in (mentor, committee, stranger):
        browser = enter(somebody)
        assert browser.get(looks_of(program)).status_code == 404
        assert browser.get(changes_of(program)).status_code == 404
