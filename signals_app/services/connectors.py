"""Which connectors may send what, and whose ticks are made up."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from signals_app.connector_codes import ConnectorEventCode
from signals_app.connector_names import continues
from signals_app.connector_permits import Permit, TokenRights
from signals_app.models import AuditEntry, Connector, ConnectorEvent, StreamPosition
from signals_app.services import api_keys, audit
from signals_app.services.api_keys import KeyRights
from signals_app.services.audit import Change

#: A connector sends a heartbeat every 30 s; twice that without one is silence.
SILENT_AFTER = timedelta(seconds=60)


#: One key makes so many connectors at most.
MOST_CONNECTORS = 50
#: One connector gets so many tokens a minute at most; one lasts a day.
TOKENS_A_MINUTE = 30
_GIVEN = "token given"


#: A report like the one before it is the same one if it comes within this time.
_REPEATED_WITHIN = timedelta(minutes=10)
EVENTS_KEPT_FOR = timedelta(days=90)


class ConnectorRevoked(Exception):  # noqa: N818 - it says what happened
    """The connector was cut off; an operator has to let it in again first."""


class NotAllowed(Exception):  # noqa: N818 - a refusal with its reason
    """The key, or the connector's row, does not allow what was asked; the text says what."""


class TooManyTokens(Exception):  # noqa: N818 - it says what happened
    """The connector was given as many tokens as anybody can need; a minute later it gets more."""


def allow_connector(name: str, symbols: Sequence[str], key: KeyRights) -> Connector:
    """The connector that a token is asked for; made where it is new.

    What it may send is its row's to say: no token carries more. A new row gets what its key is
    for. Raises `ConnectorRevoked`, `NotAllowed` and `TooManyTokens`.
    """
    if key.symbols is not None:
        if name != key.name and not continues(name, key.name):
            raise NotAllowed(f"This key is the connector {key.name}'s, not {name}'s.")
        _require(symbols, key.symbols, "This key does not carry {}.")
    with transaction.atomic():
        mine = "" if key.symbols is None else key.name
        may_send = sorted(symbols if key.symbols is None else key.symbols)
        if mine and not Connector.objects.filter(name=name).exists():
            _require_room(mine)
        Connector.objects.get_or_create(name=name, defaults={"symbols": may_send, "owner": mine})
        connector = Connector.objects.select_for_update().get(name=name)
        if key.symbols is not None and not connector.belongs_to(key.name):
            raise NotAllowed(f"The connector {name} is not this key's: its owner is another.")
        if connector.is_revoked:
            raise ConnectorRevoked(f"The connector {name} is revoked.")
        _require(
            symbols,
            connector.may_send,
            f"The connector {name} may not send {{}}: add it to its symbols in the admin first.",
        )
        _require_calm(connector)
        note_token(connector, symbols)
    return connector


def note_token(connector: Connector, symbols: Sequence[str]) -> None:
    """Write into the audit that a token of the connector is given away."""
    audit.record(Change.of_row(_GIVEN, connector, after={"symbols": [*symbols]}))


def _require_calm(connector: Connector) -> None:
    """Give no more tokens than anybody can need, each of which is a row of the audit for ever."""
    given = AuditEntry.objects.filter(
        subject_type=connector._meta.label_lower,
        subject=connector.pk,
        action=_GIVEN,
        at__gt=timezone.now() - timedelta(minutes=1),
    )
    if given[:TOKENS_A_MINUTE].count() >= TOKENS_A_MINUTE:
        raise TooManyTokens(f"{connector} got {TOKENS_A_MINUTE} tokens within a minute; wait.")


def _require_room(key_name: str) -> None:
    if Connector.objects.filter(owner=key_name).count() >= MOST_CONNECTORS:
        raise NotAllowed(f"This key has made {MOST_CONNECTORS} connectors, which is the most.")


def _require(symbols: Sequence[str], allowed: Collection[str], sentence: str) -> None:
    others = sorted({*symbols} - {*allowed})
    if others:
        raise NotAllowed(sentence.format(", ".join(others)))


def cut_off(connector: Connector) -> bool:
    """Revoke a connector, and all its tokens for good; whether it was not revoked before.

    Let in again it needs a new token.
    """
    if connector.is_revoked:
        return False
    connector.is_revoked, connector.tokens_from = True, timezone.now()
    with transaction.atomic():
        connector.save(update_fields=("is_revoked", "tokens_from"))
    return True


def let_in_again(connector: Connector) -> bool:
    """Let a revoked connector get tokens again; whether it was revoked."""
    if not connector.is_revoked:
        return False
    connector.is_revoked = False
    with transaction.atomic():
        connector.save(update_fields=("is_revoked",))
    return True


def set_symbols(name: str, symbols: Sequence[str]) -> Connector:
    """Say what a connector may send; it is made where it is new."""
    with transaction.atomic():
        Connector.objects.get_or_create(name=name, defaults={"symbols": [*symbols]})
        connector = Connector.objects.select_for_update().get(name=name)
        if connector.symbols != [*symbols]:
            connector.symbols = [*symbols]
            connector.save(update_fields=("symbols",))
    return connector


def widen(key_name: str, symbols: Sequence[str]) -> None:
    """Let the connectors of a key that are known send these symbols too, as its operator says."""
    with transaction.atomic():
        mine = Connector.objects.filter(Q(name=key_name) | Q(owner=key_name))
        for connector in mine.select_for_update().order_by("name"):
            if not connector.may_send.issuperset(symbols):
                connector.symbols = sorted(connector.may_send.union(symbols))
                connector.save(update_fields=("symbols",))


def permits(tokens: Sequence[TokenRights]) -> list[Permit]:
    """What each token still lets its connector do, in two queries for all."""
    names = {token.connector for token in tokens}
    rows = {row.name: row for row in Connector.objects.filter(name__in=names)}
    keys = api_keys.usable([token.key for token in tokens])
    return [_permit(token, rows.get(token.connector), keys) for token in tokens]


def _permit(
    token: TokenRights, connector: Connector | None, keys: Mapping[str, KeyRights]
) -> Permit:
    if connector is None or connector.is_revoked:
        return Permit("the connector is revoked")
    start = connector.tokens_from
    if start is not None and token.issued_at < start.timestamp():
        return Permit("the token is older than the connector's last revocation")
    allowed = connector.may_send
    if not token.key:
        return Permit("", allowed)
    key = keys.get(token.key)
    if key is None:
        return Permit("the API key of the token is revoked or has expired")
    if key.symbols is None:
        return Permit("", allowed)
    if not connector.belongs_to(key.name):
        return Permit("the connector is no longer the API key's")
    return Permit("", allowed & key.symbols)


def is_simulated(symbol: str) -> bool:
    """Whether any connector that sent ticks of the symbol is a simulated one."""
    position = StreamPosition.objects.filter(instrument=symbol).first()
    names = list(position.seqs) if position is not None else []
    return any(connector.is_simulated for connector in Connector.objects.filter(name__in=names))


def record_connector_event(
    connector: str, code: ConnectorEventCode, symbol: str, message: str, times: int = 1
) -> None:
    """Keep what a connector reported or what happened to it, so often."""
    ConnectorEvent.objects.create(**_fields(connector, code, symbol, message), times=times)


def report_connector_event(
    connector: str, code: ConnectorEventCode, symbol: str, message: str, times: int = 1
) -> None:
    """Keep what a connector reported; where it only repeats its last report, count that again."""
    found = _fields(connector, code, symbol, message)
    newest = ConnectorEvent.objects.filter(
        connector=found["connector"], instrument=found["instrument"]
    ).first()
    now = timezone.now()
    is_repeated = (
        newest is not None
        and (newest.code, newest.message) == (code, found["message"])
        and now - newest.last_at < _REPEATED_WITHIN
    )
    if newest is not None and is_repeated:
        again = ConnectorEvent.objects.filter(pk=newest.pk)
        again.update(times=F("times") + times, last_at=now)
    else:
        record_connector_event(connector, code, symbol, message, times)


def forget_connector_events() -> int:
    """Delete the events that are too old for anybody to ask for; returns how many."""
    old = ConnectorEvent.objects.filter(last_at__lt=timezone.now() - EVENTS_KEPT_FOR)
    return old.delete()[0]


def _fields(
    connector: str, code: ConnectorEventCode, symbol: str, message: str
) -> "dict[str, str]":
    """The columns of an event, cut to what they hold."""
    return {
        "connector": _printable(connector)[:64],
        "code": code,
        "instrument": _printable(symbol)[:20],
        "message": _printable(message)[:1000],
    }


def _printable(text: str) -> str:
    """The text without zero characters, which PostgreSQL keeps none of."""
    return text.replace("\0", "")
