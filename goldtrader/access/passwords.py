"""Password hashes, of which a process computes few at once: each takes 100 MB and long."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Event, Lock

from django.contrib.auth.hashers import Argon2PasswordHasher

#: Hashes that one process computes at once, how many more wait for that, and how long.
AT_ONCE = 1
WAITING = 2
LONGEST_WAIT_SECONDS = 5.0


class TooManyPasswords(Exception):  # noqa: N818 - a refusal
    """This process computes as many hashes as it may, and others wait: try again in a moment."""

    retry_after = 2


@dataclass(frozen=True, slots=True)
class Whose:
    """Who has a password hashed: the caller, and whether this user logged in there before."""

    caller: str
    is_known: bool


#: Who has passwords hashed in this thread; `None` in forms of users who are logged in already.
_whose: ContextVar[Whose | None] = ContextVar("whose", default=None)


class Queue:
    """Places at a scarce thing, in the order of coming.

    Each caller holds or awaits one place at most, so that many tries from one address leave room
    for others; whoever is known may wait however many do.
    """

    def __init__(self, at_once: int, waiting: int, longest_wait: float) -> None:
        self._free = at_once
        self._most_waiting = waiting
        self._longest_wait = longest_wait
        self._waiting: deque[Event] = deque()
        self._callers: set[str] = set()
        self._lock = Lock()

    @contextmanager
    def place(self, whose: Whose | None = None) -> Iterator[None]:
        """Hold a place; raises `TooManyPasswords` where there is none in time."""
        is_known = whose is not None and whose.is_known
        caller = None if whose is None or is_known else whose.caller
        turn = self._join(caller, is_known=is_known)
        try:
            if not turn.wait(self._longest_wait) and not self._withdrawn_in_time(turn):
                raise TooManyPasswords
            try:
                yield
            finally:
                self._pass_on()
        finally:
            if caller is not None:
                with self._lock:
                    self._callers.discard(caller)

    def _join(self, caller: str | None, *, is_known: bool) -> Event:
        """Queue up; the event is set once the place is ours."""
        turn = Event()
        with self._lock:
            is_full = len(self._waiting) >= self._most_waiting and not is_known
            if caller in self._callers or (is_full and not self._free):
                raise TooManyPasswords
            if caller is not None:
                self._callers.add(caller)
            if self._free:
                self._free -= 1
                turn.set()
            else:
                self._waiting.append(turn)
        return turn

    def _withdrawn_in_time(self, turn: Event) -> bool:
        """Leave the queue; `True` where the place became ours at the last moment."""
        with self._lock:
            if turn.is_set():
                return True
            self._waiting.remove(turn)
            return False

    def _pass_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


_queue = Queue(AT_ONCE, WAITING, LONGEST_WAIT_SECONDS)


@contextmanager
def hashing_for(whose: Whose) -> Iterator[None]:
    """Say for whom the passwords are that are hashed within."""
    token = _whose.set(whose)
    try:
        yield
    finally:
        _whose.reset(token)


class QueuedArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2 as Django has it, one at a time in each process; raises `TooManyPasswords`."""

    def encode(self, password: str, salt: str) -> str:
        """The hash of a password."""
        with _queue.place(_whose.get()):
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Whether the password is the one that was hashed."""
        with _queue.place(_whose.get()):
            return super().verify(password, encoded)
