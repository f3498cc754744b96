"""Strategies in shadow follow the live closes and change nothing of the live record."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from celery import Task
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from redis import Redis

from signals_app import tasks as signal_tasks
from signals_app.confluence.signal import TradingSignal
from signals_app.market.calendar import utc
from signals_app.market.tick import Ticks
from signals_app.models import Decision, Instrument, Signal, Strategy, StreamPosition
from signals_app.pipeline import analysis, candles, decisions, stream
from signals_app.pipeline.candles import Close
from signals_app.pipeline.stream_keys import stream_key
from signals_app.services import price_history
from signals_app.services.strategies import NotPossible, add_version, any_in_shadow
from tests.stand_ins.market_files import MarketFiles, write_market_files
from tests.trades_app.examples import bids
from trades_app import models
from trades_app.models import ShadowPosition, ShadowTrade
from trades_app.shadow import following, trading
from trades_app.trading import opening

pytestmark = pytest.mark.django_db

SYMBOL = "XAUUSD"
_TICKS_IN_AN_ENTRY = 2_000
WHOLE_NUMBER = "'maximum_open_trades=2.5' is not a name, = and a number."


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> MarketFiles:
    return write_market_files(tmp_path_factory.mktemp("market"))


class Pipeline:
    """The pipeline's functions in one process, in the order in which its tasks call them."""

    def __init__(self, redis_client: Redis, market: MarketFiles) -> None:
        self.redis, self.market = redis_client, market

    def store_history(self) -> None:
        for timeframe, window in self.market.history.items():
            rows = [(c.time_ms, c.open, c.high, c.low, c.close, c.volume) for c in window]
            price_history.store_history(SYMBOL, timeframe, rows)

    def run(self, first: int = 0, last: int | None = None, *, follows: bool = True) -> None:
        ticks = self.market.ticks
        end = len(ticks) if last is None else min(last, len(ticks))
        for start in range(first, end, _TICKS_IN_AN_ENTRY):
            run = ticks.part(start, start + _TICKS_IN_AN_ENTRY)
            self.redis.xadd(
                stream_key(SYMBOL),
                {
                    "f": run.first_ordinal,
                    "n": len(run),
                    "c": "mt5",
                    "q": run.last_ordinal,
                    "d": run.pack(),
                },
                id=f"{run.last_ordinal}-0",
            )
            self.use(follows=follows)

    def use(self, *, follows: bool = True) -> None:
        while (built := candles.build_batch(SYMBOL)) is not None:
            if built.closes:
                self.analyse(built.closes)
            while (signal_id := decisions.decide_closes(SYMBOL)) is not None:
                opening.open_trade(signal_id)
            while follows and following.follow(SYMBOL):
                pass
            stream.trim(SYMBOL, min(candles.needed_ordinals(SYMBOL)))

    def analyse(self, closes: tuple[Close, ...]) -> None:
        for part in analysis.Part:
            analysis.detect(SYMBOL, closes, part)
        analysis.score_closes(SYMBOL)


@pytest.fixture
def pipeline(redis_client: Redis, market: MarketFiles) -> Iterator[Pipeline]:
    stream.connection.cache_clear()
    made = Pipeline(redis_client, market)
    made.store_history()
    yield made
    stream.connection.cache_clear()


def in_shadow(**changes: Any) -> Strategy:
    return following.begin(add_version(changes).pk)


def live_record() -> list[Any]:
    """All of the live record, record hashes and messages included, but for wall-clock times."""
    clocks = ("created_at", "decided_at", "recorded_at", "not_before", "found_late_seconds")
    tables = (Signal, models.Trade, models.TradeEvent, models.Message, Decision)
    keys = ("id", "trade_id", "strategy_id")
    return [
        [
            {name: value for name, value in row.items() if name not in (*clocks, *keys)}
            for row in table.objects.order_by("pk").values()
        ]
        for table in tables
    ]


def test_a_shadow_with_the_live_parameters_makes_the_live_trades(pipeline: Pipeline) -> None:
    strategy = in_shadow()

    pipeline.run()

    live = models.Trade.objects.order_by("entry_ordinal").select_related("signal")
    rows = list(ShadowTrade.objects.order_by("entry_ordinal"))
    assert len(rows) >= 3
    suffix = f"-S{strategy.pk}"
    assert [row.value() for row in rows] == [
        replace(row.value(), signal_id=row.signal_id + suffix) for row in live
    ]
    assert [row.event_values() for row in rows] == [
        tuple(event.value() for event in row.events.all()) for row in live
    ]
    assert [msgspec.convert(row.signal, TradingSignal) for row in rows] == [
        replace(row.signal.value(), signal_id=row.signal_id + suffix) for row in live
    ]
    position = ShadowPosition.objects.get(instrument=SYMBOL)
    decided = Decision.objects.exclude(outcome=Decision.Outcome.PENDING)
    assert sum(position.skipped.values()) + len(rows) == decided.count()
    refused = Decision.objects.filter(outcome=Decision.Outcome.REFUSED)
    reasons = set(refused.values_list("reason", flat=True))
    assert set(position.skipped) == reasons | {"BELOW_THRESHOLD"}


def test_a_shadow_of_another_threshold_changes_nothing_of_the_live_record(
    pipeline: Pipeline, redis_client: Redis
) -> None:
    with transaction.atomic():
        pipeline.run()
        alone = live_record()
        transaction.set_rollback(True)
    redis_client.flushdb()
    in_shadow(threshold=60)

    pipeline.run()

    assert live_record() == alone
    assert ShadowTrade.objects.count() > models.Trade.objects.count() > 0


def test_it_begins_at_the_present_and_not_in_the_past(pipeline: Pipeline) -> None:
    pipeline.run(last=20_000)
    decided = Decision.objects.exclude(outcome=Decision.Outcome.PENDING)
    newest = utc(decided.latest("close_time_ms").close_time_ms)
    strategy = in_shadow(threshold=0)

    assert not following.follow(SYMBOL)

    position = ShadowPosition.objects.get(strategy=strategy, instrument=SYMBOL)
    assert (position.began_at, position.close_time, position.skipped) == (newest, newest, {})
    assert not ShadowTrade.objects.exists()


def test_a_shadow_that_lags_finds_its_ticks_in_the_stream(pipeline: Pipeline) -> None:
    in_shadow()
    pipeline.run(follows=False)
    live_id = Signal.objects.latest("timestamp").signal_id
    assert stream.is_after(stream.last_entry_id(SYMBOL), "0-0")
    first = min(following.needed_ordinals(SYMBOL))
    assert first == Decision.objects.earliest("close_time_ms").entry_ordinal

    while following.follow(SYMBOL):
        pass

    trades = [row.value() for row in ShadowTrade.objects.order_by("entry_ordinal")]
    live = models.Trade.objects.order_by("entry_ordinal")
    assert [trade.profit_loss for trade in trades] == [row.profit_loss for row in live]
    assert trades[-1].signal_id.startswith(live_id)
    assert list(following.needed_ordinals(SYMBOL)) == []


def test_a_close_whose_ticks_are_gone_is_skipped_and_counted(
    pipeline: Pipeline, redis_client: Redis
) -> None:
    in_shadow()
    pipeline.run(follows=False)
    signals = Signal.objects.count()
    redis_client.flushdb()

    while following.follow(SYMBOL):
        pass

    assert not ShadowTrade.objects.exists()
    # Without its trades fewer closes are refused: what is skipped for its ticks is at least these.
    assert ShadowPosition.objects.get(instrument=SYMBOL).skipped["TICKS_GONE"] >= signals


def test_a_close_that_a_shadow_fails_on_is_skipped_and_stops_no_other(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = in_shadow(cool_down_minutes=1), in_shadow()
    decide = following.core.decide

    def decide_badly(*arguments: Any, **options: Any) -> Any:
        if arguments[4].cool_down_minutes == 1:
            raise ZeroDivisionError
        return decide(*arguments, **options)

    monkeypatch.setattr(following.core, "decide", decide_badly)

    pipeline.run()

    followed = {each.strategy: each for each in ShadowPosition.objects.filter(instrument=SYMBOL)}
    assert followed[broken].skipped["FAILED"] > 0
    assert followed[broken].close_time == followed[sound].close_time
    made = ShadowTrade.objects.values_list("strategy", flat=True)
    assert set(made) == {sound.pk}
    assert following.behind() == 0


def test_a_shadow_that_cannot_be_read_stops_no_other(pipeline: Pipeline) -> None:
    Strategy.objects.create(version=2, status="SHADOW", parameters={"threshold": "high"})
    sound = in_shadow()

    pipeline.run()

    assert set(ShadowTrade.objects.values_list("strategy", flat=True)) == {sound.pk}


def test_it_never_asks_for_more_ticks_than_are_kept(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_shadow()
    pipeline.run(last=20_000, follows=False)
    monkeypatch.setattr(following, "KEPT_TICKS", 500)

    assert list(following.needed_ordinals(SYMBOL)) == [19_500]


@pytest.fixture
def open_trade(pipeline: Pipeline) -> ShadowTrade:
    """A shadow trade that is open, the stream behind its entry used."""
    in_shadow(threshold=60)
    for first in range(0, len(pipeline.market.ticks), 2 * _TICKS_IN_AN_ENTRY):
        pipeline.run(first, first + 2 * _TICKS_IN_AN_ENTRY)
        if (row := ShadowTrade.objects.open().first()) is not None:
            return row
    raise AssertionError("no trade stays open")


def jump(row: ShadowTrade, price: float) -> Ticks:
    """Return one tick at ``price``, right behind those used."""
    position = StreamPosition.objects.get(instrument=row.instrument)
    tick = bids(price)
    times = np.full_like(tick.time_ms, position.time_ms + 1)
    return replace(tick, first_ordinal=position.ordinal + 1, time_ms=times)


def test_the_open_trades_of_a_retired_shadow_run_on_to_their_end(open_trade: ShadowTrade) -> None:
    following.retire(open_trade.strategy_id)
    trade = open_trade.value()
    beyond = float(trade.stop_loss) - 50 * trade.direction.sign

    trading.move(SYMBOL, jump(open_trade, beyond))

    open_trade.refresh_from_db()
    ended = open_trade.value()
    assert (open_trade.is_open, ended.exit_reason) == (False, "SL_HIT")
    assert (open_trade.profit_loss, open_trade.r_multiple) == (ended.profit_loss, ended.r_multiple)
    assert ended.exit_time_ms is not None
    assert (open_trade.exit_ordinal, open_trade.exit_time) == (
        ended.exit_ordinal,
        utc(ended.exit_time_ms),
    )
    assert open_trade.event_values()[-1].kind == "CLOSED"
    assert not following.follow(SYMBOL)


def test_a_shadow_trade_that_cannot_be_moved_is_given_up_and_stops_nobody(
    open_trade: ShadowTrade,
) -> None:
    ShadowTrade.objects.filter(pk=open_trade.pk).update(trade={})

    trading.move(SYMBOL, jump(open_trade, 1.0))

    open_trade.refresh_from_db()
    assert not open_trade.is_open
    assert "ValidationError" in open_trade.failure


def test_without_shadows_the_live_path_asks_three_questions_more(
    pipeline: Pipeline,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline.run(last=20_000)
    sent: list[str] = []
    monkeypatch.setattr(Task, "apply_async", lambda task, *_, **__: sent.append(task.name))

    with django_assert_num_queries(1):
        trading.move(SYMBOL, bids(1300.0))
    with django_assert_num_queries(1):
        assert list(following.needed_ordinals(SYMBOL)) == []
    with django_assert_num_queries(1):
        assert not any_in_shadow()
    decisions.decide_closes(SYMBOL)
    signal_tasks.generate_signal(SYMBOL)
    assert "trades_app.tasks.follow_in_shadow" not in sent

    in_shadow()
    signal_tasks.generate_signal(SYMBOL)
    assert "trades_app.tasks.follow_in_shadow" in sent


def test_a_close_of_an_instrument_that_is_off_makes_no_trade(pipeline: Pipeline) -> None:
    in_shadow()
    Instrument.objects.filter(symbol=SYMBOL).update(is_active=False)

    pipeline.run(last=30_000)

    assert not ShadowTrade.objects.exists()
    assert ShadowPosition.objects.get(instrument=SYMBOL).skipped["INSTRUMENT_OFF"] > 0


def test_a_strategy_that_ran_in_shadow_stays_as_it_is() -> None:
    strategy = in_shadow(threshold=70)

    refusal = r"default v2 has run in shadow and stays as it is; a change is a new version\."
    with pytest.raises(IntegrityError, match=refusal), transaction.atomic():
        Strategy.objects.filter(pk=strategy.pk).update(parameters={"threshold": 10})


def test_the_live_strategy_cannot_be_put_into_shadow_nor_one_that_is_there_already() -> None:
    strategy = in_shadow(threshold=70)

    with pytest.raises(NotPossible, match="default v1 is LIVE, not RETIRED"):
        following.begin(Strategy.objects.live().pk)
    with pytest.raises(NotPossible, match="default v2 is SHADOW, not RETIRED"):
        following.begin(strategy.pk)
    following.retire(strategy.pk)
    with pytest.raises(NotPossible, match="default v2 is RETIRED, not SHADOW"):
        following.retire(strategy.pk)


def test_one_that_begins_again_counts_anew(pipeline: Pipeline) -> None:
    strategy = in_shadow(threshold=60)
    pipeline.run(last=14_000)
    following.retire(strategy.pk)
    pipeline.run(first=14_000, last=20_000)

    following.begin(strategy.pk)

    position = ShadowPosition.objects.get(strategy=strategy, instrument=SYMBOL)
    decided = Decision.objects.exclude(outcome=Decision.Outcome.PENDING)
    newest = utc(decided.latest("close_time_ms").close_time_ms)
    assert (position.began_at, position.close_time, position.skipped) == (newest, newest, {})


def test_the_comparison_sets_each_shadow_beside_the_live_record(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("shadow")
    assert capsys.readouterr().out == "No strategy has followed a close in shadow.\n"
    call_command("shadow", changes=["threshold=80", "maximum_trade_hours=none"])
    assert capsys.readouterr().out == "default v2 runs in shadow.\n"
    call_command("shadow", retire=2)
    call_command("shadow", begin=2)
    capsys.readouterr()
    pipeline.run()

    call_command("shadow", as_json=True)

    first, live = json.loads(capsys.readouterr().out)
    assert (first["strategy"], live["strategy"]) == ("default v2", None)
    rows = models.Trade.objects.all()
    closed = [row.value() for row in rows if not row.is_open]
    multiples = [trade.r_multiple for trade in closed if trade.r_multiple is not None]
    assert live == {
        "symbol": SYMBOL,
        "strategy": None,
        "since": None,
        "trades": len(rows),
        "closed": len(closed),
        "won": sum(trade.profit_loss > 0 for trade in closed),
        "mean_r": float(round(sum(multiples) / len(multiples), 2)),
        "profit_loss": float(sum(row.profit_loss for row in rows)),
        "skipped": {},
    }
    assert first["trades"] == ShadowTrade.objects.count()
    assert first["skipped"] == ShadowPosition.objects.get(instrument=SYMBOL).skipped
    call_command("shadow")
    assert "default v2     the beginning" in capsys.readouterr().out


def test_what_makes_no_sense_is_refused() -> None:
    for options, sentence in (
        ({"changes": ["threshold"]}, "'threshold=' is not a name, = and a number."),
        ({"changes": ["maximum_open_trades=2.5"]}, WHOLE_NUMBER),
        ({"changes": ["threshold=101"]}, "threshold must be from 0 to 100, not 101.0."),
        ({"begin": 1}, "default v1 is LIVE, not RETIRED."),
        ({"retire": 9}, "There is no version 9."),
    ):
        with pytest.raises(CommandError) as refusal:
            call_command("shadow", **options)
        assert str(refusal.value) == sentence
    assert Strategy.objects.count() == 1


def test_a_shadow_that_proved_itself_is_made_live(
    open_trade: ShadowTrade, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("shadow", make_live=2)

    assert capsys.readouterr().out == "default v2 is live and decides from the next close on.\n"
    statuses = dict(Strategy.objects.values_list("version", "status"))
    assert statuses == {1: "RETIRED", 2: "LIVE"}
    # It is no shadow any more: it follows nobody, and its open trades run on.
    assert not following.follow(SYMBOL)
    open_trade.refresh_from_db()
    assert open_trade.is_open
    with pytest.raises(CommandError, match=r"default v2 is live already\."):
        call_command("shadow", make_live=2)
    call_command("shadow", make_live=1)
    assert Strategy.objects.live().version == 1


def test_the_admin_shows_shadow_trades_and_begins_and_retires(
    open_trade: ShadowTrade, admin_client: Client
) -> None:
    page = admin_client.get(reverse("admin:trades_app_shadowtrade_changelist")).content.decode()
    assert open_trade.signal["signal_id"] in page
    detail = reverse("admin:trades_app_shadowtrade_change", args=(open_trade.pk,))
    assert admin_client.get(detail).status_code == 200

    def act(action: str) -> str:
        chosen = {"action": action, "_selected_action": [open_trade.strategy_id]}
        url = reverse("admin:signals_app_strategy_changelist")
        return admin_client.post(url, chosen, follow=True).content.decode()

    assert "default v2 is retired; its open trades run on." in act("retire_shadow")
    assert "default v2 is RETIRED, not SHADOW." in act("retire_shadow")
    assert "default v2 runs in shadow from the next close on." in act("begin_shadow")
