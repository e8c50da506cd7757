"""People, cohorts, rubrics: what a program is made of."""

from django.db.models import Prefetch, QuerySet
from rest_framework.viewsets import ReadOnlyModelViewSet

from tracker.api.filters import PersonFilters
from tracker.api.serializers.people import CohortSerializer, PersonSerializer
from tracker.api.serializers.ratings import RubricSerializer
from tracker.cohorts.models import Cohort
from tracker.people.models import Membership, Person, Scope
from tracker.ratings.models import Rubric


class PersonViewSet(ReadOnlyModelViewSet[Person]):
    """People of the program, with the roles they hold now."""

    serializer_class = PersonSerializer
    filterset_class = PersonFilters
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {"list": Scope.READ, "retrieve": Scope.READ}

    def get_queryset(self) -> QuerySet[Person]:
        roles = Prefetch("memberships", Membership.objects.active(), to_attr="standing_memberships")
        return Person.objects.visible_to(self.request.user).prefetch_related(roles)


class CohortViewSet(ReadOnlyModelViewSet[Cohort]):
    """Cohorts with their stages: when each reading is open and when decisions are due."""

    serializer_class = CohortSerializer
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {"list": Scope.READ, "retrieve": Scope.READ}

    def get_queryset(self) -> QuerySet[Cohort]:
        return Cohort.objects.visible_to(self.request.user).prefetch_related("stages")


class RubricViewSet(ReadOnlyModelViewSet[Rubric]):
    """Rubrics with their criteria and scales; the one without ``retired_at`` is in use."""

    serializer_class = RubricSerializer
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {"list": Scope.READ, "retrieve": Scope.READ}

    def get_queryset(self) -> QuerySet[Rubric]:
        return Rubric.objects.visible_to(self.request.user).prefetch_related("criteria")
