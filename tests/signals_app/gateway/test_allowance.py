"""What a connection may send before and after its connector is let in."""

from signals_app.gateway.allowance import FRAMES_A_TURN, ConnectorAllowance, StrangerAllowance
from signals_app.gateway.limits import Limits


def test_a_stranger_has_a_total_that_time_does_not_refill() -> None:
    allowance = StrangerAllowance(bytes_left=10, frames_left=3)
    assert not allowance.is_exceeded(10, 0)
    assert allowance.is_exceeded(1, 1_000_000)
    assert allowance.frames() == 3
    assert not allowance.is_spent(2, 0)
    assert allowance.is_spent(1, 1_000_000)
    assert allowance.frames() == 0


def test_a_connector_has_rates_and_a_number_of_frames_a_turn() -> None:
    allowance = ConnectorAllowance(0, Limits(frames_per_second=10, messages_per_second=1))
    assert allowance.frames() == FRAMES_A_TURN
    assert not allowance.is_spent(100, 0)
    assert allowance.is_spent(1, 0)
    assert not allowance.is_spent(1, 10_000)
    assert [allowance.is_control_exceeded(0) for _ in range(11)] == [False] * 10 + [True]
    assert not allowance.is_exceeded(1 << 30, 0)
    assert allowance.is_exceeded(1 << 29, 0)
