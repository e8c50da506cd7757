"""Claims, milestones and statements of credit through the API."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_mentee, make_output, make_project
from tracker.events.doors import Door
from tracker.projects.models import Claim, CreditStatement, Milestone, Project

pytestmark = pytest.mark.django_db
CLAIMS, MILESTONES = "/api/v1/claims/", "/api/v1/milestones/"
CREDIT = "/api/v1/credit-statements/"
TODAY = timezone.localdate()


@pytest.fixture
def team(cohort):
    return [make_mentee(cohort) for _ in range(2)]


@pytest.fixture
def project(cohort, team) -> Project:
    return make_project(cohort, authors=team)


@pytest.fixture
def who(team) -> dict:
    return {"person": str(team[0].public_id)}


def named(project, who, **values) -> dict:
    return {"project": str(project.public_id), **who, **values}


def day(ahead: int) -> str:
    return (TODAY + timedelta(days=ahead)).isoformat()


class TestClaims:
    @pytest.fixture
    def claim(self, api, project, who) -> dict:
        return api.post(CLAIMS, named(project, who, text="It scales.", url="arXiv:2401.01234")).json()

    def test_one_is_named_with_what_it_rests_on(self, api, project, who, claim, team):
        answer = api.post(CLAIMS, named(project, who, text="So it transfers.", rests_on=[claim["id"]]))

        told = answer.json()
        assert (answer.status_code, told["rests_on"], told["state"]) == (201, [claim["id"]], "read")
        assert claim["url"] == "https://arxiv.org/abs/2401.01234"
        assert told["made_by"] == str(team[0].public_id)
        assert Claim.history.latest("history_id").door == Door.API

    def test_sent_again_it_is_the_same(self, api, project, who, claim):
        again = api.post(CLAIMS, named(project, who, text="It scales.", url="arXiv:2401.01234"))

        assert (again.status_code, again.json()) == (201, claim)

    def test_three_untried_ones_are_marked(self, api, project, who, claim):
        second = api.post(CLAIMS, named(project, who, text="b", rests_on=[claim["id"]])).json()
        third = api.post(CLAIMS, named(project, who, text="c", rests_on=[second["id"]])).json()

        assert [one["is_stacked"] for one in (claim, second, third)] == [False, False, True]

    def test_what_was_tried_shows_its_evidence(self, api, project, who, claim):
        check = f"{CLAIMS}{claim['id']}/check/"
        output = make_output(project)
        bare = api.post(check, {**who, "state": "reproduced"})

        shown = api.post(check, {**who, "state": "reproduced", "output": str(output.public_id)})

        assert (bare.status_code, bare.json()["code"]) == (409, "evidence-missing")
        assert (shown.json()["state"], shown.json()["output"]) == ("reproduced", str(output.public_id))

    def test_an_output_that_became_private_is_not_told(self, api, project, who, claim):
        output = make_output(project)
        api.post(f"{CLAIMS}{claim['id']}/check/", {**who, "state": "tried", "output": str(output.public_id)})
        output.flag(["misuse"])

        assert api.get(f"{CLAIMS}{claim['id']}/").json()["output"] is None

    def test_a_withdrawn_one_is_withdrawn_once(self, api, who, claim):
        path = f"{CLAIMS}{claim['id']}/withdraw/"

        answers = [api.post(path, who) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 409]
        assert answers[0].json()["withdrawn_at"]

    def test_who_is_not_on_the_team_says_nothing(self, api, project, mentor, claim):
        outsider = {"person": str(mentor.public_id)}
        for path, body in (
            (CLAIMS, named(project, outsider, text="x")),
            (f"{CLAIMS}{claim['id']}/check/", {**outsider, "state": "tried", "evidence": "x"}),
            (f"{CLAIMS}{claim['id']}/withdraw/", outsider),
        ):
            answer = api.post(path, body)
            assert (answer.status_code, answer.json()["code"]) == (409, "not-an-author")

    def test_a_claim_of_another_project_carries_nothing(self, api, cohort, team, who, claim):
        elsewhere = make_project(cohort, authors=[team[0]])

        answer = api.post(CLAIMS, named(elsewhere, who, text="x", rests_on=[claim["id"]]))

        assert (answer.status_code, answer.json()["code"]) == (409, "other-project")
        assert Claim.objects.count() == 1


class TestMilestones:
    @pytest.fixture
    def milestone(self, api, project, who) -> dict:
        told = {"title": "First result", "definition_of_done": "Five seeds.", "due_on": day(30)}
        return api.post(MILESTONES, named(project, who, **told)).json()

    def test_planned_twice_in_the_same_words_it_is_one(self, api, project, who, milestone):
        told = {"title": "First result", "definition_of_done": "Five seeds.", "due_on": day(30)}

        assert api.post(MILESTONES, named(project, who, **told)).json() == milestone
        assert Milestone.objects.count() == 1

    def test_every_forecast_is_kept_and_a_retry_adds_none(self, api, who, milestone):
        path = f"{MILESTONES}{milestone['id']}/predict/"
        api.post(path, {**who, "predicted_on": day(30)})
        for _ in range(2):
            told = api.post(path, {**who, "predicted_on": day(35), "low_on": day(32), "high_on": day(60)})

        forecasts = told.json()["forecasts"]
        assert [one["predicted_on"] for one in forecasts] == [day(30), day(35)]
        assert (forecasts[1]["low_on"], told.json()["expected_on"]) == (day(32), day(35))

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"predicted_on": day(5), "low_on": day(1)}, "bad-range"),
            ({"predicted_on": day(-1)}, "past"),
        ],
    )
    def test_a_forecast_that_means_nothing_is_refused(self, api, who, milestone, body, code):
        answer = api.post(f"{MILESTONES}{milestone['id']}/predict/", {**who, **body})

        assert (answer.status_code, answer.json()["code"]) == (409, code)

    def test_it_is_reached_once(self, api, who, milestone):
        answers = [api.post(f"{MILESTONES}{milestone['id']}/reach/", who) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 409]
        assert answers[0].json()["reached_at"]


class TestCredit:
    @pytest.fixture
    def body(self, project, who, team) -> dict:
        shares = {"idea": {str(team[0].public_id): 0.7, str(team[1].public_id): 0.3}}
        return named(project, who, shares=shares)

    def test_it_is_in_force_once_every_author_has_confirmed_it(self, api, body, team, project):
        stated = api.post(CREDIT, body).json()
        confirm = f"{CREDIT}{stated['id']}/confirm/"

        answers = [api.post(confirm, {"person": str(team[1].public_id)}) for _ in range(2)]

        assert (stated["shares"], stated["in_force_at"]) == (body["shares"], None)
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[1].json()["in_force_at"]
        assert set(answers[1].json()["confirmed_by"]) == {str(person.public_id) for person in team}
        assert project.stated_credit()["idea"][team[0]] == pytest.approx(0.7)

    def test_the_same_sent_again_is_the_same_statement(self, api, body):
        assert api.post(CREDIT, body).json() == api.post(CREDIT, body).json()
        assert CreditStatement.objects.count() == 1

    def test_shares_that_do_not_sum_to_1_are_refused_by_the_rule(self, api, body, team):
        answer = api.post(CREDIT, {**body, "shares": {"idea": {str(team[0].public_id): 0.7}}})

        assert (answer.status_code, "sum to 0.7" in answer.json()["detail"]) == (409, True)

    @pytest.mark.parametrize(
        "shares",
        [
            {},
            [],
            7,
            {"idea": {}},
            {"idea": 1},
            {"idea": {"x": 1}},
            {"idea": {"SELF": True}},
            {"idea": {"SELF": "1"}},
        ],
    )
    def test_shares_that_cannot_be_read_are_malformed(self, api, body, team, shares):
        own = str(team[0].public_id)
        if isinstance(shares, dict) and isinstance(shares.get("idea"), dict):
            shares = {
                "idea": {own if name == "SELF" else name: value for name, value in shares["idea"].items()}
            }

        answer = api.post(CREDIT, {**body, "shares": shares})

        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["shares"])

    def test_somebody_of_the_other_world_has_no_share(self, api, body, foreign_output):
        stranger = foreign_output.project.authors().get()

        answer = api.post(CREDIT, {**body, "shares": {"idea": {str(stranger.public_id): 1.0}}})

        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["shares"])

    def test_a_mentor_confirms_nothing(self, api, body, mentor):
        stated = api.post(CREDIT, body).json()

        answer = api.post(f"{CREDIT}{stated['id']}/confirm/", {"person": str(mentor.public_id)})

        assert (answer.status_code, answer.json()["code"]) == (409, "not-an-author")

    def test_objections_are_told_to_no_key(self, api, body, team):
        stated = api.post(CREDIT, body).json()
        CreditStatement.objects.get().object(by=team[1], text="Sentinel")

        assert "Sentinel" not in api.get(f"{CREDIT}{stated['id']}/").content.decode()


@pytest.mark.parametrize("path", [CLAIMS, MILESTONES, CREDIT])
def test_a_list_costs_the_same_however_long(api, cohort, path):
    costs = []
    for _ in range(2):
        for _ in range(3):
            author = make_mentee(cohort)
            project = make_project(cohort, authors=[author])
            lower = Claim.objects.make(project, "a", by=author)
            Claim.objects.make(project, "b", by=author).rest_on(lower, by=author)
            told = {"title": "x", "definition_of_done": "y", "due_on": TODAY}
            Milestone.objects.plan(project, by=author, **told).predict(TODAY, by=author)
            CreditStatement.objects.state(project, {"idea": {author: 1.0}}, by=author)
        with CaptureQueriesContext(connection) as queries:
            answer = api.get(path)
        costs.append(len(queries))

    assert len(answer.json()["results"]) >= 6
    assert costs[0] == costs[1]


@pytest.mark.parametrize("path", [CLAIMS, MILESTONES, CREDIT])
def test_nothing_is_said_of_a_project_of_the_other_world(api, who, foreign_output, path):
    values = {"text": "x", "title": "x", "definition_of_done": "y", "due_on": day(1)}
    fields = {CLAIMS: ("text",), MILESTONES: ("title", "definition_of_done", "due_on"), CREDIT: ("shares",)}
    body = {name: values.get(name, {"idea": {who["person"]: 1.0}}) for name in fields[path]}

    answer = api.post(path, named(foreign_output.project, who, **body))

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["project"])


def test_lists_can_be_narrowed_to_a_project(api, project, team, cohort):
    Claim.objects.make(project, "mine", by=team[0])
    Claim.objects.make(make_project(cohort, authors=[team[1]]), "other", by=team[1])

    found = api.get(f"{CLAIMS}?project={project.public_id}&state=read").json()["results"]

    assert [one["text"] for one in found] == ["mine"]
    assert api.get(f"{CLAIMS}?state=sung").status_code == 400
