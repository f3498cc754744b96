"""Telegram's Bot API over HTTP, as a bot sees it: methods, checks and error codes.

Answers follow https://core.telegram.org/bots/api: `{"ok": true, "result": …}` with status 200, or
`{"ok": false, "error_code": N, "description": "…"}` with that status; 429 has
`parameters.retry_after`.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

MAXIMUM_TEXT = 4096


@dataclass
class TelegramApi:
    """One bot's world: the chats that it may write to, and what it wrote there."""

    token: str = "123456:TEST-TOKEN"
    chats: dict[str, int] = field(default_factory=lambda: {"@gold": -1001})
    messages: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    #: Answers given before anything else, oldest first: (status, description, retry_after).
    faults: list[tuple[int, str, int | None]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    base_url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def texts(self) -> list[str]:
        """Return what stands in the chats, oldest first."""
        return [message["text"] for _, message in sorted(self.messages.items())]

    def answer(self, token: str, method: str, arguments: dict[str, Any]) -> tuple[int, Any]:
        """Return the status and the body of one call."""
        with self._lock:
            self.calls.append((method, arguments))
            if self.faults:
                status, description, retry_after = self.faults.pop(0)
                return status, _refusal(status, description, retry_after)
            if token != self.token:
                return 401, _refusal(401, "Unauthorized")
            handler = getattr(self, f"_{method}", None)
            if handler is None:
                return 404, _refusal(404, "Not Found: method not found")
            return handler(arguments)

    def _getMe(self, _: dict[str, Any]) -> tuple[int, Any]:  # noqa: N802 - Telegram's name
        bot = {"id": 123456, "is_bot": True, "first_name": "Gold", "username": "gold_bot"}
        return 200, {"ok": True, "result": bot}

    def _sendMessage(self, arguments: dict[str, Any]) -> tuple[int, Any]:  # noqa: N802
        chat_id = self.chats.get(str(arguments.get("chat_id", "")))
        text = str(arguments.get("text", ""))
        if chat_id is None:
            return 400, _refusal(400, "Bad Request: chat not found")
        if not text.strip():
            return 400, _refusal(400, "Bad Request: message text is empty")
        if len(text) > MAXIMUM_TEXT:
            return 400, _refusal(400, "Bad Request: message is too long")
        reply = json.loads(arguments.get("reply_parameters", "null") or "null")
        if reply and (chat_id, reply["message_id"]) not in self.messages:
            if not reply.get("allow_sending_without_reply"):
                return 400, _refusal(400, "Bad Request: message to be replied not found")
            reply = None
        message_id = len(self.messages) + 1
        message = {
            "message_id": message_id,
            "date": int(time.time()),
            "chat": {"id": chat_id, "type": "channel", "title": "Gold"},
            "text": text,
        }
        if reply:
            message["reply_to_message"] = self.messages[chat_id, reply["message_id"]]
        self.messages[chat_id, message_id] = message
        return 200, {"ok": True, "result": message}


@contextmanager
def serving(api: TelegramApi) -> Iterator[TelegramApi]:
    """Serve the API on a free loopback port; `api.base_url` is its address meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            if "json" in self.headers.get("Content-Type", ""):
                arguments = json.loads(body or "{}")
            else:
                arguments = dict(parse_qsl(body))
            _, bot, method = self.path.split("/", 2)
            status, answer = api.answer(bot.removeprefix("bot"), method, arguments)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    api.base_url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _refusal(status: int, description: str, retry_after: int | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    if retry_after is not None:
        body["parameters"] = {"retry_after": retry_after}
    return body
