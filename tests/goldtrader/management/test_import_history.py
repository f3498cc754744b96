"""manage.py import_history: a candle file into the database, and what came of it in a sentence."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from signals_app.models import Instrument, PriceCandle, StreamPosition

HOUR_MS = 3_600_000
BEGIN_MS = 1_704_067_200_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = ["timestamp,open,high,low,close,volume"]
    rows += [f"2024-01-01T{hour:02}:00:00Z,10.2,10.8,10.0,10.6,100" for hour in range(6)]
    path = tmp_path / "gold.csv"
    path.write_text("\n".join(rows))
    return path


def import_history(file: Path) -> str:
    out = StringIO()
    call_command("import_history", str(file), "--symbol=XAUUSD", "--timeframe=H1", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_it_says_how_many_are_new_and_how_many_were_there(file: Path) -> None:
    first, second = import_history(file), import_history(file)

    assert first.startswith(
        f"{file}: 6 candles of XAUUSD H1, 2024-01-01T00:00:00Z to 2024-01-01T05:00:00Z ("
    )
    assert first.endswith(
        "); 6 are new, 0 were there already, 0 lie behind the first tick that the server has and "
        "were left out.\n"
    )
    assert "; 0 are new, 6 were there already, 0 lie behind" in second
    assert PriceCandle.objects.count() == 6


@pytest.mark.django_db
def test_candles_after_the_first_tick_are_left_out(file: Path) -> None:
    StreamPosition.objects.create(instrument="XAUUSD", first_time_ms=BEGIN_MS + 4 * HOUR_MS)

    assert "; 4 are new, 0 were there already, 2 lie behind the first tick" in import_history(file)


@pytest.mark.django_db
def test_a_file_that_cannot_be_read_is_refused_before_anything_is_stored(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.csv does not exist") as refusal:
        import_history(tmp_path / "none.csv")

    assert refusal.value.returncode == 2
    assert not PriceCandle.objects.exists()


@pytest.mark.django_db
def test_a_symbol_is_an_instrument_in_whatever_letters(file: Path) -> None:
    out = StringIO()
    call_command("import_history", str(file), "--symbol=xauusd", "--timeframe=H1", stdout=out)
    assert "6 candles of XAUUSD H1" in out.getvalue()
    assert set(PriceCandle.objects.values_list("instrument", flat=True)) == {"XAUUSD"}


@pytest.mark.django_db
@pytest.mark.parametrize("symbol", ["XAUUSD.m", "COCOA", "X;Y"])
def test_what_no_instrument_is_called_is_refused_by_name(file: Path, symbol: str) -> None:
    with pytest.raises(CommandError, match=r"is no instrument|is no symbol") as refusal:
        call_command("import_history", str(file), f"--symbol={symbol}", "--timeframe=H1")
    assert refusal.value.returncode == 2
    assert not PriceCandle.objects.exists()


@pytest.mark.django_db
def test_a_built_in_instrument_gets_its_row_with_its_history(file: Path) -> None:
    call_command(
        "import_history", str(file), "--symbol=eurjpy", "--timeframe=H1", stdout=StringIO()
    )
    row = Instrument.objects.get(symbol="EURJPY")
    assert (row.pip, row.quote_currency) == (0.01, "JPY")


@pytest.mark.django_db
def test_a_file_that_is_refused_leaves_no_instrument_behind(file: Path) -> None:
    with pytest.raises(CommandError, match="holds candles of H1, not of H4"):
        call_command("import_history", str(file), "--symbol=EURJPY", "--timeframe=H4")
    assert not Instrument.objects.filter(symbol="EURJPY").exists()
