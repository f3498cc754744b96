"""A strategy in shadow beside the whole product: two backtests at once, neither knows the other."""

import json
from dataclasses import replace

import msgspec
import pytest

from reports_app.backtest import engine
from signals_app.confluence.parameters import Parameters
from signals_app.market.encoding import as_json
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from tests.goldtrader.stack.commands import export, manage, pipeline_held, run_python
from tests.stand_ins.market_files import write_market_files
from trades_app.lifecycle.exported import trade_as_json

pytestmark = pytest.mark.e2e

_PRINT = """
import json, sys
from pathlib import Path
import django
django.setup()
from goldtrader.stack.use import use_data_dir
from trades_app.models import ShadowTrade
with use_data_dir(Path(sys.argv[1])):
    rows = ShadowTrade.objects.order_by("entry_ordinal")
    print(json.dumps(list(rows.values("signal", "trade", "events", "failure"))))
"""


def shadow_record(result, suffix):
    """What the shadow's tables must hold after a run, computed from a backtest alone."""
    signals = {signal.signal_id: signal for signal in result.signals}
    return [
        {
            "signal": named(signals[trade.signal_id], suffix),
            "trade": named(trade, suffix),
            "events": as_stored(events),
            "failure": "",
        }
        for trade, events in result.trades
    ]


def named(value, suffix):
    return as_stored(replace(value, signal_id=value.signal_id + suffix))


def as_stored(value):
    return json.loads(msgspec.json.encode(value))


def test_live_signals_are_as_alone_and_shadow_trades_as_in_a_backtest(start_stack, tmp_path):
    market = write_market_files(tmp_path)
    gold, data_dir = DEFAULT_INSTRUMENTS[0], tmp_path / "data"
    live, tried = (
        engine.run(gold, parameters, [market.ticks], market.history)
        for parameters in (Parameters(), Parameters(threshold=60.0))
    )
    assert len(tried.trades) > len(live.trades) >= 3
    stack = start_stack(
        *("--feed", str(market.ticks_file), "--history", str(market.history_directory)),
        *("--speed", "max", "--workers", "3", "--symbol", "XAUUSD", "--exit-when-done"),
        data_dir=data_dir,
    )
    stack.wait_for("The database is prepared")
    with pipeline_held(data_dir):
        printed = manage("shadow", "--try", "threshold=60", "--data-dir", data_dir)
        assert printed == "default v2 runs in shadow.\n"

    assert stack.process.wait(300) == 0, stack.said()
    assert export(data_dir) == {
        "signals": [as_json(signal) for signal in live.signals],
        "trades": [trade_as_json(trade, events) for trade, events in live.trades],
    }
    done = run_python("-c", _PRINT, data_dir, DJANGO_SETTINGS_MODULE="goldtrader.settings")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == shadow_record(tried, "-S2")
