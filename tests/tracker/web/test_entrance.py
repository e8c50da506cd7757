"""Logging in and out, and what every answer carries."""

import pytest
from django.urls import get_resolver, reverse

from tests.factories import PASSWORD, make_user
from tracker.web.urls import urlpatterns

OPEN_TO_ALL = ("account_login", "account_reset_password", "account_signup")


@pytest.mark.parametrize("name", OPEN_TO_ALL)
def test_the_entrance_is_in_our_look(client, db, name):
    page = client.get(reverse(name))

    assert page.status_code == 200
    assert "tracker.css" in page.content.decode()


def test_somebody_logs_in_with_their_address(client, db):
    make_user(email="ada@example.org")

    answer = client.post(reverse("account_login"), {"login": "ada@example.org", "password": PASSWORD})

    assert answer.status_code == 302
    assert "_auth_user_id" in client.session


def test_a_wrong_password_is_refused_in_a_sentence(client, db):
    make_user(email="ada@example.org")

    page = client.post(reverse("account_login"), {"login": "ada@example.org", "password": "wrong"})

    assert 'role="alert"' in page.content.decode()
    assert "_auth_user_id" not in client.session


def test_nobody_signs_up_by_themselves(client, db):
    page = client.post(reverse("account_signup"), {"email": "eve@example.org", "password1": PASSWORD})

    assert "Accounts are given, not taken" in page.content.decode()


def test_a_link_logs_nobody_out(enter, lead):
    browser = enter(lead)

    browser.get(reverse("account_logout"))

    assert "_auth_user_id" in browser.session


def test_every_page_asks_for_a_log_in(client, db):
    for pattern in urlpatterns:
        names = get_resolver().reverse_dict.getlist(pattern.name)[0][0][0][1]
        url = reverse(pattern.name, kwargs=dict.fromkeys(names, "00000000-0000-0000-0000-000000000000"))
        answer = client.get(url)
        assert answer.status_code in (302, 405), url
        assert answer.status_code == 405 or answer.url.startswith(reverse("account_login")), url


def test_the_policy_allows_nothing_inline(enter, lead, cohort):
    policy = enter(lead).get(reverse("cohort", args=[cohort.public_id]))["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_two_step_log_in_is_offered_in_our_look(enter, lead):
    page = enter(lead).get(reverse("mfa_index"))

    assert page.status_code == 200
    assert "Authenticator App" in page.content.decode()
