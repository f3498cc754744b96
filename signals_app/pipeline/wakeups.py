"""Wake-ups: however many ticks arrive, one `build_candles` task of a symbol waits to use them."""

from signals_app.pipeline import stream

#: A wake-up that was lost is made up for after so many seconds.
WAKE_EXPIRES = 5


def claim_wakeup(symbol: str) -> bool:
    """Claim the symbol's wake-up; `False` where a `build_candles` task is waiting already."""
    return bool(stream.connection().set(f"wake:{symbol}", 1, nx=True, ex=WAKE_EXPIRES))


def acknowledge_wakeup(symbol: str) -> None:
    """Give the wake-up back as its task begins: ticks stored from now on wake it again."""
    stream.connection().delete(f"wake:{symbol}")
