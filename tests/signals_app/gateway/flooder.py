"""A peer that means harm, as a process of its own: it floods until it is killed.

python -m tests.signals_app.gateway.flooder KIND PORT [TOKEN]
"""

import base64
import json
import os
import socket
import ssl
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import suppress

REQUEST = (
    b"GET /ws/v1/ticks HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n\r\n"
)
PEERS = 60
TRUSTING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TRUSTING.check_hostname = False
TRUSTING.verify_mode = ssl.CERT_NONE


def frame(head: int, payload: bytes = b"", *, length: int | None = None) -> bytes:
    """A masked frame; its mask is zero, and its length may be a lie."""
    size = len(payload) if length is None else length
    if size < 126:
        said = bytes([0x80 | size])
    elif size < 1 << 16:
        said = b"\xfe" + size.to_bytes(2)
    else:
        said = b"\xff" + size.to_bytes(8)
    return bytes([head]) + said + b"\0\0\0\0" + payload


def bomb() -> bytes:
    squeezer = zlib.compressobj(wbits=-15)
    squeezed = squeezer.compress(b"\0" * (64 << 20)) + squeezer.flush(zlib.Z_SYNC_FLUSH)
    return frame(0xC1, squeezed[:-4])


class Flooder:
    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token

    def plain(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)

    def encrypted(self) -> ssl.SSLSocket:
        return TRUSTING.wrap_socket(self.plain(), server_hostname="localhost")

    def opened(self) -> ssl.SSLSocket:
        line = self.encrypted()
        line.sendall(REQUEST)
        line.recv(4096)
        if self.token:
            auth = {"type": "auth", "token": self.token, "symbols": ["EURUSD"]}
            line.sendall(frame(0x81, json.dumps(auth).encode()))
            heard = b""
            while b"auth_ok" not in heard:
                heard += line.recv(4096)
        return line

    def pour(self, blob: bytes) -> None:
        """Send this again and again, on one connection after the other."""
        while True:
            with suppress(OSError), self.opened() as line:
                line.settimeout(1.0)
                while True:
                    line.sendall(blob)

    def hold(self, open_one: Callable[[], socket.socket], drop: bytes = b"") -> None:
        """Keep many connections open, and open those anew that are closed; each says little."""
        held: list[socket.socket] = []
        while True:
            while len(held) < PEERS:
                with suppress(OSError):
                    held.append(open_one())
            alive = []
            for line in held:
                line.setblocking(False)
                try:
                    if drop:
                        line.send(drop)
                    if not line.recv(4096):
                        continue
                except (BlockingIOError, ssl.SSLWantReadError):
                    pass
                except OSError:
                    continue
                alive.append(line)
            held = alive
            time.sleep(0.01)

    def pings(self) -> None:
        self.pour(frame(0x89) * 20_000)

    def pongs(self) -> None:
        self.pour(frame(0x8A, b"x" * 125) * 2_000)

    def empty_fragments(self) -> None:
        self.pour(frame(0x01) + frame(0x00) * 20_000 + frame(0x80))

    def tiny_frames(self) -> None:
        self.pour(frame(0x81, b"x") * 20_000)

    def huge_frames(self) -> None:
        self.pour(frame(0x81, b"x" * (1 << 20), length=1 << 40))

    def compressed_bombs(self) -> None:
        self.pour(bomb())

    def deep_messages(self) -> None:
        self.pour(frame(0x81, b"[" * 30_000))

    def long_requests(self) -> None:
        while True:
            with suppress(OSError), self.encrypted() as line:
                line.sendall(b"GET / HTTP/1.1\r\n")
                while True:
                    line.sendall(b"x" * (1 << 20))

    def silent_sockets(self) -> None:
        self.hold(self.plain)

    def half_tls(self) -> None:
        def begin() -> socket.socket:
            hello = ssl.MemoryBIO()
            shaking = TRUSTING.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
            with suppress(ssl.SSLWantReadError):
                shaking.do_handshake()
            line = self.plain()
            line.sendall(hello.read()[:100])
            return line

        self.hold(begin)

    def slow_handshakes(self) -> None:
        self.hold(self.plain, drop=b"\x16")

    def half_requests(self) -> None:
        def begin() -> socket.socket:
            line = self.encrypted()
            line.sendall(REQUEST[:40])
            return line

        self.hold(begin)

    def silent_websockets(self) -> None:
        self.hold(self.opened)

    def tls_handshakes(self) -> None:
        while True:
            with suppress(OSError):
                self.encrypted().close()

    def connects(self) -> None:
        while True:
            with suppress(OSError):
                self.plain().close()

    def bad_tokens(self) -> None:
        auth = {"type": "auth", "token": "a.b.c", "symbols": ["EURUSD"]}
        self.pour(frame(0x81, json.dumps(auth).encode()))


if __name__ == "__main__":
    kind, port, *token = sys.argv[1:]
    getattr(Flooder(int(port), token[0] if token else ""), kind)()
