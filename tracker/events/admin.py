"""What happened, and what a consumer could not take, for operators."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tracker.events.models import Consumer, Delivery, Event


class ForOperators(admin.ModelAdmin):
    """Superusers read; nobody writes."""

    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ForOperators):
    list_display = ("kind", "program", "subject", "actor", "created_at")
    list_filter = ("kind",)
    date_hierarchy = "created_at"
    ordering = ("-pk",)


@admin.register(Delivery)
class DeliveryAdmin(ForOperators):
    list_display = ("event", "consumer", "delivered_at", "failure")
    list_select_related = ("event", "consumer")
    list_filter = ("consumer", ("failure", admin.EmptyFieldListFilter))
    ordering = ("-pk",)


@admin.register(Consumer)
class ConsumerAdmin(ForOperators):
    list_display = ("name", "settled_to", "lease_ends_at")
