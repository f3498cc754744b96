"""Where planned trades are touched next: the compiled search behind `planned_trades`.

Most candles lie between a trade's levels, and a trade may last for hundreds of them.
"""

from signals_app.market.tick import Float64s, Int64s
from signals_app.smc.compiled.kernel import Values, compiled

_OPEN, _HIGH, _LOW = range(3)


@compiled
def next_touched(
    time_ms: Int64s,
    prices: Values,
    at: Int64s,
    entry: Float64s,
    sign: Int64s,
    spread: Float64s,
    expiry: Int64s,
    level: Float64s,
    target: Float64s,
) -> Int64s:
    """For each trade the first candle from ``at`` on that changes it.

    It reaches the stop's ``level`` or the next ``target`` (won from the ``entry``, in price), opens
    at or after the ``expiry``, or is the last there is. ``prices`` are open, high and low.
    """
    last = len(time_ms) - 1
    touched = at.copy()
    for trade in range(len(at)):
        # SELL buys back at the ask.
        asked = 0.0 if sign[trade] > 0 else spread[trade]
        worst, best = (_LOW, _HIGH) if sign[trade] > 0 else (_HIGH, _LOW)
        i = at[trade]
        while i < last and time_ms[i] < expiry[trade]:
            opened = sign[trade] * (prices[_OPEN, i] + asked - entry[trade])
            if opened <= level[trade] or opened >= target[trade]:
                break
            if sign[trade] * (prices[worst, i] + asked - entry[trade]) <= level[trade]:
                break
            if sign[trade] * (prices[best, i] + asked - entry[trade]) >= target[trade]:
                break
            i += 1
        touched[trade] = i
    return touched
