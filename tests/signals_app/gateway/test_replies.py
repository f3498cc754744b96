"""The server's messages."""

from dataclasses import replace

import numpy as np

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.quote_filter import BadTick, RefusedQuote
from mt5_bridge.protocol.wire import ErrorCode, Role
from signals_app.gateway import replies
from signals_app.gateway.actions import Send
from signals_app.gateway.append_plan import AppendPlan
from signals_app.gateway.roles import Assignment
from signals_app.gateway.stream_state import StreamState
from signals_app.gateway.tokens import Claims
from signals_app.market.tick import Ticks

NOW = 1_704_456_000_000
NOON = "2024-01-05T12:00:00.000Z"
CLAIMS = Claims("mt5", ("XAUUSD", "EURUSD"), "id", NOW // 1000, NOW // 1000 + 3600)


def test_auth_ok_names_role_and_place_to_resume_of_every_symbol() -> None:
    assignments = {
        "XAUUSD": Assignment(Role.ACTIVE, 7, NOW),
        "EURUSD": Assignment(Role.STANDBY, 0, None),
    }
    assert replies.auth_ok(CLAIMS, assignments, 30_000) == Send(
        wire.AuthOk(
            connector="mt5",
            role={"XAUUSD": Role.ACTIVE, "EURUSD": Role.STANDBY},
            resume={"XAUUSD": wire.Resume(7, NOW), "EURUSD": wire.Resume(0, None)},
            heartbeat_interval=30.0,
            expires_at="2024-01-05T13:00:00.000Z",
        )
    )


def test_refused_ticks_are_counted_by_reason_with_one_example() -> None:
    nothing = np.empty(0, np.float64)
    ticks = Ticks(1, np.empty(0, np.int64), nothing, nothing)
    plan = AppendPlan(
        StreamState(),
        ticks,
        seq=9,
        refusals={BadTick.JUMP: 2, BadTick.CROSSED: 1},
        first_refused_seq=7,
    )
    example = RefusedQuote(0, BadTick.JUMP, "too far away")
    assert replies.bad_ticks("XAUUSD", plan, example, NOW) == Send(
        wire.Error("BAD_TICK", "seq 7: too far away (jump 2, crossed 1)", NOON, "XAUUSD")
    )
    unnumbered = replace(plan, first_refused_seq=None)
    sent = replies.bad_ticks("XAUUSD", unnumbered, example, NOW).message
    assert sent.message == "too far away (jump 2, crossed 1)"


def test_a_forbidden_symbol_is_not_in_the_token_or_was_not_asked_for() -> None:
    def text(symbol: str, claims: Claims | None) -> str:
        return replies.forbidden(symbol, claims, NOW).message.message

    assert text("XAUUSD", CLAIMS) == "XAUUSD is not named in auth"
    assert text("GBPUSD", CLAIMS) == "GBPUSD is not in the token"
    assert text("XAUUSD", None) == "XAUUSD is not in the token"


def test_an_error_carries_its_time_and_symbol() -> None:
    error = replies.error(ErrorCode.STANDBY, "another connector is active", NOW, "XAUUSD")
    assert error == Send(wire.Error("STANDBY", "another connector is active", NOON, "XAUUSD"))
