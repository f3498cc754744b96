"""Proof of an export: what it must be if nothing in it was changed, computed without a database."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from reports_app.track_record.proof import Proof, Published, is_expected, require_expected
from reports_app.track_record.violation import UNREADABLE, Violation
from signals_app.confluence.signal import TradingSignal
from signals_app.market.direction import Direction
from signals_app.market.encoding import from_json
from trades_app.lifecycle import exported
from trades_app.lifecycle import trade as core
from trades_app.lifecycle.hash_chain import Entry, chain_days, event_entries, signal_entries
from trades_app.lifecycle.signed_zeros import entries_once, signed_times
from trades_app.lifecycle.transitions import InvalidTransition


def verify_export(content: Any, expected: Sequence[Published] = ()) -> list[Proof]:
    """Compute the track record again from what `manage.py export --json` printed, as `verify` does.

    An export holds no links: only ``expected`` shows that it is the record which was published.
    """
    try:
        signals = [from_json(TradingSignal, each) for each in content["signals"]]
        trades = {each["signal_id"]: each for each in content["trades"]}
        surplus = len(content["trades"]) - len(trades)
        found = [
            _read_instrument(instrument, signals, trades)
            for instrument in sorted({signal.instrument for signal in signals})
        ]
    except UNREADABLE as error:
        raise Violation(f"This is no export of signals and trades: {error!r}.") from None
    if surplus or trades.keys() - {signal.signal_id for signal in signals}:
        raise Violation("A trade has no signal of its own: it was put in.")
    proofs = [each.proof() for each in found]
    others = [noted for noted in expected if not is_expected(proofs, noted)]
    if others:
        require_expected([proof for each in found for proof in each.proofs_once()], others)
    return proofs


@dataclass(frozen=True, slots=True)
class _Life:
    """One signal's entry and direction, and its trade's events; none before it opened."""

    entry: Entry
    direction: Direction
    events: tuple[core.TradeEvent, ...]


@dataclass(frozen=True, slots=True)
class _Exported:
    """What an export holds of one instrument, in candle order."""

    instrument: str
    lives: tuple[_Life, ...]

    def proof(self) -> Proof:
        return self._chained(lambda life: event_entries(life.entry, life.events))

    def proofs_once(self) -> Iterator[Proof]:
        """Yield the record as it may be sealed by a version that signed some zeros, up to a time.

        The numbers are those of the export each time: only the sign of nothing differs.
        """
        for until_ms in signed_times((life.direction, life.events) for life in self.lives):
            yield self._chained(partial(_entries_until, until_ms=until_ms))

    def _chained(self, entries_of: Callable[[_Life], Iterable[Entry]]) -> Proof:
        entries = [life.entry for life in self.lives]
        for life in self.lives:
            entries += entries_of(life)
        return Proof(self.instrument, chain_days(self.instrument, entries), sealed=None)


def _entries_until(life: _Life, *, until_ms: int) -> Iterator[Entry]:
    return entries_once(life.entry, life.direction, life.events, until_ms)


def _read_instrument(
    instrument: str, signals: Sequence[TradingSignal], trades: Mapping[str, Mapping[str, Any]]
) -> _Exported:
    mine = sorted(
        (signal for signal in signals if signal.instrument == instrument),
        key=lambda signal: (signal.timestamp_ms, signal.signal_id),
    )
    entries = list(signal_entries(mine))
    lives = []
    for signal, entry in zip(mine, entries, strict=True):
        trade = trades.get(signal.signal_id)
        if trade is None and signal is mine[-1]:
            lives.append(_Life(entry, signal.direction, ()))
            continue
        if trade is None:
            raise Violation(f"The trade of {signal.signal_id} was removed.")
        events = [from_json(core.TradeEvent, event) for event in trade["events"]]
        try:
            disagreement = exported.disagreement(trade, signal, events)
        except InvalidTransition as error:
            raise Violation(
                f"The events of {signal.signal_id} are no trade's life: {error}."
            ) from None
        if disagreement is not None:
            raise Violation(f"The trade of {signal.signal_id} says {disagreement}.")
        lives.append(_Life(entry, signal.direction, tuple(events)))
    return _Exported(instrument, tuple(lives))
