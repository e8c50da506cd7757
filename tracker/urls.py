"""Where everything is."""

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import include, path

from tracker.people.admin import SecondFactorAdmin

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
# Rights follow roles and shares here, so the stock pages of groups, addresses and second factors are not offered.
admin.site.unregister([Group, EmailAddress, Authenticator])
admin.site.register(Authenticator, SecondFactorAdmin)
admin.site.site_header = admin.site.site_title = "Plumbline"
admin.site.index_title = "What you may see and do here"

handler500 = "tracker.api.errors.crashed"

urlpatterns = [
    path("", include("tracker.web.urls")),
    path("api/v1/", include("tracker.api.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
