"""People, cohorts, rubrics: what a program is made of."""

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from tracker.api.filters import PersonFilters
from tracker.api.serializers.people import AdmissionSerializer, CohortSerializer, PersonSerializer
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
    scopes = {"list": Scope.READ, "retrieve": Scope.READ, "create": Scope.PEOPLE_WRITE}

    def get_queryset(self) -> QuerySet[Person]:
        roles = Prefetch("memberships", Membership.objects.active(), to_attr="standing_memberships")
        return Person.objects.visible_to(self.request.user).prefetch_related(roles)

    @extend_schema(request=AdmissionSerializer, responses={201: PersonSerializer})
    def create(self, request: Request) -> Response:
        """Admit a mentee or mentor. The same ``external_id`` with the same content again is the same person."""
        form = AdmissionSerializer(data=request.data, context=self.get_serializer_context())
        form.is_valid(raise_exception=True)
        person = self.get_queryset().get(pk=form.save().pk)
        return Response(self.get_serializer(person).data, status=status.HTTP_201_CREATED)


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
        return Rubric.objects.visible_to(self.request.user).prefetch_related("criteria", "questions")
