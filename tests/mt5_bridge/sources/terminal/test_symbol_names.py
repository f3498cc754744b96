"""Names of a broker that are near to the one that was asked for."""

from mt5_bridge.sources.terminal.symbol_names import near_names

BROKER = ["EURUSD.r", "XAUUSD.r", "XAUUSD.raw", "XAUEUR.r", "XAGUSD.r", "US30", "#AAPL", ""]


def test_names_with_an_ending_come_first_the_shortest_before_the_others():
    assert near_names("XAUUSD", BROKER)[:2] == ["XAUUSD.r", "XAUUSD.raw"]


def test_a_slash_or_small_letters_make_no_difference():
    assert near_names("xauusd", ["XAU/USD", "EURUSD"]) == ["XAU/USD"]


def test_other_usual_names_are_known():
    assert near_names("XAUUSD", ["GOLD", "GOLDmicro", "EURUSD"]) == ["GOLD", "GOLDmicro"]


def test_what_is_not_alike_is_not_proposed():
    assert near_names("XAUUSD", ["US30", "#AAPL"]) == []


def test_at_most_five_are_proposed():
    assert len(near_names("EURUSD", [f"EURUSD{letter}" for letter in "abcdefgh"])) == 5
