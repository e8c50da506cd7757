"""Where each role works."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from tracker.cohorts.models import Cohort
from tracker.web.context import Workplace
from tracker.web.doors import PageRequest


@require_GET
def home(request: PageRequest) -> HttpResponse:
    workplace = Workplace(request.user)
    if workplace.sees_cohorts:
        newest = Cohort.objects.overseen_by(request.user).first()
        if newest is not None:
            return redirect("cohort", newest.public_id)
    if workplace.front_page is None:
        return render(request, "home.html")
    return redirect(workplace.front_page)
