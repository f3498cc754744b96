"""The picture of a signal: what it shows is the signal's, and it is small, sharp and repeatable."""

import hashlib
import itertools
import re
from dataclasses import replace
from io import BytesIO

import msgspec
import numpy as np
import pytest
from PIL import Image

from signals_app.confluence.parameters import Parameters
from signals_app.market.candle import Candles, Timeframe
from signals_app.smc.analysis import view
from tests.trades_app.examples import CLOSE_MS, ENTRY, GOLD, SELL_SIGNAL, SIGNAL, bids
from trades_app.lifecycle import machine
from trades_app.notifications.charts import signal_chart
from trades_app.notifications.charts.signal_chart import SignalChart

M15 = 900_000


def candles(count: int, seed: int = 5) -> Candles:
    """A walk that ends at the example's entry, as its close does."""
    steps = np.random.default_rng(seed).normal(0, 1.2, count).cumsum()
    close = np.round(2045.3 + steps - steps[-1], 2)
    opened = np.r_[close[0], close[:-1]]
    times = CLOSE_MS - M15 * np.arange(count, 0, -1, dtype=np.int64)
    high, low = np.maximum(opened, close) + 0.6, np.minimum(opened, close) - 0.6
    return Candles(times, opened, high, low, close, np.full(count, 100.0))


def chart(**more: object) -> SignalChart:
    window = candles(200)
    zones, lines = signal_chart.findings(
        view(window, Timeframe.M15), window.time_ms.tolist(), SIGNAL
    )
    shown = SignalChart(
        SIGNAL, GOLD, Timeframe.M15, window.part(-signal_chart.BEFORE), zones=zones, lines=lines
    )
    return replace(shown, **more)


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_it_is_small_and_the_same_each_time(is_dark: bool) -> None:
    first, second = (signal_chart.draw(chart(), is_dark=is_dark) for _ in range(2))

    assert first == second
    assert len(first) <= 80_000
    assert Image.open(BytesIO(first)).size == (1200, 675)


def test_it_carries_what_it_was_drawn_from() -> None:
    shown = chart()
    notes = Image.open(BytesIO(signal_chart.draw(shown))).info

    columns = [shown.candles.time_ms, shown.candles.open, shown.candles.high]
    columns += [shown.candles.low, shown.candles.close]
    inputs = (
        *(shown.signal, shown.timeframe, [each.tolist() for each in columns]),
        *(shown.zones, shown.lines, None, False),
    )
    assert notes["Title"] == "XAU_20240105_001 XAUUSD M15"
    assert notes["goldtrader-inputs"] == hashlib.sha256(msgspec.json.encode(inputs)).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"signal": replace(SIGNAL, stop_loss=2039.9)},
        {"candles": candles(56, seed=6)},
        {"zones": ()},
        {"is_simulated": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_input_is_another_picture(change: dict[str, object]) -> None:
    assert signal_chart.draw(chart(**change)) != signal_chart.draw(chart())
    assert chart(**change).digest() != chart().digest()


def texts(shown: SignalChart, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that is written in the picture."""
    from matplotlib.text import Text

    written: list[str] = []
    draw = Text.draw

    def noted(self: Text, *arguments: object, **options: object) -> None:
        if self.get_visible() and self.get_text():
            written.append(self.get_text())
        draw(self, *arguments, **options)

    monkeypatch.setattr(Text, "draw", noted)
    signal_chart.draw(shown)
    return written


def test_levels_symbol_time_and_id_are_the_signals(monkeypatch) -> None:
    written = texts(chart(), monkeypatch)

    for text in (
        "XAUUSD M15 ▲ BUY",
        "R:R 1:3.55",
        "05 Jan 2024 14:30 UTC",
        "XAU_20240105_001",
        "TP2  2,065.00",
        "TP1  2,055.00",
        "BUY  2,045.50",
        "SL  2,040.00",
    ):
        assert text in written
    assert any(re.fullmatch(r"\d\d:\d\d", text) for text in written)


def test_a_sell_points_downwards(monkeypatch) -> None:
    written = texts(chart(signal=SELL_SIGNAL, zones=(), lines=()), monkeypatch)

    assert "XAUUSD M15 ▼ SELL" in written
    assert "SL  2,051.00" in written


def test_an_ended_trade_shows_its_exits_and_what_it_earned(monkeypatch) -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    trade, _ = machine.advance(trade, GOLD, bids(2055.1, 2065.1))
    written = texts(chart(trade=trade), monkeypatch)

    assert {"TP1", "TP2"} <= set(written)
    assert any(text.startswith(f"+${trade.profit_loss:,.2f}") for text in written)


def test_levels_that_are_close_do_not_cover_each_other() -> None:
    for heights in ([0.5, 0.51, 0.52, 0.49], [0.99, 0.98, 0.97, 0.96], [0.0, 0.01, 0.02, 0.5]):
        placed = signal_chart._spread(heights, 0.06)
        ordered = sorted(placed)

        assert all(b - a >= 0.06 - 1e-9 for a, b in itertools.pairwise(ordered))
        assert ordered[-1] <= 1
        assert sorted(range(4), key=lambda n: heights[n]) == sorted(
            range(4), key=lambda n: placed[n]
        )


def test_zones_are_those_of_the_signals_direction() -> None:
    window = candles(200)
    found = view(window, Timeframe.M15)
    for signal, direction in ((SIGNAL, "bullish"), (SELL_SIGNAL, "bearish")):
        zones, _ = signal_chart.findings(found, window.time_ms.tolist(), signal)

        assert {str(zone.direction) for zone in zones} <= {direction}
        assert len([zone for zone in zones if zone.name == "FVG"]) <= 3
