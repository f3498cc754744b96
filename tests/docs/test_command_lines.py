"""Command lines that the pages print can be typed: the command is there and knows its options."""

import re
import shlex
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator

import pytest
from django.core.management import get_commands, load_command_class

from mt5_bridge.connector.options import option_parser
from tests.docs.pages import ROOT, Line, fenced, pages, spans, text

_OF_A_LINE = re.compile(
    r"^(?:\$ )?(?:[A-Z_]+=\S+ )*(?P<command>(?:\S*python\S* )?manage\.py .*|make(?: .*)?$"
    r"|\S*(?:python|py)\S* -m (?:mt5_bridge|tests\.|goldtrader\.).*)"
)
#: Django's own, and those of the apps that come with it.
_HELP = {"-h", "--help"}


def command_lines(lines: Iterable[Line]) -> Iterator[Line]:
    """Those that can be typed, each without its prompt, its comment and its environment."""
    for line in lines:
        # A box, a picture or a table of commands is no line to be typed.
        bare = line.text.strip().split(" #")[0].split("   ")[0].strip()
        match = _OF_A_LINE.match(bare)
        if match:
            yield line._replace(text=match["command"])


LINES = tuple(line for page in pages() for line in command_lines((*fenced(page), *spans(page))))


def _words(line: Line) -> list[str]:
    plain = re.sub(r"[\[\]()|…]|\.\.\.", " ", line.text)
    return shlex.split(plain)


def _unknown_options(words: list[str], parser: ArgumentParser) -> set[str]:
    known = {option for action in parser._actions for option in action.option_strings} | _HELP
    return {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)} - known


def test_there_are_lines_to_look_at() -> None:
    text_of_all = "\n".join(line.text for line in LINES)
    for wanted in ("make run", "manage.py backtest", "manage.py stack", "-m mt5_bridge"):
        assert wanted in text_of_all


@pytest.mark.parametrize("line", [line for line in LINES if "manage.py" in line.text], ids=str)
def test_a_command_of_manage_py_is_known_with_its_options(line: Line) -> None:
    words = _words(line)
    words = words[words.index("manage.py") + 1 :]
    if not words or words[0].isupper():
        return
    name = words[0]
    assert name in get_commands(), f"{line}: there is no command {name}"
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    assert _unknown_options(words, parser) == set(), str(line)


@pytest.mark.parametrize("line", [line for line in LINES if "-m mt5_bridge" in line.text], ids=str)
def test_a_command_of_the_connector_knows_its_options(line: Line) -> None:
    words = _words(line)
    assert _unknown_options(words[words.index("mt5_bridge") + 1 :], option_parser()) == set()


@pytest.mark.parametrize("line", [line for line in LINES if line.text.startswith("make")], ids=str)
def test_a_target_of_make_is_there_with_its_variables(line: Line) -> None:
    makefile = text(ROOT / "Makefile")
    for word in _words(line)[1:]:
        variable, is_set, _ = word.partition("=")
        if is_set:
            assert re.search(rf"\$\({variable}\)", makefile), str(line)
        else:
            assert re.search(rf"^{re.escape(word)}:", makefile, re.MULTILINE), str(line)


@pytest.mark.parametrize(
    "line", [line for line in LINES if re.search(r"-m (tests|goldtrader)\.", line.text)], ids=str
)
def test_a_module_that_is_run_is_there(line: Line) -> None:
    words = _words(line)
    module = words[words.index("-m") + 1]
    assert ROOT.joinpath(*module.split(".")).with_suffix(".py").is_file(), str(line)
