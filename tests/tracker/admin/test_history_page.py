"""The history page of the admin: what it shows, and to whom."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_mentee, make_output, make_project, make_rating, make_stage
from tests.tracker.admin.test_scope import OURS

pytestmark = pytest.mark.django_db


def page(door, row):
    label = row._meta.label_lower.replace(".", "/")
    return door.get(f"/admin/{label}/{row.pk}/history/")


def test_it_says_who_changed_what_when_and_by_which_door(leads_door, lead, program):
    kept = {"conflicts_reach": "authors", "conflicted_ratings": "kept"}
    form = {"name": "Renamed", "measurements_join_from": "20", "words": "{}", **kept}
    leads_door.post(f"/admin/people/program/{program.pk}/change/", form)

    text = page(leads_door, program).content.decode()

    for words in ("Northern Lights → Renamed", str(lead.user), "<td>admin</td>", "<td>command</td>"):
        assert words in text


def test_it_shows_hostile_values_as_text(leads_door, cohort):
    project = make_project(cohort, title="Before")
    type(project).objects.filter(pk=project.pk).update(title="<script>x</script>")

    assert "<script>x" not in page(leads_door, project).content.decode()


def test_a_fund_learns_nothing_of_how_a_person_became(funds_door, shared):
    person = shared.person
    type(person).objects.filter(pk=person.pk).update(external_id="inside")

    answer = page(funds_door, person)

    assert "inside" not in answer.content.decode()
    assert "for those who lead or audit" in answer.content.decode()


def test_a_row_of_another_program_has_no_page(leads_door, foreigner):
    assert page(leads_door, foreigner).status_code == 404


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_list_has_it(masters_door, cohort, shared, model):
    make_rating(make_output(make_project(cohort), stage=make_stage(cohort)))
    row = model.objects.first()

    assert row is None or page(masters_door, row).status_code == 200


def test_it_costs_the_same_however_much_happened(leads_door, cohort):
    mentee = make_mentee(cohort)
    costs = []
    for changes in (1, 30):
        for number in range(changes):
            type(mentee).objects.filter(pk=mentee.pk).update(name=f"Name {number}")
        with CaptureQueriesContext(connection) as queries:
            page(leads_door, mentee)
        costs.append(len(queries))

    assert costs[0] == costs[1] <= 12


def test_who_looks_at_what_became_of_a_rating_reads_no_longer_blind(leads_door, lead, stage):
    rating = make_rating(make_output(make_project(stage.cohort), stage=stage))

    page(leads_door, rating)

    assert not make_rating(rating.output, lead).is_blind
