"""Who is active."""

from dataclasses import replace

from signals_app.gateway.lease import Lease, LeaseTimeouts, acquire

TIMEOUTS = LeaseTimeouts(failover_after_ms=45_000, disconnect_grace_ms=10_000)
PRIMARY = Lease("primary", "c1", seen_ms=100_000)


def test_the_first_to_come_is_active() -> None:
    assert acquire(None, "backup", "c2", 5, TIMEOUTS) == Lease("backup", "c2", 5)


def test_a_second_connector_has_to_wait_for_the_first() -> None:
    assert acquire(PRIMARY, "backup", "c2", 144_999, TIMEOUTS) is None


def test_silence_loses_the_role() -> None:
    assert acquire(PRIMARY, "backup", "c2", 145_000, TIMEOUTS) == Lease("backup", "c2", 145_000)


def test_a_disconnected_holder_keeps_the_role_for_a_while() -> None:
    gone = replace(PRIMARY, gone_ms=101_000)
    assert acquire(gone, "backup", "c2", 110_999, TIMEOUTS) is None
    assert acquire(gone, "backup", "c2", 111_000, TIMEOUTS) == Lease("backup", "c2", 111_000)


def test_the_holder_itself_may_come_back_at_any_time() -> None:
    gone = replace(PRIMARY, gone_ms=101_000)
    assert acquire(gone, "primary", "c9", 110_000, TIMEOUTS) == Lease("primary", "c9", 110_000)


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    assert acquire(PRIMARY, "backup", "c2", 90_000, TIMEOUTS) is None
