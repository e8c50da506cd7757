"""The schema and its pages, for keys and for people who are logged in."""

from typing import Any

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from tracker.api.authentication import ApiKeyAuthentication

OPEN_TO = (ApiKeyAuthentication, SessionAuthentication)


class Schema(SpectacularAPIView):
    authentication_classes = OPEN_TO
    permission_classes = (IsAuthenticated,)


class Documentation(SpectacularSwaggerSplitView):
    """Swagger UI from files of our own, with its script apart, as the content security policy asks."""

    authentication_classes = OPEN_TO
    permission_classes = (IsAuthenticated,)
    renderer_classes = [TemplateHTMLRenderer]
    template_name = "api/docs.html"


@extend_schema(exclude=True)
class NothingHere(APIView):
    """Any other address below the API: a problem like every other, not a page."""

    permission_classes = (IsAuthenticated,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        hint = "" if request.path.endswith("/") else " Addresses here end with a slash."
        raise NotFound(f"There is nothing at this address.{hint}")
