"""What is sent of a message: its text, and for some kinds a picture and an order to copy. Pure."""

from dataclasses import dataclass


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
