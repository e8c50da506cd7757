"""Benchmarks, submissions, runs."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from tracker.api.authentication import key_of, user_of
from tracker.api.filters import SubmissionFilters
from tracker.api.serializers.grading import (
    BenchmarkSerializer,
    RunSerializer,
    SubmissionSerializer,
    UploadSerializer,
)
from tracker.grading.intake import watch
from tracker.grading.models import Benchmark, Run, Submission
from tracker.people.models import Scope


class BenchmarkViewSet(ReadOnlyModelViewSet[Benchmark]):
    """Tasks with hidden labels: what each declares, and where submissions to it are sent."""

    serializer_class = BenchmarkSerializer
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {"list": Scope.READ, "retrieve": Scope.READ, "submissions": Scope.SUBMISSIONS_WRITE}

    def get_queryset(self) -> QuerySet[Benchmark]:
        return Benchmark.objects.visible_to(self.request.user)

    @extend_schema(request={"multipart/form-data": UploadSerializer}, responses={201: SubmissionSerializer})
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser])
    def submissions(self, request: Request, public_id: UUID) -> Response:
        """Upload a file. It is refused while it streams, as soon as it is larger than the benchmark allows."""
        benchmark = self.get_object()
        intake = watch(request._request, benchmark)
        form = UploadSerializer(data=request.data, context=self.get_serializer_context())
        if intake.refusal is not None:
            raise intake.refusal
        form.is_valid(raise_exception=True)
        file, training = form.validated_data.pop("file"), form.validated_data.pop("training", None)
        asked = form.validated_data
        Submission.objects.check_quota(asked["project"], benchmark, check_only=asked["check_only"])
        submission = Submission.objects.submit(
            **form.validated_data,
            benchmark=benchmark,
            artifact=intake.receive(file, benchmark),
            training=intake.receive_training(training, benchmark),
            filename=file.name,
            by=key_of(request).person,
        )
        answer = SubmissionSerializer(submission, context=self.get_serializer_context())
        return Response(answer.data, status=status.HTTP_201_CREATED)


class SubmissionViewSet(ReadOnlyModelViewSet[Submission]):
    """What was sent to benchmarks, with every run of its grading."""

    serializer_class = SubmissionSerializer
    filterset_class = SubmissionFilters
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {"list": Scope.READ, "retrieve": Scope.READ}

    def get_queryset(self) -> QuerySet[Submission]:
        visible = Submission.objects.visible_to(self.request.user)
        return visible.select_related("project", "benchmark", "output").prefetch_related(
            "runs__submission", "runs__benchmark", "runs__measurements"
        )


class RunViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet[Run]):
    """Phases of grading: poll one until it is no longer open."""

    serializer_class = RunSerializer
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    scopes = {"list": Scope.READ, "retrieve": Scope.READ, "cancel": Scope.SUBMISSIONS_WRITE}

    def get_queryset(self) -> QuerySet[Run]:
        visible = Run.objects.visible_to(self.request.user).select_related("submission__program", "benchmark")
        return visible.prefetch_related("measurements") if self.action == "list" else visible

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One run. Send the answer's ``ETag`` back as ``If-None-Match`` and unchanged answers are an empty 304."""
        run = self.get_object()
        etag = etag_of(run)
        if get_conditional_response(request._request, etag=etag) is not None:
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag})
        return Response(self.get_serializer(run).data, headers={"ETag": etag})

    @extend_schema(request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, public_id: UUID) -> Response:
        """Stop a run: at once while it waits, within seconds while it runs."""
        run = self.get_object()
        run.cancel(by=user_of(request).public_id)
        return Response(self.get_serializer(run).data)


def etag_of(run: Run) -> str:
    """Changes exactly when what a poll shows has changed."""
    started = run.started_at.timestamp() if run.started_at else 0
    return f'"{run.state}-{run.progress_done}-{run.progress_total}-{run.attempts}-{started:.6f}"'
