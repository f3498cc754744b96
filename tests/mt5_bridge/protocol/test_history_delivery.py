from mt5_bridge.protocol import wire
from mt5_bridge.protocol.history_delivery import HISTORY_TIMEOUT, HistoryDelivery

GOLD = wire.History(symbol="XAUUSD", timeframe="M15", rows=[])
EURO = wire.History(symbol="EURUSD", timeframe="M15", rows=[])


def test_ticks_wait_until_each_history_of_the_symbol_is_confirmed():
    delivery = HistoryDelivery()
    delivery.offer([GOLD, EURO])
    assert delivery.start("XAUUSD", 0) == [GOLD]
    assert delivery.holds_ticks_back(1)
    delivery.confirm("XAUUSD", "M15")
    assert not delivery.holds_ticks_back(1)


def test_ticks_do_not_wait_for_ever():
    delivery = HistoryDelivery()
    delivery.offer([GOLD])
    delivery.start("XAUUSD", 5)
    assert not delivery.holds_ticks_back(5 + HISTORY_TIMEOUT)


def test_without_history_nothing_waits():
    delivery = HistoryDelivery()
    assert delivery.start("XAUUSD", 0) == []
    assert not delivery.holds_ticks_back(0)


def test_a_new_connection_forgets_what_the_old_one_waited_for():
    delivery = HistoryDelivery()
    delivery.offer([GOLD])
    delivery.start("XAUUSD", 0)
    delivery.connected()
    assert not delivery.holds_ticks_back(0)
    assert delivery.start("XAUUSD", 1) == [GOLD]
