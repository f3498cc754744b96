"""The whole product on a week of ticks: what it holds equals the backtest of the same file."""

import json
import urllib.request

import psycopg
import pytest

from reports_app.backtest import engine
from signals_app.confluence.hash_chain import signal_link
from signals_app.confluence.parameters import Parameters
from signals_app.market.encoding import as_json
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from tests.goldtrader.stack.commands import count_events, export, manage, wait_until
from tests.stand_ins.market_files import write_market_files
from trades_app.lifecycle.exported import trade_as_json
from trades_app.lifecycle.hash_chain import event_link

pytestmark = pytest.mark.e2e


def links_of(result):
    """What the record must hold after a run, computed from the backtest alone."""
    links, last = {}, ""
    for signal in result.signals:
        links[signal.signal_id] = last = signal_link(last, signal)
    for trade, events in result.trades:
        last = links[trade.signal_id]
        for number, event in enumerate(events, 1):
            last = event_link(last, trade.signal_id, number, event)
            links[f"{trade.signal_id} {number}"] = last
    return links


def used_ticks(health):
    return health["details"]["feed"]["XAUUSD"]["ticks"]


def test_ticks_in_give_the_backtests_signals_trades_and_messages_out(start_stack, tmp_path):
    market = write_market_files(tmp_path)
    instrument = DEFAULT_INSTRUMENTS[0]
    result = engine.run(instrument, Parameters(), [market.ticks], market.history)
    signals = [as_json(signal) for signal in result.signals]
    trades = [trade_as_json(trade, events) for trade, events in result.trades]
    assert len(trades) >= 3

    stack = start_stack(
        *("--feed", str(market.ticks_file), "--history", str(market.history_directory)),
        *("--speed", "max", "--workers", "3", "--symbol", "XAUUSD"),
        data_dir=tmp_path / "data",
    )
    stack.wait_for("Ctrl-C ends all of it")
    key = manage("api_key", "reader", "--data-dir", stack.data_dir).splitlines()[-1]

    def ask(path):
        request = urllib.request.Request(
            f"http://127.0.0.1:{stack.port}/api/v1/{path}",
            headers={"Authorization": f"Api-Key {key}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    events = sum(len(trade["events"]) for trade in trades)
    wait_until(lambda: count_events(stack.data_dir) >= events, seconds=90)
    wait_until(lambda: used_ticks(ask("health")) == market.ticks.last_ordinal, seconds=30)
    assert export(stack.data_dir) == {"signals": signals, "trades": trades}

    listed = ask("signals?limit=100")["results"]
    assert sorted(one["signal_id"] for one in listed) == [s["signal_id"] for s in signals]
    newest = ask("trades?limit=1")["results"][0]
    assert newest["signal_id"] == trades[-1]["signal_id"]
    settings = json.loads((stack.data_dir / "stack.json").read_text())
    with psycopg.connect(settings["database_url"]) as database:
        kinds = database.execute("SELECT kind, count(*) FROM outbox GROUP BY kind").fetchall()
        linked = database.execute(
            "SELECT signal_id, record_hash FROM signals UNION ALL "
            "SELECT signal_id || ' ' || number, e.record_hash "
            "FROM trade_events e JOIN trades USING (trade_id)"
        ).fetchall()
    assert dict(kinds)["SIGNAL"] == len(signals)
    assert dict(linked) == links_of(result)
    assert "The record holds." in manage("verify_record", "--data-dir", stack.data_dir)

    # The web server shows what workers and gateway counted.
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.port}/metrics", timeout=10) as answer:
        counted = dict(
            line.rpartition(" ")[::2] for line in answer.read().decode().splitlines() if line
        )
    assert float(counted['ticks_received_total{symbol="XAUUSD"}']) >= market.ticks.last_ordinal
    assert float(counted['signals_generated_total{instrument="XAUUSD"}']) == len(signals)
    assert float(counted["tick_to_analysis_seconds_count"]) > 0
    assert float(counted["signal_generation_seconds_count"]) > 0
    assert float(counted["websocket_connections_active"]) >= 0

    for timeframe in ("M15", "H1", "H4"):
        offline = json.loads(
            manage(
                *("candles", market.ticks_file, "--symbol", "XAUUSD"),
                *("--timeframe", timeframe, "--json"),
            )
        )
        stored = ask(f"candles?symbol=XAUUSD&timeframe={timeframe}&limit=1000")["results"]
        assert stored[-len(offline) :] == offline
    assert stack.end() == 0
