"""Benchmarks, submissions, runs and measurements. Nothing hidden is among their fields."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tracker.api.fields import PublicIdField, Strict, StrictModelSerializer, external_id
from tracker.api.parsers import strict_json
from tracker.grading.models import Benchmark, Measurement, Run, Submission
from tracker.projects.models import Output, Project

LARGEST = 1e300
# What a result was computed with. What the grader found out about the hidden labels on the way stays with operators.
SHOWN_OF_RECORD = (
    "grader_version",
    "benchmark",
    "benchmark_version",
    "benchmark_hash",
    "artifact_hash",
    "seed",
    "split",
    "isolation",
    "format",
    "device",
    "device_name",
    "dtype",
    "torch",
    "seconds",
    "not_measured",
)


class BenchmarkSerializer(StrictModelSerializer):
    spec = serializers.SerializerMethodField(
        help_text="What it declares: task, metrics with their direction, formats, limits."
    )

    class Meta:
        model = Benchmark
        fields = ("id", "slug", "name", "version", "headline", "max_bytes", "spec", "retired_at")
        read_only_fields = fields

    def get_spec(self, benchmark: Benchmark) -> dict[str, Any]:
        return benchmark.spec


class MeasurementSerializer(serializers.ModelSerializer[Measurement]):
    class Meta:
        model = Measurement
        fields = (
            "metric",
            "slice",
            "value",
            "standard_error",
            "low",
            "high",
            "n",
            "clusters",
            "method",
            "seed",
        )
        read_only_fields = fields


class ProgressSerializer(serializers.Serializer[Run]):
    done = serializers.IntegerField(source="progress_done")
    total = serializers.IntegerField(source="progress_total")


class RunSerializer(StrictModelSerializer):
    submission = PublicIdField(Submission, read_only=True)
    benchmark_version = serializers.IntegerField(source="benchmark.version", read_only=True)
    progress = ProgressSerializer(source="*", read_only=True)
    measurements = MeasurementSerializer(many=True, read_only=True)
    record = serializers.SerializerMethodField(help_text="What it was computed with.")

    class Meta:
        model = Run
        fields = (
            "id",
            "submission",
            "benchmark_version",
            "phase",
            "queue",
            "state",
            "is_open",
            "code",
            "message",
            "progress",
            "queued_at",
            "started_at",
            "ended_at",
            "measurements",
            "claims",
            "record",
        )
        read_only_fields = fields

    def get_record(self, run: Run) -> dict[str, Any]:
        return {name: run.record[name] for name in SHOWN_OF_RECORD if name in run.record}


class SubmissionSerializer(StrictModelSerializer):
    project = PublicIdField(Project, read_only=True)
    benchmark = PublicIdField(Benchmark, read_only=True)
    output = PublicIdField(Output, read_only=True, allow_null=True)
    sha256 = serializers.CharField(source="artifact_id", read_only=True)
    training_sha256 = serializers.CharField(source="training_id", read_only=True, allow_null=True)
    runs = RunSerializer(many=True, read_only=True)

    class Meta:
        model = Submission
        fields = (
            "id",
            "external_id",
            "project",
            "benchmark",
            "output",
            "filename",
            "sha256",
            "training_sha256",
            "claims",
            "is_check_only",
            "is_chosen",
            "submitted_at",
            "held_at",
            "retracted_at",
            "runs",
        )
        read_only_fields = fields


class ClaimSerializer(Strict):
    """What the senders say they measured of one metric, and how sure they were."""

    value = serializers.FloatField(min_value=-LARGEST, max_value=LARGEST)
    standard_error = serializers.FloatField(min_value=0, max_value=LARGEST, required=False)
    n = serializers.IntegerField(min_value=1, max_value=10**9, required=False)
    seeds = serializers.IntegerField(min_value=1, max_value=10**6, required=False)


@extend_schema_field(OpenApiTypes.OBJECT)
class ClaimsField(serializers.Field[Any, Any, Any, Any]):
    """Metric to claim: a JSON object, sent as text because a file stands beside it."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        value = strict_json(data) if isinstance(data, str) else data
        if not isinstance(value, dict):
            raise serializers.ValidationError('Send a JSON object, such as {"accuracy": {"value": 0.93}}.')
        claim = ClaimSerializer()
        return {metric: dict(claim.run_validation(stated)) for metric, stated in value.items()}

    def to_representation(self, value: Any) -> Any:
        return value


class UploadSerializer(Strict):
    """A form with the file and, beside it, whose it is and what they claim."""

    project = PublicIdField(Project, scope="editable_by")
    file = serializers.FileField(max_length=200)
    check_only = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Only the first check: nothing is measured, and it costs no submission.",
    )
    training = serializers.FileField(
        max_length=200,
        required=False,
        help_text="What it was trained on, as text: looked at for the benchmark's own texts, where it has any.",
    )
    claims = ClaimsField(required=False, help_text='Such as {"accuracy": {"value": 0.93}}.')
    external_id = external_id()
