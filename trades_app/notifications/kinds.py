"""Each kind of message and what makes its text, when it is sent, previewed or shown."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import msgspec

from trades_app.lifecycle.trade import Trade
from trades_app.models import Message
from trades_app.notifications import pictures
from trades_app.notifications.content import alerts, signals, trade_events, wording
from trades_app.notifications.content.signals import SignalAnnouncement, SignalContext
from trades_app.notifications.rendered import Rendered, cut, utf16_length


class Unreadable(ValueError):  # noqa: N818 - the data is
    """A message's data is not what its kind holds; in one sentence."""


class Renderer(Protocol):
    """Makes the text of one kind of message.

    ``data`` is the row's, with its digest where it has one. Raises `msgspec.ValidationError` or
    `KeyError` where it holds something else.
    """

    def __call__(self, data: Mapping[str, Any], /) -> str: ...


def _follow_up(data: Mapping[str, Any]) -> str:
    """What answers a signal's card: an event of its trade, or what the card had no room for."""
    if "confluence_factors" in data:
        return signals.context_text(msgspec.convert(data, SignalContext))
    return trade_events.text(data)


_RENDERERS: dict[str, Renderer] = {
    Message.Kind.SIGNAL: signals.text,
    Message.Kind.TRADE: _follow_up,
    Message.Kind.ALERT: alerts.text,
}


def register(kind: Message.Kind, renderer: Renderer) -> None:
    """Name what makes a kind's text: for kinds that belong to an app above this one."""
    _RENDERERS[kind] = renderer


def text_of(message: Message) -> str:
    """The text that followers or operators read; raises `Unreadable`.

    Messages from before rows held data bring their text along.
    """
    if message.text:
        return message.text
    try:
        return _RENDERERS[message.kind](_data_of(message))
    except (msgspec.ValidationError, KeyError) as error:
        raise Unreadable(f"The text of {message.key} cannot be made: {error}.") from error


def rendered(message: Message, numbers: str) -> Rendered:
    """What a chat gets of a message, in its language of numbers; raises `Unreadable`."""
    if message.kind != Message.Kind.SIGNAL or message.text:
        with wording.numbers(numbers):
            return Rendered(text_of(message))
    announced = _announcement(message)
    return replace(_card(announced, numbers), picture=pictures.draw(announced))


def live_card(
    message: Message, numbers: str, trade: Trade, quote: tuple[float, float] | None
) -> Rendered:
    """What a signal's card shows now, without its picture; raises `Unreadable`.

    ``quote`` is the present bid and ask, `None` where no tick moves the trade any more.
    """
    return _card(replace(_announcement(message), trade=trade), numbers, quote)


def final_picture(message: Message, trade: Trade) -> bytes | None:
    """The picture of a card whose trade has ended; `None`: it keeps the one that it has."""
    return pictures.draw(_announcement(message), trade)


def _announcement(message: Message) -> SignalAnnouncement:
    try:
        return signals.announcement(_data_of(message))
    except (msgspec.ValidationError, KeyError) as error:
        raise Unreadable(f"The text of {message.key} cannot be made: {error}.") from error


def _card(
    announced: SignalAnnouncement, numbers: str, quote: tuple[float, float] | None = None
) -> Rendered:
    with wording.numbers(numbers):
        text = signals.announcement_text(announced, quote)
    return Rendered(
        signals.as_html(text),
        is_html=True,
        copy_text=signals.order_line(announced),
    )


def marked_as_repeated(content: Rendered) -> Rendered:
    """The content with a line that says so: it may stand there already, and nobody trades twice.

    A text without room is cut for it; markup cannot be cut, and goes without.
    """
    line = f"\n{REPEATED}"
    lacking = utf16_length(line) - content.room
    if lacking > 0 and content.is_html:
        return content
    kept = cut(content.text, utf16_length(content.text) - max(0, lacking))
    return replace(content, text=kept + line)


#: The last line of what may have been sent before.
REPEATED = "🔁 May repeat a message above: its arrival could not be confirmed"


def _data_of(message: Message) -> dict[str, Any]:
    return {**message.data} | ({"digest": message.digest} if message.digest else {})
