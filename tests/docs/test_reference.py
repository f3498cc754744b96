"""The reference is complete: each setting, command, option, metric and endpoint is in it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from goldtrader import urls
from mt5_bridge.connector import config
from mt5_bridge.connector.options import option_parser
from mt5_bridge.connector.scheduled_task import task_parser
from mt5_bridge.connector.store_key import store_key_parser
from reports_app import metrics as reports
from tests.docs.pages import PACKAGES, REFERENCE, ROOT, code, sections, text

_READERS = {"str", "bool", "int", "list", "float", "get", "setdefault", "getenv", "_setting"}
_METRICS = {"Counter": "_total", "CounterMetricFamily": "_total"} | dict.fromkeys(
    ("Gauge", "Histogram", "Summary", "GaugeMetricFamily", "HistogramMetricFamily"), ""
)
COMMANDS = sorted(name for name, app in get_commands().items() if app in PACKAGES)


def _calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.Call):
            yield node


def _name(node: ast.expr) -> str:
    return ast.unparse(node)


def _first_text(call: ast.Call) -> str | None:
    if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
        return call.args[0].value
    return None


def _read_variables() -> set[str]:
    """The environment variables that the packages read or set, by their names in the code."""
    found: set[str] = set()
    for path in code():
        if "env" not in text(path):
            continue
        for call in _calls(path):
            name = _first_text(call)
            if not name or not re.fullmatch(r"[A-Z][A-Z0-9_]+", name):
                continue
            owner, _, function = _name(call.func).rpartition(".")
            reads = function in _READERS and (
                owner in ("", "env", "os") or owner.endswith(("environ", "environment"))
            )
            if reads:
                found.add(name)
        for node in ast.walk(ast.parse(text(path))):
            if isinstance(node, ast.Subscript) and _name(node.value).endswith("environ"):
                found |= {key.value for key in (node.slice,) if isinstance(key, ast.Constant)}
    return found


def _connector_variables() -> set[str]:
    return {f"MT5_BRIDGE_{name.upper()}" for name in config.SETTINGS}


def _documented(page: Path) -> set[str]:
    """The names in the first column of a page's tables."""
    rows = [line.split("|")[1] for line in text(page).splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_settings_are_those_that_the_code_reads() -> None:
    read = _read_variables()
    assert {"DATABASE_URL", "API_RATE_LIMIT", "HTTPS_ONLY", "DATA_DIR"} <= read
    documented = _documented(REFERENCE / "settings.md")
    assert read | _connector_variables() == documented | (read & _connector_variables())


def test_the_connector_s_own_page_has_its_settings() -> None:
    page = text(ROOT / "mt5_bridge" / "README.md")
    table = page[page.index("## Settings") :]
    assert {name for name in config.SETTINGS if f"`{name}`" not in table} == set()


def test_variables_of_the_containers_are_explained() -> None:
    compose = text(ROOT / "docker" / "compose.yaml")
    wanted = set(re.findall(r"\$\{(\w+)", compose))
    explained = text(ROOT / "docs" / "operations" / "stack.md") + text(REFERENCE / "settings.md")
    assert {name for name in wanted if name not in explained} == set()


def _command(name: str) -> BaseCommand:
    return load_command_class(get_commands()[name], name)


def _options(name: str) -> set[str]:
    """A command's own options, without those of every Django command."""
    plain = BaseCommand().create_parser("manage.py", "plain")
    usual = {option for action in plain._actions for option in action.option_strings}
    parser = _command(name).create_parser("manage.py", name)
    return {option for action in parser._actions for option in action.option_strings} - usual


def test_there_are_commands_to_look_at() -> None:
    assert {"stack", "gateway", "backtest", "export", "verify_record"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_options_are_those_of_the_reference(name: str) -> None:
    section = sections(REFERENCE / "commands.md").get(name)
    assert section is not None, f"docs/reference/commands.md has no heading {name}"
    documented = set(re.findall(r"`(--[a-z-]+)", section))
    assert documented == _options(name)


def test_the_connector_s_options_are_those_of_the_reference() -> None:
    section = sections(REFERENCE / "commands.md")["The connector"]
    parsers = (option_parser(), store_key_parser(), task_parser("install-task"))
    actions = [action for parser in parsers for action in parser._actions]
    own = {option for action in actions for option in action.option_strings}
    assert set(re.findall(r"`(--[a-z-]+)", section)) == own - {"-h", "--help"}


def _metric_names() -> set[str]:
    found = {f"{name}_total" for name in reports._COUNTERS} | set(reports._GAUGES)
    for path in code():
        if "prometheus_client" not in text(path):
            continue
        for call in _calls(path):
            kind, name = _name(call.func).rpartition(".")[2], _first_text(call)
            if kind in _METRICS and name:
                found.add(name.removesuffix(_METRICS[kind] or "\0") + _METRICS[kind])
    return found


def test_metrics_are_those_of_the_reference() -> None:
    names = _metric_names()
    assert {"tick_to_analysis_seconds", "api_requests_total", "memory_usage_bytes"} <= names
    assert names == _documented(REFERENCE / "metrics.md")


def test_endpoints_are_those_of_the_reference() -> None:
    routes = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(one.pattern)) for one in urls.api}
    cells = _documented(REFERENCE / "api.md")
    documented = {cell.split("?")[0].removeprefix("GET ").removeprefix("POST ") for cell in cells}
    assert routes - documented == set()
    listed = {cell.split("?")[0].split()[1] for cell in cells if cell.startswith(("GET ", "POST "))}
    assert listed - routes == set()
