"""Who is too close to judge: declared or found, kept from rating, and counted as no reader ever after."""

import pytest
from django.db.models import OuterRef

from tests.factories import make_mentee, make_output, make_person, make_project, make_rating, make_rubric
from tracker.errors import RuleBroken
from tracker.estimates.evidence import evidence_of
from tracker.people.models import Person, Program, Role
from tracker.projects.models import Output
from tracker.projects.models.closeness import outputs_yet_to_read, too_close, too_close_to
from tracker.ratings.models import Assignment, Closeness, Conflict, Rating, Score

pytestmark = pytest.mark.django_db


@pytest.fixture
def output(stage):
    make_rubric(stage.cohort.program, "rigour")
    return make_output(make_project(stage.cohort), stage=stage)


def reach(program: Program, how_far: str) -> None:
    Program.objects.filter(pk=program.pk).update(conflicts_reach=how_far)


def may_rate(reader: Person, output: Output) -> bool:
    return outputs_yet_to_read(reader.user).filter(pk=output.pk).exists()


class TestHowFarItReaches:
    @pytest.mark.parametrize(("how_far", "may"), [("authors", True), ("team", False), ("family", False)])
    def test_to_the_teams_own_mentor(self, output, mentor, how_far, may):
        output.project.set_team(authors=None, mentors=[mentor])
        reach(output.program, how_far)

        assert may_rate(mentor, output) is may

    @pytest.mark.parametrize(("how_far", "may"), [("authors", True), ("team", True), ("family", False)])
    def test_to_whoever_mentors_one_of_its_authors_elsewhere(self, output, mentor, how_far, may):
        author = output.project.authors().get()
        make_project(output.project.cohort, authors=[author], mentors=[mentor])
        reach(output.program, how_far)

        assert may_rate(mentor, output) is may

    def test_not_to_those_who_mentored_once(self, output, mentor):
        output.project.set_team(authors=None, mentors=[mentor])
        reach(output.program, "family")
        output.project.set_team(authors=None, mentors=[])

        assert may_rate(mentor, output)

    def test_who_was_an_author_judges_nothing_of_it_any_more(self, output, mentor):
        authors = list(output.project.authors())
        output.project.set_team(authors=[*authors, mentor], mentors=None)
        output.project.set_team(authors=authors, mentors=None)
        later = make_output(output.project, stage=output.stage)

        assert not may_rate(mentor, later)
        assert later in Output.objects.filter(too_close_to(Person.objects.filter(pk=mentor.pk)))
        with pytest.raises(RuleBroken, match="is or was an author"):
            make_rating(later, mentor)

    def test_a_refusal_says_why(self, output, mentor):
        output.project.set_team(authors=None, mentors=[mentor])
        reach(output.program, "team")
        output.refresh_from_db()

        with pytest.raises(RuleBroken, match="somebody outside its team must rate it") as refusal:
            make_rating(output, mentor)

        assert refusal.value.code == "own-team"
        assert not Rating.objects.exists()

    @pytest.mark.parametrize("how_far", Program.Reach.values)
    def test_pages_rules_and_counts_say_the_same_of_everybody(self, stage, how_far):
        """The query that lists, the facts that judge, and the count of readers: for every pair."""
        program, cohort = stage.cohort.program, stage.cohort
        reach(program, how_far)
        program.refresh_from_db()
        people = [make_person(Role.MENTOR, program=program) for _ in range(5)]
        authors = [make_mentee(cohort) for _ in range(3)]
        projects = [
            make_project(cohort, authors=[authors[0]], mentors=[people[0]]),
            make_project(cohort, authors=[authors[0], authors[1]], mentors=[people[1]]),
            make_project(cohort, authors=[authors[1], authors[2]]),
            make_project(cohort, authors=[people[2], authors[2]], mentors=[people[3]]),
        ]
        outputs = [make_output(project, stage=stage) for project in projects]
        outputs[2].set_credit({"idea": {people[3]: 0.5, authors[2]: 0.5}})
        Conflict.objects.declare(person=people[4], project=projects[0])
        closeness = Closeness.of(program, outputs=outputs)

        for person in people:
            close = set(Output.objects.filter(too_close_to(Person.objects.filter(pk=person.pk))))
            judged = {output for output in outputs if not closeness.allows(output, person)}
            assert close == judged, person


class TestRatingBeforeTheConflict:
    def test_it_stays_marked_and_counts_as_no_reader(self, output, mentor):
        rating, other = make_rating(output, mentor), make_rating(output)

        Conflict.objects.declare(person=mentor, project=output.project)

        assert list(Rating.objects.too_close()) == [rating]
        assert list(Rating.objects.different_readers()) == [other]
        assert Rating.objects.with_conflict().get(pk=rating.pk).is_conflicted
        author = output.project.authors().get()
        assert evidence_of(output.program).different_readers()[author.pk] == {other.rater_id}

    @pytest.mark.parametrize(("setting", "scores"), [("kept", 2), ("left_out", 1)])
    def test_it_is_evidence_if_the_program_says_so(self, output, mentor, setting, scores):
        make_rating(output, mentor)
        make_rating(output)
        Conflict.objects.declare(person=mentor, project=output.project)
        output.program.conflicted_ratings = setting

        assert Score.objects.evidence(output.program).count() == scores

    def test_joining_the_team_later_is_found_too(self, output, mentor):
        make_rating(output, mentor)

        output.project.set_team(authors=[*output.project.authors(), mentor], mentors=None)

        assert not Rating.objects.different_readers().exists()

    def test_it_is_not_revised_any_more(self, output, mentor):
        rating = make_rating(output, mentor)
        Conflict.objects.declare(person=mentor, project=output.project)

        with pytest.raises(RuleBroken, match="declared a conflict"):
            rating.revise(scores={"rigour": 9.0})

        assert Rating.objects.count() == 1

    def test_withdrawn_it_counts_again(self, output, mentor):
        rating = make_rating(output, mentor)
        conflict = Conflict.objects.declare(person=mentor, project=output.project)

        conflict.withdraw()

        assert list(Rating.objects.different_readers()) == [rating]
        with pytest.raises(RuleBroken, match="withdrawn already"):
            conflict.withdraw()

    def test_the_reader_is_told(self, client, output, mentor):
        make_rating(output, mentor)
        Conflict.objects.declare(person=mentor, project=output.project)
        client.force_login(mentor.user)

        assert "counts as no reader" in client.get("/reading/").content.decode()
        page = client.get(f"/outputs/{output.public_id}/rate/").content.decode()
        assert "has declared a conflict with this project" in page


class TestModels:
    def test_they_rate_and_never_count_as_a_reader(self, output, mentor):
        model = make_person(Role.MENTOR, program=output.program, kind=Person.Kind.MODEL)
        make_rating(output, model)
        rating = make_rating(output, mentor)

        assert Rating.objects.evidence().count() == 2
        assert list(Rating.objects.different_readers()) == [rating]


class TestGivingWhatIsTooClose:
    def test_nobody_is_given_what_they_may_not_judge(self, output, mentor):
        Conflict.objects.declare(person=mentor, project=output.project)

        with pytest.raises(RuleBroken) as refusal:
            Assignment.objects.assign(mentor, output)

        assert refusal.value.code == "conflict"
        assert not Assignment.objects.exists()

    def test_declaring_a_conflict_gives_the_reading_back(self, output, mentor):
        given = Assignment.objects.assign(mentor, output)

        Conflict.objects.declare(person=mentor, project=output.project)

        given.refresh_from_db()
        assert given.withdrawal_reason == "A conflict was declared."

    def test_those_given_before_are_found(self, output, mentor):
        given = Assignment.objects.assign(mentor, output)
        assert not Assignment.objects.too_close().exists()

        output.set_credit({"idea": {mentor: 1}})

        assert list(Assignment.objects.too_close()) == [given]


def test_it_is_asked_of_rows_as_of_people(output, mentor):
    output.set_credit({"idea": {mentor: 1}})
    authors = Person.objects.filter(of_whom_too_close(output))

    assert set(authors) == {mentor, *output.project.authors()}


def of_whom_too_close(output: Output):
    """Everybody for whom the condition holds, with the person as the outer row."""
    from django.db.models import Exists

    return Exists(Output.objects.filter(too_close(person=OuterRef(OuterRef("pk"))), pk=output.pk))
