"""Ratings, alone and in bulk."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from tracker.api.authentication import key_of, user_of
from tracker.api.drafts import record_rows
from tracker.api.errors import TooLarge
from tracker.api.filters import AssignmentFilters, RatingFilters
from tracker.api.serializers.ratings import (
    AssignmentSerializer,
    BulkAnswerSerializer,
    BulkSerializer,
    RatingRowSerializer,
    RatingSerializer,
    RetractionSerializer,
    RevisionSerializer,
)
from tracker.people.models import Scope
from tracker.ratings.models import Assignment, Rating
from tracker.ratings.rules import sole_verdict

MOST_ROWS = 10_000


class RatingViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet[Rating]):
    """Readers' judgements of outputs. Reading them takes the scope of estimates, as it tells who said what."""

    serializer_class = RatingSerializer
    filterset_class = RatingFilters
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {
        "list": Scope.ESTIMATES_READ,
        "retrieve": Scope.ESTIMATES_READ,
        "create": Scope.RATINGS_WRITE,
        "bulk": Scope.RATINGS_WRITE,
        "revise": Scope.RATINGS_WRITE,
        "retract": Scope.RATINGS_WRITE,
    }

    def get_queryset(self) -> QuerySet[Rating]:
        visible = Rating.objects.visible_to(self.request.user).with_conflict()
        related = visible.select_related("output__stage", "rater", "program", "rubric", "revises", "version")
        return related.prefetch_related("scores__criterion", "forecasts__question")

    @extend_schema(request=RatingRowSerializer, responses={201: RatingSerializer})
    def create(self, request: Request) -> Response:
        """Record one rating. The same ``external_id`` with the same content again is welcome."""
        with sole_verdict():
            recorded = record_rows(
                [request.data], program=key_of(request).person.program, by=user_of(request)
            )
        rating = self.get_queryset().get(pk=recorded[0].pk)
        return Response(self.get_serializer(rating).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=BulkSerializer, responses={201: BulkAnswerSerializer})
    @action(detail=False, methods=["post"])
    def bulk(self, request: Request) -> Response:
        """Record up to 10,000 ratings: all of them, or none with every faulty row named."""
        form = BulkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        rows, dry_run = form.validated_data["ratings"], form.validated_data["dry_run"]
        if len(rows) > MOST_ROWS:
            raise TooLarge(f"{len(rows)} ratings are too many at once: send at most {MOST_ROWS}.")
        recorded = record_rows(
            rows, program=key_of(request).person.program, by=user_of(request), dry_run=dry_run
        )
        ids = [] if dry_run else [rating.public_id for rating in recorded]
        answer = BulkAnswerSerializer({"dry_run": dry_run, "count": len(recorded), "ids": ids})
        return Response(answer.data, status=status.HTTP_200_OK if dry_run else status.HTTP_201_CREATED)

    @extend_schema(request=RevisionSerializer, responses={201: RatingSerializer})
    @action(detail=True, methods=["post"])
    def revise(self, request: Request, public_id: UUID) -> Response:
        """Give a further version while the reading is open; the one before stays on record."""
        form = RevisionSerializer(data=request.data)
        rating = self.get_object()
        form.is_valid(raise_exception=True)
        revised = rating.revise(by=user_of(request).public_id, **form.validated_data)
        rating = self.get_queryset().get(pk=revised.pk)
        return Response(self.get_serializer(rating).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=RetractionSerializer, responses=RatingSerializer)
    @action(detail=True, methods=["post"])
    def retract(self, request: Request, public_id: UUID) -> Response:
        """Take a rating back while the reading is open; it stays readable, with the reason."""
        rating = self.get_object()
        form = RetractionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        rating.retract(reason=form.validated_data["reason"], by=user_of(request).public_id)
        return Response(self.get_serializer(rating).data)


class AssignmentViewSet(ReadOnlyModelViewSet[Assignment]):
    """Who is to read what, in which order and why."""

    serializer_class = AssignmentSerializer
    filterset_class = AssignmentFilters
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {"list": Scope.READ, "retrieve": Scope.READ}

    def get_queryset(self) -> QuerySet[Assignment]:
        visible = Assignment.objects.visible_to(self.request.user)
        return visible.select_related("reader", "output", "stage")
