"""A stream's state, as a value and as a hash of Redis."""

from hypothesis import given
from hypothesis import strategies as st

from signals_app.gateway.lease import Lease
from signals_app.gateway.overlap import StoredQuote
from signals_app.gateway.stream_state import (
    Checkpoint,
    StreamState,
    lease_fields,
    parse_state,
    state_fields,
)

START = 1_704_456_000_000


def reply(fields: dict[str, str]) -> list[bytes]:
    """Return a hash as Redis answers with it."""
    return [part.encode() for pair in fields.items() for part in pair]


def test_a_checkpoint_of_one_connector_knows_who_wrote() -> None:
    alone = StreamState.at(Checkpoint(5, START, 2000.0, {"mt5": 5}))
    assert alone == StreamState(5, START, 2000.0, writer="mt5", seqs={"mt5": 5}, tail=None)


def test_a_checkpoint_keeps_its_writer_and_watermark() -> None:
    seqs = {"mt5": 5, "backup": 2}
    tail = (StoredQuote(2000.0, 2000.3, ("mt5",)),)
    several = StreamState.at(
        Checkpoint(5, START, 2000.0, seqs, writer="mt5", watermark_ms=START - 1, tail=tail)
    )
    assert several == StreamState(5, START, 2000.0, START - 1, writer="mt5", seqs=seqs, tail=tail)


def test_a_connector_that_never_wrote_is_at_zero() -> None:
    assert StreamState(seqs={"mt5": 7}).seq("mt5") == 7
    assert StreamState(seqs={"mt5": 7}).seq("backup") == 0


def test_no_hash_is_no_state() -> None:
    assert parse_state([]) is None
    assert parse_state(reply({"active": "mt5"})) is None


def test_a_state_without_a_lease_has_none() -> None:
    state = StreamState(5, START, 2000.5, writer="mt5", seqs={"mt5": 5})
    assert parse_state(reply(state_fields(state) | lease_fields(None))) == state


@given(
    ordinal=st.integers(0, 2**53),
    bid=st.floats(0, 1e9),
    seqs=st.dictionaries(st.text(min_size=1, max_size=10), st.integers(0, 2**53), max_size=3),
    gone_ms=st.none() | st.integers(1, 2**45),
)
def test_a_hash_says_all_that_a_state_does(
    ordinal: int, bid: float, seqs: dict[str, int], gone_ms: int | None
) -> None:
    lease = Lease("mt5", "connection", START, gone_ms)
    state = StreamState(ordinal, START, bid, START - 1, "mt5", seqs, lease)
    assert parse_state(reply(state_fields(state) | lease_fields(lease))) == state
