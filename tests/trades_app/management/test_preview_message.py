"""`manage.py preview_message` prints the text and writes the picture."""

from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from signals_app.market.candle import Timeframe
from signals_app.models import PriceCandle
from tests.trades_app.notifications.charts.test_signal_chart import candles
from trades_app import models

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _open(monkeypatch) -> None:
    import contextlib

    from trades_app.management.commands import preview_message

    def opened(*_: object, **__: object) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    monkeypatch.setattr(preview_message, "open_database", opened)


def test_text_and_picture_before_and_after(announced_trade: models.Trade, tmp_path: Path) -> None:
    PriceCandle.objects.bulk_create(
        PriceCandle.of("XAUUSD", Timeframe.M15, candles(200), PriceCandle.Source.TICKS)
    )
    said = StringIO()
    call_command(
        "preview_message", announced_trade.signal_id, png=tmp_path / "signal.png", stdout=said
    )

    assert "As it is sent first" in said.getvalue()
    assert "As it stands now" in said.getvalue()
    assert "\n📈 BUY XAUUSD at 2,045.50\n" in said.getvalue()
    assert "[📋 Copy order] BUY XAUUSD 2045.50 SL 2040.00" in said.getvalue()
    for name in ("signal.png", "signal-now.png"):
        picture = Image.open(BytesIO((tmp_path / name).read_bytes()))
        assert picture.size == (1200, 675)


def test_without_candles_it_says_that_there_is_no_picture(
    announced_trade: models.Trade, tmp_path: Path
) -> None:
    said = StringIO()
    call_command(
        "preview_message", announced_trade.signal_id, png=tmp_path / "signal.png", stdout=said
    )

    assert "There is no picture of it." in said.getvalue()
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_name_is_refused_in_a_sentence() -> None:
    with pytest.raises(CommandError, match="There is no message or signal 'XAU_1'"):
        call_command("preview_message", "XAU_1")
