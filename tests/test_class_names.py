"""A class name stands for one thing in all packages, so that a reader need not ask which one."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.paths import ROOT
from tests.test_modules import modules

#: What Django asks for by name, in each module or class anew.
DJANGOS = {"Command", "Meta"}
#: A row and the value that it holds, and the states that a row has of its own: `Row.Status`.
ALLOWED = {"Instrument", "Trade", "TradeEvent", "Status"}


def classes(path: Path) -> Iterator[str]:
    """The public classes of a module, those within classes too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def test_no_class_name_stands_for_two_things() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for module in sorted(modules()):
        for name in classes(ROOT / module):
            found[name].append(module)
    twice = {name: places for name, places in found.items() if len(places) > 1}

    assert {name: twice[name] for name in twice.keys() - DJANGOS - ALLOWED} == {}
    assert twice.keys() >= ALLOWED, "these names are used once: take them off the list"
