"""Every setting, read strictly from the environment (and `.env`); docs/operations.md lists the variables."""

import os
import secrets
from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
env.read_env(str(BASE_DIR / ".env"), recurse=False)

KNOWN_VARIABLES = {
    "PLUMBLINE_ALLOWED_HOSTS",
    "PLUMBLINE_COVARIATES",
    "PLUMBLINE_DEBUG",
    "PLUMBLINE_DEMO",
    "PLUMBLINE_DEVICE",
    "PLUMBLINE_FIT_PAUSE_SECONDS",
    "PLUMBLINE_HTTPS",
    "PLUMBLINE_LEASE_SECONDS",
    "PLUMBLINE_SECRET_KEY",
    "PLUMBLINE_TRUSTED_ORIGINS",
    "PLUMBLINE_VAR",
}
unknown = sorted(name for name in os.environ if name.startswith("PLUMBLINE_") and name not in KNOWN_VARIABLES)
if unknown:
    raise ImproperlyConfigured(
        f"Unknown variable {unknown[0]}: use one of {', '.join(sorted(KNOWN_VARIABLES))}."
    )


def one_of(name: str, default: str, *, allowed: tuple[str, ...]) -> str:
    value: str = env.str(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}: use one of {', '.join(allowed)}.")
    return value


def at_least(name: str, default: float, *, lowest: float) -> timedelta:
    seconds: float = env.float(name, default)
    if not lowest <= seconds < float("inf"):
        raise ImproperlyConfigured(f"{name} is {seconds}: give a number of seconds of at least {lowest}.")
    return timedelta(seconds=seconds)


# Everything that the program writes lies in one folder: database, uploads, broker, static files, secret.
VAR_DIR = Path(env.str("PLUMBLINE_VAR", str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(parents=True, exist_ok=True)


def secret_from_file(path: Path) -> str:
    """A secret of this machine's own, made on first use and readable by its owner alone."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()


DEBUG = env.bool("PLUMBLINE_DEBUG", False)
DEMO = env.bool("PLUMBLINE_DEMO", False)
HTTPS = env.bool("PLUMBLINE_HTTPS", False)
if HTTPS and not env.str("PLUMBLINE_SECRET_KEY", ""):
    raise ImproperlyConfigured("PLUMBLINE_HTTPS is on: set PLUMBLINE_SECRET_KEY to a long random text.")
SECRET_KEY = env.str("PLUMBLINE_SECRET_KEY", "") or secret_from_file(VAR_DIR / "secret_key")
ALLOWED_HOSTS: list[str] = env.list("PLUMBLINE_ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("PLUMBLINE_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "tracker.ops",
    "tracker.web",
    "tracker.api",
    "tracker.funding",
    "tracker.decisions",
    "tracker.estimates",
    "tracker.ratings",
    "tracker.grading",
    "tracker.mentoring",
    "tracker.projects",
    "tracker.cohorts",
    "tracker.people",
    "tracker.events",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "simple_history",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tracker.events.doors.doors_are_noted",
    "tracker.web.doors.broken_rules_are_told",
]

ROOT_URLCONF = "tracker.urls"
WSGI_APPLICATION = "tracker.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tracker.web.context.workplace",
            ],
        },
    }
]

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
    " PRAGMA cache_size=-20000; PRAGMA mmap_size=134217728; PRAGMA journal_size_limit=27103364;"
)
DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{VAR_DIR / 'plumbline.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": SQLITE_PRAGMAS,
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What is kept of every change is asked for by row, and in the order in which it was written.
SIMPLE_HISTORY_DATE_INDEX = False

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "tracker.people.adapter.InvitedOnly"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# An address is the one that the program invited; nobody can sign up with another's.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_SAVE_EVERY_REQUEST = False

# Mail goes into a folder until a server is named, as EMAIL_URL=smtp+tls://user:password@mail.example.org:587
mail = env.dj_email_url("EMAIL_URL", f"file:{VAR_DIR / 'mail'}")
EMAIL_BACKEND = mail["EMAIL_BACKEND"]
EMAIL_FILE_PATH = VAR_DIR / "mail"
EMAIL_HOST, EMAIL_PORT = mail["EMAIL_HOST"], mail["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = mail["EMAIL_HOST_USER"], mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = mail["EMAIL_USE_TLS"], mail["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 10

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Uploads are stored under their hash and never served by a URL of their own.
MEDIA_ROOT = VAR_DIR / "media"
MEDIA_URL = ""
ARTIFACTS_DIR = MEDIA_ROOT / "artifacts"
FILES_DIR = MEDIA_ROOT / "files"
BENCHMARKS_DIR = MEDIA_ROOT / "benchmarks"
FILE_UPLOAD_TEMP_DIR = VAR_DIR / "incoming"
FILE_UPLOAD_TEMP_DIR.mkdir(exist_ok=True)
FILE_UPLOAD_PERMISSIONS = 0o600
# Only the doors of outputs and submissions take a file, and they say so themselves (tracker/projects/uploads.py).
FILE_UPLOAD_HANDLERS = ["tracker.projects.uploads.NoFiles"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024

X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tracker.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "tracker.api.authentication.HasScope",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["tracker.api.parsers.BoundedJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "tracker.api.pages.Pages",
    "DEFAULT_FILTER_BACKENDS": ["tracker.api.filters.NamedFilters"],
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "tracker.api.errors.problem",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Plumbline",
    "DESCRIPTION": "What programs send and read: projects, outputs, ratings, submissions, estimates.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {"ClaimStateEnum": "tracker.projects.models.claims.Claim.State"},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "tracker.api.schema.document_refusals",
    ],
}

# The broker is a doorbell: it may lose, repeat or reorder what it carries, and nothing is lost.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "filesystem://localhost//")
BROKER_DIR = VAR_DIR / "broker"
if CELERY_BROKER_URL.startswith("filesystem:"):
    for folder in ("messages", "control"):
        (BROKER_DIR / folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "messages"),
        "data_folder_out": str(BROKER_DIR / "messages"),
        "control_folder": str(BROKER_DIR / "control"),
        "store_processed": False,
        "polling_interval": 0.2,
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "socket_timeout": 2,
        "socket_connect_timeout": 2,
        # A bell that does not ring at once is not rung: without these a refused connection is tried for seconds.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
    }
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_DEFAULT_QUEUE = "fit"
CELERY_TASK_ROUTES = {
    "tracker.grading.tasks.grade": {"queue": "grade.cpu"},
    "tracker.grading.tasks.grade_on_gpu": {"queue": "grade.gpu"},
    "tracker.estimates.tasks.*": {"queue": "fit"},
    "tracker.ops.tasks.*": {"queue": "fit"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# A lease is renewed every third of its length; a worker that stops renewing has lost its job.
LEASE = at_least("PLUMBLINE_LEASE_SECONDS", 60, lowest=1)
FIT_PAUSE = at_least("PLUMBLINE_FIT_PAUSE_SECONDS", 2, lowest=0)
# Properties of a reading that the noise model takes into account; a check refuses any others.
COVARIATES: list[str] = env.list("PLUMBLINE_COVARIATES", [])
GRADING_DEVICE = one_of("PLUMBLINE_DEVICE", "auto", allowed=("auto", "cpu", "cuda"))
# name of the consumer -> what takes one event, in order, each once (see tracker/events)
EVENT_CONSUMERS = {
    "estimates": "tracker.estimates.refresh.take_event",
    "reading": "tracker.ratings.handing_out.take_event",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # What a visitor mistypes is theirs to read on the page, and no warning to operators.
    "loggers": {"tracker": {"level": "INFO"}, "django.request": {"level": "ERROR"}},
}
