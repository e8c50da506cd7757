"""Pages."""

from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from tracker.web.doors import by_method
from tracker.web.views import cohorts, home, people, projects, reading, releases, submissions, work

urlpatterns = [
    path("", home.home, name="home"),
    path("cohorts/", cohorts.cohorts, name="cohorts"),
    path("cohorts/<uuid:cohort_id>/", cohorts.cohort, name="cohort"),
    path("cohorts/<uuid:cohort_id>/picture/", cohorts.cohort_picture, name="cohort-picture"),
    path("cohorts/<uuid:cohort_id>/grading/", cohorts.cohort_grading, name="cohort-grading"),
    path(
        "stages/<uuid:stage_id>/release/",
        by_method(get=releases.release_form, post=releases.release),
        name="release",
    ),
    path("people/<uuid:person_id>/", people.person, name="person"),
    path("released/", people.released, name="released"),
    path("projects/<uuid:project_id>/", projects.project, name="project"),
    path("projects/<uuid:project_id>/feedback/", projects.give_feedback, name="give-feedback"),
    path("projects/<uuid:project_id>/conflict/", projects.declare_conflict, name="declare-conflict"),
    path("feedback/<uuid:feedback_id>/acknowledge/", projects.acknowledge, name="acknowledge"),
    path("reading/", reading.reading, name="reading"),
    path(
        "outputs/<uuid:output_id>/rate/",
        by_method(get=reading.rating_form, post=reading.record_rating),
        name="rate",
    ),
    path(
        "ratings/<uuid:rating_id>/retract/",
        by_method(get=reading.retraction_form, post=reading.retract_rating),
        name="retract",
    ),
    path("mine/", work.mine, name="mine"),
    path(
        "projects/<uuid:project_id>/submit/<uuid:benchmark_id>/",
        csrf_exempt(by_method(get=work.submission_form, post=work.submit)),
        name="submit",
    ),
    path("submissions/<uuid:submission_id>/", submissions.submission, name="submission"),
    path("benchmarks/<uuid:benchmark_id>/files/<str:name>", work.benchmark_file, name="benchmark-file"),
    path(
        "submissions/<uuid:submission_id>/progress/",
        submissions.submission_progress,
        name="submission-progress",
    ),
    path("submissions/<uuid:submission_id>/regrade/", submissions.regrade, name="regrade"),
    path("submissions/<uuid:submission_id>/let-through/", submissions.let_through, name="let-through"),
    path("submissions/<uuid:submission_id>/refuse/", submissions.refuse_held, name="refuse-held"),
    path("submissions/<uuid:submission_id>/choose/", submissions.choose, name="choose"),
    path("runs/<uuid:run_id>/cancel/", submissions.cancel_run, name="cancel-run"),
]
