"""Projects and outputs."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from tracker.api.fields import PublicIdField, PublicIdsField, StrictModelSerializer, external_id
from tracker.cohorts.models import Cohort, Stage
from tracker.errors import RuleBroken
from tracker.people.models import Person
from tracker.projects.links import recognise
from tracker.projects.models import HAZARDS, Output, Project, TeamMember

LONGEST_TEXT = 10_000


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
    project = PublicIdField(Project, scope="editable_by", required=False)
    person = PublicIdField(
        Person,
        required=False,
        write_only=True,
        help_text="Instead of a project: whose own it is, as a stage review or an application.",
    )
    cohort = PublicIdField(
        Cohort, required=False, write_only=True, help_text="Of a person's own output: the intake it is for."
    )
    stage = PublicIdField(Stage, required=False, allow_null=True)
    url = serializers.CharField(
        max_length=1000,
        required=False,
        allow_blank=True,
        help_text="A link, or an identifier such as arXiv:2401.01234; it is stored in one normal form.",
    )
    text = serializers.CharField(
        max_length=LONGEST_TEXT,
        required=False,
        allow_blank=True,
        write_only=True,
        help_text="The piece itself, where it has no address. It is read on its page, not through a key.",
    )
    hazards = serializers.ListField(
        child=serializers.ChoiceField(choices=list(HAZARDS.items())),
        required=False,
        write_only=True,
        help_text="What it may do. With any, the output is private until its release review: this key sees it no more.",
    )
    version = serializers.SerializerMethodField(help_text="The number of its present version.")

    class Meta:
        model = Output
        fields = (
            "id",
            "external_id",
            "project",
            "person",
            "cohort",
            "stage",
            "title",
            "kind",
            "url",
            "text",
            "work",
            "revision",
            "version",
            "is_empirical",
            "question",
            "did",
            "saw",
            "shows",
            "does_not_show",
            "likely_misreading",
            "hazards",
            "produced_on",
            "retracted_at",
        )
        read_only_fields = ("work", "revision", "retracted_at")

    def get_version(self, output: Output) -> int:
        return max((version.number for version in output.versions.all()), default=1)

    def validate_url(self, url: str) -> str:
        try:
            return recognise(url).url if url else url
        except RuleBroken as broken:
            raise serializers.ValidationError(broken.message) from None

    def create(self, validated_data: dict[str, Any]) -> Output:
        person, cohort = validated_data.pop("person", None), validated_data.pop("cohort", None)
        if person is not None:
            return Output.objects.publish_personal(person, cohort=cohort, **validated_data, by=actor(self))
        return Output.objects.publish(validated_data.pop("project"), **validated_data, by=actor(self))

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """It lies in a project, or it is a person's own."""
        if ("project" in values) == ("person" in values):
            raise serializers.ValidationError({"project": "Give a project, or the person whose own it is."})
        if ("person" in values) != ("cohort" in values):
            raise serializers.ValidationError({"cohort": "Give the cohort with the person, and only then."})
        return values


def actor(serializer: serializers.BaseSerializer[Any]) -> UUID:
    """Who did it, for the record."""
    public_id: UUID = serializer.context["request"].user.public_id
    return public_id
