"""What lists can be filtered by; anything else in the query is refused, not ignored."""

from typing import Any

from django.db import models
from django_filters import rest_framework as filters
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from tracker.cohorts.models import AdmissionRound, Application
from tracker.decisions.models import GateRule, StageDecision
from tracker.estimates.models import Estimate
from tracker.grading.models import Submission
from tracker.people.models import Person, Role
from tracker.projects.models import Claim, CreditStatement, Milestone, Output, Project, Reference
from tracker.ratings.models import Assignment, Rating

OF_PAGES = {"cursor"}


class NamedFilters(filters.DjangoFilterBackend):
    """Refuses parameters that the endpoint does not name: a hidden column is no way to sort or search."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        filterset = self.get_filterset_class(view, queryset)
        known = set(filterset.base_filters) if filterset is not None else set()
        if getattr(view, "action", None) == "list":
            known |= OF_PAGES
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            names = ", ".join(sorted(known)) or "none"
            raise ValidationError({unknown[0][:80]: [f"Unknown parameter: this address takes {names}."]})
        empty = [name for name, value in request.query_params.items() if not str(value).strip()]
        if empty:
            raise ValidationError({empty[0]: ["Give a value, or leave the parameter out."]})
        return super().filter_queryset(request, queryset, view)


def one_of(choices: list[tuple[str, Any]], **values: Any) -> filters.ChoiceFilter:
    """A filter that says what it takes where it is given something else."""
    names = ", ".join(name for name, _ in choices)
    return filters.ChoiceFilter(
        choices=choices, error_messages={"invalid_choice": f"Use one of {names}."}, **values
    )


class PersonFilters(filters.FilterSet):
    external_id = filters.CharFilter()
    role = one_of(Role.choices, method="holding")

    class Meta:
        model = Person
        fields = ()

    def holding(self, people: Any, name: str, role: str) -> models.QuerySet[Person]:
        found: models.QuerySet[Person] = people.active_as(role)
        return found


class ProjectFilters(filters.FilterSet):
    external_id = filters.CharFilter()
    cohort = filters.UUIDFilter(field_name="cohort__public_id")
    state = one_of(Project.State.choices)

    class Meta:
        model = Project
        fields = ()


class OutputFilters(filters.FilterSet):
    external_id = filters.CharFilter()
    project = filters.UUIDFilter(field_name="project__public_id")
    stage = filters.UUIDFilter(field_name="stage__public_id")

    class Meta:
        model = Output
        fields = ()


class ClaimFilters(filters.FilterSet):
    project = filters.UUIDFilter(field_name="project__public_id")
    state = one_of(Claim.State.choices)

    class Meta:
        model = Claim
        fields = ()


class MilestoneFilters(filters.FilterSet):
    project = filters.UUIDFilter(field_name="project__public_id")

    class Meta:
        model = Milestone
        fields = ()


class CreditFilters(filters.FilterSet):
    project = filters.UUIDFilter(field_name="project__public_id")

    class Meta:
        model = CreditStatement
        fields = ()


class GateFilters(filters.FilterSet):
    stage = filters.UUIDFilter(field_name="stage__public_id")

    class Meta:
        model = GateRule
        fields = ()


class DecisionFilters(filters.FilterSet):
    stage = filters.UUIDFilter(field_name="stage__public_id")
    person = filters.UUIDFilter(field_name="enrollment__person__public_id")

    class Meta:
        model = StageDecision
        fields = ()


class RoundFilters(filters.FilterSet):
    cohort = filters.UUIDFilter(field_name="cohort__public_id")

    class Meta:
        model = AdmissionRound
        fields = ()


class ReferenceFilters(filters.FilterSet):
    application = filters.UUIDFilter(field_name="application__public_id")

    class Meta:
        model = Reference
        fields = ()


class ApplicationFilters(filters.FilterSet):
    round = filters.UUIDFilter(field_name="round__public_id")
    state = one_of(Application.State.choices)

    class Meta:
        model = Application
        fields = ()


class RatingFilters(filters.FilterSet):
    external_id = filters.CharFilter()
    output = filters.UUIDFilter(field_name="output__public_id")
    rater = filters.UUIDFilter(field_name="rater__public_id")

    class Meta:
        model = Rating
        fields = ()


class AssignmentFilters(filters.FilterSet):
    reader = filters.UUIDFilter(field_name="reader__public_id")
    output = filters.UUIDFilter(field_name="output__public_id")
    stage = filters.UUIDFilter(field_name="stage__public_id")

    class Meta:
        model = Assignment
        fields = ()


class SubmissionFilters(filters.FilterSet):
    external_id = filters.CharFilter()
    project = filters.UUIDFilter(field_name="project__public_id")
    benchmark = filters.UUIDFilter(field_name="benchmark__public_id")

    class Meta:
        model = Submission
        fields = ()


class EstimateFilters(filters.FilterSet):
    """The current fit, unless another one is asked for."""

    fit = filters.UUIDFilter(field_name="fit__public_id")
    person = filters.UUIDFilter(field_name="person__public_id")

    class Meta:
        model = Estimate
        fields = ()

    def filter_queryset(self, queryset: Any) -> models.QuerySet[Estimate]:
        if self.form.cleaned_data["fit"] is None:
            queryset = queryset.current()
        found: models.QuerySet[Estimate] = super().filter_queryset(queryset)
        return found
