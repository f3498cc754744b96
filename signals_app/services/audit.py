"""The audit: one row for each change, written in the transaction that makes it.

Services write what they do; rows that people edit are followed, whoever saves them, see
`audited_rows`. Secrets are never written: a column, key or text that may be one is left out.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Any, Final

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from signals_app import actor
from signals_app.models import AuditEntry

HIDDEN: Final = "(secret)"
HIDDEN_CHANGE: Final = "(secret, changed)"

#: Columns and keys of these names hold secrets.
_SECRET_NAMES: Final = re.compile(
    r"pass(word|phrase|wd)|secret|token|hash|api_?key|seed", re.IGNORECASE
)
#: Secrets by their looks: API keys and their hashes, as addresses of the admin have them, JSON Web
#: Tokens, Telegram's bot tokens.
_SECRET_LOOKS: Final = re.compile(
    r"\b\w{8}\.[\w$]{32,}|\beyJ[\w-]+\.[\w-]+\.[\w-]*|\b\d{6,12}:[\w-]{30,}|://[^\s/@:]*:[^\s/@]+@"
)
#: Of the names above these hold none.
_NO_SECRETS: Final = frozenset({"tokens_from", "record_hash"})
_LONGEST_TEXT: Final = 4000
_SHORTEST_SECRET: Final = 8


@dataclass(frozen=True, slots=True)
class Change:
    """One change: what was done to what, and the columns that changed, as they were and are."""

    action: str
    subject_type: str
    subject: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None

    @classmethod
    def of_row(
        cls,
        action: str,
        row: models.Model,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> "Change":
        """A change of this row, which its key names."""
        return cls(action, row._meta.label_lower, str(row.pk), before, after)


def record(*changes: Change) -> None:
    """Write changes, as of who is acting now; call it in the transaction that makes them."""
    who = actor.current()
    AuditEntry.objects.bulk_create([_entry(who, change) for change in changes])
    actor.count_change(len(changes))


def without_secrets(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The values as they may be stored for ever: plain JSON, secrets left out, texts of a length.

    Changed secrets are to be marked by the caller, with `HIDDEN_CHANGE`.
    """
    if values is None:
        return None
    plain = json.loads(json.dumps(dict(values), cls=_Encoder, allow_nan=True))
    shown: dict[str, Any] = _shown(plain)
    return shown


def is_secret(name: str) -> bool:
    """Whether a column or key of this name holds a secret."""
    return name not in _NO_SECRETS and _SECRET_NAMES.search(name) is not None


def _entry(who: actor.Actor, change: Change) -> AuditEntry:
    return AuditEntry(
        door=who.door.value,
        who=_text(who.who)[:150],
        key=who.key[:16],
        address=_address(who.address),
        via=_text(who.via)[:200],
        action=change.action[:60],
        subject_type=change.subject_type[:60],
        subject=_text(change.subject)[:200],
        before=without_secrets(change.before),
        after=without_secrets(change.after),
    )


def _shown(value: Any) -> Any:
    match value:
        case dict():
            return {
                _text(name): _hidden(inner) if is_secret(name) else _shown(inner)
                for name, inner in value.items()
            }
        case list():
            return [_shown(each) for each in value]
        case str():
            return _of_text(value)
        case float() if value != value or value in (float("inf"), float("-inf")):
            return str(value)
        case _:
            return value


def _hidden(value: Any) -> Any:
    """What stands for a secret; that there is none is no secret."""
    return value if value in (None, "", HIDDEN, HIDDEN_CHANGE) else HIDDEN


def _of_text(text: str) -> str:
    """A text, inside which JSON is read, as arguments of tasks are kept so."""
    if text[:1] in ("{", "["):
        try:
            return json.dumps(_shown(json.loads(text)))[:_LONGEST_TEXT]
        except (ValueError, RecursionError):
            pass
    return _text(text)


def _text(text: str) -> str:
    """A text without zero characters and halves of pairs, which PostgreSQL keeps none of."""
    for secret in _secrets():
        text = text.replace(secret, HIDDEN)
    kept = _SECRET_LOOKS.sub(HIDDEN, text.replace("\0", ""))
    return kept.encode("utf-8", "replace").decode()[:_LONGEST_TEXT]


def _address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None


@cache
def _secrets() -> tuple[str, ...]:
    """This installation's secrets, longest first, so that none is left by half."""
    signing = (pair.partition(":")[2] for pair in settings.CONNECTOR_JWT_KEYS.split(","))
    known: Iterable[str] = (
        settings.SECRET_KEY,
        settings.TELEGRAM_BOT_TOKEN,
        settings.METRICS_TOKEN,
        str(settings.DATABASES["default"].get("PASSWORD") or ""),
        str(settings.CELERY_BROKER_PASSWORD or ""),
        *settings.FIELD_ENCRYPTION_KEYS,
        *signing,
    )
    return tuple(sorted((each for each in known if len(each) >= _SHORTEST_SECRET), key=len)[::-1])


class _Encoder(DjangoJSONEncoder):
    """Says what it does not know as text."""

    def default(self, o: Any) -> Any:
        try:
            return super().default(o)
        except TypeError:
            return str(o)
