"""The messages that the server sends, made from what it knows. Pure."""

from collections.abc import Mapping

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.quote_filter import RefusedQuote
from mt5_bridge.protocol.wire import ErrorCode
from signals_app.gateway.actions import Send
from signals_app.gateway.append_plan import AppendPlan
from signals_app.gateway.roles import Assignment
from signals_app.gateway.tokens import Claims
from signals_app.market.candle import Timeframe


def connected(now_ms: int) -> Send:
    return Send(wire.Connected(server_time=wire.iso(now_ms)))


def auth_ok(
    claims: Claims, assignments: Mapping[str, Assignment], heartbeat_interval_ms: int
) -> Send:
    """Role and place to resume for each symbol; sent again whenever a role changes."""
    return Send(
        wire.AuthOk(
            connector=claims.connector,
            role={symbol: each.role for symbol, each in assignments.items()},
            resume={
                symbol: wire.Resume(seq=each.seq, time=each.time_ms)
                for symbol, each in assignments.items()
            },
            heartbeat_interval=heartbeat_interval_ms / 1000,
            expires_at=wire.iso(claims.expires_at * 1000),
        )
    )


def heartbeat_ack(now_ms: int) -> Send:
    return Send(wire.HeartbeatAck(timestamp=wire.iso(now_ms)))


def history_ack(symbol: str, timeframe: Timeframe, stored: int) -> Send:
    """The answer to history, with the number of candles that were kept."""
    return Send(wire.HistoryAck(symbol=symbol, timeframe=timeframe.value, stored=stored))


def bad_ticks(symbol: str, plan: AppendPlan, example: RefusedQuote, now_ms: int) -> Send:
    """Which ticks of an append were refused and why, all of them in one message."""
    counts = ", ".join(f"{reason.value} {count}" for reason, count in plan.refusals.items())
    seq = plan.first_refused_seq
    which = "" if seq is None else f"seq {seq}: "
    return error(ErrorCode.BAD_TICK, f"{which}{example.text} ({counts})", now_ms, symbol)


def forbidden(symbol: str, claims: Claims | None, now_ms: int) -> Send:
    """The symbol is not in the token, or was not asked for."""
    allowed = claims is not None and symbol in claims.symbols
    why = "not named in auth" if allowed else "not in the token"
    return error(ErrorCode.FORBIDDEN_SYMBOL, f"{symbol} is {why}", now_ms, symbol)


def not_permitted(symbol: str, now_ms: int) -> Send:
    """The token has the symbol, but the connector's row or its API key does not allow it."""
    text = f"{symbol} is not among the symbols that the connector may send"
    return error(ErrorCode.FORBIDDEN_SYMBOL, text, now_ms, symbol)


def misspelt(symbol: str, known_as: str, now_ms: int) -> Send:
    """The symbol is an instrument's in another case: one of both spellings has to go."""
    text = f"{symbol} is called {known_as} here: send it under that name"
    return error(ErrorCode.FORBIDDEN_SYMBOL, text, now_ms, symbol)


def error(code: ErrorCode, message: str, now_ms: int, symbol: str | None = None) -> Send:
    """An error of the protocol; `symbol` where it is about one."""
    timestamp = wire.iso(now_ms)
    return Send(wire.Error(code=code.value, message=message, timestamp=timestamp, symbol=symbol))
