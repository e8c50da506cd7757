"""What somebody lets funds see of them: shared by themselves, until a day or until they take it back."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from tracker.people.models import ShareGrant
from tracker.web.doors import PageRequest, told, told_by
from tracker.web.sharing_forms import ShareForm


def sharing_page(request: PageRequest, form: ShareForm, status: int = 200) -> HttpResponse:
    own = ShareGrant.objects.of(request.user).select_related("person__program", "shared_with__fund")
    context = {"grants": own.order_by("-granted_at", "-pk"), "form": form}
    return render(request, "people/sharing.html", context, status=status)


@require_GET
def sharing(request: PageRequest) -> HttpResponse:
    return sharing_page(request, ShareForm(user=request.user))


def share(request: PageRequest) -> HttpResponse:
    form = ShareForm(request.POST, user=request.user)
    if form.is_valid():
        with told_by(form):
            ShareGrant.objects.share(**form.share(), by=request.user.public_id)
            return redirect("sharing")
    return sharing_page(request, form, status=422)


@require_POST
def stop_sharing(request: PageRequest, grant_id: UUID) -> HttpResponse:
    grant = get_object_or_404(ShareGrant.objects.of(request.user), public_id=grant_id)
    with told(request, done="Taken back: it is not shown any more."):
        grant.revoke(by=request.user.public_id)
    return redirect("sharing")
