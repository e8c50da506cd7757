"""Claims, milestones and forecasts of their dates, statements of credit: what a team says of its project."""

from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tracker.api.fields import PublicIdField, PublicIdsField, Strict, StrictModelSerializer
from tracker.people.models import Person
from tracker.projects.models import (
    Claim,
    CreditStatement,
    DateForecast,
    Milestone,
    Output,
    Project,
)
from tracker.wording import LONGEST_REASON


def speaker() -> PublicIdField:
    return PublicIdField(
        Person,
        write_only=True,
        help_text="Who of the team says so, or a lead: the rules are those of the pages.",
    )


class SaidSerializer(Strict):
    """A deed of one person of the team, or of a lead."""

    person = speaker()


class GroundsField(PublicIdsField):
    """The claims that a claim rests on."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Claim, **kwargs)

    def get_attribute(self, instance: Claim) -> list[Claim]:
        return [ground.rests_on for ground in instance.grounds.all()]


class ClaimSerializer(StrictModelSerializer):
    person = speaker()
    project = PublicIdField(Project)
    url = serializers.CharField(
        max_length=1000,
        required=False,
        allow_blank=True,
        help_text="Where it is claimed: a link or an identifier.",
    )
    rests_on = GroundsField(required=False, help_text="Claims of the same project that it falls with.")
    output = PublicIdField(Output, read_only=True, allow_null=True, help_text="What shows how it came out.")
    made_by = PublicIdField(Person, read_only=True)
    is_stacked = serializers.BooleanField(
        read_only=True, help_text="Untried, on an untried one, on a third untried one."
    )

    class Meta:
        model = Claim
        fields = (
            "id",
            "person",
            "project",
            "text",
            "url",
            "rests_on",
            "state",
            "evidence",
            "output",
            "is_stacked",
            "made_by",
            "made_at",
            "checked_at",
            "withdrawn_at",
        )
        read_only_fields = ("state", "evidence", "made_at", "checked_at", "withdrawn_at")

    def create(self, validated_data: dict[str, Any]) -> Claim:
        by, grounds = validated_data.pop("person"), validated_data.pop("rests_on", ())
        with transaction.atomic():
            claim = Claim.objects.make(**validated_data, by=by)
            for ground in grounds:
                claim.rest_on(ground, by=by)
        return claim


class CheckSerializer(SaidSerializer):
    """What came of trying a claim, and where that can be seen."""

    state = serializers.ChoiceField(choices=Claim.State.choices)
    evidence = serializers.CharField(
        max_length=LONGEST_REASON, required=False, allow_blank=True, help_text="What was done and seen."
    )
    output = PublicIdField(Output, required=False, allow_null=True)


class DateForecastSerializer(serializers.ModelSerializer[DateForecast]):
    person = PublicIdField(Person, read_only=True)

    class Meta:
        model = DateForecast
        fields = ("person", "predicted_on", "low_on", "high_on", "made_at")
        read_only_fields = fields


class MilestoneSerializer(StrictModelSerializer):
    person = speaker()
    project = PublicIdField(Project)
    definition_of_done = serializers.CharField(max_length=2_000, help_text="So that anybody could tell.")
    expected_on = serializers.DateField(read_only=True, help_text="What was forecast last, or planned.")
    forecasts = DateForecastSerializer(many=True, read_only=True)

    class Meta:
        model = Milestone
        fields = (
            "id",
            "person",
            "project",
            "title",
            "definition_of_done",
            "due_on",
            "expected_on",
            "reached_at",
            "forecasts",
        )
        read_only_fields = ("reached_at",)

    def create(self, validated_data: dict[str, Any]) -> Milestone:
        return Milestone.objects.plan(by=validated_data.pop("person"), **validated_data)


class PredictionSerializer(SaidSerializer):
    """When somebody of the team now thinks it will be done, perhaps with a range that holds in eight of ten."""

    predicted_on = serializers.DateField()
    low_on = serializers.DateField(required=False, allow_null=True)
    high_on = serializers.DateField(required=False, allow_null=True)


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"type": "object", "additionalProperties": {"type": "number"}},
        "minProperties": 1,
        "example": {"execution": {"123e4567-e89b-42d3-a456-426614174000": 1.0}},
    }
)
class SharesField(serializers.Field[Any, Any, Any, Any]):
    """Kind of credit to person to share. Whether they may be is for the rules to say."""

    def get_attribute(self, instance: CreditStatement) -> dict[str, dict[str, float]]:
        told: dict[str, dict[str, float]] = {}
        for share in instance.shares.all():
            told.setdefault(share.kind, {})[str(share.person.public_id)] = share.share
        return told

    def to_representation(self, value: Any) -> Any:
        return value

    def to_internal_value(self, data: Any) -> dict[str, dict[Person, float]]:
        told = data if isinstance(data, dict) else {}
        if not told or not all(isinstance(by_person, dict) and by_person for by_person in told.values()):
            raise serializers.ValidationError(
                'Give shares by kind and person, such as {"execution": {"<person id>": 1.0}}.'
            )
        people = self.people({str(one) for by_person in told.values() for one in by_person})
        return {
            str(kind): {people[str(one)]: self.share(share) for one, share in by_person.items()}
            for kind, by_person in told.items()
        }

    def people(self, ids: set[str]) -> dict[str, Person]:
        try:
            wanted = {UUID(one): one for one in ids}
        except ValueError:
            raise serializers.ValidationError("Name people by their ids.") from None
        visible = Person.objects.visible_to(self.context["request"].user).filter(public_id__in=wanted)
        found = {wanted[person.public_id]: person for person in visible}
        if len(found) < len(ids):
            raise serializers.ValidationError("There is no person with one of these ids that you may use.")
        return found

    def share(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise serializers.ValidationError("A share is a number from 0 to 1.")
        return float(value)


class CreditStatementSerializer(StrictModelSerializer):
    person = speaker()
    project = PublicIdField(Project)
    shares = SharesField(help_text="The shares of each kind sum to 1.")
    stated_by = PublicIdField(Person, read_only=True)
    confirmed_by = serializers.SerializerMethodField()
    settled_by = PublicIdField(Person, read_only=True, allow_null=True)

    class Meta:
        model = CreditStatement
        fields = (
            "id",
            "person",
            "project",
            "shares",
            "stated_by",
            "stated_at",
            "confirmed_by",
            "in_force_at",
            "replaced_at",
            "settled_by",
            "reasons",
        )
        read_only_fields = ("stated_at", "in_force_at", "replaced_at", "reasons")

    def get_confirmed_by(self, statement: CreditStatement) -> list[UUID]:
        return [confirmation.person.public_id for confirmation in statement.confirmations.all()]

    def create(self, validated_data: dict[str, Any]) -> CreditStatement:
        project, shares = validated_data["project"], validated_data["shares"]
        return CreditStatement.objects.state(project, shares, by=validated_data["person"])
