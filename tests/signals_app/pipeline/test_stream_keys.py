"""The keys of a symbol's stream, which operators and the runbook know by name."""

from signals_app.pipeline.stream_keys import state_key, stream_key


def test_a_stream_and_its_state_are_named_after_the_symbol() -> None:
    assert stream_key("XAUUSD") == "ticks:XAUUSD"
    assert state_key("XAUUSD") == "ticks:XAUUSD:state"
