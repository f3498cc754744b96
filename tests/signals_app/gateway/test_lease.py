"""Who is active."""

from dataclasses import replace

from signals_app.gateway.lease import Holder, Patience, claim

PATIENCE = Patience(failover_after_ms=45_000, disconnect_grace_ms=10_000)
PRIMARY = Holder("primary", "c1", seen_ms=100_000)


def test_the_first_to_come_is_active() -> None:
    assert claim(None, "backup", "c2", 5, PATIENCE) == Holder("backup", "c2", 5)


def test_a_second_connector_has_to_wait_for_the_first() -> None:
    assert claim(PRIMARY, "backup", "c2", 144_999, PATIENCE) is None


def test_silence_loses_the_role() -> None:
    assert claim(PRIMARY, "backup", "c2", 145_000, PATIENCE) == Holder("backup", "c2", 145_000)


def test_a_disconnected_holder_keeps_the_role_for_a_while() -> None:
    gone = replace(PRIMARY, gone_ms=101_000)
    assert claim(gone, "backup", "c2", 110_999, PATIENCE) is None
    assert claim(gone, "backup", "c2", 111_000, PATIENCE) == Holder("backup", "c2", 111_000)


def test_the_holder_itself_may_come_back_at_any_time() -> None:
    gone = replace(PRIMARY, gone_ms=101_000)
    assert claim(gone, "primary", "c9", 110_000, PATIENCE) == Holder("primary", "c9", 110_000)


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    assert claim(PRIMARY, "backup", "c2", 90_000, PATIENCE) is None
