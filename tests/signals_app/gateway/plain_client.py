"""A connector written from the wire reference alone, with nothing but `http.client` and `json`."""

import http.client
import json
import ssl
from contextlib import suppress
from typing import Any

PATH = "/http/v1/ticks"


class PlainClient:
    """Posts ticks of one symbol; keeps all of them by their numbers."""

    def __init__(self, port: int, trusted: ssl.SSLContext, token: str, spool: str = "") -> None:
        self.port, self.trusted, self.token, self.spool = port, trusted, token, spool
        self.symbol = "XAUUSD"
        self.session: str | None = None
        self.resume: dict[str, Any] = {}
        self.role = ""
        self.told: list[dict[str, Any]] = []
        self._line: http.client.HTTPSConnection | None = None

    def post(self, body: Any, path: str = PATH, **headers: str) -> tuple[int, dict[str, Any]]:
        """Post a body; returns status and answer."""
        if self._line is None:
            self._line = http.client.HTTPSConnection(
                "localhost", self.port, context=self.trusted, timeout=15
            )
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            self._line.request("POST", path, text, given | headers)
            answer = self._line.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            self.cut()
            raise

    def cut(self) -> None:
        """Cut the line, without a word."""
        if self._line is not None:
            with suppress(OSError):
                self._line.close()
        self._line = None

    def begin(self) -> tuple[int, dict[str, Any]]:
        body = {"symbols": [self.symbol]} | ({"spool": self.spool} if self.spool else {})
        status, answer = self.post(body)
        if status == 200:
            self.session = answer["session"]
            self._heed(answer)
        return status, answer

    def say(self, *messages: dict[str, Any], **more: Any) -> tuple[int, dict[str, Any]]:
        status, answer = self.post({"session": self.session, "messages": messages, **more})
        if status == 200:
            self._heed(answer)
        return status, answer

    def ticks(self, seq: int, rows: list[list[float]]) -> dict[str, Any]:
        return {"type": "ticks", "symbol": self.symbol, "seq": seq, "rows": rows}

    def _heed(self, answer: dict[str, Any]) -> None:
        self.resume = answer["resume"][self.symbol]
        self.role = answer["role"][self.symbol]
        self.told += answer["messages"]

    def deliver(self, rows: list[list[float]], batch: int) -> None:
        """Send these ticks, which are numbered from 1, from where the server stands."""
        while (seq := self.resume["seq"]) < len(rows):
            status, answer = self.say(self.ticks(seq + 1, rows[seq : seq + batch]))
            assert status == 200, answer
