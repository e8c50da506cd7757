"""People, cohorts and their stages."""

from typing import Any

from rest_framework import serializers

from tracker.api.authentication import key_of, user_of
from tracker.api.fields import PublicIdField, Strict, StrictModelSerializer, external_id
from tracker.cohorts.admission import admit
from tracker.cohorts.models import Cohort, Stage
from tracker.people.models import Person, Role

# What a program's own systems may make people; who leads and decides is for people to say.
ADMITTED_AS = (Role.MENTEE, Role.MENTOR)


class PersonSerializer(StrictModelSerializer):
    roles = serializers.SerializerMethodField()

    class Meta:
        model = Person
        fields = ("id", "external_id", "name", "kind", "roles")
        read_only_fields = fields

    def get_roles(self, person: Person) -> list[str]:
        return sorted(membership.role for membership in person.standing_memberships)  # type: ignore[attr-defined]


class AdmissionSerializer(Strict):
    """Somebody new, with the roles they start in."""

    external_id = external_id()
    name = serializers.CharField(max_length=200)
    roles = serializers.ListField(
        child=serializers.ChoiceField([(role.value, role.label) for role in ADMITTED_AS]),
        min_length=1,
        max_length=2,
    )
    cohort = PublicIdField(Cohort, required=False, allow_null=True)

    def create(self, validated_data: dict[str, Any]) -> Person:
        request = self.context["request"]
        roles = tuple(Role(role) for role in dict.fromkeys(validated_data.pop("roles")))
        program = key_of(request).person.program
        return admit(program, **validated_data, roles=roles, by=user_of(request).public_id)


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
            "commitments_lapse_on",
            "default",
            "places",
            "bar",
        )
        read_only_fields = fields


class CohortSerializer(StrictModelSerializer):
    stages = StageSerializer(many=True, read_only=True)

    class Meta:
        model = Cohort
        fields = ("id", "external_id", "name", "starts_on", "ends_on", "stages")
        read_only_fields = fields
