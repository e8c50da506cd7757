"""Endpoints."""

from django.urls import URLPattern, URLResolver, path, re_path
from rest_framework.routers import SimpleRouter

from tracker.api.docs import Documentation, NothingHere, Schema
from tracker.api.viewsets.course import ClaimViewSet, CreditStatementViewSet, MilestoneViewSet
from tracker.api.viewsets.decisions import (
    AdmissionRoundViewSet,
    ApplicationViewSet,
    DecisionViewSet,
    GateRuleViewSet,
    ReferenceViewSet,
)
from tracker.api.viewsets.estimates import EstimateViewSet, FitViewSet
from tracker.api.viewsets.grading import BenchmarkViewSet, RunViewSet, SubmissionViewSet
from tracker.api.viewsets.people import CohortViewSet, PersonViewSet, RubricViewSet
from tracker.api.viewsets.ratings import AssignmentViewSet, RatingViewSet
from tracker.api.viewsets.work import OutputViewSet, ProjectViewSet

router = SimpleRouter(use_regex_path=False)
for name, viewset in (
    ("people", PersonViewSet),
    ("cohorts", CohortViewSet),
    ("rubrics", RubricViewSet),
    ("projects", ProjectViewSet),
    ("outputs", OutputViewSet),
    ("claims", ClaimViewSet),
    ("milestones", MilestoneViewSet),
    ("credit-statements", CreditStatementViewSet),
    ("ratings", RatingViewSet),
    ("assignments", AssignmentViewSet),
    ("gates", GateRuleViewSet),
    ("decisions", DecisionViewSet),
    ("rounds", AdmissionRoundViewSet),
    ("applications", ApplicationViewSet),
    ("references", ReferenceViewSet),
    ("benchmarks", BenchmarkViewSet),
    ("submissions", SubmissionViewSet),
    ("runs", RunViewSet),
    ("estimates", EstimateViewSet),
    ("fits", FitViewSet),
):
    router.register(name, viewset, basename=f"api-{name}")

urlpatterns: list[URLPattern | URLResolver] = [
    *router.urls,
    path("schema/", Schema.as_view(), name="api-schema"),
    path("docs/", Documentation.as_view(url_name="api-schema"), name="api-docs"),
    re_path("", NothingHere.as_view(), name="api-nothing"),
]
