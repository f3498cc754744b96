"""Whether the pipeline has no work left: ticks are used, closes decided, messages sent."""

from typing import cast

from goldtrader.operations import queues
from reports_app.track_record import performance, sealing
from signals_app.gateway.stream_state import SEQ_PREFIX
from signals_app.models import Decision, StreamPosition
from signals_app.pipeline import candles, stream, waiting
from signals_app.pipeline.stream_keys import state_key
from trades_app.notifications import outbox
from trades_app.shadow import following

#: A task in one of these is unfinished work; deliveries are counted in the outbox.
_QUEUES = ("ticks", "analysis", "trades")


def is_drained() -> tuple[bool, str]:
    """Whether all work is done, and in a few words what is not.

    A close without its entry tick is no work: it waits for the market. A message without a bot or
    a channel stays in the outbox for good.
    """
    left = [
        *_unread(),
        _counted(undecided(), "close to decide", "closes to decide"),
        _counted(following.behind(), "close to follow in shadow", "closes to follow in shadow"),
        _counted(unsealed_days(), "day to seal", "days to seal"),
        "" if performance.is_complete() else "figures to compute",
        _counted(outbox.unsent(), "message to send", "messages to send"),
        *(_counted(queues.length(queue), f"{queue} task", f"{queue} tasks") for queue in _QUEUES),
    ]
    work = [words for words in left if words]
    return not work, ", ".join(work)


def stored_seq(symbol: str, connector: str) -> int:
    """The number of a connector's last tick that Redis has or refused; 0 where it has none.

    Redis has lost ticks where this is less than what the connector had acknowledged.
    """
    found = stream.connection().hget(state_key(symbol), SEQ_PREFIX + connector)
    return int(cast("bytes | None", found) or 0)


def undecided() -> int:
    """How many closes can still be decided, or wait for their trade to open.

    One that waits for another market's ticks is none: nothing here brings them.
    """
    open_closes = Decision.objects.filter(
        outcome__in=(Decision.Outcome.PENDING, Decision.Outcome.OPENING)
    )
    return (
        open_closes.exclude(entry_ordinal=None)
        .exclude(outcome=Decision.Outcome.PENDING, instrument__in=waiting.pairs_awaited())
        .count()
    )


def without_rate() -> list[str]:
    """A sentence for each symbol whose closes wait for the ticks of another, its rate pair."""
    return [
        f"Closes of {symbol} are left undecided: they wait for ticks of {pair} up to midnight UTC, "
        "by which money is exchanged."
        for symbol, pair in waiting.pairs_awaited().items()
    ]


def unsealed_days() -> int:
    """How many days are over whose digest and reports are still to be written."""
    symbols = StreamPosition.objects.values_list("instrument", flat=True)
    return sum(len(sealing.days_to_seal(symbol)) for symbol in symbols)


def _unread() -> list[str]:
    used = dict(StreamPosition.objects.values_list("instrument", "ordinal"))
    return [
        f"{symbol}: {_newest_ordinal(symbol) - used.get(symbol, 0):,} ticks to use"
        for symbol in stream.streamed_symbols()
        if candles.has_unread(symbol)
    ]


def _newest_ordinal(symbol: str) -> int:
    return int(stream.last_entry_id(symbol).partition("-")[0])


def _counted(number: int, one: str, many: str) -> str:
    return "" if not number else f"{number:,} {one if number == 1 else many}"
