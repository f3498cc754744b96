"""Which chats messages go to: each instrument's channel for followers, one for the operators."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from signals_app.models import Instrument
from trades_app.models import Message, MessageQuerySet
from trades_app.notifications.telegram import bot


@dataclass(frozen=True, slots=True)
class Channels:
    """The chats, as `@name` or numeric id: `followers` by instrument, `operators` empty if none."""

    followers: Mapping[str, str]
    operators: str

    def of(self, message: Message) -> str:
        """The chat that a message goes to; raises `KeyError` where there is none."""
        if message.addressee == Message.Addressee.OPERATORS:
            return self.operators
        return self.followers[message.instrument]

    def reached(self, messages: MessageQuerySet) -> MessageQuerySet:
        """Those of the messages that have a chat to go to."""
        addressee = Message.Addressee
        wanted = Q(addressee=addressee.FOLLOWERS, instrument__in=list(self.followers))
        if self.operators:
            wanted |= Q(addressee=addressee.OPERATORS)
        return messages.filter(wanted)


def configured() -> Channels:
    """The chats as they are set up now; none at all where there is no bot to send with."""
    if not bot.is_configured():
        return Channels({}, "")
    rows = Instrument.objects.exclude(telegram_channel="")
    followers = dict(rows.values_list("symbol", "telegram_channel"))
    return Channels(followers, settings.OPERATOR_TELEGRAM_CHANNEL)
