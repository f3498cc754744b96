"""Which channels there are: rows of the admin, each instrument's own, and the operators'."""

from collections.abc import Mapping

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from signals_app.chat_names import NotAChat, normalised
from signals_app.models import Instrument
from trades_app.models import Channel, Message
from trades_app.notifications.telegram import bot

log = structlog.get_logger(__name__)


def sync() -> None:
    """Make the rows of channels that are set up elsewhere, and open those that are new.

    Does nothing where there is no bot: a channel is open from when on it can be written to.
    """
    if not bot.is_configured():
        return
    known = Channel.objects.filter(topic_id=None).values_list("chat", flat=True)
    chats = set(known)
    wanted = dict.fromkeys(set(instrument_chats().values()), Channel.Origin.INSTRUMENT)
    if operators := operators_chat():
        wanted.setdefault(operators, Channel.Origin.ENVIRONMENT)
    new = [
        Channel(chat=chat, origin=origin, audience=_AUDIENCES[origin])
        for chat, origin in wanted.items()
        if chat not in chats
    ]
    if new:
        Channel.objects.bulk_create(new, ignore_conflicts=True)
    Channel.objects.filter(opened_at=None, is_active=True).update(opened_at=Now())


_AUDIENCES: Mapping[Channel.Origin, Channel.Audience] = {
    Channel.Origin.INSTRUMENT: Channel.Audience.FOLLOWERS,
    Channel.Origin.ENVIRONMENT: Channel.Audience.OPERATORS,
}


def instrument_chats() -> dict[str, str]:
    """The chat of each instrument that has one of its own."""
    rows = Instrument.objects.exclude(telegram_channel="")
    named = {symbol: _name(chat) for symbol, chat in rows.values_list("symbol", "telegram_channel")}
    return {symbol: chat for symbol, chat in named.items() if chat}


class NoNewId(Exception):  # noqa: N818 - it says what is lacking
    """A channel has no new id that could be taken over; in one sentence."""


def take_new_id(channel: Channel) -> None:
    """Go on in the supergroup that a channel's group became; raises `NoNewId`."""
    new = channel.migrated_to
    if not new:
        raise NoNewId(f"{channel} did not become a supergroup.")
    if channel.origin == Channel.Origin.ENVIRONMENT:
        raise NoNewId(f"Set OPERATOR_TELEGRAM_CHANNEL={new} and restart: {channel} is set there.")
    if Channel.objects.filter(chat=new, topic_id=channel.topic_id).exists():
        raise NoNewId(f"There is a channel of {new} already: switch {channel} off.")
    symbols = [symbol for symbol, chat in instrument_chats().items() if chat == channel.chat]
    instruments = Instrument.objects.filter(symbol__in=symbols)
    channel.chat, channel.migrated_to, channel.problem = new, "", ""
    channel.chat_id = channel.checked_at = None
    channel.access = Channel.Access.UNCHECKED
    channel.not_before = timezone.now()
    with transaction.atomic():
        for instrument in instruments:
            instrument.telegram_channel = new
            instrument.save(update_fields=["telegram_channel"])
        channel.save()


def operators_chat() -> str:
    """The chat that the environment names for alerts; empty: none."""
    return _name(settings.OPERATOR_TELEGRAM_CHANNEL)


def is_allowed(channel: Channel) -> bool:
    """Whether the installation's allow-list has the chat; without a list every chat is allowed."""
    allowed = {_name(chat) for chat in settings.TELEGRAM_ALLOWED_CHATS}
    return not allowed or bool({channel.chat, str(channel.chat_id)} & allowed)


def twin_of(channel: Channel) -> Channel | None:
    """An older channel that is the same chat under another name, and would get all twice."""
    same = Channel.objects.filter(chat_id=channel.chat_id, topic_id=channel.topic_id)
    return same.filter(is_active=True, pk__lt=channel.pk).first()


class Directory:
    """The open channels and what each of them gets, read once for many messages."""

    def __init__(self) -> None:
        rows = Channel.objects.filter(is_active=True).exclude(opened_at=None)
        self._channels = list(rows.prefetch_related("instruments"))
        self._chosen = {
            channel.pk: {instrument.symbol for instrument in channel.instruments.all()}
            for channel in self._channels
        }
        self._instrument_chats = instrument_chats()
        self._operators_chat = operators_chat()

    def of(self, message: Message, *, asked: bool = False) -> list[Channel]:
        """The channels that a message goes to; ``asked``: as if all asked for simulated feeds."""
        asked = asked or settings.TELEGRAM_SIMULATED or not message.is_simulated
        return [
            channel
            for channel in self._channels
            if (asked or channel.sends_simulated) and self._gets(channel, message)
        ]

    def _gets(self, channel: Channel, message: Message) -> bool:
        if channel.sends(message.kind) is Channel.Sends.NOT:
            return False
        is_for_operators = message.addressee == Message.Addressee.OPERATORS
        # One chat may be both: a trader's own is often followers' and operators' at once.
        if is_for_operators and channel.chat == self._operators_chat and not channel.topic_id:
            return True
        own = self._instrument_chats.get(message.instrument)
        if not is_for_operators and own == channel.chat and not channel.topic_id:
            return True
        if is_for_operators != (channel.audience == Channel.Audience.OPERATORS):
            return False
        return is_for_operators or self._follows(channel, message.instrument)

    def _follows(self, channel: Channel, symbol: str) -> bool:
        if channel.origin != Channel.Origin.ADMIN:
            return False
        chosen = self._chosen[channel.pk]
        return not chosen or symbol in chosen

    def __bool__(self) -> bool:
        return bool(self._channels)


def _name(given: str) -> str:
    try:
        return normalised(given)
    except NotAChat as wrong:
        log.warning("channel_refused", detail=str(wrong))
        return ""
