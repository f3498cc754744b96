"""BUY earns where price rises, SELL where it falls."""

from signals_app.market.direction import Direction


def test_a_direction_has_the_sign_of_the_move_that_earns() -> None:
    assert {direction: direction.sign for direction in Direction} == {"BUY": 1, "SELL": -1}
