import pytest

from mt5_bridge.connector import feeder as feeder_module
from mt5_bridge.connector.feeder import Feeder
from mt5_bridge.connector.spool import Spool
from mt5_bridge.connector.spool_file import SpoolError
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.sources.base import Poll

GOOD = Quotes.of([(1, 10.0, 11.0), (2, 10.0, 11.0)])


class Script:
    """A source that gives the polls it is made with, one by one."""

    symbol = "XAUUSD"
    is_live = True

    def __init__(self, *polls):
        self.polls = list(polls)
        self.starts = []

    def start(self, bookmark, back, time_ms, now_ms):
        self.starts.append((bookmark, back, time_ms))

    def poll(self, now_ms):
        return self.polls.pop(0)


@pytest.fixture
def spool(tmp_path):
    opened = Spool(tmp_path, maximum_bytes=215)
    opened.begin("XAUUSD", 0)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _tries_at_once(monkeypatch):
    monkeypatch.setattr(feeder_module, "_TRY_AGAIN", 0.0)


def test_good_ticks_are_kept_and_bad_ones_counted(spool):
    bad = Quotes.of([(1, 10.0, 11.0), (2, 12.0, 11.0)])
    feeder = Feeder(Script(Poll(bad, "two", watermark_ms=2)), spool, ends_on_error=False)
    poll, refused = feeder.feed(0)
    assert (len(poll.quotes), refused, feeder.watermark_ms) == (2, 1, 2)
    assert (spool.last_seq("XAUUSD"), spool.state("XAUUSD").bookmark) == (1, "two")


def test_a_full_spool_keeps_no_watermark_and_goes_back_when_there_is_room(spool):
    second, third = (Quotes.of([(at, 10.0, 11.0), (at + 1, 10.0, 11.0)]) for at in (3, 5))
    source = Script(
        Poll(GOOD, "two"),
        Poll(second, "four"),
        Poll(third, "six", watermark_ms=6),
        Poll(third, "six"),
    )
    feeder = Feeder(source, spool, ends_on_error=False)
    feeder.feed(0)
    feeder.feed(0)
    poll, _ = feeder.feed(0)
    assert (len(poll.quotes), feeder.trouble, feeder.watermark_ms) == (0, "FULL", None)
    spool.acknowledge("XAUUSD", 4)
    feeder.feed(0)
    assert feeder.trouble == ""
    assert source.starts == [("four", 0, 4)]
    assert spool.last_seq("XAUUSD") == 6


def test_a_disk_that_fails_is_the_end_only_where_that_is_wanted(spool, monkeypatch):
    def fail(*arguments):
        raise SpoolError("the spool cannot be written")

    monkeypatch.setattr(spool, "append", fail)
    feeder = Feeder(Script(Poll(GOOD, "two")), spool, ends_on_error=False)
    feeder.feed(0)
    assert feeder.trouble == "NOT WRITABLE"
    assert spool.state("XAUUSD").dropped == 2
    with pytest.raises(SpoolError):
        Feeder(Script(Poll(GOOD, "two")), spool, ends_on_error=True).feed(0)
