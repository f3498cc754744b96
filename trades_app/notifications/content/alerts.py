"""Alerts: what operators are warned of, in a sentence each, and that it is over."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from signals_app.connector_codes import ConnectorEventCode
from signals_app.market.calendar import iso
from trades_app.notifications.content.wording import duration

#: What gateway, connectors and pipeline report that operators learn at once.
CONNECTOR_REPORTS = {
    ConnectorEventCode.PROMOTED: "🔁",
    ConnectorEventCode.MT5_DISCONNECTED: "⚠️",
    ConnectorEventCode.MT5_RECONNECTED: "✅",
    ConnectorEventCode.SYMBOL_UNAVAILABLE: "⚠️",
    ConnectorEventCode.NAME_IN_USE: "⚠️",
    ConnectorEventCode.DECISION_NOT_STORED: "⚠️",
    ConnectorEventCode.DECISIONS_WAIT: "⚠️",
}


class _FeedAlert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="alert"):
    """What alerts of the feed's watch share: symbol and connector, empty where none is meant."""

    symbol: str = ""
    connector: str = ""

    @property
    def code(self) -> ConnectorEventCode:
        """What was found."""
        return ConnectorEventCode(str(self.__struct_config__.tag))


class FeedStale(_FeedAlert, frozen=True, tag=ConnectorEventCode.FEED_STALE.value):
    """A symbol has no ticks while its market is open."""

    quiet_seconds: int
    last_tick_ms: int


class FeedFlowing(_FeedAlert, frozen=True, tag=ConnectorEventCode.FEED_FLOWING.value):
    """A symbol that was stale has ticks again."""

    stale_seconds: int


class ConnectorSilent(_FeedAlert, frozen=True, tag=ConnectorEventCode.CONNECTOR_SILENT.value):
    """A connector sends nothing, not even heartbeats."""

    silent_seconds: int
    last_heard_ms: int


class ConnectorHeard(_FeedAlert, frozen=True, tag=ConnectorEventCode.CONNECTOR_HEARD.value):
    """A connector that was silent is heard again."""


class TradeOverdue(_FeedAlert, frozen=True, tag=ConnectorEventCode.TRADE_OVERDUE.value):
    """A trade expired or, `was_ordered`, is to close by hand, and the tick that ends it is late."""

    signal_id: str
    was_ordered: bool
    due_ms: int
    last_tick_ms: int


class ConnectorReport(msgspec.Struct, frozen=True, tag_field="alert", tag="CONNECTOR_REPORT"):
    """What a connector or the gateway reported; `code` is one of `CONNECTOR_REPORTS`."""

    code: ConnectorEventCode
    symbol: str
    connector: str
    message: str


class ChannelParked(msgspec.Struct, frozen=True, tag_field="alert", tag="CHANNEL_PARKED"):
    """Nothing is sent to a chat until somebody mends it; `migrated_to` is its new id, or empty."""

    channel: str
    reason: str
    migrated_to: str = ""


class ChannelReopened(msgspec.Struct, frozen=True, tag_field="alert", tag="CHANNEL_REOPENED"):
    """A chat that was parked takes messages again."""

    channel: str


class MessagesRefused(msgspec.Struct, frozen=True, tag_field="alert", tag="MESSAGES_REFUSED"):
    """A message was refused for good; told once an hour and chat."""

    channel: str
    message: str
    reason: str


class MessageUnconfirmed(msgspec.Struct, frozen=True, tag_field="alert", tag="MESSAGE_UNCONFIRMED"):
    """Every answer about a message got lost; it may stand in the chat `copies` times, or not."""

    channel: str
    message: str
    copies: int


class BotRefused(msgspec.Struct, frozen=True, tag_field="alert", tag="BOT_REFUSED"):
    """Telegram does not take the bot's token."""

    reason: str


class LoginBurst(msgspec.Struct, frozen=True, tag_field="alert", tag="LOGIN_BURST"):
    """Many wrong passwords in a short time; `last_from` is the address or network of the last."""

    wrong: int
    seconds: int
    last_from: str


DeliveryAlert: TypeAlias = (
    ChannelParked | ChannelReopened | MessagesRefused | MessageUnconfirmed | BotRefused
)
FeedAlert: TypeAlias = FeedStale | FeedFlowing | ConnectorSilent | ConnectorHeard | TradeOverdue
Alert: TypeAlias = FeedAlert | DeliveryAlert | ConnectorReport | LoginBurst


def text(data: Mapping[str, Any]) -> str:
    """The text of an outbox row's data."""
    alert: Alert = msgspec.convert(data, Alert)
    return alert_text(alert)


def alert_text(alert: Alert) -> str:
    """What operators read of an alert."""
    match alert:
        case ConnectorReport():
            return f"{CONNECTOR_REPORTS[alert.code]} {sentence(alert)}"
        case FeedFlowing() | ConnectorHeard() | ChannelReopened():
            return f"✅ {sentence(alert)}"
        case _:
            return f"⚠️ {sentence(alert)}"


def sentence(alert: Alert) -> str:
    """The alert without its sign, as the connector's events show it."""
    match alert:
        case FeedStale():
            return (
                f"{alert.symbol}: no tick for {duration(alert.quiet_seconds)} while the market is "
                f"open. The last one is of {iso(alert.last_tick_ms)}. Open trades are moved "
                "when its ticks arrive."
            )
        case FeedFlowing():
            return (
                f"{alert.symbol}: ticks flow again, {duration(alert.stale_seconds)} after the "
                "alert. Missed ticks were used."
            )
        case ConnectorSilent():
            return (
                f"Connector {alert.connector} is silent for {duration(alert.silent_seconds)}; "
                f"it was last heard at {iso(alert.last_heard_ms)}."
            )
        case ConnectorHeard():
            return f"Connector {alert.connector} is heard again."
        case TradeOverdue():
            reason = "was ordered to close" if alert.was_ordered else "expired"
            return (
                f"{alert.signal_id} is still open: it {reason} at {iso(alert.due_ms)}, and no "
                f"tick of {alert.symbol} was used since {iso(alert.last_tick_ms)}. It closes at "
                "the first one that comes."
            )
        case LoginBurst():
            return (
                f"{alert.wrong} wrong passwords within {duration(alert.seconds)}, the last one "
                f"from {alert.last_from}. Who tries on has to wait; browsers in which somebody "
                "logged in before can still do so."
            )
        case ConnectorReport():
            return (
                f"{alert.code} {alert.symbol} ({alert.connector}): {alert.message or 'no details'}"
            )
        case ChannelParked(migrated_to=""):
            return (
                f"Telegram chat {alert.channel} takes no messages: {alert.reason}. They wait; "
                "mend it, then Channels → Check now in the admin."
            )
        case ChannelParked():
            return (
                f"Telegram chat {alert.channel} is now {alert.migrated_to}: its group became a "
                "supergroup. Messages wait; take the new id over under Channels in the admin."
            )
        case ChannelReopened():
            return f"Telegram chat {alert.channel} takes messages again."
        case MessagesRefused():
            return f"Telegram refused {alert.message} for {alert.channel}: {alert.reason}."
        case MessageUnconfirmed():
            return (
                f"Whether {alert.message} stands in {alert.channel} is not known: the answers to "
                f"{alert.copies} attempts got lost. Look there; Messages → Send again in the admin."
            )
        case BotRefused():
            return f"{alert.reason}. Messages wait; give it anew: manage.py telegram_token."
