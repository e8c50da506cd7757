"""Rubrics, ratings, and the rows that become ratings."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tracker.api.fields import PublicIdField, Strict, StrictModelSerializer, external_id
from tracker.cohorts.models import Stage
from tracker.people.models import Person
from tracker.projects.models import Output
from tracker.ratings.models import Assignment, Criterion, Question, Rating, Rubric

LARGEST_COMMENT = 10_000


class CriterionSerializer(StrictModelSerializer):
    class Meta:
        model = Criterion
        fields = (
            "id",
            "key",
            "name",
            "question",
            "lowest",
            "highest",
            "low_anchor",
            "high_anchor",
            "anchors",
        )
        read_only_fields = fields


class QuestionSerializer(StrictModelSerializer):
    class Meta:
        model = Question
        fields = ("id", "key", "text", "months")
        read_only_fields = fields


class RubricSerializer(StrictModelSerializer):
    criteria = CriterionSerializer(many=True, read_only=True)
    questions = QuestionSerializer(many=True, read_only=True)

    class Meta:
        model = Rubric
        fields = ("id", "name", "readers", "version", "published_at", "retired_at", "criteria", "questions")
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


@extend_schema_field({"type": "object", "additionalProperties": {"type": "number"}})
class ForecastsField(serializers.Field[Any, Any, Any, Any]):
    """Question to probability. Whether they are on the rubric is for the rules to say."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError('Give probabilities by question, such as {"holds-up": 0.7}.')
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class RevisionSerializer(Strict):
    """What a reader says; the version before stays on record."""

    scores = ScoresField()
    comment = serializers.CharField(max_length=LARGEST_COMMENT, required=False, allow_blank=True)
    confidence = serializers.ChoiceField(
        choices=Rating.Confidence.choices,
        required=False,
        allow_null=True,
        help_text="How sure the reader is, from 1, a guess, to 4.",
        error_messages={"invalid_choice": "Say how sure the reader is from 1, a guess, to 4."},
    )
    forecasts = ForecastsField(
        required=False, help_text="Probabilities from 0 to 1 by the rubric's questions."
    )
    external_id = external_id()


class RatingRowSerializer(RevisionSerializer):
    """A rating as it is sent, alone or in bulk."""

    output = serializers.UUIDField(help_text="Id of the output.")
    rater = serializers.UUIDField(help_text="Id of the person whose judgement it is.")


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
    forecasts = serializers.DictField(source="foresees", child=serializers.FloatField(), read_only=True)
    output_version = serializers.IntegerField(
        source="version.number", read_only=True, allow_null=True, help_text="The output as its reader saw it."
    )
    rubric = PublicIdField(Rubric, read_only=True, help_text="The version it was given under.")
    revises = PublicIdField(Rating, read_only=True, allow_null=True, help_text="The version before it.")
    is_conflicted = serializers.BooleanField(read_only=True, help_text="Its reader is too close to count.")

    class Meta:
        model = Rating
        fields = (
            "id",
            "external_id",
            "output",
            "rater",
            "output_version",
            "rubric",
            "scores",
            "forecasts",
            "confidence",
            "comment",
            "submitted_at",
            "place_in_order",
            "others_seen_at",
            "is_blind",
            "is_conflicted",
            "revises",
            "revised_at",
            "retracted_at",
            "retraction_reason",
        )
        read_only_fields = fields


class RetractionSerializer(Strict):
    reason = serializers.CharField(max_length=1000)


class AssignmentSerializer(StrictModelSerializer):
    reader = PublicIdField(Person, read_only=True)
    output = PublicIdField(Output, read_only=True)
    stage = PublicIdField(Stage, read_only=True)

    class Meta:
        model = Assignment
        fields = ("id", "reader", "output", "stage", "position", "reason", "assigned_at", "withdrawn_at")
        read_only_fields = fields
