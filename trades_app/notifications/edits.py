"""Live cards: a signal's message is edited as its trade goes on, the latest state alone."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from signals_app.models import StreamPosition
from trades_app.lifecycle.trade import Trade
from trades_app.models import Channel, ChannelDelivery, Message
from trades_app.notifications import kinds
from trades_app.notifications.rendered import Rendered


@dataclass(frozen=True, slots=True)
class CardEdit:
    """A card that shows something else than it should, and what it is to show."""

    delivery_id: int
    message: Message
    key: str
    message_id: int
    content: Rendered
    trade: Trade
    has_picture: bool
    digest: str
    is_final: bool


def first_digest(message: Message, channel: Channel, content: Rendered) -> str:
    """The digest of a card as it was sent; empty where the message is none that is edited."""
    if message.kind != Message.Kind.SIGNAL or message.text or not channel.edits_cards:
        return ""
    return _digest(content)


def due(channel: Channel) -> CardEdit | None:
    """The next card of a channel to edit; `None`: all show what they should, or have to wait.

    Ends come first and at once. Between two edits of progress in a chat are some seconds at least;
    what came in between is left out.
    """
    cards = list(
        ChannelDelivery.objects.filter(channel=channel, card=ChannelDelivery.CardState.LIVE)
        .select_related("message__signal__trade")
        .order_by("card_edited_at", "message")
    )
    if not cards or not channel.edits_cards:
        return None
    found = list(_changed(cards, channel))
    ended = next((edit for edit in found if edit.is_final), None)
    if ended is not None:
        return ended
    spacing = timedelta(seconds=settings.TELEGRAM_EDIT_SECONDS)
    last = Channel.objects.values_list("progress_edited_at", flat=True).get(pk=channel.pk)
    if last is not None and timezone.now() - last < spacing:
        return None
    return found[0] if found else None


def note_progress(channel: Channel) -> None:
    """A card of a channel shows its progress as of now: the next edit for it has to wait."""
    Channel.objects.filter(pk=channel.pk).update(progress_edited_at=Now())


def settle_shown(card: CardEdit, *, error: str = "") -> None:
    """A card shows what it should; or Telegram does not take that, and it keeps what it shows."""
    state = ChannelDelivery.CardState.FINAL if card.is_final else ChannelDelivery.CardState.LIVE
    row = ChannelDelivery.objects.filter(pk=card.delivery_id)
    row.update(card=state, card_digest=card.digest, card_edited_at=Now(), error=error)
    if not card.is_final:
        Channel.objects.filter(deliveries=card.delivery_id).update(progress_edited_at=Now())


def settle_gone(card: CardEdit, reason: str) -> None:
    """A card was deleted or cannot be edited: it is not tried again."""
    ChannelDelivery.objects.filter(pk=card.delivery_id).update(
        card=ChannelDelivery.CardState.GONE, error=reason
    )


def _changed(cards: list[ChannelDelivery], channel: Channel) -> Iterator[CardEdit]:
    symbols = {card.message.instrument for card in cards}
    positions = StreamPosition.objects.filter(instrument__in=symbols)
    prices = {row.instrument: (row.bid, row.ask) for row in positions}
    for card in cards:
        signal = card.message.signal
        trade = getattr(signal, "trade", None)
        if trade is None:
            continue
        price = prices.get(card.message.instrument) if trade.is_open else None
        try:
            content = kinds.live_card(card.message, channel.numbers, trade.value(), price)
        except kinds.Unreadable:
            continue
        digest = _digest(content)
        # The picture of the end is another one, whatever the text says.
        if digest != card.card_digest or not trade.is_open:
            yield CardEdit(
                delivery_id=card.pk,
                message=card.message,
                key=card.message.key,
                message_id=card.telegram_message_id or 0,
                content=content,
                trade=trade.value(),
                has_picture=card.has_picture,
                digest=digest,
                is_final=not trade.is_open,
            )


def _digest(content: Rendered) -> str:
    return hashlib.sha256(content.text.encode()).hexdigest()
