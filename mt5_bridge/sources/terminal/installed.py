"""The MetaTrader 5 terminals that are installed on this machine, and which account each one has.

A terminal keeps its data in `%APPDATA%\\MetaQuotes\\Terminal\\<hash>`: `origin.txt` says where its
program is, and `config\\common.ini` which account was open last. Portable ones leave no trace.
"""

import configparser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Final

_PROGRAM: Final = "terminal64.exe"
_LARGEST_FILE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class InstalledTerminal:
    """``path`` is its program; ``login`` None where no account was ever open."""

    path: str
    login: int | None = None
    server: str = ""
    used_at: float = 0.0


def installed_terminals(app_data: str) -> list[InstalledTerminal]:
    """The terminals with data below ``app_data`` (`%APPDATA%`), the last used first.

    What cannot be read is left out.
    """
    if not app_data:
        return []
    folders = sorted((Path(app_data) / "MetaQuotes" / "Terminal").glob("*/origin.txt"))
    found = [_terminal(origin.parent) for origin in folders]
    return sorted(filter(None, found), key=lambda each: (-each.used_at, each.path))


def terminal_of(
    login: int, server: str, terminals: Sequence[InstalledTerminal]
) -> InstalledTerminal | None:
    """The one in which the account was open last; without a server the number alone counts."""
    return next(
        (
            each
            for each in terminals
            if each.login == login and (not server or each.server.lower() == server.lower())
        ),
        None,
    )


def same_program(path: str) -> str:
    """The path in a form that is equal for equal programs, with or without the file's name."""
    folder = PureWindowsPath(path.strip().strip('"'))
    if folder.name.lower() == _PROGRAM:
        folder = folder.parent
    return str(folder).lower()


def _terminal(data: Path) -> InstalledTerminal | None:
    program = _text(data / "origin.txt").strip().strip("\0")
    if not program:
        return None
    path = str(PureWindowsPath(program) / _PROGRAM)
    common = data / "config" / "common.ini"
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(_text(common))
        login, server = parser.get("Common", "Login"), parser.get("Common", "Server", fallback="")
        return InstalledTerminal(path, int(login), server.strip(), common.stat().st_mtime)
    except (configparser.Error, ValueError, OSError):
        return InstalledTerminal(path)


def _text(path: Path) -> str:
    """A small text file as the terminal writes it, in UTF-16 or otherwise; empty without one."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE)
    except OSError:
        return ""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if content[1:2] == b"\0":
        return content.decode("utf-16-le", errors="replace")
    return content.decode("utf-8-sig", errors="replace")
