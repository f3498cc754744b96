from mt5_bridge.protocol.quotes import Quotes

NOON = 1_704_456_000_000


def test_packed_quotes_come_back_whole():
    plain = Quotes.of([(NOON, 1.0, 2.0), (NOON, 1.5, 2.0)])
    full = Quotes.of([(NOON, 1.0, 2.0, None, 5.0), (NOON, 1.5, 2.0, 1.7, None)])
    for quotes in (plain, full, Quotes.empty()):
        assert Quotes.unpack(quotes.pack()) == quotes
    assert len(plain.pack()) == 1 + 2 * 24


def test_runs_with_and_without_last_are_joined():
    joined = Quotes.join([Quotes.of([(1, 1.0, 2.0)]), Quotes.of([(2, 1.0, 2.0, 1.5, None)])])
    assert joined.rows() == [(1, 1.0, 2.0, None, None), (2, 1.0, 2.0, 1.5, None)]
