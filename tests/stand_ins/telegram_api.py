"""Telegram's Bot API over HTTP, as a bot sees it: its rules, its refusals, its flood law.

Answers follow https://core.telegram.org/bots/api: `{"ok": true, "result": …}` with status 200, or
`{"ok": false, "error_code": N, "description": "…"}` with that status. A request that breaks the
flood law is noted in `violations`, which fails the test when the serving ends.
"""

import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message as Headers
from email.parser import BytesParser
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

MAXIMUM_TEXT = 4096
MAXIMUM_CAPTION = 1024
MAXIMUM_COPY_TEXT = 256
_PHOTO_LIMIT = 10 * 1024 * 1024
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_TAGS = frozenset(
    {"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler", "a"}
    | {"tg-emoji", "code", "pre", "blockquote"}
)


@dataclass(frozen=True)
class Law:
    """What a bot has to keep to: calls of a chat each second and minute, calls in all a second."""

    chat_seconds: float = 1.0
    chat_per_minute: int = 20
    bot_per_second: int = 30


@dataclass
class Fault:
    """What happens to the next call that it matches, instead of or after Telegram's work.

    `accepts`: the call is carried out before anything else. `how` is what the caller sees: an
    answer of this `status`, silence for `seconds`, half an answer, or the line cut.
    """

    how: str = "answer"
    status: int = 500
    description: str = "Internal Server Error"
    retry_after: int | None = None
    migrate_to: int | None = None
    accepts: bool = False
    seconds: float = 0.0
    matches: Callable[[str, dict[str, Any]], bool] = lambda method, arguments: True


@dataclass
class Chat:
    """One chat of this world, and what the bot may do in it."""

    id: int
    type: str = "channel"
    title: str = "Gold"
    #: The bot's status in it, and its rights there.
    bot_is: str = "administrator"
    may_post: bool = True
    topics: frozenset[int] | None = None
    #: Set for a group that became this supergroup.
    migrated_to: int | None = None
    #: 403 with this description: the bot was kicked or blocked.
    forbidden: str = ""


@dataclass
class TelegramApi:
    """One bot's world: the chats that it may write to, and what it wrote there."""

    token: str = "123456:TEST-TOKEN"
    chats: dict[str, int | Chat] = field(default_factory=lambda: {"@gold": -1001})
    law: Law = field(default_factory=Law)
    messages: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    #: Faults of the coming calls, oldest first; tuples are (status, description, retry_after).
    faults: list[Any] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    edits: list[tuple[float, int, int, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    #: Decides on a fault for each call, beside `faults`; for storms.
    chaos: Callable[[str, dict[str, Any]], Fault | None] | None = None
    base_url: str = ""
    _arrivals: dict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _all: deque[float] = field(default_factory=deque)
    _halted: dict[int | None, float] = field(default_factory=dict)
    _numbers: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    _lock: Any = field(default_factory=threading.RLock)

    def texts(self, chat: int | None = None) -> list[str]:
        """What stands in the chats, or in one of them, oldest first."""
        with self._lock:
            return [
                message.get("text", message.get("caption", ""))
                for (where, _), message in sorted(self.messages.items())
                if chat is None or where == chat
            ]

    def delete(self, chat: int, message_id: int) -> None:
        """An admin of the chat deletes a message."""
        with self._lock:
            del self.messages[chat, message_id]

    def chat(self, named: Any) -> Chat | None:
        """The chat that an argument `chat_id` names."""
        for name, chat in self.chats.items():
            found = chat if isinstance(chat, Chat) else Chat(chat)
            if str(named) in (name, str(found.id)):
                return found
        return None

    def answer(self, token: str, method: str, arguments: dict[str, Any]) -> "Answer":
        """What one call gets, by its arguments; files are bytes among them."""
        with self._lock:
            self.calls.append((method, arguments))
            if token != self.token:
                return Answer.refusal(401, "Unauthorized")
            self._judge(method, arguments)
            fault = self._fault(method, arguments)
            if fault is None:
                return self._work(method, arguments)
            carried_out = self._work(method, arguments) if fault.accepts else None
            return self._faulty(fault, arguments, carried_out)

    def _faulty(
        self, fault: Fault, arguments: dict[str, Any], carried_out: "Answer | None"
    ) -> "Answer":
        if fault.how != "answer":
            done = carried_out or Answer.refusal(500, "Internal Server Error")
            return Answer(done.status, done.body, how=fault.how, seconds=fault.seconds)
        if fault.retry_after is not None:
            chat = self.chat(arguments.get("chat_id"))
            until = time.monotonic() + fault.retry_after
            self._halted[chat.id if chat else None] = until
        return Answer.refusal(
            fault.status, fault.description, fault.retry_after, fault.migrate_to, fault.seconds
        )

    def _fault(self, method: str, arguments: dict[str, Any]) -> Fault | None:
        for number, fault in enumerate(self.faults):
            if isinstance(fault, tuple):
                status, description, retry_after = fault
                fault = Fault(status=status, description=description, retry_after=retry_after)
            if fault.matches(method, arguments):
                del self.faults[number]
                return fault
        return self.chaos(method, arguments) if self.chaos else None

    def _judge(self, method: str, arguments: dict[str, Any]) -> None:
        """Note where a call breaks the flood law."""
        now, law = time.monotonic(), self.law
        named = arguments.get("chat_id")
        chat = self.chat(named) if named is not None else None
        for halted, until in self._halted.items():
            # A pause for one chat is none for the others; the bot's own, or getMe in any, is.
            concerns = halted is None or chat is None or chat.id == halted
            if now < until and concerns:
                self._violate(f"{method} to {named} {until - now:.2f} s before a pause is over")
        self._all.append(now)
        while self._all[0] <= now - 1:
            self._all.popleft()
        if len(self._all) > law.bot_per_second:
            self._violate(f"{len(self._all)} calls within a second")
        if chat is None:
            return
        arrivals = self._arrivals[chat.id]
        if arrivals and now - arrivals[-1] < law.chat_seconds:
            self._violate(f"{method} to {named} {now - arrivals[-1]:.3f} s after the one before")
        arrivals.append(now)
        while arrivals[0] <= now - 60:
            arrivals.popleft()
        if len(arrivals) > law.chat_per_minute:
            self._violate(f"{len(arrivals)} calls to {named} within a minute")

    def _violate(self, what: str) -> None:
        self.violations.append(what)

    def _work(self, method: str, arguments: dict[str, Any]) -> "Answer":
        handler = getattr(self, f"_{method}", None)
        if handler is None:
            return Answer.refusal(404, "Not Found: method not found")
        try:
            return Answer(200, {"ok": True, "result": handler(arguments)})
        except Refusal as refusal:
            return refusal.answer

    def _getMe(self, _: dict[str, Any]) -> Any:  # noqa: N802 - Telegram's name
        return {"id": 123456, "is_bot": True, "first_name": "Gold", "username": "gold_bot"}

    def _getChat(self, arguments: dict[str, Any]) -> Any:  # noqa: N802
        chat = self._reachable(arguments)
        return {
            "id": chat.id,
            "type": chat.type,
            "title": chat.title,
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(
                (
                    "unlimited_gifts",
                    "limited_gifts",
                    "unique_gifts",
                    "premium_subscription",
                    "gifts_from_channels",
                ),
                False,
            ),
        }

    def _getChatMember(self, arguments: dict[str, Any]) -> Any:  # noqa: N802
        chat = self._reachable(arguments)
        user = {"id": int(arguments["user_id"]), "is_bot": True, "first_name": "Gold"}
        if chat.bot_is != "administrator":
            rights = {"until_date": 0} if chat.bot_is == "kicked" else {}
            return {"user": user, "status": chat.bot_is, **rights}
        rights = (
            "can_be_edited is_anonymous can_manage_chat can_delete_messages "
            "can_manage_video_chats can_restrict_members can_promote_members can_change_info "
            "can_invite_users can_post_stories can_edit_stories can_delete_stories"
        )
        return {
            "user": user,
            "status": "administrator",
            **dict.fromkeys(rights.split(), True),
            "can_post_messages": chat.may_post,
        }

    def _sendMessage(self, arguments: dict[str, Any]) -> Any:  # noqa: N802
        chat = self._writable(arguments)
        text = _checked_text(arguments, "text", MAXIMUM_TEXT, "message is too long")
        if not text.strip():
            raise Refusal("Bad Request: message text is empty")
        return self._put(chat, arguments, {"text": text})

    def _sendPhoto(self, arguments: dict[str, Any]) -> Any:  # noqa: N802
        chat = self._writable(arguments)
        photo = arguments.get("photo")
        _check_photo(photo)
        caption = _checked_text(
            arguments, "caption", MAXIMUM_CAPTION, "message caption is too long"
        )
        return self._put(chat, arguments, {"caption": caption, "photo": _photo(photo)}, photo)

    def _editMessageText(self, arguments: dict[str, Any]) -> Any:  # noqa: N802
        text = _checked_text(arguments, "text", MAXIMUM_TEXT, "MESSAGE_TOO_LONG")
        message = self._editable(arguments)
        if "text" not in message:
            raise Refusal("Bad Request: there is no text in the message to edit")
        return self._edit(message, arguments, {"text": text})

    def _editMessageCaption(self, arguments: dict[str, Any]) -> Any:  # noqa: N802
        caption = _checked_text(
            arguments, "caption", MAXIMUM_CAPTION, "message caption is too long"
        )
        message = self._editable(arguments)
        if "photo" not in message:
            raise Refusal("Bad Request: there is no caption in the message to edit")
        return self._edit(message, arguments, {"caption": caption})

    def _editMessageMedia(self, arguments: dict[str, Any]) -> Any:  # noqa: N802
        media = json.loads(arguments.get("media", "{}"))
        photo = arguments.get(str(media.get("media", "")).removeprefix("attach://"))
        _check_photo(photo)
        caption = _checked_text(media, "caption", MAXIMUM_CAPTION, "message caption is too long")
        message = self._editable(arguments)
        # Telegram takes an upload for another picture, whatever it holds.
        message["_picture"] = photo
        return self._edit(message, arguments, {"caption": caption, "photo": _photo(photo)})

    def _editable(self, arguments: dict[str, Any]) -> dict[str, Any]:
        chat = self._writable(arguments)
        message = self.messages.get((chat.id, int(arguments.get("message_id", 0))))
        if message is None:
            raise Refusal("Bad Request: message to edit not found")
        return message

    def _edit(
        self, message: dict[str, Any], arguments: dict[str, Any], content: dict[str, Any]
    ) -> Any:
        markup = json.loads(arguments.get("reply_markup", "null") or "null")
        wanted = {**content, "_markup": markup}
        if all(message.get(name) == value for name, value in wanted.items()):
            raise Refusal(
                "Bad Request: message is not modified: specified new message content and reply "
                "markup are exactly the same as a current content and reply markup of the message"
            )
        message.update(wanted)
        shown = message.get("text", message.get("caption", ""))
        chat, number = message["chat"]["id"], message["message_id"]
        self.edits.append((time.monotonic(), chat, number, shown))
        return _public(message)

    def _put(
        self,
        chat: Chat,
        arguments: dict[str, Any],
        content: dict[str, Any],
        picture: bytes | None = None,
    ) -> Any:
        reply = json.loads(arguments.get("reply_parameters", "null") or "null")
        if reply and (chat.id, reply["message_id"]) not in self.messages:
            if not reply.get("allow_sending_without_reply"):
                raise Refusal("Bad Request: message to be replied not found")
            reply = None
        markup = json.loads(arguments.get("reply_markup", "null") or "null")
        _check_markup(markup)
        self._numbers[chat.id] += 1
        number = self._numbers[chat.id]
        message = {
            "message_id": number,
            "date": int(time.time()),
            "chat": {"id": chat.id, "type": chat.type, "title": chat.title},
            "_markup": markup,
            "_picture": picture,
            "_silent": str(arguments.get("disable_notification", "")).lower() == "true",
            **content,
        }
        if topic := arguments.get("message_thread_id"):
            message["message_thread_id"] = int(topic)
        if reply:
            message["reply_to_message"] = _public(self.messages[chat.id, reply["message_id"]])
        self.messages[chat.id, number] = message
        return _public(message)

    def _reachable(self, arguments: dict[str, Any]) -> Chat:
        chat = self.chat(arguments.get("chat_id", ""))
        if chat is None:
            raise Refusal("Bad Request: chat not found")
        if chat.migrated_to is not None:
            raise Refusal(
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to=chat.migrated_to,
            )
        if chat.forbidden:
            raise Refusal(f"Forbidden: {chat.forbidden}", status=403)
        return chat

    def _writable(self, arguments: dict[str, Any]) -> Chat:
        chat = self._reachable(arguments)
        if chat.bot_is in ("left", "kicked"):
            raise Refusal(f"Forbidden: bot was kicked from the {chat.type} chat", status=403)
        if not chat.may_post:
            raise Refusal("Bad Request: need administrator rights in the channel chat")
        topic = arguments.get("message_thread_id")
        if topic and (chat.topics is None or int(topic) not in chat.topics):
            raise Refusal("Bad Request: message thread not found")
        return chat


class Refusal(Exception):  # noqa: N818
    """A call that Telegram refuses."""

    def __init__(
        self, description: str, *, status: int = 400, migrate_to: int | None = None
    ) -> None:
        super().__init__(description)
        self.answer = Answer.refusal(status, description, migrate_to=migrate_to)


@dataclass(frozen=True)
class Answer:
    """What a caller gets: status and body, whole, late, halved or not at all."""

    status: int
    body: dict[str, Any]
    how: str = "answer"
    seconds: float = 0.0

    @classmethod
    def refusal(
        cls,
        status: int,
        description: str,
        retry_after: int | None = None,
        migrate_to: int | None = None,
        seconds: float = 0.0,
    ) -> "Answer":
        """The answer to a refused call."""
        body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
        parameters = {"retry_after": retry_after, "migrate_to_chat_id": migrate_to}
        if given := {name: value for name, value in parameters.items() if value is not None}:
            body["parameters"] = given
        return cls(status, body, seconds=seconds)


@contextmanager
def serving(api: TelegramApi, *, is_lawful: bool = True) -> Iterator[TelegramApi]:
    """Serve the API on a free loopback port; `api.base_url` is its address meanwhile.

    Fails at the end where a call broke the flood law, unless that is what is tried.
    """
    ending = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            arguments = _arguments(self.headers, body)
            _, bot, method = self.path.split("/", 2)
            answer = api.answer(bot.removeprefix("bot"), method, arguments)
            content = json.dumps(answer.body).encode()
            if answer.seconds:
                ending.wait(answer.seconds)
            if answer.how == "cut":
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if answer.how == "half":
                self.wfile.write(content[: len(content) // 2])
                self.close_connection = True
                return
            self.wfile.write(content)

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:
                # The caller did not wait for its answer.
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    api.base_url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        ending.set()
        server.shutdown()
        # Not `server_close`, which waits for lines that are kept open.
        server.socket.close()
        thread.join()
    if is_lawful:
        assert not api.violations, f"the flood law was broken: {api.violations[:5]}"


def length(text: str) -> int:
    """The length as Telegram counts: in units of UTF-16."""
    return len(text.encode("utf-16-le")) // 2


def _arguments(headers: Headers, body: bytes) -> dict[str, Any]:
    kind = headers.get("Content-Type", "")
    if "json" in kind:
        return dict(json.loads(body or b"{}"))
    if not kind.startswith("multipart/form-data"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    whole = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    found: dict[str, Any] = {}
    for part in whole.get_payload():  # type: ignore[union-attr]
        name = str(part.get_param("name", header="content-disposition"))  # type: ignore[union-attr]
        content = part.get_payload(decode=True)  # type: ignore[union-attr]
        found[name] = content if part.get_filename() else content.decode()  # type: ignore[union-attr]
    return found


def _checked_text(arguments: dict[str, Any], name: str, limit: int, too_long: str) -> str:
    """The text without its markup, as Telegram keeps and counts it."""
    text = str(arguments.get(name, ""))
    if arguments.get("parse_mode") == "HTML":
        parser = _Html()
        parser.feed(text)
        parser.close()
        text = parser.finished()
    text = text.strip()
    if length(text) > limit:
        raise Refusal(f"Bad Request: {too_long}")
    return text


class _Html(HTMLParser):
    """Telegram's HTML: few tags, which are closed in their order, and four named entities."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.text = ""
        self.open: list[str] = []

    def finished(self) -> str:
        if self.open:
            raise _no_entities(f'can\'t find end tag corresponding to start tag "{self.open[-1]}"')
        return self.text

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in _TAGS:
            raise _no_entities(f'unsupported start tag "{tag}" at byte offset {self.getpos()[1]}')
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise _no_entities(f'unmatched end tag "{tag}"')

    def handle_data(self, data: str) -> None:
        if "<" in data:
            raise _no_entities("unescaped <")
        self.text += data

    def handle_entityref(self, name: str) -> None:
        # What Telegram does not know by name stays as it is written.
        known = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
        self.text += known.get(name, f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.text += chr(int(name[1:], 16) if name[0] in "xX" else int(name))


def _no_entities(what: str) -> Refusal:
    return Refusal(f"Bad Request: can't parse entities: {what}")


def _check_photo(photo: Any) -> None:
    if not isinstance(photo, bytes) or not photo:
        raise Refusal("Bad Request: there is no photo in the request")
    if len(photo) > _PHOTO_LIMIT:
        raise Refusal("Request Entity Too Large", status=413)
    if not photo.startswith((_PNG, _JPEG)):
        raise Refusal("Bad Request: IMAGE_PROCESS_FAILED")


def _check_markup(markup: Any) -> None:
    for row in (markup or {}).get("inline_keyboard", ()):
        for button in row:
            copied = button.get("copy_text", {}).get("text")
            if copied is not None and not 1 <= length(copied) <= MAXIMUM_COPY_TEXT:
                raise Refusal("Bad Request: BUTTON_COPY_TEXT_INVALID")


def _photo(photo: bytes) -> list[dict[str, Any]]:
    return [
        {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1, "file_size": len(photo)}
    ]


def _public(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if not name.startswith("_")}
