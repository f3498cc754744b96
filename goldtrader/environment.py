"""The environment that the product reads: its own variables, each checked, and no other program's.

Loaded before anything else of the product, by `manage.py` and by the settings.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent

#: What libraries of ours would obey although it was meant for another program: the broker and
#: results of another Celery, PostgreSQL's client, another site's web server, a notebook's charts,
#: a search for faults in compiled code, which would leave the detectors uncompiled.
_FOREIGN_PREFIXES = ("CELERY_", "PG", "NUMBA_")
_FOREIGN = frozenset({"GUNICORN_CMD_ARGS", "MATPLOTLIBRC", "MPLBACKEND", "WEB_CONCURRENCY"})
#: Where compiled code is kept, which stack and image say themselves.
_OURS = frozenset({"NUMBA_CACHE_DIR"})
_SETTINGS = "DJANGO_SETTINGS_MODULE"
_OUR_SETTINGS = "goldtrader.settings"
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_TRUTHS = frozenset({"true", "yes", "on", "1", "ok", "y", "t", "false", "no", "off", "0", "n", "f"})


#: A bot's id and its secret, as BotFather gives them.
_BOT_TOKEN = re.compile(r"(?<!\d)\d{5,}:[A-Za-z0-9_-]{20,}")
_KINDS = ("SIGNAL", "TRADE", "REPORT", "ALERT")


class SettingRefused(ImproperlyConfigured):
    """A variable's value cannot be used; the message is one sentence that names the variable."""


def load() -> None:
    """Read `.env`, drop what is another program's, and check the rest; raises `SettingRefused`."""
    environ.Env.read_env(ROOT / ".env")
    drop_foreign(os.environ)
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR", "."):
        # Given but empty, the metrics' library would write its files wherever we stand.
        del os.environ["PROMETHEUS_MULTIPROC_DIR"]
    check(os.environ)
    strip(os.environ)


def drop_foreign(variables: MutableMapping[str, str]) -> None:
    """Remove the variables that were set for another program and would be obeyed by ours."""
    for name in tuple(variables):
        if name not in _OURS and (name.startswith(_FOREIGN_PREFIXES) or name in _FOREIGN):
            del variables[name]
    module = variables.get(_SETTINGS, _OUR_SETTINGS)
    file = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    if not (module.startswith("goldtrader.") and file.is_file()):
        variables[_SETTINGS] = _OUR_SETTINGS


def check(variables: Mapping[str, str]) -> None:
    """Raise `SettingRefused` for the first variable of ours whose value cannot be used."""
    for name, what_is_wrong in _CHECKS.items():
        value = variables.get(name)
        if value and (wish := what_is_wrong(value.strip())) is not None:
            shown = "of no use" if name in _SECRETS else repr(value)
            raise SettingRefused(f"{name} is {shown}: give {wish}, or leave it out.")


def strip(variables: MutableMapping[str, str]) -> None:
    """Leave out the blanks around what was checked, which not every reader of a variable does."""
    for name in _CHECKS:
        if name in variables:
            variables[name] = variables[name].strip()


def names(text: str) -> list[str]:
    """The names in a text with commas between them."""
    return [name for each in text.split(",") if (name := each.strip())]


def gateway_names(variables: Mapping[str, str]) -> list[str]:
    """How other machines reach the gateway; for who starts before Django's settings are read."""
    return names(variables.get("GATEWAY_NAMES", ""))


def minutes_by_kind(text: str) -> dict[str, int]:
    """Minutes by kind of message, from text such as `SIGNAL:60,TRADE:360`."""
    pairs = (each.partition(":") for each in names(text))
    return {kind.strip().upper(): int(minutes) for kind, _, minutes in pairs}


def without_bot_tokens(line: str) -> str:
    """A line of a log without whatever looks like a Telegram bot's token."""
    return _BOT_TOKEN.sub("<bot token>", line) if ":" in line else line


def _whole(least: int, most: int) -> Callable[[str], str | None]:
    def what_is_wrong(value: str) -> str | None:
        is_good = re.fullmatch(r"\d{1,9}", value, re.ASCII) and least <= int(value) <= most
        return None if is_good else f"a whole number from {least} to {most}"

    return what_is_wrong


def _positive(value: str) -> bool:
    try:
        return 0 < float(value) < 1_000_000
    except ValueError:
        return False


def _minutes(value: str) -> str | None:
    return None if _positive(value) else "a number of minutes above 0"


def _seconds(value: str) -> str | None:
    return None if _positive(value) else "a number of seconds above 0"


def _ages(value: str) -> str | None:
    kinds = "|".join(_KINDS)
    one = rf"\s*({kinds})\s*:\s*\d{{1,6}}\s*"
    is_good = re.fullmatch(f"{one}(,{one})*", value)
    return (
        None if is_good else f"minutes by kind ({', '.join(_KINDS)}), such as SIGNAL:60,TRADE:360"
    )


def _bot_token(value: str) -> str | None:
    is_good = re.fullmatch(r"\d{3,20}:[A-Za-z0-9_-]{3,100}", value)
    return None if is_good else "the token as BotFather gives it: a number, a colon, the secret"


def _ring(value: str) -> str | None:
    is_good = all(re.fullmatch(r"[A-Za-z0-9_-]{43}=", key) for key in names(value))
    return None if is_good else "Fernet keys, 32 bytes in URL-safe base64 each, comma separated"


def _chats(value: str) -> str | None:
    from signals_app.chat_names import NotAChat, normalised

    for name in names(value):
        try:
            normalised(name)
        except NotAChat:
            return "chats, as @name (4 to 32 letters, digits and _) or numeric id"
    return None


def _pictures(value: str) -> str | None:
    return None if value.lower() in {"light", "dark", "none"} else "light, dark or none"


def _truth(value: str) -> str | None:
    return None if value.lower() in _TRUTHS else "true or false"


def _level(value: str) -> str | None:
    return None if value.upper() in _LEVELS else f"one of {', '.join(_LEVELS)}"


def _rate(value: str) -> str | None:
    is_good = re.fullmatch(r"[1-9]\d{0,8}/(s|sec|second|m|min|minute|h|hour|d|day)", value)
    return None if is_good else "requests by second, minute, hour or day, such as 6000/min"


def _networks(value: str) -> str | None:
    for network in value.split(","):
        try:
            ipaddress.ip_network(network.strip(), strict=False)
        except ValueError:
            return f"addresses or networks with commas between them; {network!r} is neither"
    return None


def _hosts(value: str) -> str | None:
    for name in value.split(","):
        if not re.fullmatch(r"[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9:])?", name.strip()):
            return f"host names or addresses with commas between them; {name.strip()!r} is neither"
    return None


def _served_hosts(value: str) -> str | None:
    for name in names(value):
        if not re.fullmatch(
            r"\*|\.?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]", name
        ):
            return (
                "host names with commas between them, without ports, IPv6 addresses in brackets; "
                f"{name!r} is none"
            )
    return None


def _address(example: str, *schemes: str) -> Callable[[str], str | None]:
    def what_is_wrong(value: str) -> str | None:
        try:
            url = urlsplit(value)
            # Read for its complaint: a port that is no number is found only here.
            is_good = url.scheme in schemes and (url.port is None or url.port > 0)
        except ValueError:
            is_good = False
        return None if is_good else f"an address such as {example}"

    return what_is_wrong


def _secret(value: str) -> str | None:
    is_good = (
        len(value) >= _SECRET_LENGTH
        and len(set(value)) >= _SECRET_CHARACTERS
        and not value.startswith(_PUBLIC_SECRETS)
    )
    return None if is_good else f"{_SECRET_LENGTH} or more random characters"


def _token(value: str) -> str | None:
    is_good = re.fullmatch(r"[\x21-\x7e]{32,}", value)
    return None if is_good else "32 or more random characters without spaces"


#: Their values are not printed.
_SECRETS = frozenset(
    {
        *("DATABASE_URL", "FIELD_ENCRYPTION_KEYS", "METRICS_TOKEN", "REDIS_URL", "SECRET_KEY"),
        "TELEGRAM_BOT_TOKEN",
    }
)
#: Defaults that anyone can look up: Django's for new projects, and one of our earlier versions.
_PUBLIC_SECRETS = ("django-insecure-", "offline-commands-only-")
_SECRET_LENGTH = 50
_SECRET_CHARACTERS = 5

#: What each says of a value that cannot be used: what to give instead.
_CHECKS: Mapping[str, Callable[[str], str | None]] = MappingProxyType(
    {
        "ADMIN_ALLOWED_IPS": _networks,
        "ALLOWED_HOSTS": _served_hosts,
        "API_ALLOWED_IPS": _networks,
        "API_RATE_LIMIT": _rate,
        "API_REFUSED_LIMIT": _rate,
        "DATABASE_URL": _address(
            "postgres://user:password@host:5432/name",
            *("postgres", "postgresql", "pgsql", "psql"),
        ),
        "DEBUG": _truth,
        "FIELD_ENCRYPTION_KEYS": _ring,
        "GATEWAY_ALLOWED_IPS": _networks,
        "GATEWAY_NAMES": _hosts,
        "GATEWAY_PORT": _whole(0, 65_535),
        "HTTPS_ONLY": _truth,
        "LOGIN_ADDRESS_LIMIT": _rate,
        "LOGIN_ALERT_LIMIT": _rate,
        "LOGIN_LIMIT": _rate,
        "LOGIN_USER_LIMIT": _rate,
        "LOG_LEVEL": _level,
        "MESSAGE_AGE_MINUTES": _ages,
        "METRICS_ALLOWED_IPS": _networks,
        "METRICS_PORT": _whole(0, 65_526),
        "METRICS_TOKEN": _token,
        "OPERATOR_TELEGRAM_CHANNEL": _chats,
        "REDIS_URL": _address("redis://:password@host:6379/0", "redis", "rediss"),
        "SECRET_KEY": _secret,
        "REQUEST_BODY_LIMIT": _whole(1024, 104_857_600),
        "STALE_FEED_MINUTES": _minutes,
        "TELEGRAM_ALLOWED_CHATS": _chats,
        "TELEGRAM_API_BASE_URL": _address("https://api.telegram.org", "https", "http"),
        "TELEGRAM_BOT_PER_SECOND": _whole(1, 30),
        "TELEGRAM_BOT_TOKEN": _bot_token,
        "TELEGRAM_CHAT_PER_MINUTE": _whole(1, 1_000),
        "TELEGRAM_CHAT_SECONDS": _seconds,
        "TELEGRAM_EDIT_SECONDS": _seconds,
        "TELEGRAM_PICTURES": _pictures,
        "TELEGRAM_SIMULATED": _truth,
        "TELEGRAM_TIMEOUT": _seconds,
        "TRUSTED_PROXIES": _whole(0, 100),
        "WEB_BODY_SECONDS": _seconds,
        "WEB_CONNECTIONS": _whole(10, 100_000),
        "WEB_CONNECTIONS_PER_ADDRESS": _whole(1, 100_000),
        "WEB_HEADER_SECONDS": _seconds,
        "WEB_IDLE_SECONDS": _seconds,
    }
)
