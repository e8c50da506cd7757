"""Gates, decisions, admission rounds and applications: who goes on, by which rule, and who comes in."""

from typing import Any

from rest_framework import serializers

from tracker.api.fields import PublicIdField, Strict, StrictModelSerializer
from tracker.api.serializers.work import actor
from tracker.cohorts.models import AdmissionRound, Application, Cohort, Stage
from tracker.decisions.models import GateRule, StageDecision
from tracker.people.models import Person
from tracker.projects.applying import receive_application
from tracker.projects.models import Output, Reference

LONGEST_TEXT = 10_000


class GateRuleSerializer(StrictModelSerializer):
    stage = PublicIdField(Stage, read_only=True)
    set_by = PublicIdField(Person, read_only=True)
    revealed_seed = serializers.CharField(
        read_only=True, help_text="The lottery's seed, once it is drawn: anybody can repeat the draw."
    )

    class Meta:
        model = GateRule
        fields = (
            "id",
            "stage",
            "version",
            "places",
            "bar",
            "planned_readers",
            "floor",
            "yes_from",
            "no_to",
            "middle",
            "commitment",
            "revealed_seed",
            "set_by",
            "set_at",
            "reason",
            "is_after_results",
            "replaced_at",
        )
        read_only_fields = fields


class DecisionSerializer(StrictModelSerializer):
    """As the person is told it: no probability, no leaning and no proposal."""

    person = PublicIdField(Person, read_only=True)
    stage = PublicIdField(Stage, read_only=True)
    decider = PublicIdField(Person, read_only=True, allow_null=True)
    replaced_at = serializers.DateTimeField(source="told_replaced_at", read_only=True, allow_null=True)
    undone = serializers.CharField(source="told_undone", read_only=True)

    class Meta:
        model = StageDecision
        fields = (
            "id",
            "person",
            "stage",
            "origin",
            "decider",
            "outcome",
            "weeks",
            "again_on",
            "reasons",
            "decided_at",
            "appeal_until",
            "took_effect_at",
            "replaced_at",
            "undone",
        )
        read_only_fields = fields


class AdmissionRoundSerializer(StrictModelSerializer):
    cohort = PublicIdField(Cohort, read_only=True)
    stage = PublicIdField(Stage, read_only=True, help_text="Where its applications are read and decided.")
    places = serializers.IntegerField(source="stage.places", read_only=True, allow_null=True)

    class Meta:
        model = AdmissionRound
        fields = (
            "id",
            "cohort",
            "stage",
            "places",
            "waitlist_places",
            "opens_at",
            "closes_at",
            "is_open",
            "asks",
            "work_test",
            "references_asked",
        )
        read_only_fields = fields


class ApplicationSerializer(StrictModelSerializer):
    round = PublicIdField(AdmissionRound, read_only=True)
    person = PublicIdField(Person, read_only=True)
    track = serializers.CharField(source="track.name", read_only=True, default="")
    stream = serializers.CharField(source="stream.name", read_only=True, default="")

    class Meta:
        model = Application
        fields = (
            "id",
            "round",
            "person",
            "state",
            "track",
            "stream",
            "submitted_at",
            "answered_at",
            "waitlist_position",
        )
        read_only_fields = fields


class ReferenceSerializer(StrictModelSerializer):
    application = PublicIdField(Application, read_only=True)
    output = PublicIdField(
        Output, read_only=True, allow_null=True, help_text="What they wrote, once it is in."
    )

    class Meta:
        model = Reference
        fields = ("id", "application", "name", "asked_at", "received_at", "output")
        read_only_fields = fields


class ApplyingSerializer(Strict):
    """An application that came in elsewhere, such as a form of the program's own."""

    round = PublicIdField(AdmissionRound)
    name = serializers.CharField(max_length=200)
    email = serializers.EmailField(help_text="By it the same applicant is known again.")
    text = serializers.CharField(max_length=LONGEST_TEXT)
    url = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    work_test = serializers.CharField(
        max_length=LONGEST_TEXT, required=False, allow_blank=True, help_text="Where the round has one."
    )
    track = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="By its name.")
    stream = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="By its name.")

    def create(self, validated_data: dict[str, Any]) -> Application:
        return receive_application(**validated_data, by=actor(self))
