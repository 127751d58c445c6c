"""The one settings file. What a site may change comes from the environment (docs/settings.md)."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.utils import get_random_secret_key
from environs import validate

from config.env import env

BASE = Path(__file__).resolve().parent.parent
IS_CHECKOUT = (BASE / "manage.py").exists()
DATA: Path = env.path(
    "DATA", BASE / "var" if IS_CHECKOUT else Path.home() / ".local" / "share" / "madoguchi"
)
DATA.mkdir(parents=True, exist_ok=True, mode=0o700)


def _kept_secret(name: str) -> str:
    """Return the secret kept in the data folder; make it, whole at once, on the first start."""
    file = DATA / name
    if not file.exists():
        draft = DATA / f"{name}.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(get_random_secret_key(), encoding="ascii")
        with suppress(FileExistsError):  # another process was faster: its secret counts
            file.hardlink_to(draft)
        draft.unlink()
    return file.read_text(encoding="ascii").strip()


DEBUG = False
DEMO: bool = env.bool("DEMO", False)
SECRET_KEY: str = env.str("SECRET_KEY", "") or _kept_secret("secret_key")
ALLOWED_HOSTS: list[str] = env.list("HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("ORIGINS", [])
SITE_URL: str = env.str("SITE_URL", "http://localhost:8000")
RATE_LIMITS: bool = env.bool("RATE_LIMITS", True)

# Behind a proxy: whose word about the visitor's address and https is believed.
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", [])
IS_HTTPS = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SECURE_HSTS_SECONDS: int = env.int("HSTS_SECONDS", 0)
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "huey.contrib.djhuey",
    "madoguchi.foundation",
    "madoguchi.ui",
    "django.forms",  # after ui, which redraws some of its controls
    "madoguchi.audit",
    "madoguchi.offices",
    "madoguchi.staff",
    "madoguchi.residents",
    "madoguchi.messaging",
    "madoguchi.knowledge",
    "madoguchi.rota",
    "madoguchi.casework",
    "madoguchi.personnel",
    "madoguchi.letters",
    "madoguchi.safety",
    "madoguchi.intake",
    "madoguchi.booking",
    "madoguchi.reception",
    "madoguchi.introduction",
    "madoguchi.staffsite",
    "madoguchi.publicsite",
    "madoguchi.integrations.mail",
    "madoguchi.integrations.line",
    "madoguchi.statistics",
    "madoguchi.demo",
    "config.apps.ScheduleConfig",
]

MIDDLEWARE = [
    "madoguchi.foundation.middleware.access_log",
    "madoguchi.ui.middleware.error_pages",
    "django.middleware.security.SecurityMiddleware",
    "madoguchi.ui.middleware.StaticFiles",
    "csp.middleware.CSPMiddleware",
    "madoguchi.foundation.middleware.safe_headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "madoguchi.ui.middleware.public_language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "madoguchi.staff.middleware.staff_session",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "madoguchi.publicsite.navigation.frame",
                "madoguchi.staffsite.navigation.menu",
            ],
        },
    }
]

FORM_RENDERER = "madoguchi.ui.renderer.FormRenderer"

SQLITE: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;",
}
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.dj_db_url("DATABASE_URL", f"sqlite:///{DATA / 'madoguchi.sqlite3'}")
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = SQLITE
    # Tests race real connections against each other, which a database in memory cannot do.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["CONN_MAX_AGE"] = 600  # seconds in one of the threads of `config/asgi.py`
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "staff.User"
PASSWORD_HASHERS = ["madoguchi.staff.hashers.BoundedArgon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name", "kana", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
OTP_TOTP_ISSUER = "madoguchi"
CSRF_FAILURE_VIEW = "madoguchi.foundation.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "report-uri": "/csp-report/",
    }
}
LOGIN_URL = "staff:log_in"
LOGIN_REDIRECT_URL = "staffsite:today"


def _queue(url: str) -> dict[str, Any]:
    """Return where the jobs wait: a file of their own, the PostgreSQL database, or Redis."""
    if url.startswith("redis"):
        return {"huey_class": "huey.PriorityRedisExpireHuey", "url": url}
    if url.startswith("postgres"):
        return {"huey_class": "huey.PostgresHuey", "connection": {"dsn": url}}
    return {"huey_class": "huey.SqliteHuey", "filename": str(DATA / "jobs.sqlite3")}


HUEY = _queue(env.str("JOBS_URL", "")) | {
    "immediate": False,
    "utc": False,
    "consumer": {"workers": 2, "worker_type": "thread", "scheduler_interval": 1},
}

# Who carries the messages of a channel. In the demo a catcher keeps them: nothing leaves.
MESSAGING_SENDERS = {
    "mail": "madoguchi.integrations.mail.catcher.MailCatcher"
    if DEMO
    else "madoguchi.integrations.mail.sender.SmtpSender",
    "line": "madoguchi.integrations.line.sender.LineSender",
}
# LINE is a doorbell and off unless the city has an account: without the secret it has no address.
LINE_CHANNEL_SECRET: str = env.str("LINE_CHANNEL_SECRET", "")
LINE_CHANNEL_TOKEN: str = env.str("LINE_CHANNEL_TOKEN", "")
LINE_API_HOST: str = env.str("LINE_API_HOST", "https://api.line.me")
SMTP_HOST: str = env.str("SMTP_HOST", "")
SMTP_PORT: int = env.int("SMTP_PORT", 25)
SMTP_USER: str = env.str("SMTP_USER", "")
SMTP_PASSWORD: str = env.str("SMTP_PASSWORD", "")
SMTP_SECURITY: str = env.str(
    "SMTP_SECURITY", "none", validate=validate.OneOf(["none", "starttls", "tls"])
)
SMTP_FROM: str = env.str("SMTP_FROM", "madoguchi@localhost")
SMTP_TIMEOUT: int = env.int("SMTP_TIMEOUT", 20)  # seconds

SEARCH_WEIGHTS: dict[str, float] = env.dict(  # names and meaning: knowledge/rules/ranking.py
    "SEARCH_WEIGHTS", {}, subcast_values=float
)

LANGUAGE_CODE = "ja"
# The citizens' pages; staff work in Japanese. Each by its own name.
LANGUAGES = [
    ("ja", "日本語"),
    ("en", "English"),
    ("zh-hans", "中文（简体）"),
    ("ko", "한국어"),
    ("vi", "Tiếng Việt"),
    ("pt", "Português"),
]
LANGUAGE_COOKIE_NAME = "madoguchi_language"
LOCALE_PATHS = [BASE / "madoguchi" / "locale"]
TIME_ZONE = "Asia/Tokyo"
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT = DATA / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "madoguchi.ui.storage.BundledStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # until they are collected, from the apps' folders

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"route": {"()": "madoguchi.foundation.logs.RouteInsteadOfPath"}},
    "formatters": {
        "line": {
            "()": "madoguchi.foundation.logs.WithoutMessages",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["route"],
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.request": {"level": "ERROR"},  # the access log has the rest
        "madoguchi": {"level": env.str("LOG_LEVEL", "INFO")},
    },
}
