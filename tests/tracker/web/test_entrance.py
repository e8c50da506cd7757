"""Logging in and out, and what every answer carries."""

from io import BytesIO

import pytest
from allauth.account.models import EmailAddress
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.urls import get_resolver, reverse

from tests.factories import PASSWORD, make_user
from tracker.people.models import User
from tracker.web.urls import urlpatterns

OPEN_TO_ALL = ("account_login", "account_reset_password")
# Their addresses hold a secret, and nothing else opens them.
OPEN_TO_WHOEVER_HAS_THE_LINK = {"write-reference"}


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


def test_no_file_is_kept_at_a_page_that_expects_none(client, db, settings, tmp_path, monkeypatch):
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    spooled = []
    monkeypatch.setattr(TemporaryUploadedFile, "__init__", lambda *given: spooled.append(given))
    form = {"login": "ada@example.org", "password": "wrong", "file": BytesIO(b"x" * 4_000_000)}

    answer = client.post(reverse("account_login"), form)

    assert answer.status_code == 200
    assert not answer.wsgi_request.FILES
    assert (spooled, list(tmp_path.iterdir())) == ([], [])


def test_a_body_that_no_page_takes_is_cut_off_before_it_is_read(client, db, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    answer = client.post(reverse("account_login"), {"file": BytesIO(b"x" * 2000)})

    assert answer.status_code == 400


def test_a_wrong_password_is_refused_in_a_sentence(client, db):
    make_user(email="ada@example.org")

    page = client.post(reverse("account_login"), {"login": "ada@example.org", "password": "wrong"})

    assert 'role="alert"' in page.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("name", ["account_signup", "account_email", "account_email_verification_sent"])
def test_nobody_takes_an_account_or_an_address_by_themselves(client, enter, db, name):
    url = reverse(name)

    answers = [
        client.post(url, {"email": "eve@example.org"}),
        enter(make_user()).post(url, {"action_add": "", "email": "eve@example.org"}),
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert not EmailAddress.objects.filter(email="eve@example.org").exists()


def test_an_invitation_goes_to_no_account_that_only_claims_the_address(db):
    squatter = make_user()
    EmailAddress.objects.create(user=squatter, email="future@example.org", verified=False)

    invited = User.objects.invited("future@example.org", name="Future Lead")

    assert invited != squatter


def test_a_link_logs_nobody_out(enter, lead):
    browser = enter(lead)

    browser.get(reverse("account_logout"))

    assert "_auth_user_id" in browser.session


def test_every_page_asks_for_a_log_in(client, db):
    for pattern in urlpatterns:
        names = get_resolver().reverse_dict.getlist(pattern.name)[0][0][0][1]
        if pattern.name in OPEN_TO_WHOEVER_HAS_THE_LINK:
            continue
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


def test_a_forgotten_password_is_answered_whether_the_address_is_known_or_not(
    client, lead, settings, tmp_path
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path

    answers = [
        client.post("/accounts/password/reset/", {"email": email})
        for email in (lead.user.email, "nobody@example.org")
    ]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [
        (302, "/accounts/password/reset/done/")
    ] * 2
    assert len(list(tmp_path.iterdir())) >= 1
