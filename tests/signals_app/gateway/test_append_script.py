"""What the Lua scripts are given."""

import numpy as np

from signals_app.gateway.append_plan import AppendPlan
from signals_app.gateway.append_script import (
    append_arguments,
    create_arguments,
    update_arguments,
)
from signals_app.gateway.stream_state import StreamState
from signals_app.market.tick import Ticks

START = 1_704_456_000_000
BEFORE = StreamState(4, START, 2000.0, writer="mt5", seqs={"mt5": 8})


def ticks(first_ordinal: int, *bids: float) -> Ticks:
    bid = np.array(bids, dtype=np.float64)
    time_ms = np.arange(len(bids), dtype=np.int64) + START + 1
    return Ticks(first_ordinal, time_ms, bid, bid + 0.3)


def append(plan: AppendPlan) -> list[object]:
    return append_arguments("XAUUSD", "mt5", "c1", BEFORE, plan, received_ms=17)


EXPECTED = ["ordinal", "4", "watermark", "0", "active", "mt5", "seq:mt5", "8"]
KEYS = ["ticks:XAUUSD:state", "ticks:XAUUSD"]


def test_an_append_expects_the_state_it_was_planned_for_and_adds_one_entry() -> None:
    made = ticks(5, 2001.0, 2002.0)
    after = StreamState(6, START + 2, 2002.0, writer="mt5", seqs={"mt5": 10})
    change = ["active_connection", "c1", "active_gone", "", "seq:mt5", "10"]
    change += ["ordinal", "6", "time_ms", str(START + 2), "bid", "2002.0", "writer", "mt5"]
    entry = ["f", 5, "n", 2, "c", "mt5", "q", 10, "r", 17, "d", made.pack()]
    assert append(AppendPlan(after, made, seq=10)) == [
        *KEYS,
        *(4, *EXPECTED),
        "active_seen",
        *(7, *change),
        *("6-0", 6, *entry),
    ]


def test_a_watermark_is_an_entry_of_its_own_behind_the_last_tick() -> None:
    watermark_ms = START + 900_000
    after = StreamState(4, START, 2000.0, watermark_ms, writer="mt5", seqs={"mt5": 8})
    change = ["active_connection", "c1", "active_gone", "", "seq:mt5", "8"]
    change += ["watermark", str(watermark_ms)]
    entry = ["f", 5, "n", 0, "c", "mt5", "q", 8, "r", 17, "w", watermark_ms]
    assert append(AppendPlan(after, ticks(5), seq=8, watermark_ms=watermark_ms)) == [
        *KEYS,
        *(4, *EXPECTED),
        "active_seen",
        *(4, *change),
        *(f"4-{watermark_ms // 900_000}", 6, *entry),
    ]


def test_a_connector_that_never_wrote_is_expected_not_to_be_there() -> None:
    made = append_arguments(
        "XAUUSD", "new", "c1", StreamState(), AppendPlan(StreamState(), ticks(1), 0), 17
    )
    assert made[2:11] == [4, "ordinal", "0", "watermark", "0", "active", "new", "seq:new", ""]


def test_an_update_may_change_nothing_but_redis_own_time() -> None:
    found = update_arguments("XAUUSD", expect={"active_gone": ""}, clock="active_gone")
    assert found == [*KEYS, 1, "active_gone", "", "active_gone", 0]


def test_a_state_is_created_from_plain_fields() -> None:
    assert create_arguments("XAUUSD", {"ordinal": "0"}) == [*KEYS, "ordinal", "0"]
