"""Estimates of the current fit, each with its interval, and the history of fits. Who looks is logged."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from tracker.api.authentication import user_of
from tracker.api.filters import EstimateFilters
from tracker.api.serializers.estimates import EstimateSerializer, FitSerializer
from tracker.estimates.models import Estimate, Fit
from tracker.estimates.viewing import record_view
from tracker.people.models import Scope


class EstimateViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet[Estimate]):
    """The current picture of everybody in the program, addressed by the person's id."""

    serializer_class = EstimateSerializer
    filterset_class = EstimateFilters
    lookup_field = "person__public_id"
    lookup_url_kwarg = "public_id"
    lookup_value_converter = "uuid"
    scopes = {"list": Scope.ESTIMATES_READ, "retrieve": Scope.ESTIMATES_READ}

    def get_queryset(self) -> QuerySet[Estimate]:
        return Estimate.objects.visible_to(self.request.user).select_related("fit__program", "person")

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        record_view(page or (), by=user_of(self.request), door="api")
        return page

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        estimate = self.get_object()
        record_view([estimate], by=user_of(request), door="api")
        return Response(self.get_serializer(estimate).data)


class FitViewSet(ReadOnlyModelViewSet[Fit]):
    """Every computation of the estimates, with what it saw; old ones stay."""

    serializer_class = FitSerializer
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {"list": Scope.ESTIMATES_READ, "retrieve": Scope.ESTIMATES_READ}

    def get_queryset(self) -> QuerySet[Fit]:
        return Fit.objects.visible_to(self.request.user).prefetch_related("releases__stage")
