"""What teams say of their projects: claims, milestones, whose it is."""

from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import CreateModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from tracker.api.filters import ClaimFilters, CreditFilters, MilestoneFilters
from tracker.api.serializers.course import (
    CheckSerializer,
    ClaimSerializer,
    CreditStatementSerializer,
    MilestoneSerializer,
    PredictionSerializer,
    SaidSerializer,
)
from tracker.people.models import Scope
from tracker.projects.models import Claim, CreditStatement, Milestone, Output


class Said(CreateModelMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet[Any]):
    """Rows that somebody of a team says, and deeds on them. Whose word it is stands in ``person``."""

    lookup_field = "public_id"
    lookup_value_converter = "uuid"

    def said(self, request: Request, form: type[SaidSerializer]) -> tuple[Any, dict[str, Any]]:
        """The row, and what was said about it."""
        row = self.get_object()
        told = form(data=request.data, context=self.get_serializer_context())
        told.is_valid(raise_exception=True)
        return row, {
            ("by" if name == "person" else name): value for name, value in told.validated_data.items()
        }

    def answer(self, row: Any) -> Response:
        """As it now is."""
        return Response(self.get_serializer(self.get_queryset().get(pk=row.pk)).data)

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = self.get_queryset().get(pk=serializer.save().pk)


class ClaimViewSet(Said):
    """What projects stand on: read, tried, reproduced or failed. Named again, it is the same claim."""

    serializer_class = ClaimSerializer
    filterset_class = ClaimFilters
    scopes = {
        "list": Scope.READ,
        "retrieve": Scope.READ,
        "create": Scope.WORK_WRITE,
        "check": Scope.WORK_WRITE,
        "withdraw": Scope.WORK_WRITE,
    }

    def get_queryset(self) -> QuerySet[Claim]:
        visible = (
            Claim.objects.visible_to(self.request.user).with_stacked().select_related("made_by", "project")
        )
        shown = Prefetch("output", Output.objects.visible_to(self.request.user))
        return visible.prefetch_related(shown, "grounds__rests_on")

    @extend_schema(request=CheckSerializer, responses=ClaimSerializer)
    @action(detail=True, methods=["post"])
    def check(self, request: Request, public_id: UUID) -> Response:
        """Say what came of trying it. Anything but *read* shows its evidence: in words, or by an output."""
        claim, said = self.said(request, CheckSerializer)
        claim.check_off(said.pop("state"), **said)
        return self.answer(claim)

    @extend_schema(request=SaidSerializer, responses=ClaimSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, public_id: UUID) -> Response:
        """The project stands on it no more."""
        claim, said = self.said(request, SaidSerializer)
        claim.withdraw(**said)
        return self.answer(claim)


class MilestoneViewSet(Said):
    """Milestones with every forecast of their dates. Planned again in the same words, it is the same milestone."""

    serializer_class = MilestoneSerializer
    filterset_class = MilestoneFilters
    scopes = {
        "list": Scope.READ,
        "retrieve": Scope.READ,
        "create": Scope.WORK_WRITE,
        "predict": Scope.WORK_WRITE,
        "reach": Scope.WORK_WRITE,
    }

    def get_queryset(self) -> QuerySet[Milestone]:
        visible = Milestone.objects.visible_to(self.request.user).select_related("project")
        return visible.prefetch_related("forecasts__person")

    @extend_schema(request=PredictionSerializer, responses=MilestoneSerializer)
    @action(detail=True, methods=["post"])
    def predict(self, request: Request, public_id: UUID) -> Response:
        """Forecast its date; each forecast is kept, and the same said twice on one day is one."""
        milestone, said = self.said(request, PredictionSerializer)
        milestone.predict(said.pop("predicted_on"), **said)
        return self.answer(milestone)

    @extend_schema(request=SaidSerializer, responses=MilestoneSerializer)
    @action(detail=True, methods=["post"])
    def reach(self, request: Request, public_id: UUID) -> Response:
        """It is done, as its definition says."""
        milestone, said = self.said(request, SaidSerializer)
        milestone.reach(**said)
        return self.answer(milestone)


class CreditStatementViewSet(Said):
    """Whose a project's outputs are: proposed by one author, in force once all have confirmed it.

    Objections are private, and settling is a lead's: both have their page alone.
    """

    serializer_class = CreditStatementSerializer
    filterset_class = CreditFilters
    scopes = {
        "list": Scope.READ,
        "retrieve": Scope.READ,
        "create": Scope.WORK_WRITE,
        "confirm": Scope.WORK_WRITE,
    }

    def get_queryset(self) -> QuerySet[CreditStatement]:
        visible = CreditStatement.objects.visible_to(self.request.user)
        related = visible.select_related("project", "stated_by", "settled_by")
        return related.prefetch_related("shares__person", "confirmations__person")

    @extend_schema(request=SaidSerializer, responses=CreditStatementSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, public_id: UUID) -> Response:
        """An author agrees; with the last one it is in force. Agreeing again changes nothing."""
        statement, said = self.said(request, SaidSerializer)
        statement.confirm(**said)
        return self.answer(statement)
