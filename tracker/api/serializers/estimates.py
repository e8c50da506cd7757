"""Fits and estimates: an interval first."""

from typing import Any

from rest_framework import serializers

from tracker.api.fields import PublicIdField, StrictModelSerializer
from tracker.estimates.models import Estimate, Fit
from tracker.people.models import Person


class FitSerializer(StrictModelSerializer):
    released_for = serializers.SerializerMethodField(help_text="Names of the stages it was released for.")

    class Meta:
        model = Fit
        fields = (
            "id",
            "is_current",
            "hyper",
            "created_at",
            "stale_at",
            "released_for",
            "rows",
            "content_hash",
            "model_version",
            "criterion",
            "spreads",
            "measured",
            "notes",
            "settings",
            "seconds",
        )
        read_only_fields = fields

    def get_released_for(self, fit: Fit) -> list[str]:
        return [release.stage.name for release in fit.releases.all()]


class FitBriefSerializer(StrictModelSerializer):
    class Meta:
        model = Fit
        fields = ("id", "hyper", "created_at", "notes")
        read_only_fields = fields


class IntervalSerializer(serializers.Serializer[Estimate]):
    """The likely range: nine in ten, and the middle half."""

    q05 = serializers.FloatField()
    q25 = serializers.FloatField()
    q50 = serializers.FloatField()
    q75 = serializers.FloatField()
    q95 = serializers.FloatField()


class SymmetricSerializer(serializers.Serializer[Estimate]):
    """What the estimate would be if bad luck and good luck were alike."""

    mean = serializers.FloatField(source="symmetric_mean")
    sd = serializers.FloatField(source="symmetric_sd")


class EstimateSerializer(serializers.ModelSerializer[Estimate]):
    person = PublicIdField(Person, read_only=True)
    name = serializers.CharField(source="person.name", read_only=True)
    interval = IntervalSerializer(source="*", read_only=True)
    symmetric = SymmetricSerializer(source="*", read_only=True, allow_null=True)
    readers = serializers.IntegerField(
        source="raters", read_only=True, help_text="Different readers behind it."
    )
    scores = serializers.IntegerField(source="observations", read_only=True)
    fit = FitBriefSerializer(read_only=True)

    class Meta:
        model = Estimate
        fields = (
            "person",
            "name",
            "interval",
            "mean",
            "sd",
            "is_early",
            "readers",
            "outputs",
            "scores",
            "probability_top",
            "tier",
            "symmetric",
            "raw",
            "fit",
        )
        read_only_fields = fields

    def to_representation(self, instance: Estimate) -> dict[str, Any]:
        data: dict[str, Any] = super().to_representation(instance)
        if instance.symmetric_mean is None:
            data["symmetric"] = None
        return data
