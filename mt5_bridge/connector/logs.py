"""The connector's log: on the console where there is one, and in a file; neither ever holds it up.

A click into a Windows console stops whoever writes there until a key is pressed. So each place is
written by a thread of its own; what finds no room in its queue is counted and left out.
"""

import logging
import queue
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

FILE_NAME: Final = "mt5_bridge.log"
_BYTES, _FILES = 5 << 20, 5
_FORMAT: Final = "%(asctime)s %(levelname)s %(message)s"
_WAITING: Final = 10_000
_TRY_AGAIN: Final = 30.0
_CLOSE_WITHIN: Final = 2.0


class BackgroundHandler(logging.Handler):
    """Hands records to another handler in a thread of its own; `emit` never waits."""

    def __init__(self, target: logging.Handler, waiting: int = _WAITING) -> None:
        """``waiting`` is how many records may wait."""
        super().__init__()
        self._target = target
        self._records: queue.Queue[logging.LogRecord | None] = queue.Queue(waiting)
        self._lost = 0
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    @property
    def is_stuck(self) -> bool:
        """Whether the other handler still hangs after `close`."""
        return self._thread.is_alive()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._records.put_nowait(record)
        except queue.Full:
            self._lost += 1

    def close(self) -> None:
        """Write what waits, but do not wait for long."""
        with suppress(queue.Full):
            self._records.put(None, timeout=_CLOSE_WITHIN)
        self._thread.join(_CLOSE_WITHIN)
        if not self.is_stuck:
            self._target.close()
        super().close()

    def _write(self) -> None:
        while (record := self._records.get()) is not None:
            self._target.handle(record)
            if self._lost:
                lost, self._lost = self._lost, 0
                self._target.handle(_lost_record(lost))


class PatientRotatingFile(RotatingFileHandler):
    """A file that is renamed once it is full, and written on where that is not possible now.

    Windows renames no file that another program holds open, such as one that shows or copies it.
    Full files are named by their time, so that one rename is all there is to do.
    """

    _try_again_at = 0.0

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802 - logging's name
        return time.monotonic() >= self._try_again_at and bool(super().shouldRollover(record))

    def doRollover(self) -> None:  # noqa: N802 - logging's name
        if self.stream is not None:
            self.stream.close()
        path = Path(self.baseFilename)
        try:
            path.rename(_free_name(path))
        except OSError:
            self._try_again_at = time.monotonic() + _TRY_AGAIN
        else:
            for old in sorted(path.parent.glob(f"{path.name}.*"))[: -self.backupCount]:
                with suppress(OSError):
                    old.unlink()
        self.stream = self._open()


def set_up(directory: Path, label: str = "") -> None:
    """Log to the console, and to a file in ``directory`` that does not grow for ever.

    ``label`` says on the console which of several connectors it is.
    """
    handlers: list[logging.Handler] = []
    # Without a console, as under pythonw.exe, there is no such stream.
    if sys.stderr is not None:
        handlers.append(BackgroundHandler(_formatted(logging.StreamHandler(sys.stderr), label)))
    # What is wrong with the directory, the spool says in a sentence.
    with suppress(OSError):
        handlers.append(BackgroundHandler(_formatted(log_file(directory))))
    logging.basicConfig(level=logging.INFO, handlers=handlers)
    for noisy in ("httpx", "httpcore", "websockets"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def log_file(directory: Path) -> PatientRotatingFile:
    """Open the log in ``directory``; raises `OSError`."""
    directory.mkdir(parents=True, exist_ok=True)
    return PatientRotatingFile(
        directory / FILE_NAME, maxBytes=_BYTES, backupCount=_FILES, encoding="utf-8"
    )


def finish() -> bool:
    """Write what waits; return whether a console still hangs, so that nobody may wait for it."""
    root = logging.getLogger()
    ours = [each for each in root.handlers if isinstance(each, BackgroundHandler)]
    for handler in ours:
        root.removeHandler(handler)
        handler.close()
    return any(handler.is_stuck for handler in ours)


def say(text: str) -> None:
    """Write a line to standard output, where there is one, and wait for it not for long."""
    if sys.stdout is None:
        return
    writer = threading.Thread(target=_write_line, args=(text,), daemon=True)
    writer.start()
    writer.join(_CLOSE_WITHIN)


def complain(sentence: str, directory: Path) -> None:
    """Write why the program cannot start: to the console, or without one to the log."""
    if sys.stderr is not None:
        sys.stderr.write(f"{sentence}\n")
        return
    with suppress(OSError):
        file = _formatted(log_file(directory))
        file.handle(logging.makeLogRecord({"levelname": "CRITICAL", "msg": sentence}))
        file.close()


def _write_line(text: str) -> None:
    with suppress(OSError, ValueError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def _formatted(handler: logging.Handler, label: str = "") -> logging.Handler:
    form = _FORMAT.replace("%(message)s", f"[{label}] %(message)s") if label else _FORMAT
    handler.setFormatter(logging.Formatter(form))
    return handler


def _lost_record(count: int) -> logging.LogRecord:
    values = {"levelname": "WARNING", "msg": f"{count} lines found no room here"}
    return logging.makeLogRecord(values)


def _free_name(path: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    return path.with_name(f"{path.name}.{stamp}")
