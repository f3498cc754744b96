"""Each kind of message and what makes its text, when it is sent, previewed or shown."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from trades_app.models import Message
from trades_app.notifications.content import alerts, signals, trade_events


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
    data = message.data | ({"digest": message.digest} if message.digest else {})
    try:
        return _RENDERERS[message.kind](data)
    except (msgspec.ValidationError, KeyError) as error:
        raise Unreadable(f"The text of {message.key} cannot be made: {error}.") from error
