"""What came of a call of Telegram, by what follows from it for the next one."""

from dataclasses import dataclass


class TelegramTrouble(Exception):  # noqa: N818 - each says what happened
    """A call that was not accepted, or not known to be; in one sentence without the token."""


class Halted(TelegramTrouble):
    """Telegram asked for a pause of so many `seconds`; the call was not accepted."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Telegram asked for a pause of {seconds:g} s")
        self.seconds = seconds


class NotAccepted(TelegramTrouble):
    """The call did not reach Telegram, or it failed there: it may be repeated as it is."""


class Unconfirmed(TelegramTrouble):
    """The answer got lost: the call may have been accepted."""


class ContentRefused(TelegramTrouble):
    """This content will never be accepted; another one may be."""


class CardGone(TelegramTrouble):
    """The message that was to be edited is not there any more, or cannot be edited."""


class ChatClosed(TelegramTrouble):
    """Nothing is accepted for this chat until somebody mends it: kicked, no right, not found."""


class ChatMigrated(ChatClosed):
    """The group became a supergroup, which has another id, `chat`."""

    def __init__(self, chat: int) -> None:
        super().__init__(f"The group became a supergroup, whose id is {chat}")
        self.chat = str(chat)


class BotTokenRefused(TelegramTrouble):
    """Telegram does not know the bot's token: revoked, or mistyped."""


class MethodUnknown(BotTokenRefused):
    """The server knows no such method; or, which answers the same, the token is malformed."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that Telegram accepted."""

    message_id: int
    has_picture: bool = False


@dataclass(frozen=True, slots=True)
class ChatFound:
    """A chat that the bot may write to."""

    chat_id: int
    title: str
    is_private: bool
