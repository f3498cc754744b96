"""From where ticks are needed again, should Redis have lost them."""

import pytest

from signals_app.models import Decision, StreamPosition
from signals_app.pipeline.checkpoints import resume_checkpoint
from tests.trades_app.examples import CLOSE_MS

pytestmark = pytest.mark.django_db

GOLD = "XAUUSD"
EARLIER = {"ordinal": 70, "time_ms": CLOSE_MS - 500, "bid": 2045.1, "seqs": {"mt5": 70}}


@pytest.fixture
def position() -> StreamPosition:
    return StreamPosition.objects.create(
        instrument=GOLD,
        ordinal=90,
        time_ms=CLOSE_MS + 5_000,
        bid=2045.5,
        ask=2045.7,
        watermark_ms=CLOSE_MS + 4_000,
        seqs={"mt5": 90},
        writer="mt5",
    )


def close(outcome: str, quarter: int = 0, **fields: object) -> Decision:
    return Decision.objects.create(
        instrument=GOLD, close_time_ms=CLOSE_MS + quarter * 900_000, outcome=outcome, **fields
    )


def test_a_symbol_without_a_position_has_no_checkpoint() -> None:
    assert resume_checkpoint(GOLD) is None


def test_with_nothing_open_the_ticks_behind_the_position_are_enough(
    position: StreamPosition,
) -> None:
    close(Decision.Outcome.SIGNAL, entry_ordinal=71, checkpoint=EARLIER)
    close(Decision.Outcome.PENDING, quarter=1)

    found = resume_checkpoint(GOLD)

    assert found == position.checkpoint()
    assert (found["ordinal"], found["time_ms"]) == (90, CLOSE_MS + 5_000)


@pytest.mark.parametrize("outcome", [Decision.Outcome.PENDING, Decision.Outcome.OPENING])
def test_an_open_close_needs_the_ticks_from_its_entry_on(
    position: StreamPosition, outcome: str
) -> None:
    close(outcome, entry_ordinal=71, checkpoint=EARLIER)
    close(Decision.Outcome.PENDING, quarter=1, entry_ordinal=88, checkpoint={"ordinal": 87})

    assert resume_checkpoint(GOLD) == EARLIER


def test_another_symbol_s_closes_do_not_count(position: StreamPosition) -> None:
    Decision.objects.create(
        instrument="EURUSD",
        close_time_ms=CLOSE_MS,
        outcome=Decision.Outcome.PENDING,
        entry_ordinal=1,
        checkpoint={"ordinal": 0},
    )

    assert resume_checkpoint(GOLD) == position.checkpoint()
