"""Where everything is."""

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.account.urls import urlpatterns as account_pages
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import Group
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, include, path

from tracker.people.admin import SecondFactorAdmin

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
# Rights follow roles and shares here, so the stock pages of groups, addresses and second factors are not offered.
admin.site.unregister([Group, EmailAddress, Authenticator])
admin.site.register(Authenticator, SecondFactorAdmin)
admin.site.site_header = admin.site.site_title = "Plumbline"
admin.site.index_title = "What you may see and do here"

handler500 = "tracker.api.errors.crashed"

# Addresses are the program's to give: whoever changed theirs could wait for an invitation meant for somebody else.
OPEN_ACCOUNT_PAGES = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_reauthenticate",
    "account_change_password",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
}


@login_not_required
def closed(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def entrance(page: URLPattern) -> URLPattern:
    """The page as it is, or its name alone, which other pages look up, with nothing behind it."""
    is_open = page.name in OPEN_ACCOUNT_PAGES
    return page if is_open else URLPattern(page.pattern, closed, page.default_args, page.name)


urlpatterns = [
    path("", include("tracker.web.urls")),
    path("api/v1/", include("tracker.api.urls")),
    path("accounts/", include([entrance(page) for page in account_pages])),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("admin/", admin.site.urls),
]
