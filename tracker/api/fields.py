"""What serializers share: nothing unknown is accepted, and relations reach only what the caller may see."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

LARGEST_TEAM = 50


class Strict(serializers.Serializer[Any]):
    """Refuses what it does not know and what cannot be set, by name."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            settable = [name for name, field in self.fields.items() if not field.read_only]
            faults = {
                str(name)[:80]: [f"Nothing of this name can be set here: use {', '.join(settable)}."]
                for name in data
                if name not in settable
            }
            if faults:
                raise serializers.ValidationError(faults)
        return super().to_internal_value(data)


class StrictModelSerializer(Strict, serializers.ModelSerializer[Any]):
    """Fields from the model, rules from its verbs: DRF's own checks of uniqueness would tell of hidden rows."""

    id = serializers.UUIDField(source="public_id", read_only=True)

    def get_validators(self) -> list[Any]:
        return []

    def get_uniqueness_extra_kwargs(
        self, field_names: Iterable[str], declared_fields: Any, extra_kwargs: Any
    ) -> tuple[Any, dict[str, Any]]:
        return extra_kwargs, {}


def external_id() -> serializers.CharField:
    return serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        help_text="Your own name for it, unique in your program; sent again, it means the same row.",
    )


@extend_schema_field(UUID)
class PublicIdField(serializers.RelatedField[Any, Any, Any]):
    """Another row by its public id, among those that the caller may see."""

    default_error_messages = {
        "malformed": "Give an id, such as 123e4567-e89b-42d3-a456-426614174000.",
        "unknown": "There is no {kind} with this id that you may use: check the id.",
    }

    def __init__(self, model: type[models.Model], *, scope: str = "visible_to", **kwargs: Any) -> None:
        self.model = model
        self.scope = scope
        super().__init__(**kwargs)

    def get_queryset(self) -> models.QuerySet[Any]:
        rows = self.model._default_manager.all()
        found: models.QuerySet[Any] = getattr(rows, self.scope)(self.context["request"].user)
        return found

    def to_internal_value(self, data: Any) -> Any:
        try:
            public_id = UUID(data)
        except (ValueError, TypeError, AttributeError):
            self.fail("malformed")
        row = self.get_queryset().filter(public_id=public_id).first()
        if row is None:
            self.fail("unknown", kind=self.model._meta.verbose_name)
        return row

    def to_representation(self, value: Any) -> UUID:
        found: UUID = value.public_id
        return found


class PublicIdsField(serializers.ListField):
    """Several rows by their public ids, fetched at once."""

    child = serializers.UUIDField()

    def __init__(self, model: type[models.Model], **kwargs: Any) -> None:
        self.model = model
        super().__init__(max_length=LARGEST_TEAM, **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        ids = super().to_internal_value(data)
        rows: Any = self.model._default_manager.all()
        found = {
            row.public_id: row
            for row in rows.visible_to(self.context["request"].user).filter(public_id__in=ids)
        }
        missing = [public_id for public_id in ids if public_id not in found]
        if missing:
            kind = self.model._meta.verbose_name
            raise serializers.ValidationError(
                f"There is no {kind} {missing[0]} that you may use: check the id."
            )
        return [found[public_id] for public_id in dict.fromkeys(ids)]

    def to_representation(self, data: Iterable[Any]) -> list[UUID]:
        return [row.public_id for row in data]
