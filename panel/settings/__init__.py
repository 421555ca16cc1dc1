"""The one settings module. Everything that differs between installations comes from the environment.

The table of all variables stands in README.md.
"""

from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from panel.settings import env, paths

PATHS = paths.from_environment()
BASE_DIR = paths.BASE

# --- who we are -------------------------------------------------------------------------------------------------------
SITE_URL = env.text("TIDEPOOL_URL", "http://localhost:8000").rstrip("/")
_site = urlsplit(SITE_URL)
if _site.scheme not in {"http", "https"} or not _site.hostname:
    raise ImproperlyConfigured(f"TIDEPOOL_URL must look like https://panel.example.org, not {SITE_URL!r}.")
SECURE = _site.scheme == "https"

DEBUG = False
SECRET_KEY = env.from_variable_or_file("TIDEPOOL_SECRET_KEY", PATHS.keys / "secret_key")
ALLOWED_HOSTS = [_site.hostname, *env.words("TIDEPOOL_EXTRA_HOSTS")]
CSRF_TRUSTED_ORIGINS = [SITE_URL]
ROOT_URLCONF = "panel.urls"
WSGI_APPLICATION = "panel.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "cloud",
    "cloud.operations",
    "panel.people",
    "panel.teams",
    "panel.fleet",
    "panel.inbox",
    "panel.approvals",
    "panel.actions",
    "panel.bulk",
    "panel.launch",
    "panel.overview",
    "panel.activity",
    "panel.find",
    "panel.accounts",
    "panel.health",
    "panel.audit",
    "panel.live",
    "panel.local",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "panel.http.SafeAnswers",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # below the walls: static files have them too
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "panel.teams.middleware.ActorMiddleware",
    "panel.http.SignInFirst",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "panel.frame.frame",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["panel.templating.Compact", "django.template.loaders.app_directories.Loader"],
                ),
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "panel.templatetags.tidepool"],
        },
    }
]

# --- data -------------------------------------------------------------------------------------------------------------
DATABASES = {"default": dj_database_url.parse(env.text("DATABASE_URL", f"sqlite:///{PATHS.database}"), conn_max_age=60)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL without IMMEDIATE failed 80 % of concurrent writes. FULL: what was answered survives a power cut.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # a file cannot hang up; a server can
# Production's second role on PostgreSQL, which runs the panel; migrations make it and say what it may.
APP_ROLE = env.text("TIDEPOOL_APP_ROLE")
APP_PASSWORD = env.text("TIDEPOOL_APP_PASSWORD")
REDIS_URL = env.text("REDIS_URL", f"unix://{PATHS.socket}")

SESSION_ENGINE = "django.contrib.sessions.backends.db"  # pages answer while Redis is away
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_NAME = "tidepool_session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- people -----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
CSRF_FAILURE_VIEW = "panel.http.csrf_refused"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview:home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "panel.people.adapter.Door"
ACCOUNT_FORMS = {
    "change_password": "panel.people.forms.ChangeForm",
    "reset_password": "panel.people.forms.ForgottenForm",
    "reset_password_from_key": "panel.people.forms.NewForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # addresses come from an administrator or an invitation
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # no mail to addresses that strangers type
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
# Our own counter stands in the database (panel/people/lockout.py); allauth's would live in a cache that forgets.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "",
    "login": "",
    "reset_password": "20/m/ip",
    "change_password": "5/m/user",
}
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = str(PATHS.mail)
if env.text("EMAIL_HOST"):
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = env.text("EMAIL_HOST")
    EMAIL_PORT = int(env.number("EMAIL_PORT", 587, least=1, most=65535))
    EMAIL_HOST_USER = env.text("EMAIL_USER")
    EMAIL_HOST_PASSWORD = env.text("EMAIL_PASSWORD")
    EMAIL_USE_TLS = env.flag("EMAIL_TLS", default=True)
EMAIL_TIMEOUT = 10
PASSWORD_RESET_TIMEOUT = 3600
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "Tidepool <tidepool@localhost>")

# --- language and time ------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- static files -----------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.text("TIDEPOOL_STATIC_ROOT", str(PATHS.data / "static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- the browser's walls ----------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # Tabler draws ticks and arrows as data images
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = ["^healthz$"]
if SECURE:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- the record -------------------------------------------------------------------------------------------------------
# Only the sweeper is given the key that signs; whoever has the public half can check.
RECORD_KEY_FILE = env.text("TIDEPOOL_RECORD_KEY_FILE", str(PATHS.keys / "record.key"))
RECORD_PUBLIC_KEY = env.from_variable_or_file("TIDEPOOL_RECORD_PUBLIC_KEY", PATHS.keys / "record.pub")
CHECKPOINT_FILE = env.text("TIDEPOOL_CHECKPOINT_FILE", str(PATHS.data / "checkpoints.jsonl"))

# --- the provider -----------------------------------------------------------------------------------------------------
BLUELOBSTER_BASE_URL = env.text("BLUELOBSTER_BASE_URL", "https://api.bluelobster.ai/api/v1").rstrip("/")
BLUELOBSTER_ENDPOINTS = env.text("BLUELOBSTER_ENDPOINTS")
CALLS_PER_SECOND = env.number("BLUELOBSTER_CALLS_PER_SECOND", 2, least=0.1, most=10_000)
# Anybody may seal to the public half; only workers are given the private one.
WORKER_PUBLIC_KEY = env.from_variable_or_file("TIDEPOOL_WORKER_PUBLIC_KEY", PATHS.keys / "worker.pub")
WORKER_PRIVATE_KEY_FILE = env.text("TIDEPOOL_WORKER_PRIVATE_KEY_FILE", str(PATHS.keys / "worker.key"))
OFF_MAY_COST = env.flag("TIDEPOOL_OFF_MAY_COST", default=True)
TIME_SCALE = env.number("TIDEPOOL_TIME_SCALE", 1, least=0.001, most=1000)
UNDO_SECONDS = env.number("TIDEPOOL_UNDO_SECONDS", 10, least=0, most=600)

# --- Celery: a message is a hint, the row decides ---------------------------------------------------------------------
WORKER_THREADS = int(env.number("TIDEPOOL_WORKER_THREADS", 8, least=1, most=200))
WEB_THREADS = int(env.number("TIDEPOOL_WEB_THREADS", 8, least=1, most=200))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "panel.redaction.Redact"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "filters": ["redact"], "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.text("TIDEPOOL_LOG_LEVEL", "WARNING").upper()},
    # httpx writes whole addresses at INFO: an opaque id is nobody's business in a log.
    "loggers": {"httpx": {"level": "ERROR"}, "httpcore": {"level": "ERROR"}, "django.request": {"level": "ERROR"}},
}
