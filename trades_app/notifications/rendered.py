"""What is sent of a message: its text, and for some kinds a picture and an order to copy. Pure."""

import html
import re
from dataclasses import dataclass

_TAGS = re.compile(r"</?b>")
#: Telegram refuses longer ones.
MAXIMUM_TEXT, MAXIMUM_CAPTION = 4096, 1024


@dataclass(frozen=True, slots=True)
class Rendered:
    """One message as a chat shows it.

    `picture` is a PNG; the text is then its caption. `copy_text` is what a button copies, at most
    256 characters; empty: no button.
    """

    text: str
    is_html: bool = False
    picture: bytes | None = None
    copy_text: str = ""

    @property
    def plain_text(self) -> str:
        """The text without markup, as people read it."""
        return html.unescape(_TAGS.sub("", self.text)) if self.is_html else self.text

    @property
    def room(self) -> int:
        """How many units of UTF-16, which Telegram counts in, the text has left; markup counts."""
        limit = MAXIMUM_CAPTION if self.picture is not None else MAXIMUM_TEXT
        return limit - utf16_length(self.text)


def utf16_length(text: str) -> int:
    """The length of a text in units of UTF-16: an emoji is two, at times more."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, units: int) -> str:
    """The beginning of a text that has no more units of UTF-16, in whole characters."""
    return text.encode("utf-16-le")[: 2 * max(0, units)].decode("utf-16-le", "ignore")
