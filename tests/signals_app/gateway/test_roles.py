"""Which ticks a role lets through."""

from mt5_bridge.protocol.wire import Role, Row
from signals_app.gateway.actions import Dropped, StoreTicks
from signals_app.gateway.roles import Assignment, SymbolRoles
from signals_app.gateway.stream_state import StreamState

GOLD = "XAUUSD"
NOW = 1_704_456_000_000


def roles(role: Role) -> SymbolRoles:
    made = SymbolRoles()
    made.assign({GOLD: Assignment(role, 0, None)})
    return made


def rows(*times: int) -> list[Row]:
    return [Row(NOW + time, 2000.0, 2000.3) for time in times]


def test_an_assignment_says_where_to_resume() -> None:
    state = StreamState(ordinal=9, time_ms=NOW, seqs={"mt5": 7})
    assert Assignment.of(Role.ACTIVE, "mt5", state) == Assignment(Role.ACTIVE, 7, NOW)
    assert Assignment.of(Role.STANDBY, "new", state) == Assignment(Role.STANDBY, 0, NOW)
    assert Assignment.of(Role.ACTIVE, "new", StreamState()) == Assignment(Role.ACTIVE, 0, None)


def test_only_the_active_connectors_ticks_are_stored() -> None:
    assert roles(Role.ACTIVE).route(GOLD, 5, rows(1, 2), NOW) == StoreTicks(GOLD, 5, rows(1, 2))
    standby = roles(Role.STANDBY)
    assert standby.route(GOLD, 5, rows(1, 2), NOW) == Dropped(GOLD, 6, 2)
    assert standby.route(GOLD, None, rows(1), NOW) == Dropped(GOLD, None, 1)


def test_a_standby_is_warned_once_for_each_time_it_becomes_one() -> None:
    standby = roles(Role.STANDBY)
    assert [standby.is_to_be_warned(GOLD) for _ in range(2)] == [True, False]
    standby.change(GOLD, Role.ACTIVE)
    assert not standby.is_to_be_warned(GOLD)
    standby.change(GOLD, Role.STANDBY)
    assert standby.is_to_be_warned(GOLD)


def test_ticks_ahead_of_a_rewind_are_dropped_until_it_comes_or_its_time_is_over() -> None:
    promoted = roles(Role.STANDBY)
    promoted.drop(GOLD, 5, rows(50))
    promoted.expect_rewind(GOLD, NOW + 40, NOW)
    promoted.change(GOLD, Role.ACTIVE)
    assert promoted.route(GOLD, 6, rows(60), NOW + 9_999) == Dropped(GOLD, None, 1)
    assert isinstance(promoted.route(GOLD, 6, rows(60), NOW + 10_000), StoreTicks)

    rewound = roles(Role.STANDBY)
    rewound.drop(GOLD, 5, rows(50))
    rewound.expect_rewind(GOLD, NOW + 40, NOW)
    rewound.change(GOLD, Role.ACTIVE)
    for seq in (5, 6):
        assert isinstance(rewound.route(GOLD, seq, rows(10 * seq), NOW), StoreTicks)


def test_nothing_is_held_back_where_nothing_later_was_dropped() -> None:
    promoted = roles(Role.STANDBY)
    promoted.drop(GOLD, 5, rows(50))
    promoted.expect_rewind(GOLD, NOW + 51, NOW)
    promoted.change(GOLD, Role.ACTIVE)
    assert isinstance(promoted.route(GOLD, 6, rows(60), NOW), StoreTicks)


def test_what_was_dropped_of_the_last_stored_millisecond_comes_first() -> None:
    promoted = roles(Role.STANDBY)
    promoted.drop(GOLD, 5, rows(50))
    promoted.expect_rewind(GOLD, NOW + 50, NOW)
    promoted.change(GOLD, Role.ACTIVE)
    assert isinstance(promoted.route(GOLD, 6, rows(60), NOW), Dropped)
    assert isinstance(promoted.route(GOLD, 5, rows(50), NOW), StoreTicks)
