"""No secret of a running stack is shown: on no page of any port, and by no process to others."""

import contextlib
import html
import http.client
import json
import re
import socket
import ssl
from base64 import b64encode
from collections import deque
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import psutil
import psycopg
import pytest

from tests.goldtrader.stack.commands import StackProcess, manage, wait_until

pytestmark = pytest.mark.e2e

_LINK = re.compile(r'(?:href|src|action)="([^"#]+)|"(/[a-z][^"\s<>]*)"')
_MOST_PAGES = 250


class Browser:
    """Fetches pages of one port, keeping its cookies."""

    def __init__(self, port: int, **headers: str) -> None:
        self._headers = headers
        self._cookies: dict[str, str] = {}
        self._port = port

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Give the status and all of the answer: headers, then text."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=15)
        headers = self._headers | {
            "Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items())
        }
        body = None
        if form is not None:
            body = urlencode(form | {"csrfmiddlewaretoken": self._cookies.get("csrftoken", "")})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with contextlib.closing(connection):
            connection.request("GET" if form is None else "POST", path, body, headers)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    key, _, rest = value.partition("=")
                    self._cookies[key] = rest.partition(";")[0]
            is_endless = "event-stream" in (answer.getheader("Content-Type") or "")
            text = "" if is_endless else answer.read().decode(errors="replace")
            return answer.status, f"{answer.headers}\n{text}"

    def crawl(self, *begin: str) -> dict[str, str]:
        """Every page that is linked from these, one of each kind: addresses to answers."""
        pages: dict[str, str] = {}
        kinds: set[str] = set()
        waiting = deque(begin)
        while waiting and len(pages) < _MOST_PAGES:
            path = waiting.popleft()
            kind = re.sub(r"\d+|[0-9a-f-]{36}", "#", path.partition("?")[0])
            if kind in kinds or re.search(r"logout|\.(js|css|woff2?|svg|png)$", kind):
                continue
            kinds.add(kind)
            _, pages[path] = self.ask(path)
            for found in _LINK.finditer(pages[path]):
                link = urlsplit(
                    urljoin(
                        f"http://127.0.0.1:{self._port}{path}", html.unescape(found[1] or found[2])
                    )
                )
                if link.netloc == f"127.0.0.1:{self._port}" and " " not in link.path + link.query:
                    waiting.append(link.path + (f"?{link.query}" if link.query else ""))
        return pages


def secrets_of(stack: StackProcess) -> dict[str, str]:
    """Every value of keys.json that is a secret, by its name; of pairs, the secret alone."""
    written = json.loads((stack.data_dir / "keys.json").read_text())
    values = {name: value.rpartition(":")[2] for name, value in written.items() if value}
    values["first login"] = re.search(r"admin / (\S+)", stack.said())[1]
    return values


def listening(stack: StackProcess) -> dict[int, str]:
    """The ports that the stack opens, and the address that each listens on."""
    pids = {child.pid for child in stack.descendants()}
    return {
        each.laddr.port: each.laddr.ip
        for each in psutil.net_connections("tcp")
        if each.pid in pids and each.status == psutil.CONN_LISTEN
    }


def raw(port: int, *, tls: bool) -> str:
    """What a port answers to who speaks HTTP to it, be it what it may."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as plain:
        secured = ssl._create_unverified_context().wrap_socket(plain) if tls else plain
        with secured:
            secured.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            secured.settimeout(5)
            return "".join(iter(lambda: secured.recv(65536).decode(errors="replace"), ""))
    return ""


def test_no_secret_is_shown_on_a_page_or_by_a_process(start_stack, tmp_path):
    stack = start_stack("--feed", "simulated", data_dir=tmp_path / "data")
    said = stack.wait_for("Ctrl-C ends all of it")
    secrets = secrets_of(stack)
    assert len(secrets) >= 6
    # Whoever starts a server again has learned more secrets by then than at the first time.
    noted = json.loads((stack.data_dir / "children.json").read_text())
    database = next(psutil.Process(each["pid"]) for each in noted if each["name"] == "postgres")
    database.kill()
    stack.wait_for("postgres ended with exit code -9")
    wait_until(lambda: _answers(stack), seconds=60)
    key = manage("api_key", "crawler", "--scope", "admin", "--data-dir", stack.data_dir)

    shown = _pages(stack, said, key.splitlines()[-1], secrets) | _told_by_processes(stack)

    found = sorted(
        (place, name)
        for place, text in shown.items()
        for name, value in secrets.items()
        if value in text
    )
    assert found == []
    assert stack.end() == 0


def _answers(stack: StackProcess) -> bool:
    settings = json.loads((stack.data_dir / "stack.json").read_text())
    try:
        psycopg.connect(settings["database_url"]).close()
    except psycopg.OperationalError:
        return False
    return True


def _pages(stack: StackProcess, said: str, key: str, secrets: dict[str, str]) -> dict[str, str]:
    """What every port shows to strangers, and to who is let in."""
    ports = listening(stack)
    assert set(ports.values()) == {"127.0.0.1"}
    assert len(ports) == 5
    shown = {
        f"port {port}{' by TLS' if tls else ''}": raw(port, tls=tls)
        for port in ports
        for tls in (False, True)
    }
    flower = int(re.search(r"Tasks \(Flower\)\W+http://127.0.0.1:(\d+)", said)[1])
    for port in (stack.port, flower):
        shown |= {
            f"{port} {path}": text for path, text in Browser(port).crawl("/", "/metrics").items()
        }
    login = f"flower:{secrets['flower_password']}"
    page = Browser(flower, Authorization=f"Basic {b64encode(login.encode()).decode()}")
    workers = json.loads(_text(page.ask("/api/workers?refresh=1")))
    assert {name.partition("@")[0] for name in workers} == {"pipeline", "delivery"}
    done = json.loads(_text(page.ask("/api/tasks?limit=3")))
    tasks = page.crawl(
        *("/", "/broker", "/tasks", "/api/workers", "/api/tasks", "/metrics", "/nowhere"),
        *("/api/task/types", "/api/queues/length"),
        *(f"/worker/{name}" for name in workers),
        *(f"/task/{number}" for number in done),
    )
    assert re.search(r"redis://\S+", tasks["/broker"])
    admin = Browser(stack.port)
    admin.ask("/admin/login/")
    status, _ = admin.ask(
        "/admin/login/?next=/", {"username": "admin", "password": secrets["first login"]}
    )
    assert status == 302
    inside = admin.crawl("/", "/admin/")
    assert len(inside) > 40
    api = Browser(stack.port, Authorization=f"Api-Key {key}")
    schema = json.loads(_text(api.ask("/api/v1/schema?format=json")))
    answers = api.crawl(*(path for path in schema["paths"] if "{" not in path))
    assert len(answers) > 10
    for name, pages in (("tasks", tasks), ("admin", inside), ("api", answers)):
        shown |= {f"{name} {path}": text for path, text in pages.items()}
    return shown


def _text(answer: tuple[int, str]) -> str:
    return answer[1].partition("\n\n")[2].lstrip("\n")


def _told_by_processes(stack: StackProcess) -> dict[str, str]:
    """What each process shows to every account, and its environment to the account it runs as."""
    shown = {}
    owner = stack.data_dir.stat().st_uid
    for process in [psutil.Process(stack.process.pid), *stack.descendants()]:
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError):
            name = f"{process.name()} {process.pid}"
            shown[f"{name} command line"] = " ".join(process.cmdline())
            environment = Path(f"/proc/{process.pid}/environ")
            if not environment.exists():
                continue
            # Only what the owner of the data directory runs may hold secrets there.
            is_anothers = process.uids().effective != owner
            is_of_anothers_trade = process.name() in {"valkey-server", "postgres"}
            if is_anothers or is_of_anothers_trade or environment.stat().st_mode & 0o077:
                shown[f"{name} environment"] = environment.read_text(errors="replace")
    return shown
