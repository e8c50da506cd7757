"""Gates, decisions, admission: what people decided. Keys read it; no key decides."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from tracker.api.filters import (
    ApplicationFilters,
    DecisionFilters,
    GateFilters,
    ReferenceFilters,
    RoundFilters,
)
from tracker.api.serializers.decisions import (
    AdmissionRoundSerializer,
    ApplicationSerializer,
    ApplyingSerializer,
    DecisionSerializer,
    GateRuleSerializer,
    ReferenceSerializer,
)
from tracker.cohorts.models import AdmissionRound, Application
from tracker.decisions.models import GateRule, StageDecision
from tracker.people.models import Scope
from tracker.projects.applying import withdraw_application
from tracker.projects.models import Reference


class GateRuleViewSet(ReadOnlyModelViewSet[GateRule]):
    """Every version of every gate's rule; the one without ``replaced_at`` stands."""

    serializer_class = GateRuleSerializer
    filterset_class = GateFilters
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {"list": Scope.READ, "retrieve": Scope.READ}

    def get_queryset(self) -> QuerySet[GateRule]:
        return GateRule.objects.visible_to(self.request.user).select_related("stage", "set_by", "lottery")


class DecisionViewSet(ReadOnlyModelViewSet[StageDecision]):
    """What was decided about people, once they are told it: an end after its second reader has agreed."""

    serializer_class = DecisionSerializer
    filterset_class = DecisionFilters
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {"list": Scope.DECISIONS_READ, "retrieve": Scope.DECISIONS_READ}

    def get_queryset(self) -> QuerySet[StageDecision]:
        visible = StageDecision.objects.visible_to(self.request.user).with_what_is_told()
        return visible.select_related("enrollment__person", "stage", "decider")


class AdmissionRoundViewSet(ReadOnlyModelViewSet[AdmissionRound]):
    """When people may apply to which cohort, and what is asked of them."""

    serializer_class = AdmissionRoundSerializer
    filterset_class = RoundFilters
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {"list": Scope.READ, "retrieve": Scope.READ}

    def get_queryset(self) -> QuerySet[AdmissionRound]:
        return AdmissionRound.objects.visible_to(self.request.user).select_related("cohort", "stage")


class ReferenceViewSet(ReadOnlyModelViewSet[Reference]):
    """Whom applicants named, and whether what they wrote is in. Their links are a lead's to send."""

    serializer_class = ReferenceSerializer
    filterset_class = ReferenceFilters
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {"list": Scope.READ, "retrieve": Scope.READ}

    def get_queryset(self) -> QuerySet[Reference]:
        visible = Reference.objects.visible_to(self.request.user).of_sent_applications()
        return visible.select_related("application", "output")


class ApplicationViewSet(ReadOnlyModelViewSet[Application]):
    """Applications that were sent. What was written lies among the outputs of the round's stage."""

    serializer_class = ApplicationSerializer
    filterset_class = ApplicationFilters
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {
        "list": Scope.READ,
        "retrieve": Scope.READ,
        "create": Scope.PEOPLE_WRITE,
        "withdraw": Scope.PEOPLE_WRITE,
    }

    def get_queryset(self) -> QuerySet[Application]:
        visible = Application.objects.visible_to(self.request.user)
        return visible.select_related("round", "enrollment__person", "track", "stream")

    @extend_schema(request=ApplyingSerializer, responses={201: ApplicationSerializer})
    def create(self, request: Request) -> Response:
        """Send an application. The same address for the same round again changes what was sent."""
        form = ApplyingSerializer(data=request.data, context=self.get_serializer_context())
        form.is_valid(raise_exception=True)
        application = self.get_queryset().get(pk=form.save().pk)
        return Response(self.get_serializer(application).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=ApplicationSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, public_id: UUID) -> Response:
        """Take an application back while its round is open; later only the applicant does, on their page."""
        application = self.get_object()
        withdraw_application(application, by_program=True)
        return Response(self.get_serializer(application).data)
