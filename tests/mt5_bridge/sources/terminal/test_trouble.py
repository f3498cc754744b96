"""Whatever a terminal does, every tick leaves once, in time, and behind every watermark told."""

import random

import pytest

from mt5_bridge.files.broker_time import SERVER_EU
from mt5_bridge.sources.terminal.calls import TerminalLostError
from mt5_bridge.sources.terminal.tick_window import LATEST_MS
from tests.mt5_bridge.sources.terminal.test_source import HOUR, NOON, Source, a_terminal, taken

_STEP_MS = 500
_TROUBLES = (
    "outage",
    "outage filled late",
    "dead line",
    "terminal closed",
    "no answer",
    "pipe fails",
    "hangs",
    "process dies",
    "late tick",
    "clock wrong",
    "connector restarted",
)


class Trouble:
    """A market of random ticks behind a terminal that fails in every way, one after the other."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.terminal = a_terminal(SERVER_EU, NOON)
        self.source = Source(self.terminal)
        self.source.start(None, 0, NOON - 1, NOON)
        self.now_ms = NOON
        self.came = []
        self.given = []
        self.watermarks = []
        self.bookmark = None
        self.underway = []

    def run(self, seconds, trouble=""):
        for _ in range(seconds * 1000 // _STEP_MS):
            self.now_ms += _STEP_MS
            new = self.ticks()
            self.came += new
            if trouble == "dead line":
                self.underway += new
            elif trouble == "late tick" and len(new) > 1:
                self.terminal.arrive(new[1:])
                self.underway += new[:1]
            else:
                self.terminal.arrive(self.underway + new)
                self.underway = []
            self.poll()

    def ticks(self):
        since = self.now_ms - _STEP_MS
        times = sorted(
            self.random.randrange(since, self.now_ms) for _ in range(self.random.randrange(4))
        )
        if times and self.random.random() < 0.3:
            times.append(times[-1])
        return [
            (at, bid, round(bid + 0.3, 2))
            for at in times
            for bid in [round(2000 + self.random.randrange(100) / 100, 2)]
        ]

    def poll(self):
        poll = self.source.poll(self.now_ms)
        rows = taken(poll)
        newest_ms = max((at for at, *_ in self.given), default=0)
        for at, *_ in rows:
            assert at >= newest_ms - LATEST_MS, "too late: the server would refuse it"
            assert all(at > told for told in self.watermarks[-1:]), "a watermark was not kept"
            newest_ms = max(newest_ms, at)
        self.given += rows
        if rows:
            self.bookmark = poll.bookmark
        if poll.watermark_ms is not None:
            self.watermarks.append(poll.watermark_ms)

    def lose(self, name, *, is_process_gone):
        """Let a call never be answered; with its process the terminal has to be opened anew."""

        def unanswered(*arguments):
            self.terminal._is_open = not is_process_gone
            raise TerminalLostError("no answer", is_process_gone=is_process_gone)

        setattr(self.terminal, name, unanswered)

    def befall(self, trouble):
        terminal, begin_ms = self.terminal, self.now_ms
        match trouble:
            case "outage":
                terminal.is_connected = False
                self.run(self.random.randrange(2, 90))
                terminal.is_connected = True
            case "outage filled late":
                terminal.is_connected = False
                terminal.miss(begin_ms, begin_ms + 24 * HOUR)
                self.run(self.random.randrange(2, 300))
                terminal.miss(begin_ms, self.now_ms)
                terminal.is_connected = True
                self.run(self.random.randrange(1, 25))
                terminal.missing = (0, 0)
            case "dead line":
                self.run(self.random.randrange(2, 200), trouble)
            case "pipe fails":
                name = self.random.choice(("terminal_info", "account_info", "copy_ticks_from"))
                terminal.failures = {name: (self.random.choice((-10002, -10005)), "IPC failed")}
                self.run(self.random.randrange(2, 80))
                terminal.failures = {}
            case "hangs" | "process dies":
                name = self.random.choice(("terminal_info", "symbol_info_tick", "copy_ticks_from"))
                self.lose(name, is_process_gone=trouble == "process dies")
                self.run(self.random.randrange(2, 80))
                delattr(terminal, name)
            case "late tick":
                self.run(self.random.randrange(2, 14), trouble)
            case "terminal closed":
                terminal.is_running = False
                self.run(self.random.randrange(2, 60))
                terminal.is_running = True
            case "no answer":
                terminal.gives_ticks = False
                self.run(self.random.randrange(2, 80))
                terminal.gives_ticks = True
            case "clock wrong":
                self.source.wrong_ms = self.random.choice((-HOUR, HOUR, -300_000, 120_000))
                self.run(self.random.randrange(2, 30))
                self.source.wrong_ms = 0
            case "connector restarted":
                self.source = Source(terminal)
                self.source.start(self.bookmark, 0, NOON - 1, self.now_ms)


@pytest.mark.parametrize("seed", range(8))
def test_every_tick_leaves_once_whatever_the_terminal_does(seed):
    market = Trouble(seed)
    market.run(40)
    for _ in range(12):
        market.befall(market.random.choice(_TROUBLES))
        # Long enough for what is late to come before the connector may be restarted.
        market.run(market.random.randrange(5, 60))
    market.run(120)
    assert sorted(market.given) == sorted(market.came)
    assert len(market.watermarks) > 100
