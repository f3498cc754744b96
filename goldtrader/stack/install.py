"""Makes the environment in `.venv`, from any Python 3.11+ and nothing else installed.

Run as a script by the Makefile, before any requirement is there: only the standard library is used.
An environment whose installation was interrupted is made anew, a complete one is left alone, and a
second installer waits for the first.
"""

import argparse
import collections
import contextlib
import fcntl
import hashlib
import importlib.util
import math
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = ROOT / "requirements.txt"
TESTS = ROOT / "tests" / "requirements.txt"
#: uv, with the hashes of its wheels.
INSTALLER = ROOT / "goldtrader" / "stack" / "installer.txt"


def main() -> int:
    """Bring the environment up to the wanted sets; return the exit code."""
    options = argparse.ArgumentParser(description="Makes the environment in .venv.")
    options.add_argument("--tests", action="store_true", help="also what tests and checks need")
    options.add_argument("--environment", type=Path, default=ROOT / ".venv")
    wanted = options.parse_args()
    sets = [RUNTIME, TESTS] if wanted.tests else [RUNTIME]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if any(not _is_installed(wanted.environment, pins) for pins in sets):
            with _sole_installer(wanted.environment.parent):
                _bring_up(wanted.environment, sets)
    except (OSError, subprocess.CalledProcessError) as error:
        _say(f"The environment was not made: {error}", stream=sys.stderr)
        return 2
    except KeyboardInterrupt:
        _say("", "Interrupted; the next call begins the environment anew.", stream=sys.stderr)
        return 130
    return 0


def _bring_up(environment: Path, sets: list[Path]) -> None:
    unfinished = environment / "unfinished"
    python = environment / "bin" / "python"
    if unfinished.exists() or _is_outdated(environment) or not _runs(python):
        _require_venv()
        _say(f"Making {environment.name} with Python {sys.version.split()[0]}")
        environment.mkdir(exist_ok=True)
        unfinished.touch()
        _clear(environment, keep=unfinished)
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        unfinished.unlink()
    missing = [pins for pins in sets if not _is_installed(environment, pins)]
    unfinished.touch()
    for pins in missing:
        _install(python, pins)
        _stamp(environment, pins).write_text(_digest(pins))
    unfinished.unlink()
    if missing:
        _compile(python, for_tests=TESTS in sets)


def _clear(environment: Path, *, keep: Path) -> None:
    for path in environment.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != keep:
            path.unlink()


def _install(python: Path, pins: Path) -> None:
    """Install ``pins`` by uv, which takes a quarter of pip's time, otherwise by pip.

    uv does not read pip's own configuration: where only that names an index in reach, or where
    there is no uv for the machine, pip does it.
    """
    safely = ("--only-binary=:all:", "--require-hashes", "--requirement")
    with_pip = (
        *(str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"),
        *("--root-user-action=ignore", "--progress-bar=off", *safely),
    )
    uv = python.with_name("uv")
    with_uv = (*(str(uv), "pip", "install", "--python", str(python), "--no-config", *safely),)
    if not uv.exists():
        subprocess.run([*with_pip, str(INSTALLER)], check=False, capture_output=True)
    if uv.exists() and not _failure([*with_uv, str(pins)], python, pins):
        return
    if failure := _failure([*with_pip, str(pins)], python, pins):
        _say("", *failure, stream=sys.stderr)
        raise OSError(
            f"{pins.relative_to(ROOT)} could not be installed; is the package index in reach?"
        )


def _failure(command: list[str], python: Path, pins: Path) -> list[str]:
    """Run an installer with one line of progress; what it printed if it failed, else nothing."""
    total = len(_pinned(pins))
    progress = _Progress(total)
    site = next((python.parents[1] / "lib").glob("python3*/site-packages"))
    before = _count_installed(site)
    printed: collections.deque[str] = collections.deque(maxlen=40)
    for line in _lines_or_pauses(command):
        printed.extend(line.splitlines())
        installed = _count_installed(site) - before
        progress.show("Installing" if installed else "Downloading", installed)
    if printed.pop() != "0":
        return list(printed) or ["It printed nothing."]
    progress.show("Installed", total, is_last=True)
    return []


def _compile(python: Path, *, for_tests: bool) -> None:
    """Compile detectors and modules now, so that the first start need not; a failure shows there.

    uv leaves modules as they are, unlike pip; both go on side by side. Tests, which run side by
    side too, would each compile what calibrations and backtests add to the detectors.
    """
    _say("Compiling the detectors, once (some ten seconds)")
    modules = ["signals_app.smc.analysis"]
    if for_tests:
        modules += ["signals_app.probability.outcomes", "signals_app.confluence.planning"]
    program = "; ".join(f"from {module} import warm_up; warm_up()" for module in modules)
    site = next((python.parents[1] / "lib").glob("python3*/site-packages"))
    to_bytecode = [str(python), "-m", "compileall", "-qq", str(site)]
    with subprocess.Popen(to_bytecode, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        subprocess.run([str(python), "-c", program], cwd=ROOT, check=False)


def _lines_or_pauses(command: list[str]) -> Iterator[str]:
    """Yield each line that ``command`` prints, "" while it prints none, and its exit code last."""
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert running.stdout is not None
    unread = b""
    try:
        while True:
            if not select.select([running.stdout], [], [], 0.5)[0]:
                yield ""
                continue
            read = os.read(running.stdout.fileno(), 65536)
            *lines, unread = (unread + read).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace")
            if not read:
                break
        yield str(running.wait())
    finally:
        running.kill()
        running.wait()


class _Progress:
    """One line of progress: on a terminal in place, elsewhere every few seconds."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._text = ""
        self._printed_at = -math.inf

    def show(self, doing: str, done: int, *, is_last: bool = False) -> None:
        text = f"{doing} {min(done, self._total)} of about {self._total} packages"
        if sys.stdout.isatty():
            sys.stdout.write(f"\r\033[K{text}")
            sys.stdout.flush()
            if is_last:
                _say("")
        elif text != self._text and (is_last or time.monotonic() - self._printed_at >= 5.0):
            _say(text)
            self._text, self._printed_at = text, time.monotonic()


def _say(*lines: str, stream: TextIO = sys.stdout) -> None:
    stream.write("\n".join(lines) + "\n")
    stream.flush()


def _pinned(pins: Path) -> list[str]:
    return re.findall(r"^[A-Za-z0-9][\w.-]*(?:\[[\w,]+\])?==", pins.read_text(), re.MULTILINE)


def _count_installed(site: Path) -> int:
    return sum(1 for _ in site.glob("*.dist-info"))


def _stamp(environment: Path, pins: Path) -> Path:
    return environment / f"installed-{'tests' if pins == TESTS else 'runtime'}"


def _is_installed(environment: Path, pins: Path) -> bool:
    stamp = _stamp(environment, pins)
    with contextlib.suppress(OSError):
        return (
            not (environment / "unfinished").exists()
            and stamp.read_text() == _digest(pins)
            and (environment / "bin" / "python").exists()
        )
    return False


def _is_outdated(environment: Path) -> bool:
    # Installed over another set, what the new one no longer names would stay.
    return any(
        _stamp(environment, pins).exists() and not _is_installed(environment, pins)
        for pins in (RUNTIME, TESTS)
    )


def _digest(pins: Path) -> str:
    return hashlib.sha256(pins.read_bytes()).hexdigest()


def _runs(python: Path) -> bool:
    check = "import sys, pip; raise SystemExit(sys.version_info < (3, 11))"
    try:
        done = subprocess.run(
            [str(python), "-c", check], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError:
        return False
    return done.returncode == 0


def _require_venv() -> None:
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise OSError(
            f"{sys.executable} has no venv or ensurepip module; install it "
            f"(Debian, Ubuntu: apt install python{version}-venv) or name another PYTHON=."
        )


@contextlib.contextmanager
def _sole_installer(directory: Path) -> Iterator[None]:
    """Lock the directory for one installer; the kernel unlocks it, however that ends."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another installer is at work here; waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
