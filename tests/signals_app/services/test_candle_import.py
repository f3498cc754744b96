"""A candle file goes into the database whole, or not at all."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals_app.importers.candle_files import MarketFileError, open_candle_file, read_candles
from signals_app.market.calendar import milliseconds
from signals_app.market.candle import Candle, Candles, Timeframe
from signals_app.models import PriceCandle, StreamPosition
from signals_app.services import candle_import
from signals_app.services.candle_import import ImportedCandles, import_candle_file
from signals_app.services.price_history import store_history, stored_candles

MONDAY = datetime(2024, 1, 8, tzinfo=UTC)
MONDAY_MS = milliseconds(MONDAY)
HOUR_MS = 3_600_000


def write(path: Path, count: int, hours: float = 1, begin: float = 0, price: int = 2050) -> Path:
    rows = [
        f"{MONDAY + timedelta(hours=begin + hours * n):%Y-%m-%dT%H:%M:%SZ},"
        f"{price + n}.12345,{price + n + 2},{price + n - 1},{price + n + 0.5},{n}.7"
        for n in range(count)
    ]
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows, ""]))
    return path


def load(path: Path, timeframe: Timeframe = Timeframe.H1) -> ImportedCandles:
    return import_candle_file("XAUUSD", timeframe, open_candle_file(path))


@pytest.mark.django_db
def test_what_is_stored_is_what_the_file_holds(tmp_path: Path) -> None:
    path = write(tmp_path / "h1.csv", 30)
    found = load(path)
    assert (found.read, found.new, found.known, found.late) == (30, 30, 0, 0)
    stored, read = stored_candles("XAUUSD", Timeframe.H1), read_candles(path)
    for name in ("time_ms", "open", "high", "low", "close"):
        assert getattr(stored, name).tolist() == getattr(read, name).tolist()
    assert stored.volume.tolist() == np.rint(read.volume).tolist()
    assert set(PriceCandle.objects.values_list("source", flat=True)) == {"HISTORY"}


@pytest.mark.django_db
def test_what_is_there_stays_and_what_is_late_is_left_out(tmp_path: Path) -> None:
    tick_made = Candle(MONDAY_MS + 3 * HOUR_MS, 2055.0, 2056.0, 2054.0, 2055.0, 9.0)
    PriceCandle.objects.bulk_create(
        PriceCandle.of("XAUUSD", Timeframe.H1, [tick_made], PriceCandle.Source.TICKS)
    )
    StreamPosition.objects.create(instrument="XAUUSD", first_time_ms=MONDAY_MS + 20 * HOUR_MS)
    path = write(tmp_path / "h1.csv", 30)
    found = load(path)
    assert (found.read, found.new, found.known, found.late) == (30, 19, 1, 10)
    again = load(path)
    assert (again.new, again.known, again.late) == (0, 20, 10)
    assert PriceCandle.objects.get(source="TICKS").value() == tick_made


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (",2081,", ",abc,", "line 31: 'abc' in column high is not a number"),
        (",2081,", ",1000000000.5,", "line 31: a price is above 1,000,000,000"),
        (",29.7", ",1e17", "line 31: the volume is above 9,007,199,254,740,992, which cannot be"),
        ("T05:00:00Z,2079", "T04:30:00Z,2079", "line 31: it opens 30 minutes after the candle"),
    ],
)
def test_a_fault_anywhere_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, sentence: str
) -> None:
    monkeypatch.setattr("mt5_bridge.files.text_files._BLOCK_BYTES", 300)
    path = write(tmp_path / "h1.csv", 30)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(MarketFileError, match=sentence):
        load(path)
    assert not PriceCandle.objects.exists()


@pytest.mark.django_db
def test_another_timeframe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarketFileError, match="holds candles of H1, not of H4"):
        load(write(tmp_path / "h4.csv", 30), Timeframe.H4)
    with pytest.raises(MarketFileError, match="line 2: it opens at 2024-01-08T00:06:00 UTC"):
        load(write(tmp_path / "m15.csv", 30, hours=0.25, begin=0.1), Timeframe.M15)
    assert not PriceCandle.objects.exists()


@pytest.mark.django_db
def test_candles_at_other_prices_than_the_stored_ones_are_refused(tmp_path: Path) -> None:
    load(write(tmp_path / "gold.csv", 30))
    other = write(tmp_path / "other.csv", 60, price=900)
    with pytest.raises(MarketFileError, match="30 of 30 candles lie at other prices than those"):
        load(other)
    assert PriceCandle.objects.count() == 30


@pytest.mark.django_db
def test_a_brokers_own_candles_are_built_from_the_stored_shorter_ones(tmp_path: Path) -> None:
    broken = write(tmp_path / "h4.csv", 8, hours=4, begin=-2)
    with pytest.raises(MarketFileError, match="line 2: it opens at 2024-01-07T22:00:00 UTC"):
        load(broken, Timeframe.H4)
    load(write(tmp_path / "h1.csv", 30))
    found = load(broken, Timeframe.H4)
    assert (found.built_from, found.new) == (Timeframe.H1, 7)
    stored = stored_candles("XAUUSD", Timeframe.H4)
    assert stored.time_ms.tolist() == [MONDAY_MS + 4 * n * HOUR_MS for n in range(7)]


@pytest.mark.django_db
def test_a_brokers_own_candles_are_refused_where_the_shorter_ones_make_none(tmp_path: Path) -> None:
    load(write(tmp_path / "h1.csv", 3))
    with pytest.raises(MarketFileError, match="line 2: it opens at 2024-01-07T22:00:00 UTC"):
        load(write(tmp_path / "h4.csv", 8, hours=4, begin=-2), Timeframe.H4)


@pytest.mark.django_db
def test_history_is_the_same_by_a_file_and_by_a_connector(tmp_path: Path) -> None:
    path = write(tmp_path / "h1.csv", 30)
    load(path)
    read = read_candles(path)
    columns = (read.time_ms, read.open, read.high, read.low, read.close, read.volume)
    store_history("EURUSD", Timeframe.H1, list(zip(*map(np.ndarray.tolist, columns), strict=True)))
    by_file, by_connector = (stored_candles(name, Timeframe.H1) for name in ("XAUUSD", "EURUSD"))
    assert by_file.volume.tolist() == by_connector.volume.tolist()


@pytest.mark.django_db
def test_a_table_of_another_grid_takes_nothing(tmp_path: Path) -> None:
    odd = Candle(MONDAY_MS - 2 * HOUR_MS, 10.0, 11.0, 9.0, 10.0, 1.0)
    PriceCandle.objects.bulk_create(
        PriceCandle.of("XAUUSD", Timeframe.H4, [odd], PriceCandle.Source.HISTORY)
    )
    with pytest.raises(MarketFileError, match="H4 candles of XAUUSD that do not open on UTC"):
        load(write(tmp_path / "h4.csv", 8, hours=4), Timeframe.H4)


@given(st.lists(st.tuples(st.floats(0.00001, 1e9), st.floats(0, 1e9)), min_size=1, max_size=5))
def test_the_copied_text_is_the_exact_decimal_of_every_price(
    rows: list[tuple[float, float]],
) -> None:
    candles = Candles.of(
        Candle(MONDAY_MS + n * HOUR_MS, *([round(price, 5)] * 4), volume)
        for n, (price, volume) in enumerate(rows)
    )
    text = candle_import.copied_text("XAUUSD", Timeframe.H1, candles)
    assert text.splitlines() == [
        f"XAUUSD\tH1\t2024-01-08T0{n}:00:00Z\t"
        + "\t".join([f"{round(price, 5):.5f}"] * 4)
        + f"\t{round(volume)}\tHISTORY"
        for n, (price, volume) in enumerate(rows)
    ]


@pytest.mark.django_db
def test_a_bitcoin_costs_more_than_a_hundred_thousand(tmp_path: Path) -> None:
    path = write(tmp_path / "h1.csv", 30, price=123_456_789)
    load(path)
    stored = PriceCandle.objects.order_by("timestamp").first()
    assert stored is not None
    assert str(stored.open) == "123456789.12345"
    assert stored_candles("XAUUSD", Timeframe.H1).open.tolist() == read_candles(path).open.tolist()
