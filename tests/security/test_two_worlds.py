"""Two worlds that differ in one rating look alike to everybody who may not see it.

Every address that the resolver knows is asked for, with every row that it can name: pages, API, admin. An address whose
parts stand for nothing known here fails.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib import admin
from django.core import mail
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from tests.factories import (
    close_reading,
    make_mentee,
    make_output,
    make_person,
    make_project,
    make_rating,
    make_stage,
)
from tests.security.test_rights import own_pages, patterns
from tests.tracker.api.test_estimates import make_estimate, make_fit
from tracker.estimates.models import Estimate, Release, Viewing
from tracker.estimates.refresh import refresh_estimates
from tracker.events.delivery import deliver_events
from tracker.funding.models import Fund
from tracker.mentoring.models import Feedback
from tracker.people.models import ApiKey, Role, Scope, ShareGrant, User
from tracker.ratings.models import Assignment, Rating, ReadingPlan, Score

pytestmark = pytest.mark.django_db
TOKENS = re.compile(
    rb'(csrfmiddlewaretoken" value=|csrf[^"]*" content=|X-CSRFToken&quot;: &quot;|X-CSRFToken": )"?[^"&]+'
)
SCALE = ("importance", "rigour", "clarity", "execution")
ROWS_EACH = 2
# What each list of the API can be narrowed by, and of the admin sorted and searched by.
QUERIES = {
    "cohort": ("view=raw", "view=truth"),
    "api-ratings-list": ("output={output}", "rater={reader}"),
    "api-estimates-list": ("person={author}", "ordering=mean"),
    "api-assignments-list": ("output={output}",),
}
ADMIN_QUERIES = ("o=-2", "q=a")
Seen = dict[tuple[str, str], tuple[int, bytes]]


@pytest.fixture(autouse=True)
def still_clock():
    """Only the rating may make a difference, not the seconds between two looks."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture
def hidden(world, stage) -> Rating:
    """A rating in the middle of its reading, by somebody none of the viewers is."""
    rating = Rating.objects.filter(output__public_id=world["output_id"]).get()
    ReadingPlan.objects.create(stage=stage, seed=1, readers_each=1)
    Feedback.objects.give(project=rating.output.project, author=rating.rater, text="Told to the team.")
    return rating


@pytest.fixture
def viewers(hidden, users, stage) -> dict[str, User]:
    """Everybody below the lead, somebody who leads elsewhere, and readers of the same output and of another."""
    program = stage.cohort.program
    also, given = (make_person(Role.MENTOR, program=program) for _ in range(2))
    make_rating(hidden.output, also, scores=dict.fromkeys(SCALE, 6.0))
    Assignment.objects.assign(given, hidden.output)
    below = ("author", "mentee", "mentor", "manager", "stranger", "fund_manager")
    users["stranger"].become_staff()
    return {
        **{name: users[name] for name in below},
        "another reader": also.user,
        "who is to read it": given.user,
        "auditor": make_person(Role.AUDITOR, program=program).user,
    }


def say_otherwise(rating: Rating) -> None:
    """The other world: the same rating with other scores, and everything computed from it."""
    Score.objects.filter(rating=rating).update(value=9.5)
    Rating.objects.filter(pk=rating.pk).update(comment="Something else.", confidence=4)
    refresh_estimates(rating.program)
    deliver_events()


def say_more(rating: Rating) -> None:
    """The other world: one reader more, whom everybody knew before, has rated."""
    make_rating(rating.output, rating.program.people.get(name="Silent"), scores=dict.fromkeys(SCALE, 9.5))
    refresh_estimates(rating.program)
    deliver_events()


def rows_named(part: str, known: dict[str, Any]) -> list[Any]:
    """What a part of an address can stand for: rows of a model of that name, or what the world says."""
    word = part.removesuffix("_id").replace("_", "")
    own = [model for model in apps.get_models() if model.__module__.startswith("tracker.")]
    named = [
        model
        for model in own
        if model._meta.model_name.endswith(word)
        and not model._meta.model_name.startswith("historical")
        and any(field.name == "public_id" for field in model._meta.fields)
    ]
    # The world's own comes first: it is what the rating is about.
    rows = [known[part]] if part in known else []
    for model in named:
        rows += [row.public_id for row in model.objects.order_by("pk")[:ROWS_EACH]]
    if not rows:
        raise AssertionError(f"Nothing here is a {part}: give this world one.")
    return list(dict.fromkeys(rows))[: max(1, ROWS_EACH * len(named))]


def pages(known: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, entry in own_pages().items():
        yield from ((name, path) for path in paths_of(name, entry, known))


def paths_of(name: str, entry: URLPattern, known: dict[str, Any]) -> Iterable[str]:
    choices: list[dict[str, Any]] = [{}]
    for part in entry.pattern.converters:
        choices = [{**chosen, part: row} for chosen in choices for row in rows_named(part, known)]
    for chosen in choices:
        path = reverse(name, kwargs=chosen)
        yield path
        for query in QUERIES.get(name, ()):
            yield f"{path}?{query.format(**known)}"


def endpoints(known: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, entry in patterns(get_resolver()):
        if name.startswith("api-") and name != "api-nothing":
            ids = public_ids(entry) if "public_id" in entry.pattern.converters else [None]
            for public_id in ids:
                path = reverse(name, kwargs={"public_id": public_id} if public_id else {})
                yield name, path
                yield from ((name, f"{path}?{query.format(**known)}") for query in QUERIES.get(name, ()))


def public_ids(entry: URLPattern) -> list[Any]:
    model = entry.callback.cls.serializer_class.Meta.model
    # An estimate is found by the person it is of.
    listed = list(model.objects.order_by("pk")[:ROWS_EACH])
    rows = [row.public_id if hasattr(row, "public_id") else row.person.public_id for row in listed]
    return rows or ["00000000-0000-4000-8000-000000000000"]


def admin_pages() -> Iterator[tuple[str, str]]:
    # Asking for one address loads them all, and with them what registers itself.
    yield "admin:index", reverse("admin:index")
    for model in admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        listed = reverse(f"{base}_changelist")
        yield base, listed
        yield from ((base, f"{listed}?{query}") for query in ADMIN_QUERIES)
        yield base, reverse(f"{base}_add")
        for row in model._default_manager.order_by("pk")[:ROWS_EACH]:
            for deed in ("change", "history"):
                yield f"{base}_{deed}", reverse(f"{base}_{deed}", args=[row.pk])


def looks(visitors: dict[str, Client], addresses: list[tuple[str, str]]) -> Seen:
    """What everybody gets at every address."""
    found = {}
    # What was looked at before is a difference between two looks, not between two worlds.
    Viewing.objects.all().delete()
    for who, browser in visitors.items():
        # Whatever an earlier page left to be said is said now, and not within what is compared.
        browser.get("/admin/")
        for _, path in addresses:
            answer = browser.get(path)
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            found[who, path] = (answer.status_code, TOKENS.sub(b"", content))
    return found


def entered(viewers: dict[str, User]) -> dict[str, Client]:
    browsers = {}
    for name, user in viewers.items():
        browsers[name] = Client()
        browsers[name].force_login(user)
    return browsers


def assert_alike(
    visitors: dict[str, Client],
    addresses: list[tuple[str, str]],
    change: Callable[[Rating], None],
    rating: Rating,
) -> None:
    before, letters = looks(visitors, addresses), len(mail.outbox)
    change(rating)
    after = looks(visitors, addresses)

    different = [place for place in before if before[place] != after[place]]
    assert different == []
    assert len(mail.outbox) == letters


CHANGES = [say_otherwise, say_more]


def known_of(world: dict[str, Any], rating: Rating) -> dict[str, Any]:
    names = {
        "output": rating.output.public_id,
        "reader": rating.rater.public_id,
        "author": world["person_id"],
    }
    make_person(Role.MENTOR, program=rating.program, name="Silent", with_user=False)
    return {**world, **names}


@pytest.mark.parametrize("change", CHANGES)
def test_no_page_shows_it_below_the_lead(world, hidden, viewers, change):
    known = known_of(world, hidden)
    # How many ratings there are is what a research manager is to see; what they say is not.
    shown = {name: user for name, user in viewers.items() if change is say_otherwise or name != "manager"}

    assert_alike(entered(shown), list(pages(known)), change, hidden)


@pytest.mark.parametrize("change", CHANGES)
def test_no_answer_shows_it_to_a_key_of_another_program(world, hidden, stranger, change):
    known = known_of(world, hidden)
    program = stranger.persons.get().program
    _, text = ApiKey.objects.issue(program=program, name="Other", scopes=list(Scope.values))
    holder = {"key": Client(headers={"Authorization": f"Bearer {text}"})}

    assert_alike(holder, list(endpoints(known)), change, hidden)


@pytest.mark.parametrize("change", CHANGES)
def test_no_page_of_the_admin_shows_it_to_who_leads_elsewhere_or_manages_a_fund(
    world,
    hidden,
    viewers,
    change,
):
    known_of(world, hidden)
    staff = entered({name: viewers[name] for name in ("stranger", "fund_manager")})

    assert_alike(staff, list(admin_pages()), change, hidden)


def test_no_page_of_ratings_shows_it_to_a_lead_who_is_to_read_the_piece(hidden, lead):
    lead.user.become_staff()
    Assignment.objects.assign(lead, hidden.output)
    browsers = entered({"lead": lead.user})
    listed = [entry for entry in admin_pages() if "/ratings/" in entry[1] or "/mentoring/" in entry[1]]

    assert len(listed) > 20
    assert_alike(browsers, listed, say_otherwise, hidden)


def test_what_is_released_of_an_earlier_stage_stays_as_it_was(stage, lead, mentor, fund_manager):
    """The rating lies outside every release: persons, their mentors and funds see the same pictures."""
    cohort = stage.cohort
    person = make_mentee(cohort)
    project = make_project(cohort, authors=[person], mentors=[mentor])
    readers = [make_person(Role.MENTOR, program=cohort.program) for _ in range(3)]
    for level, other in enumerate((project, make_project(cohort), make_project(cohort)), start=3):
        for reader in readers:
            make_rating(make_output(other, stage=stage), reader, scores=dict.fromkeys(SCALE, float(level)))
    refresh_estimates(cohort.program)
    release_of(stage, lead)
    person.share_grants.share(person, shared_with=fund_manager.groups.get(), what="estimates")
    now = make_stage(cohort)
    hidden = make_rating(make_output(make_project(cohort), stage=now), scores=dict.fromkeys(SCALE, 4.0))
    browsers = entered({"person": person.user, "mentor": mentor.user, "fund": fund_manager})
    shown = [("", path) for path in ("/", "/mine/", "/released/", "/reading/", "/admin/estimates/estimate/")]
    assert 'class="range"' in browsers["mentor"].get("/released/").content.decode()

    assert_alike(browsers, shown, say_otherwise, hidden)


SHARES: dict[str, Callable[[ShareGrant], object]] = {
    "standing": lambda grant: None,
    "over": lambda grant: ShareGrant.objects.update(ends_at=timezone.now()),
    "revoked": lambda grant: grant.revoke(),
    "name only": lambda grant: ShareGrant.objects.update(what="profile"),
    "with another fund": lambda grant: ShareGrant.objects.update(
        shared_with=Fund.objects.found("Another fund").group
    ),
}


@pytest.mark.parametrize("share", SHARES)
def test_a_fund_sees_a_released_picture_only_while_it_is_shared_with_it(stage, lead, fund_manager, share):
    """The two worlds differ in what was released: only a standing share shows that."""
    person = make_mentee(stage.cohort)
    fit = make_fit(stage.cohort.program)
    make_estimate(fit, person)
    release_of(stage, lead)
    SHARES[share](person.share_grants.share(person, shared_with=fund_manager.groups.get(), what="estimates"))
    browser = entered({"fund": fund_manager})
    before = looks(browser, list(admin_pages()))

    Estimate.objects.update(q05=-3.0, q25=-2.5, q50=-2.0, q75=-1.5, q95=-0.5, raters=7, outputs=5)

    after = looks(browser, list(admin_pages()))
    assert (before == after) is (share != "standing")


def release_of(stage: Any, lead: Any) -> None:
    from tracker.estimates.models import FitRequest

    FitRequest.objects.all().delete()
    Release.objects.release(close_reading(stage), by=lead)


def test_the_lead_sees_it(world, hidden, lead):
    lead.user.become_staff()
    browsers = entered({"lead": lead.user})
    addresses = [*pages(known_of(world, hidden)), *admin_pages()]
    before = looks(browsers, addresses)

    say_otherwise(hidden)

    after = looks(browsers, addresses)
    assert {path for _, path in before if before["lead", path] != after["lead", path]} > {
        f"/cohorts/{world['cohort_id']}/",
        f"/people/{world['person_id']}/",
        f"/admin/ratings/rating/{hidden.pk}/change/",
    }


def test_every_address_of_the_admin_is_asked_for(world, hidden):
    """One that is neither of a model's five kinds nor the admin's own needs a place in this test."""
    own = re.compile(
        r"admin:(index|login|logout|password_change(_done)?|autocomplete|jsi18n|view_on_site|app_list|None)$"
    )
    kinds = {
        f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}"
        for model in admin.site._registry
        for kind in ("changelist", "add", "change", "history", "delete")
    }
    # The password page of an account is the superuser's.
    kinds |= {"admin:auth_user_password_change"}

    names = {name for name, _ in patterns(get_resolver()) if name.startswith("admin:")}

    assert {name for name in names if not own.match(name)} <= kinds
