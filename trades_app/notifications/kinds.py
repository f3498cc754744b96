"""Each kind of message and what makes its text, when it is sent, previewed or shown."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import msgspec

from trades_app.lifecycle.trade import Trade
from trades_app.models import Message
from trades_app.notifications.content import alerts, signals, trade_events, wording
from trades_app.notifications.rendered import Rendered, cut, utf16_length


class Unreadable(ValueError):  # noqa: N818 - the data is
    """A message's data is not what its kind holds; in one sentence."""


class Renderer(Protocol):
    """Makes the text of one kind of message.

    ``data`` is the row's, with its digest where it has one. Raises `msgspec.ValidationError` or
    `KeyError` where it holds something else.
    """

    def __call__(self, data: Mapping[str, Any], /) -> str: ...


_RENDERERS: dict[str, Renderer] = {
    Message.Kind.SIGNAL: signals.text,
    Message.Kind.TRADE: trade_events.text,
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
    with wording.numbers(numbers):
        return Rendered(text_of(message))


def live_card(
    message: Message, numbers: str, trade: Trade, quote: tuple[float, float] | None
) -> Rendered:
    """What a signal's card shows now; raises `Unreadable`.

    ``quote`` is the present bid and ask, `None` where no tick moves the trade any more.
    """
    try:
        with wording.numbers(numbers):
            text = signals.live_text(_data_of(message), trade, quote)
    except (msgspec.ValidationError, KeyError) as error:
        raise Unreadable(f"The text of {message.key} cannot be made: {error}.") from error
    return Rendered(text)


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
