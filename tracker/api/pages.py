"""One page size for every list."""

from rest_framework.pagination import CursorPagination


class Pages(CursorPagination):
    page_size = 100
    ordering = "pk"
