"""Proof of an export: what it must be if nothing in it was changed, computed without a database."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports_app.track_record.proof import Proof, Published, require_expected
from reports_app.track_record.violation import UNREADABLE, Violation
from signals_app.confluence.signal import TradingSignal
from signals_app.market.encoding import from_json
from trades_app.lifecycle import exported
from trades_app.lifecycle import trade as core
from trades_app.lifecycle.hash_chain import chain_days, event_entries, signal_entries
from trades_app.lifecycle.transitions import InvalidTransition


def verify_export(content: Any, expected: Sequence[Published] = ()) -> list[Proof]:
    """Compute the track record again from what `manage.py export --json` printed, as `verify` does.

    An export holds no links: only ``expected`` shows that it is the record which was published.
    """
    try:
        signals = [from_json(TradingSignal, each) for each in content["signals"]]
        trades = {each["signal_id"]: each for each in content["trades"]}
        surplus = len(content["trades"]) - len(trades)
        proofs = [
            _verify_instrument(instrument, signals, trades)
            for instrument in sorted({signal.instrument for signal in signals})
        ]
    except UNREADABLE as error:
        raise Violation(f"This is no export of signals and trades: {error!r}.") from None
    if surplus or trades.keys() - {signal.signal_id for signal in signals}:
        raise Violation("A trade has no signal of its own: it was put in.")
    require_expected(proofs, expected)
    return proofs


def _verify_instrument(
    instrument: str, signals: Sequence[TradingSignal], trades: Mapping[str, Mapping[str, Any]]
) -> Proof:
    mine = sorted(
        (signal for signal in signals if signal.instrument == instrument),
        key=lambda signal: (signal.timestamp_ms, signal.signal_id),
    )
    entries = list(signal_entries(mine))
    found = list(entries)
    for signal, entry in zip(mine, entries, strict=True):
        trade = trades.get(signal.signal_id)
        if trade is None and signal is mine[-1]:
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
        found += event_entries(entry, events)
    return Proof(instrument, chain_days(instrument, found), sealed=None)
