"""The connector's login: its token, and when the next one is to be fetched."""

from dataclasses import dataclass, field

from mt5_bridge.protocol import wire


@dataclass(slots=True)
class Login:
    """`token` is empty where it has to be fetched first; `is_done` once the server accepted it.

    `spool` is the identity of what numbers the ticks.
    """

    symbols: tuple[str, ...]
    token: str = field(default="", repr=False)
    is_done: bool = False
    spool: str | None = None
    _renew_at_ms: int | None = None

    def connected(self) -> None:
        self.is_done = False
        self._renew_at_ms = None

    def auth(self) -> wire.Auth:
        return wire.Auth(token=self.token, symbols=list(self.symbols), spool=self.spool)

    def accept(self, expires_at: str | None, now_ms: int) -> None:
        """Note that the server accepted the token, which ends at `expires_at` (None: never).

        ``now_ms`` is the server's time. The next token is fetched after four fifths of what is
        left of this one, so that an endpoint that is away for a while does no harm.
        """
        self.is_done = True
        self._renew_at_ms = None
        if expires_at is None:
            return
        try:
            left_ms = wire.milliseconds(expires_at) - now_ms
        except ValueError:
            return
        self._renew_at_ms = now_ms + max(left_ms * 4 // 5, 1000)

    def renew(self, token: str) -> wire.Auth | None:
        """Take a new token; return the message that shows it, None without a login to renew."""
        self.token = token
        if not self.is_done:
            return None
        self._renew_at_ms = None
        return self.auth()

    def needs_new_token(self, now_ms: int) -> bool:
        return self._renew_at_ms is not None and now_ms >= self._renew_at_ms
