"""A symbol's stream, written as the gateway writes it."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from redis import Redis

from signals_app.market.tick import Ticks
from signals_app.pipeline import stream

Feed = Callable[..., None]


@pytest.fixture
def feed(redis_client: Redis) -> Iterator[Feed]:
    """Append ticks (time, bid) or a watermark to a stream; ordinals go on by themselves."""
    stream.connection.cache_clear()
    ordinal = 0
    watermarks = 0

    def append(*rows: tuple[int, float], symbol: str = "XAUUSD", watermark: int = 0) -> None:
        nonlocal ordinal, watermarks
        if watermark:
            watermarks += 1
            redis_client.xadd(
                f"ticks:{symbol}",
                {"f": ordinal + 1, "n": 0, "c": "mt5", "q": ordinal, "w": watermark},
                id=f"{ordinal}-{watermarks}",
            )
            return
        times, bids = zip(*rows, strict=True)
        run = Ticks(ordinal + 1, np.array(times), np.array(bids), np.array(bids) + 0.3)
        ordinal = run.last_ordinal
        redis_client.xadd(
            f"ticks:{symbol}",
            {"f": run.first_ordinal, "n": len(run), "c": "mt5", "q": ordinal, "d": run.pack()},
            id=f"{ordinal}-0",
        )

    yield append
    stream.connection.cache_clear()
