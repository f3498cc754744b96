"""Settings, typed and read once: from the environment, `.env`, or a running stack's own file."""

import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import environ
import structlog
from csp.constants import NONCE, NONE, SELF, UNSAFE_INLINE
from redis.backoff import NoBackoff
from redis.retry import Retry

from goldtrader import broker, environment

BASE_DIR = Path(__file__).resolve().parent.parent

environment.load()
env = environ.Env()

#: Where the embedded stack keeps its database, certificate and logs.
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).expanduser().resolve()


def _stack_file() -> dict[str, Any]:
    """What the stack of this data directory wrote of itself; empty where none ever ran."""
    try:
        written: dict[str, Any] = json.loads((DATA_DIR / "stack.json").read_text())
    except (OSError, ValueError):
        return {}
    return written


_STACK = _stack_file()


def _setting(name: str, default: str) -> str:
    """The environment's value, else the stack's, else ``default``."""
    value: str = env.str(name, default=str(_STACK.get(name.lower(), default)))
    return value


DEBUG = env.bool("DEBUG", default=False)
# Every stack makes its own. A command that serves nobody can do with one that ends with it; the web
# server refuses to start so.
SECRET_KEY = _setting("SECRET_KEY", "")
HAS_SECRET_KEY = bool(SECRET_KEY)
SECRET_KEY = SECRET_KEY or secrets.token_urlsafe(50)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

DATABASE_URL = _setting("DATABASE_URL", "postgres://goldtrader@127.0.0.1:5432/goldtrader")
REDIS_URL = _setting("REDIS_URL", "redis://127.0.0.1:6379/0")

GATEWAY_HOST = env.str("GATEWAY_HOST", default="127.0.0.1")
GATEWAY_PORT = env.int("GATEWAY_PORT", default=8765)
#: How other machines reach the gateway: host names and addresses for the stack's certificate.
GATEWAY_NAMES = environment.names(_setting("GATEWAY_NAMES", ""))
GATEWAY_TLS_CERT = _setting("GATEWAY_TLS_CERT", str(DATA_DIR / "gateway.crt"))
GATEWAY_TLS_KEY = _setting("GATEWAY_TLS_KEY", str(DATA_DIR / "gateway.key"))
#: `kid:secret` pairs, comma separated; the first signs, all are accepted.
CONNECTOR_JWT_KEYS = _setting("CONNECTOR_JWT_KEYS", "")
# python-telegram-bot's pauses are time spans, as its next major version gives them.
os.environ.setdefault("PTB_TIMEDELTA", "true")
TELEGRAM_BOT_TOKEN = env.str("TELEGRAM_BOT_TOKEN", default="").strip()
#: Fernet keys, comma separated; the first encrypts what the database keeps secret, all decrypt.
FIELD_ENCRYPTION_KEYS = environment.names(_setting("FIELD_ENCRYPTION_KEYS", ""))
#: The pictures of signals: `light`, `dark` or `none`.
TELEGRAM_PICTURES = env.str("TELEGRAM_PICTURES", default="light").lower()
TELEGRAM_API_BASE_URL = env.str("TELEGRAM_API_BASE_URL", default="https://api.telegram.org")
#: The chat that alerts go to, `@name` or a numeric id; empty: they stay in the outbox.
OPERATOR_TELEGRAM_CHANNEL = env.str("OPERATOR_TELEGRAM_CHANNEL", default="")
#: Chats that the bot may write to; empty: those that are set up.
TELEGRAM_ALLOWED_CHATS = environment.names(env.str("TELEGRAM_ALLOWED_CHATS", default=""))
#: Whether channels get signals of simulated feeds without asking for them one by one.
TELEGRAM_SIMULATED = env.bool("TELEGRAM_SIMULATED", default=False)
#: The flood law: seconds between two calls of a chat, calls a minute and chat, and a second.
TELEGRAM_CHAT_SECONDS = env.float("TELEGRAM_CHAT_SECONDS", default=1.0)
TELEGRAM_CHAT_PER_MINUTE = env.int("TELEGRAM_CHAT_PER_MINUTE", default=20)
TELEGRAM_BOT_PER_SECOND = env.int("TELEGRAM_BOT_PER_SECOND", default=30)
#: Seconds between two edits of progress in a chat.
TELEGRAM_EDIT_SECONDS = env.float("TELEGRAM_EDIT_SECONDS", default=20.0)
#: Seconds without a byte after which an answer counts as lost.
TELEGRAM_TIMEOUT = env.float("TELEGRAM_TIMEOUT", default=15.0)
#: How old a message may be when it is sent as new, by kind.
MESSAGE_AGE_MINUTES = {"SIGNAL": 60, "TRADE": 360, "REPORT": 2160, "ALERT": 360} | (
    environment.minutes_by_kind(env.str("MESSAGE_AGE_MINUTES", default=""))
)
#: A live feed without a tick for so long, while the market is open, is an alert.
STALE_FEED_MINUTES = env.float("STALE_FEED_MINUTES", default=5.0)
#: Networks that may use the API; empty means every address.
API_ALLOWED_IPS = env.list("API_ALLOWED_IPS", default=[])
#: Networks that may open admin and pages; by default those of the API.
ADMIN_ALLOWED_IPS = env.list("ADMIN_ALLOWED_IPS", default=API_ALLOWED_IPS)
#: Networks that may read /metrics without a token, and the token for everybody else.
METRICS_ALLOWED_IPS = env.list("METRICS_ALLOWED_IPS", default=["127.0.0.0/8", "::1"])
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
API_RATE_LIMIT = env.str("API_RATE_LIMIT", default="6000/min")
#: Refusals (401, 403) that an address gets before it has to wait.
API_REFUSED_LIMIT = env.str("API_REFUSED_LIMIT", default="120/min")
#: Wrong passwords: for a user from one address, from an address, and for a user from everywhere
#: but the browsers in which that user has logged in before.
LOGIN_LIMIT = env.str("LOGIN_LIMIT", default="5/min")
LOGIN_ADDRESS_LIMIT = env.str("LOGIN_ADDRESS_LIMIT", default="20/min")
LOGIN_USER_LIMIT = env.str("LOGIN_USER_LIMIT", default="60/hour")
#: More wrong passwords than this, of all users together, are an alert.
LOGIN_ALERT_LIMIT = env.str("LOGIN_ALERT_LIMIT", default="30/hour")
#: Networks that may connect to the gateway; empty means every address.
GATEWAY_ALLOWED_IPS = env.list("GATEWAY_ALLOWED_IPS", default=[])
#: A request with a larger body, in bytes, is refused before any of it is read.
REQUEST_BODY_LIMIT = env.int("REQUEST_BODY_LIMIT", default=1_048_576)
DATA_UPLOAD_MAX_MEMORY_SIZE = REQUEST_BODY_LIMIT
#: Connections that one web process keeps open, in all and by address (IPv6: by /64 network).
WEB_CONNECTIONS = env.int("WEB_CONNECTIONS", default=200)
WEB_CONNECTIONS_PER_ADDRESS = env.int("WEB_CONNECTIONS_PER_ADDRESS", default=100)
#: Seconds that a caller has for a request's headers, for its body, and between two requests.
WEB_HEADER_SECONDS = env.float("WEB_HEADER_SECONDS", default=10.0)
WEB_BODY_SECONDS = env.float("WEB_BODY_SECONDS", default=30.0)
WEB_IDLE_SECONDS = env.float("WEB_IDLE_SECONDS", default=30.0)
#: How many proxies in front set X-Forwarded-For; 0 means that header is not believed.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
#: The gateway serves its metrics here, workers and beat on the next free ports; 0 is none.
METRICS_PORT = env.int("METRICS_PORT", default=0)
METRICS_HOST = env.str("METRICS_HOST", default="127.0.0.1")
# Processes that share this directory are added up at the web server's /metrics.
if _metrics_directory := env.str("PROMETHEUS_MULTIPROC_DIR", default=""):
    Path(_metrics_directory).mkdir(parents=True, exist_ok=True)
    # Here: Prometheus' client looks for the directory when it is imported.
    from goldtrader import metrics_files

    metrics_files.keep_room()


INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_prometheus",
    "django_structlog",
    "django_celery_beat",
    "django_filters",
    "rest_framework",
    "rest_framework_api_key",
    "drf_spectacular",
    "goldtrader",
    "signals_app",
    "trades_app",
    "reports_app",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "goldtrader.operations.instrumentation.CountApiRequests",
    "goldtrader.access.refused_callers.RefusedCallers",
    "goldtrader.access.request_limits.RequestLimits",
    "django.middleware.security.SecurityMiddleware",
    "goldtrader.access.networks.require_admin_network",
    "goldtrader.access.content_policy.ContentPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "goldtrader.access.doors.NameTheActor",
    "goldtrader.access.login.LoginAnswers",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "goldtrader.urls"
WSGI_APPLICATION = "goldtrader.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        **env.db_url_config(DATABASE_URL),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
_NO_RETRY = Retry(NoBackoff(), 0)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # What is cached can do without Redis, but cannot wait for it.
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1, "retry": _NO_RETRY},
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "goldtrader.access.passwords.QueuedArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTHENTICATION_BACKENDS = ["goldtrader.access.login.PatientBackend"]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
# Times as engineers read them, not as the language writes them.
FORMAT_MODULE_PATH = ["goldtrader.formats"]

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=None)
# Static files are found where their apps keep them, so that a fresh clone needs no collectstatic.
WHITENOISE_USE_FINDERS = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["goldtrader.access.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["goldtrader.access.permissions.HasReadKey"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["goldtrader.api.json_body.JSONBodyParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "goldtrader.api.pagination.CursorPages",
    "DEFAULT_THROTTLE_CLASSES": ["goldtrader.access.throttling.KeyThrottle"],
    "DEFAULT_THROTTLE_RATES": {"key": API_RATE_LIMIT},
    "EXCEPTION_HANDLER": "goldtrader.api.errors.answer",
    "COERCE_DECIMAL_TO_STRING": False,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "GoldTrader",
    "VERSION": "1",
    "DESCRIPTION": "Signals, trades and performance of the analysis server.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["goldtrader.access.permissions.IsAllowedAddress"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # By their own names; the schema would make up one for a set that several fields use.
    "ENUM_NAME_OVERRIDES": {
        "Direction": "signals_app.market.direction.Direction",
        "TradeStatus": "trades_app.lifecycle.trade.TradeStatus",
        "EventKind": "trades_app.lifecycle.trade.EventKind",
        "Session": "signals_app.market.calendar.TradingSession",
    },
}

# A worker shows the addresses to whoever asks it for its settings; the password stands apart.
CELERY_BROKER_URL, CELERY_BROKER_USER, CELERY_BROKER_PASSWORD = broker.parts_of(REDIS_URL)
CELERY_RESULT_BACKEND = CELERY_BROKER_URL
CELERY_REDIS_USERNAME, CELERY_REDIS_PASSWORD = CELERY_BROKER_USER, CELERY_BROKER_PASSWORD
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = 600
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_WORKER_CONSUMER = "goldtrader.operations.task_events.EventBatchingConsumer"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker that loses its broker ends, and is started again: going on with a new connection fails
# in Celery 5.7 where a task was held over the old one.
CELERY_BROKER_CONNECTION_RETRY = False
# Celery would open a connection to the database for each task; ours are kept as Django keeps those
# of web requests (CONN_MAX_AGE), see goldtrader/operations/connections.py.
CELERY_DB_REUSE_MAX = sys.maxsize
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 120}
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "delivery"
#: All that Celery gets, since a worker shows what it got to whoever asks it.
CELERY = {
    name.removeprefix("CELERY_").lower(): value
    for name, value in tuple(globals().items())
    if name.startswith("CELERY_")
}

# Amber, each shade one step darker than Tailwind's own so that links stay readable on white.
_GOLD = {
    "50": "oklch(98.7% .022 95.277)",
    "100": "oklch(96.2% .059 95.617)",
    "200": "oklch(92.4% .12 95.746)",
    "300": "oklch(87.9% .169 91.605)",
    "400": "oklch(76.9% .188 70.08)",
    "500": "oklch(66.6% .179 58.318)",
    "600": "oklch(55.5% .163 48.998)",
    "700": "oklch(47.3% .137 46.201)",
    "800": "oklch(41.4% .112 45.904)",
    "900": "oklch(35% .09 45.8)",
    "950": "oklch(27.9% .077 45.635)",
}
UNFOLD = {
    "SITE_TITLE": "GoldTrader",
    "SITE_HEADER": "GoldTrader",
    "SITE_SYMBOL": "candlestick_chart",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "/static/goldtrader/icon.svg"},
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "goldtrader.admin_site.sidebar.environment",
    "DASHBOARD_CALLBACK": "goldtrader.admin_site.status.status",
    "COLORS": {"primary": _GOLD},
    "SIDEBAR": {"navigation": "goldtrader.admin_site.sidebar.sidebar"},
}

HTTPS_ONLY = env.bool("HTTPS_ONLY", default=False)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_SSL_REDIRECT = HTTPS_ONLY
# Health checks and Prometheus ask from within, where nothing speaks TLS.
SECURE_REDIRECT_EXEMPT = [r"^api/v1/health$", r"^metrics$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS_ONLY else 0
if HTTPS_ONLY or TRUSTED_PROXIES:
    # The web server speaks no TLS: the proxy ends it; without this every request would be
    # redirected for ever.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SILENCED_SYSTEM_CHECKS = [
    # Whether the other hosts of the domain speak HTTPS, and for ever, is not ours to say.
    "security.W005",
    "security.W021",
]
SESSION_COOKIE_SECURE = HTTPS_ONLY
SESSION_COOKIE_HTTPONLY = True
#: An operator logs in once a day.
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_AGE = SESSION_COOKIE_AGE
X_FRAME_OPTIONS = "DENY"
#: Nothing comes from elsewhere, nothing runs that a page did not bring itself.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        # The admin's theme and the charts of reports set styles within the page.
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}


def _hide_tokens(_logger: object, _method: str, line: str) -> str:
    """The last step of every log line: whatever brought a bot's token here, it does not stay."""
    return environment.without_bot_tokens(line)


_SHARED_LOG_STEPS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.format_exc_info,
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
                _hide_tokens,
            ],
            "foreign_pre_chain": _SHARED_LOG_STEPS,
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO").upper()},
    "loggers": {
        # They would log the address of each call of Telegram, which holds the bot's token.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "django_structlog": {"level": "WARNING"},
        # It warns of every request that waits for a thread, and tells of every caller that left.
        "waitress": {"level": "WARNING"},
        "waitress.queue": {"level": "ERROR"},
        # Two lines for each task; Flower shows tasks, and what they did has events of its own.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        # A line for each of them, thirty a minute.
        "celery.beat": {"level": "WARNING"},
        # For LOG_LEVEL=debug: it shows the head of each task, at each start, in the terminal too.
        "celery.utils.functional": {"level": "INFO"},
    },
}
structlog.configure(
    processors=[
        *_SHARED_LOG_STEPS,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
