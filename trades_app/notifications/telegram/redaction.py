"""Keeps bot tokens out of what is logged, stored and shown. Pure."""

import re

#: A bot's id and its secret, as BotFather gives them; in addresses they stand behind `bot`.
_TOKEN = re.compile(r"(?<!\d)\d{5,}:[A-Za-z0-9_-]{20,}")
_HIDDEN = "<bot token>"


def redacted(text: str, token: str = "") -> str:
    """The text without ``token`` and without whatever looks like a bot's token."""
    if token:
        text = text.replace(token, _HIDDEN)
    return _TOKEN.sub(_HIDDEN, text)
