"""What followers see of a message, without Telegram: as it was sent, and as it stands now."""

from dataclasses import dataclass

from signals_app.models import StreamPosition
from trades_app.models import Message
from trades_app.notifications import kinds
from trades_app.notifications.content import wording
from trades_app.notifications.rendered import Rendered

_NUMBERS = next(iter(wording.NUMBERS))


@dataclass(frozen=True, slots=True)
class Preview:
    """A message as it is sent first; `now` is a signal's card as its trade stands, else `None`."""

    first: Rendered
    now: Rendered | None


def preview(message: Message, numbers: str = _NUMBERS) -> Preview:
    """Make the very text and picture, in a language of numbers; raises `kinds.Unreadable`."""
    first = kinds.rendered(message, numbers)
    signal = message.signal
    trade = None if signal is None else getattr(signal, "trade", None)
    if message.kind != Message.Kind.SIGNAL or message.text or trade is None:
        return Preview(first, None)
    position = StreamPosition.objects.filter(instrument=message.instrument).first()
    quote = (position.bid, position.ask) if position is not None and trade.is_open else None
    value = trade.value()
    card = kinds.live_card(message, numbers, value, quote)
    picture = first.picture if trade.is_open else kinds.final_picture(message, value)
    return Preview(
        first, Rendered(card.text, is_html=True, picture=picture, copy_text=card.copy_text)
    )


def find(name: str) -> Message | None:
    """The message of this key, or of this signal's announcement."""
    found = Message.objects.select_related("signal__trade")
    return found.filter(key=name).first() or found.filter(key=f"signal:{name}").first()
