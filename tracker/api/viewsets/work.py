"""Projects and outputs."""

from uuid import UUID

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import CreateModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from tracker.api.filters import OutputFilters, ProjectFilters
from tracker.api.serializers.work import OutputSerializer, ProjectSerializer
from tracker.people.models import Scope
from tracker.projects.models import Output, Project, TeamMember


class ProjectViewSet(CreateModelMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet[Project]):
    """Projects with their teams. Sending an ``external_id`` again changes what is sent, but never the cohort."""

    serializer_class = ProjectSerializer
    filterset_class = ProjectFilters
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {"list": Scope.READ, "retrieve": Scope.READ, "create": Scope.WORK_WRITE}

    def get_queryset(self) -> QuerySet[Project]:
        team = Prefetch("team", TeamMember.objects.active().select_related("person"))
        visible = Project.objects.visible_to(self.request.user)
        return visible.select_related("cohort").prefetch_related(team)


class OutputViewSet(CreateModelMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet[Output]):
    """What projects have made. Sending an ``external_id`` again changes the output."""

    serializer_class = OutputSerializer
    filterset_class = OutputFilters
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {
        "list": Scope.READ,
        "retrieve": Scope.READ,
        "create": Scope.WORK_WRITE,
        "retract": Scope.WORK_WRITE,
    }

    def get_queryset(self) -> QuerySet[Output]:
        visible = Output.objects.visible_to(self.request.user)
        return visible.select_related("project", "stage", "program").prefetch_related("versions")

    @extend_schema(request=None, responses=OutputSerializer)
    @action(detail=True, methods=["post"])
    def retract(self, request: Request, public_id: UUID) -> Response:
        """Take an output back: it stays readable and counts no more."""
        output = self.get_object()
        output.retract()
        return Response(self.get_serializer(output).data)
