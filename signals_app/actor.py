"""Who is acting: the person, key or program behind what this thread does, and through which door.

Every door says so once, around all that it does; the audit asks for it when something is changed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class Door(StrEnum):
    """The ways by which something can be changed."""

    ADMIN = "admin"
    API = "api"
    COMMAND = "command"
    BOT = "bot"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `key` is an API key's id, `address` the caller's, `via` what was called.

    All but the door and the name may be empty.
    """

    door: Door
    who: str
    key: str = ""
    address: str = ""
    via: str = ""


#: What nobody asked for: the product's own tasks.
SYSTEM = Actor(Door.SYSTEM, "goldtrader")


@dataclass(slots=True)
class Act:
    """What is done as one actor, who is asked for when it matters; `changes` counts the audit's.

    `may` tells whether the actor has a right, such as `trades_app.view_trade`.
    """

    actor: Callable[[], Actor]
    may: Callable[[str], bool]
    changes: int = 0


_acting: ContextVar[Act | None] = ContextVar("acting", default=None)


@contextmanager
def acting(
    actor: Actor | Callable[[], Actor], *, may: Callable[[str], bool] = lambda _: True
) -> Iterator[Act]:
    """Do what is inside as this actor, or as the one that the function names then."""
    act = Act((lambda: actor) if isinstance(actor, Actor) else actor, may)
    before = _acting.set(act)
    try:
        yield act
    finally:
        _acting.reset(before)


def current() -> Actor:
    """Who is acting in this thread."""
    act = _acting.get()
    return SYSTEM if act is None else act.actor()


def may(right: str) -> bool:
    """Whether who is acting has a right; what nobody asked for may do everything."""
    act = _acting.get()
    return True if act is None else act.may(right)


def count_change(number: int = 1) -> None:
    """Note that changes were written into the audit."""
    act = _acting.get()
    if act is not None:
        act.changes += number
