"""What a lead does in the admin: each deed goes through the model's own verb."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone

from tests.factories import (
    close_reading,
    make_cohort,
    make_mentee,
    make_output,
    make_person,
    make_project,
    make_rating,
    make_rubric,
    make_stage,
)
from tests.tracker.api.conftest import caller
from tests.tracker.api.test_estimates import make_fit
from tracker.cohorts.models import Enrollment, Stage
from tracker.estimates.models import Release
from tracker.events.models import Event
from tracker.funding.models import Fund
from tracker.people.models import ApiKey, Membership, Person, Role, User
from tracker.ratings.models import Rubric

pytestmark = pytest.mark.django_db


def said(answer) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def act(door, path: str, action: str, *rows):
    return door.post(path, {"action": action, "_selected_action": [row.pk for row in rows]})


def test_a_key_is_issued_and_its_text_shown_once(leads_door, program):
    form = {"program": program.pk, "name": "Nightly", "scopes": ["read", "ratings:write"]}

    answer = leads_door.post("/admin/people/apikey/add/", form)

    key = ApiKey.objects.get()
    text = answer.context["key"].text
    assert text in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert caller(text).get("/api/v1/people/").status_code == 200
    assert text not in leads_door.get(f"/admin/people/apikey/{key.pk}/change/").content.decode()


def test_a_key_is_revoked(leads_door, program):
    key, text = ApiKey.objects.issue(program=program, name="Old", scopes=["read"])

    act(leads_door, "/admin/people/apikey/", "revoke", key)

    assert caller(text).get("/api/v1/people/").status_code == 401


def test_somebody_joins_with_roles_and_an_account(leads_door, program):
    form = {
        "program": program.pk,
        "name": "Nora New",
        "kind": "human",
        "roles": ["mentor"],
        "email": "N@x.org",
    }

    assert leads_door.post("/admin/people/person/add/", form).status_code == 302

    person = Person.objects.get(name="Nora New")
    assert person.holds(Role.MENTOR)
    assert (person.user.email, person.user.has_usable_password()) == ("n@x.org", False)


def test_an_address_that_is_in_the_program_already_is_refused_in_a_sentence(leads_door, program, mentor):
    form = {"program": program.pk, "name": "Twin", "kind": "human", "roles": ["mentor"]}

    answer = leads_door.post("/admin/people/person/add/", {**form, "email": mentor.user.email})

    assert "already" in said(answer)[0]
    assert not Person.objects.filter(name="Twin").exists()


def test_nobody_makes_an_api_client_by_hand(leads_door, program):
    form = {"program": program.pk, "name": "Robot", "kind": "human", "roles": ["client"]}

    assert leads_door.post("/admin/people/person/add/", form).status_code == 200
    assert not Person.objects.filter(name="Robot").exists()
    person = make_person(program=program)
    for role in ("client", "", "emperor"):
        leads_door.post("/admin/people/membership/add/", {"person": person.pk, "role": role})
    assert not person.memberships.exists()


def test_a_mentor_is_appointed_and_later_released_from_the_role(leads_door, program, cohort):
    person = make_mentee(cohort)

    leads_door.post("/admin/people/membership/add/", {"person": person.pk, "role": "mentor"})
    role = Membership.objects.get(person=person, role="mentor")
    act(leads_door, "/admin/people/membership/", "end", role)
    again = act(leads_door, "/admin/people/membership/", "end", role)

    assert not person.holds(Role.MENTOR)
    assert any("ended already" in words for words in said(again))


def test_a_rubric_is_added_with_its_criteria(leads_door, program):
    inline = {"criteria-TOTAL_FORMS": "1", "criteria-INITIAL_FORMS": "0", "criteria-0-key": "rigour"}
    scale = {"criteria-0-name": "Rigour", "criteria-0-lowest": "1", "criteria-0-highest": "10"}
    later = {"questions-TOTAL_FORMS": "1", "questions-INITIAL_FORMS": "0", "questions-0-key": "holds-up"}
    asked = {"questions-0-text": "Will this hold up?", "questions-0-months": "12"}
    form = {"program": program.pk, "name": "Research", "version": "1", "criteria-0-position": "0"}
    form |= {"readers": "everybody", "criteria-0-anchors": '{"5": "others can use it"}'}

    answer = leads_door.post("/admin/ratings/rubric/add/", {**form, **inline, **scale, **later, **asked})

    assert answer.status_code == 302
    rubric = Rubric.objects.standing().get()
    assert rubric.criteria.get().anchors == {"5": "others can use it"}
    assert rubric.questions.get().months == 12


def test_an_anchor_off_the_scale_is_refused(leads_door, program):
    rubric = make_rubric(program, "rigour")
    form = {"name": "Research", "questions-TOTAL_FORMS": "0", "questions-INITIAL_FORMS": "0"}
    row = {"key": "rigour", "name": "Rigour", "lowest": "1", "highest": "10", "position": "0"}
    row |= {"id": rubric.criteria.get().pk, "rubric": rubric.pk, "anchors": '{"11": "beyond"}'}
    inline = {f"criteria-0-{name}": value for name, value in row.items()}
    inline |= {"criteria-TOTAL_FORMS": "1", "criteria-INITIAL_FORMS": "1"}

    page = leads_door.post(f"/admin/ratings/rubric/{rubric.pk}/change/", {**form, **inline})

    assert "Give scores from 1 to 10 with what they mean." in page.content.decode()


def test_the_scale_of_a_rubric_in_use_does_not_change(leads_door, cohort, stage):
    rating = make_rating(make_output(make_project(cohort), stage=stage))

    page = leads_door.get(f"/admin/ratings/rubric/{rating.rubric.pk}/change/").content.decode()

    assert 'name="criteria-0-lowest"' not in page


def test_a_rubric_is_retired_once(leads_door, program):
    rubric = make_rubric(program)

    act(leads_door, "/admin/ratings/rubric/", "retire", rubric)
    again = act(leads_door, "/admin/ratings/rubric/", "retire", rubric)

    assert not Rubric.objects.standing().exists()
    assert any("already" in words for words in said(again))


def stage_form(cohort, **values) -> dict:
    today, now = timezone.localdate(), timezone.now()
    form = {
        "cohort": cohort.pk,
        "name": "Research",
        "position": 2,
        "starts_on": today,
        "ends_on": today + timedelta(days=9),
        "reading_opens_at_0": f"{now:%Y-%m-%d}",
        "reading_opens_at_1": "08:00",
        "reading_closes_at_0": f"{now + timedelta(days=5):%Y-%m-%d}",
        "reading_closes_at_1": "18:00",
        "decisions_due_on": today + timedelta(days=7),
        "notice_on": today + timedelta(days=8),
        "default": "go_on",
        "default_weeks": 2,
        "planned_readers": 3,
    }
    return {**form, **values}


def test_a_stage_is_added_and_its_default_is_never_to_end(leads_door, cohort):
    path = "/admin/cohorts/stage/add/"

    assert leads_door.post(path, stage_form(cohort, default="end")).status_code == 200
    assert leads_door.post(path, stage_form(cohort)).status_code == 302
    assert Stage.objects.get().default == "go_on"


def test_a_reading_that_closes_after_the_decisions_is_refused_in_a_sentence(leads_door, cohort):
    day = f"{timezone.now() + timedelta(days=8):%Y-%m-%d}"

    answer = leads_door.post("/admin/cohorts/stage/add/", stage_form(cohort, reading_closes_at_0=day))

    assert "due after the reading has closed" in answer.content.decode()
    assert not Stage.objects.exists()


def test_a_reading_is_moved_through_its_verb(leads_door, cohort):
    leads_door.post("/admin/cohorts/stage/add/", stage_form(cohort))
    stage = Stage.objects.get()
    later = {"reading_closes_at_0": f"{timezone.now() + timedelta(days=6):%Y-%m-%d}"}

    leads_door.post(f"/admin/cohorts/stage/{stage.pk}/change/", stage_form(cohort, **later))

    from tracker.events.models import Event

    stage.refresh_from_db()
    assert f"{stage.reading_closes_at:%Y-%m-%d}" == later["reading_closes_at_0"]
    assert Event.objects.filter(kind="reading.moved").exists()


def test_somebody_is_enrolled(leads_door, program, cohort):
    person = make_person(Role.MENTEE, program=program)
    form = {"person": person.pk, "cohort": cohort.pk, "joined_on": timezone.localdate()}

    leads_door.post("/admin/cohorts/enrollment/add/", form)

    assert Enrollment.objects.get().person == person


def test_estimates_are_released_after_the_reading_and_not_before(leads_door, stage, lead):
    make_fit(stage.cohort.program)
    path = "/admin/estimates/release/add/"

    early = leads_door.post(path, {"stage": stage.pk})
    close_reading(stage)
    late = leads_door.post(path, {"stage": stage.pk})

    assert "is open until" in said(early)[0]
    assert late.status_code == 302
    assert Release.objects.get().released_by == lead


def test_what_stands_already_is_refused_in_a_sentence(leads_door, program, cohort, mentor):
    make_rubric(program)
    mentee = make_mentee(cohort)
    none = {"criteria-TOTAL_FORMS": "0", "criteria-INITIAL_FORMS": "0", "readers": "everybody"}
    none |= {"questions-TOTAL_FORMS": "0", "questions-INITIAL_FORMS": "0"}

    for path, form in (
        ("/admin/people/membership/add/", {"person": mentor.pk, "role": "mentor"}),
        (
            "/admin/cohorts/enrollment/add/",
            {"person": mentee.pk, "cohort": cohort.pk, "joined_on": "2026-01-01"},
        ),
        (
            "/admin/ratings/rubric/add/",
            {"program": program.pk, "name": "New", "version": "1", **none},
        ),
    ):
        answer = leads_door.post(path, form)
        assert answer.status_code == 302
        assert any("stands already" in sentence for sentence in said(answer)), path
    assert (Membership.objects.count(), Enrollment.objects.count()) == (3, 1)


@pytest.mark.parametrize("words", ["5", "true", "null", '["mentee"]', '{"mentee": 5}', '{"mentee": " "}'])
def test_words_are_an_object_of_words(leads_door, program, words):
    form = {
        "name": program.name,
        "measurements_join_from": "20",
        "conflicts_reach": "team",
        "conflicted_ratings": "kept",
    }
    path = f"/admin/people/program/{program.pk}/change/"

    refused = leads_door.post(path, {**form, "words": words})
    taken = leads_door.post(path, {**form, "words": '{"mentee": "fellow"}'})
    emptied = leads_door.post(path, {**form, "words": "{}"})

    assert "Give an object of words to words" in refused.content.decode()
    assert (taken.status_code, emptied.status_code) == (302, 302)


def test_a_lead_reaches_into_no_other_program(leads_door, program, foreigner, stranger):
    other = make_cohort(foreigner.program)
    theirs = make_stage(other)

    for path in (f"/admin/people/person/{foreigner.pk}/change/", f"/admin/cohorts/stage/{theirs.pk}/change/"):
        assert leads_door.get(path).status_code == 302
    for path, form in (
        ("/admin/people/membership/add/", {"person": foreigner.pk, "role": "mentor"}),
        ("/admin/cohorts/cohort/add/", {"program": foreigner.program.pk, "name": "Mine"}),
        ("/admin/people/apikey/add/", {"program": foreigner.program.pk, "name": "x", "scopes": ["read"]}),
        ("/admin/estimates/release/add/", {"stage": theirs.pk}),
    ):
        answer = leads_door.post(path, form)
        assert answer.status_code == 200
        assert "Select a valid choice" in answer.content.decode()


def test_a_lead_who_only_mentors_elsewhere_changes_nothing_there(leads_door, lead, foreigner):
    Person.objects.join(program=foreigner.program, name="Guest", roles=(Role.MENTOR,), user=lead.user)
    path = f"/admin/people/person/{foreigner.pk}/change/"

    assert leads_door.get(path).status_code == 200
    assert leads_door.post(path, {"name": "Renamed", "external_id": ""}).status_code == 403


def test_only_a_superuser_makes_accounts_and_staff(leads_door, masters_door):
    form = {"email": "new@example.org", "password1": "a-long-passphrase", "password2": "a-long-passphrase"}

    assert leads_door.post("/admin/people/user/add/", form).status_code == 403
    assert (
        masters_door.post("/admin/people/user/add/", {**form, "usable_password": "true"}).status_code == 302
    )
    assert User.objects.filter(email="new@example.org", is_staff=False).exists()


def test_a_superuser_founds_a_fund_and_appoints_its_manager(masters_door, mentor):
    masters_door.post("/admin/funding/fund/add/", {"name": "New Fund", "manager": mentor.user.pk})

    mentor.user.refresh_from_db()
    assert mentor.user.is_staff
    assert [group.name for group in mentor.user.groups.all()] == ["Fund: New Fund"]


def test_who_lets_somebody_into_a_fund_or_out_of_it_is_kept(masters_door, mentor):
    root, group = User.objects.get(is_superuser=True), Fund.objects.found("New Fund").group
    form = {"email": mentor.user.email, "name": "Max Mentor", "is_active": "on"}
    stamps = {"last_login_0": "", "last_login_1": "", "date_joined_0": "2026-01-01", "date_joined_1": "10:00"}
    path = f"/admin/people/user/{mentor.user.pk}/change/"

    for groups in ([group.pk], [group.pk], []):
        assert masters_door.post(path, {**form, **stamps, "groups": groups}).status_code == 302

    told = [
        (event.subject, event.actor, event.payload) for event in Event.objects.filter(kind="account.grouped")
    ]
    assert told == [
        (mentor.user.public_id, root.public_id, {"door": "admin", "joined": joined, "left": left})
        for joined, left in ((["Fund: New Fund"], []), ([], ["Fund: New Fund"]))
    ]
    assert not mentor.user.groups.exists()


def test_a_lead_who_is_not_staff_stays_outside(client, lead):
    client.force_login(lead.user)

    assert client.get("/admin/people/person/").status_code in (302, 403)


def test_the_door_asks_for_a_log_in_by_the_same_page_as_everywhere(client):
    assert client.get("/admin/people/person/").status_code == 302
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/")
