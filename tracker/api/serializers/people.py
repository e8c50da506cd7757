"""People, cohorts and their stages."""

from rest_framework import serializers

from tracker.api.fields import StrictModelSerializer
from tracker.cohorts.models import Cohort, Stage
from tracker.people.models import Person


class PersonSerializer(StrictModelSerializer):
    roles = serializers.SerializerMethodField()

    class Meta:
        model = Person
        fields = ("id", "external_id", "name", "kind", "roles")
        read_only_fields = fields

    def get_roles(self, person: Person) -> list[str]:
        return sorted(membership.role for membership in person.standing_memberships)  # type: ignore[attr-defined]


class StageSerializer(StrictModelSerializer):
    class Meta:
        model = Stage
        fields = (
            "id",
            "name",
            "position",
            "starts_on",
            "ends_on",
            "reading_opens_at",
            "reading_closes_at",
            "is_reading",
            "decisions_due_on",
            "notice_on",
            "places",
        )
        read_only_fields = fields


class CohortSerializer(StrictModelSerializer):
    stages = StageSerializer(many=True, read_only=True)

    class Meta:
        model = Cohort
        fields = ("id", "external_id", "name", "starts_on", "ends_on", "stages")
        read_only_fields = fields
