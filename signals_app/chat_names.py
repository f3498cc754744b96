"""Names of Telegram chats as people paste them, put into the one form that Telegram takes."""

import re
import unicodedata

#: What Telegram lets a public name be: begins with a letter, 4 to 32 of letters, digits and `_`.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")
_ID = re.compile(r"-?[1-9][0-9]{0,18}")
_HOSTS = re.compile(r"(?:https?://)?(?:www\.)?(?:t\.me|telegram\.me|telegram\.dog)/", re.IGNORECASE)
#: A link to a message of a private channel: `t.me/c/1234567890/17` is the chat -1001234567890.
_PRIVATE_LINK = re.compile(r"c/([1-9][0-9]{4,15})(?:/.*)?")
_LONGEST = 200
#: Signs of direction and of no width, which copying brings along.
_INVISIBLE = frozenset({"Cf", "Cc", "Zl", "Zp"})


class NotAChat(ValueError):  # noqa: N818 - it says what it is
    """What was given names no Telegram chat; in one sentence."""


def normalised(given: str) -> str:
    """The chat as `@name` or numeric id; empty where nothing was given. Raises `NotAChat`.

    Links, spaces, a missing @, full-width signs and signs without width are put right.
    """
    if len(given) > _LONGEST:
        raise NotAChat(f"A chat's name has at most 32 characters; this has {len(given)}.")
    visible = "".join(
        sign
        for sign in unicodedata.normalize("NFKC", given)
        if unicodedata.category(sign) not in _INVISIBLE and not sign.isspace()
    )
    # Dashes that word processors make of a minus.
    text = re.sub("[\u2010-\u2015\u2212]", "-", visible)
    if not text:
        return ""
    text, links = _HOSTS.subn("", text, count=1) if _HOSTS.match(text) else (text, 0)
    if links:
        text = _of_link(text, given)
    name = text.removeprefix("@")
    if _ID.fullmatch(name):
        return str(int(name))
    if _NAME.fullmatch(name):
        return f"@{name}"
    raise NotAChat(
        f"{given!r} names no Telegram chat. Give @name (a letter, then letters, digits and _; "
        "4 to 32 of them) or its numeric id, such as -1001234567890."
    )


def _of_link(path: str, given: str) -> str:
    private = _PRIVATE_LINK.fullmatch(path.rstrip("/"))
    if private:
        return f"-100{private[1]}"
    if path.startswith(("+", "joinchat/")):
        raise NotAChat(
            f"{given!r} is an invitation, which bots cannot follow. Make the bot a member, and "
            "give the chat's numeric id, such as -1001234567890."
        )
    return path.removeprefix("s/").split("/")[0].split("?")[0]
