"""Rubrics, ratings, and the rows that become ratings."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tracker.api.fields import PublicIdField, Strict, StrictModelSerializer, external_id
from tracker.people.models import Person
from tracker.projects.models import Output
from tracker.ratings.models import Criterion, Rating, Rubric

LARGEST_COMMENT = 10_000


class CriterionSerializer(StrictModelSerializer):
    class Meta:
        model = Criterion
        fields = ("id", "key", "name", "question", "lowest", "highest", "low_anchor", "high_anchor")
        read_only_fields = fields


class RubricSerializer(StrictModelSerializer):
    criteria = CriterionSerializer(many=True, read_only=True)

    class Meta:
        model = Rubric
        fields = ("id", "name", "version", "retired_at", "criteria")
        read_only_fields = fields


@extend_schema_field({"type": "object", "additionalProperties": {"type": "number"}, "minProperties": 1})
class ScoresField(serializers.Field[Any, Any, Any, Any]):
    """Criterion to value. Whether they are on the rubric and its scales is for the rules to say."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict) or not data:
            raise serializers.ValidationError('Give a score for each criterion, such as {"clarity": 7}.')
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class RatingRowSerializer(Strict):
    """A rating as it is sent, alone or in bulk."""

    output = serializers.UUIDField(help_text="Id of the output.")
    rater = serializers.UUIDField(help_text="Id of the person whose judgement it is.")
    scores = ScoresField()
    comment = serializers.CharField(max_length=LARGEST_COMMENT, required=False, allow_blank=True)
    external_id = external_id()


@extend_schema_field(RatingRowSerializer)
class RowField(serializers.Field[Any, Any, Any, Any]):
    """One row as it was sent: each is judged on its own, and its faults are named with its number."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class BulkSerializer(Strict):
    """Many ratings: all are recorded, or none."""

    ratings = serializers.ListField(child=RowField(allow_null=True), allow_empty=False, min_length=1)
    dry_run = serializers.BooleanField(default=False, help_text="Only say whether they would be recorded.")


class BulkAnswerSerializer(serializers.Serializer[Any]):
    dry_run = serializers.BooleanField()
    count = serializers.IntegerField(help_text="How many were recorded, or would be.")
    ids = serializers.ListField(child=serializers.UUIDField(), help_text="In the order sent.")


class RatingSerializer(StrictModelSerializer):
    output = PublicIdField(Output, read_only=True)
    rater = PublicIdField(Person, read_only=True)
    scores = serializers.DictField(source="says", child=serializers.FloatField(), read_only=True)

    class Meta:
        model = Rating
        fields = (
            "id",
            "external_id",
            "output",
            "rater",
            "scores",
            "comment",
            "submitted_at",
            "retracted_at",
            "retraction_reason",
        )
        read_only_fields = fields


class RetractionSerializer(Strict):
    reason = serializers.CharField(max_length=1000)
