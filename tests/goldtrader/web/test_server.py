"""Which connection goes where there are too many."""

from dataclasses import dataclass
from typing import Any

from goldtrader.access.addresses import network_of_text
from goldtrader.web.channel import Deadlines
from goldtrader.web.server import ConnectionLimits, adjustments, surplus_of

LIMITS = ConnectionLimits(6, 3, 1000, Deadlines(headers=1, body=2, idle=3))


@dataclass(eq=False)
class Connection:
    """What is asked of a channel."""

    address: str
    waits_since: float = 0.0
    is_busy: bool = False

    @property
    def network(self) -> Any:
        return network_of_text(self.address)


def surplus(*held: Connection, limits: ConnectionLimits = LIMITS) -> Any:
    return surplus_of(held, held[-1], limits)  # type: ignore[arg-type]


def test_within_the_limits_all_stay() -> None:
    assert surplus(*(Connection("10.0.0.1", float(i)) for i in range(3))) is None


def test_of_an_address_with_too_many_the_one_that_waits_longest_goes() -> None:
    busy, later, longest = (
        Connection("10.0.0.1", 1.0, is_busy=True),
        Connection("10.0.0.1", 3.0),
        Connection("10.0.0.1", 2.0),
    )

    assert surplus(busy, later, longest, Connection("10.0.0.1", 4.0)) is longest


def test_the_newest_goes_where_all_others_are_busy() -> None:
    newest = Connection("10.0.0.1", 9.0)

    assert surplus(*(Connection("10.0.0.1", is_busy=True) for _ in range(3)), newest) is newest


def test_where_all_are_taken_the_busiest_address_gives_way() -> None:
    crowd = [Connection("10.0.0.1", 5.0 + i) for i in range(3)]
    others = [Connection(f"10.0.0.{i}", 1.0) for i in range(2, 6)]

    assert surplus(*crowd, *others) is crowd[0]


def test_a_network_of_64_bits_is_one_caller() -> None:
    crowd = [Connection(f"2001:db8::{i}", float(i)) for i in range(1, 5)]

    assert surplus(*crowd) is crowd[0]


def test_behind_proxies_only_all_together_are_counted() -> None:
    behind = ConnectionLimits(6, None, 1000, LIMITS.deadlines)
    held = [Connection("10.0.0.1", float(i)) for i in range(7)]

    assert surplus(*held[:6], limits=behind) is None
    assert surplus(*held, limits=behind) is held[0]


def test_the_largest_body_is_one_that_django_takes() -> None:
    assert adjustments(threads=4, limits=LIMITS).max_request_body_size == 1001
