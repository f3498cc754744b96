import pytest

from mt5_bridge.connector.spool_file import SpoolFile
from mt5_bridge.connector.spool_tables import SpoolState, StateTable
from mt5_bridge.connector.symbol_states import SymbolStates


@pytest.fixture
def table(tmp_path):
    file = SpoolFile(tmp_path)
    yield StateTable(file)
    file.close()


def test_what_is_written_is_read_again(table):
    states = SymbolStates(table)
    assert (states.get("XAUUSD"), "XAUUSD" in states, list(states)) == (None, False, [])
    states.set("XAUUSD", SpoolState(last_seq=10, acknowledged_seq=4))
    states.acknowledge("XAUUSD", 7)
    states.drop("XAUUSD", 3)
    states.write_all()
    assert SymbolStates(table)["XAUUSD"] == SpoolState(10, 7, dropped=3)


def test_no_more_is_acknowledged_than_there_is(table):
    states = SymbolStates(table)
    states.set("XAUUSD", SpoolState(last_seq=10))
    states.acknowledge("XAUUSD", 99)
    states.acknowledge("EURUSD", 99)
    assert states["XAUUSD"].acknowledged_seq == 10
    assert states.get("EURUSD") is None


def test_an_acknowledgement_that_comes_while_ticks_are_written_stays(table):
    states = SymbolStates(table)
    states.set("XAUUSD", SpoolState(last_seq=10))
    longer = SpoolState(last_seq=20, acknowledged_seq=0)
    states.acknowledge("XAUUSD", 5)
    states.grow("XAUUSD", longer)
    assert states["XAUUSD"] == SpoolState(last_seq=20, acknowledged_seq=5)
