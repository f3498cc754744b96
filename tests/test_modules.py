"""Every module has its test module, or stands on a list that may only shrink."""

import ast
from pathlib import Path

from tests.paths import ROOT

PACKAGES = ("goldtrader", "signals_app", "trades_app", "reports_app", "mt5_bridge")
#: Modules that are tested through others only. Take one off when it gets tests of its own.
WITHOUT_TESTS = Path(__file__).with_name("modules_without_tests.txt")
#: So many stood there last; lower it with the list.
AT_MOST = 75


def modules() -> set[str]:
    """Every module of the product, as a path below the checkout."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {
        path.relative_to(ROOT).as_posix()
        for path in found
        if path.name != "__init__.py" and "migrations" not in path.parts
    }


def has_tests(module: str) -> bool:
    path = Path(module)
    room = Path(*(part for part in path.parent.parts if part != "commands"))
    return (ROOT / "tests" / room / f"test_{path.name}").is_file()


def test_every_module_has_its_tests_or_stands_on_the_list() -> None:
    listed = WITHOUT_TESTS.read_text().split()

    assert listed == sorted(set(listed)), "the list is in order, and says each once"
    assert len(listed) <= AT_MOST, "the list may only shrink: give new modules a test module"
    without = {module for module in modules() if not has_tests(module)}
    assert without - set(listed) == set(), "give these a test module"
    assert set(listed) - without == set(), "these have tests, or are gone: take them off the list"


def test_every_package_opens_with_a_sentence() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("__init__.py")
        if path.parent.name != "migrations"
        and not (ast.get_docstring(ast.parse(path.read_text())) or "")
        .partition("\n")[0]
        .endswith(".")
    ]

    assert silent == []
