"""Everything that a connector needs on its Windows machine, in one file without a secret.

The key is not in it, so that the file may travel as it likes: it is asked for by the installation,
and kept in Windows' Credential Locker.
"""

import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from goldtrader.stack.remote_connector import RemoteConnector

FOLDER: Final = "goldtrader-connector"
"""The one folder in the file."""

_PACKAGE: Final = "mt5_bridge"
_WANTED: Final = frozenset({".py", ".md", ".txt", ".toml", ".mq5", ".mqh"})
# The same input gives the same bytes.
_MOMENT: Final = (2026, 1, 1, 0, 0, 0)
_TERMINAL_PACKAGE: Final = "MetaTrader5"

_RUN = """\
@echo off
rem The connector with the settings of this folder: mt5-bridge.cmd [status | store-key | ...]
cd /d "%~dp0"
".venv\\Scripts\\python.exe" -m mt5_bridge %*
"""

_INSTALL = """\
@echo off
rem Makes .venv in this folder, with exactly the packages that the connector was tested with, and
rem asks for the connector's key, which Windows' Credential Locker keeps for this account.
setlocal
cd /d "%~dp0"
where py >nul 2>nul
if errorlevel 1 goto nopython
set python=".venv\\Scripts\\python.exe"
if exist %python% goto packages
py -3 -m venv .venv
if errorlevel 1 goto nopython
:packages
%python% -c "import sys; sys.exit(sys.version_info < (3, 11) or sys.maxsize < 2**32)"
if errorlevel 1 goto nopython
set wheels=install --only-binary :all:
%python% -m pip %wheels% --require-hashes -r mt5_bridge\\requirements.txt
if errorlevel 1 goto failed
rem Without a hash: its old versions vanish from the index, and the terminal updates itself.
%python% -m pip %wheels% "{terminal_package}"
if errorlevel 1 goto failed
call mt5-bridge.cmd store-key
if errorlevel 1 goto failed
echo.
echo Installed. Try it with mt5-bridge.cmd; mt5-bridge.cmd install-task keeps it running.
exit /b 0
:nopython
echo Install Python 3.11 or later, 64 bit, from python.org, and start install.cmd again.
exit /b 1
:failed
echo That did not work: the lines above say why. Nothing outside this folder was changed.
exit /b 1
"""

_READ_ME = """\
The connector {name}: {symbols} from MetaTrader 5 to {url}

1. Log the terminal in to its account, let it save the password, and set
   Tools > Options > Charts > Max bars in chart: Unlimited.
2. Start install.cmd. It needs Python 3.11 or later (64 bit), and asks for the key
   that the server printed when it made this file.
3. Start mt5-bridge.cmd: the first lines say which terminal it reads and that the
   server knows it. mt5-bridge.cmd status shows how it does.
4. mt5-bridge.cmd install-task lets Windows start it at login and after every end.

There is no secret in this file. The server's certificate is in mt5_bridge.toml; the
packages have their hashes in mt5_bridge\\requirements.txt. All settings and messages
are explained in mt5_bridge\\README.md.
"""


def write_zip(target: Path, connector: RemoteConnector, root: Path) -> None:
    """Write the file for a connector; ``root`` is where the package `mt5_bridge` lies.

    Raises `OSError`.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in _files(connector, root):
                info = zipfile.ZipInfo(f"{FOLDER}/{name}", _MOMENT)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o644 << 16
                archive.writestr(info, content)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _files(connector: RemoteConnector, root: Path) -> Iterator[tuple[str, bytes]]:
    read_me = _READ_ME.format(
        name=connector.name, symbols=", ".join(connector.symbols), url=connector.url
    )
    yield "READ ME.txt", _for_windows(read_me)
    yield "install.cmd", _for_windows(_INSTALL.format(terminal_package=_terminal_package(root)))
    yield "mt5-bridge.cmd", _for_windows(_RUN)
    yield "mt5_bridge.toml", f"{connector.toml()}\n".encode()
    licence = root / "LICENSE"
    if licence.is_file():
        yield "LICENSE", licence.read_bytes()
    for path in sorted((root / _PACKAGE).rglob("*")):
        if path.is_file() and path.suffix in _WANTED and "__pycache__" not in path.parts:
            yield path.relative_to(root).as_posix(), path.read_bytes()


def _terminal_package(root: Path) -> str:
    """The package and its versions, as the connector's own project names them."""
    project = tomllib.loads((root / _PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))
    wanted: list[str] = project["project"]["dependencies"]
    return next(each.partition(";")[0].strip() for each in wanted if _TERMINAL_PACKAGE in each)


def _for_windows(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("ascii")
