"""Projects and outputs."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from tracker.api.fields import PublicIdField, PublicIdsField, StrictModelSerializer, external_id
from tracker.cohorts.models import Cohort, Stage
from tracker.people.models import Person
from tracker.projects.models import Output, Project, TeamMember


class TeamField(PublicIdsField):
    """Who is on a project's team now, in one role."""

    def __init__(self, role: str, **kwargs: Any) -> None:
        self.role = role
        super().__init__(Person, **kwargs)

    def get_attribute(self, instance: Project) -> list[Person]:
        return [
            member.person
            for member in instance.team.all()
            if member.left_on is None and member.role == self.role
        ]


class ProjectSerializer(StrictModelSerializer):
    external_id = external_id()
    cohort = PublicIdField(Cohort)
    authors = TeamField(TeamMember.Role.AUTHOR, required=False)
    mentors = TeamField(TeamMember.Role.MENTOR, required=False)

    class Meta:
        model = Project
        fields = (
            "id",
            "external_id",
            "cohort",
            "title",
            "summary",
            "authors",
            "mentors",
            "state",
            "started_at",
            "finished_at",
        )
        read_only_fields = ("state", "started_at", "finished_at")

    def create(self, validated_data: dict[str, Any]) -> Project:
        return Project.objects.start(**validated_data, by=actor(self))


class OutputSerializer(StrictModelSerializer):
    external_id = external_id()
    project = PublicIdField(Project, scope="editable_by")
    stage = PublicIdField(Stage, required=False, allow_null=True)

    class Meta:
        model = Output
        fields = (
            "id",
            "external_id",
            "project",
            "stage",
            "title",
            "kind",
            "url",
            "is_empirical",
            "produced_on",
            "retracted_at",
        )
        read_only_fields = ("retracted_at",)

    def create(self, validated_data: dict[str, Any]) -> Output:
        return Output.objects.publish(validated_data.pop("project"), **validated_data, by=actor(self))


def actor(serializer: serializers.BaseSerializer[Any]) -> UUID:
    """Who did it, for the record."""
    public_id: UUID = serializer.context["request"].user.public_id
    return public_id
