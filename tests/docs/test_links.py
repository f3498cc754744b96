"""Links lead somewhere, and code, pages and modules that are cited exist."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

from tests.docs.pages import PACKAGES, ROOT, Line, anchors, code, files, pages, prose, spans, text

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PAGE = re.compile(r"(?<![\w/.*-])[\w./-]*\w\.md\b")
_DOTTED = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+")
_PATH = re.compile(rf"(?:{'|'.join((*PACKAGES, 'docs', 'docker', 'tests'))})/[\w./-]*")
#: Pages that say what was: paths of then are theirs to name.
_HISTORY = ROOT / "docs" / "decisions"


def _links() -> Iterator[tuple[Line, str]]:
    for page in pages():
        for line in prose(page):
            without_code = re.sub(r"`[^`]*`", "``", line.text)
            for target in _LINK.findall(without_code):
                if not re.match(r"[a-z]+:", target):
                    yield line, target


def _is_there(line: Line, target: str) -> bool:
    place, _, anchor = unquote(target).partition("#")
    path = line.page if not place else (line.page.parent / place).resolve()
    if not path.exists():
        return False
    return not anchor or anchor in anchors(path)


def test_every_relative_link_and_its_anchor_resolves() -> None:
    broken = [str(line) for line, target in _links() if not _is_there(line, target)]
    assert broken == []


def test_every_page_is_reached_from_the_index() -> None:
    linked: dict[Path, set[Path]] = {}
    for line, target in _links():
        path = (line.page.parent / unquote(target).partition("#")[0]).resolve()
        linked.setdefault(line.page, set()).add(path)
    reached: set[Path] = set()
    queue = {ROOT / "docs" / "README.md"}
    while queue:
        reached |= queue
        queue = set().union(*(linked.get(page, set()) for page in queue)) - reached
    below = {page for page in pages() if page.is_relative_to(ROOT / "docs")}
    assert {str(page.relative_to(ROOT)) for page in below - reached} == set()


def test_code_cites_only_pages_of_the_repository() -> None:
    others = files(".yaml", ".yml", ".toml", ".html", "Makefile", "Dockerfile")
    missing = [
        f"{path.relative_to(ROOT)}: {cited}"
        for path in (*code(), *others)
        for cited in _PAGE.findall(text(path))
        if not (ROOT / cited).is_file()
    ]
    assert missing == []


def test_tests_and_pages_cite_only_pages_that_are_there() -> None:
    missing = [
        f"{path.relative_to(ROOT)}: {cited}"
        for path in files(".py", ".md")
        for cited in _PAGE.findall(text(path))
        if cited.startswith("docs/") and "NAME" not in cited and not (ROOT / cited).is_file()
    ]
    assert missing == []


def test_paths_that_pages_name_exist() -> None:
    missing = [
        str(span)
        for page in pages()
        if not page.is_relative_to(_HISTORY)
        for span in spans(page)
        if _PATH.fullmatch(span.text)
        and not (ROOT / span.text).exists()
        and not span.text.endswith(".env")
    ]
    assert missing == []


def test_the_readme_s_map_shows_the_house_as_it_is() -> None:
    readme = text(ROOT / "README.md")
    tree = readme[readme.index("## The map of the house") :].split("```")[1]
    package, shown = "", set()
    for line in tree.strip().splitlines():
        if not line.startswith("  "):
            package = ""
        for folder in re.match(r"\s*((?:[\w]+/\s*)+)", line)[1].split():
            shown.add(package + folder.rstrip("/"))
        package = package or f"{line.split('/')[0]}/"
    assert {folder for folder in shown if not (ROOT / folder).is_dir()} == set()
    whole = {"mt5_bridge", "signals_app", "trades_app", "reports_app", "goldtrader"}
    assert whole <= shown


def test_modules_and_functions_that_pages_name_exist() -> None:
    named = {
        span.text: span
        for page in (*(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("*/*.md"))
        for span in spans(page)
        if _DOTTED.fullmatch(span.text) and not span.text.endswith(".toml")
    }
    assert len(named) > 30, "the life of a tick names its modules"
    assert [str(span) for name, span in named.items() if not _resolves(name)] == []


def _resolves(name: str) -> bool:
    """Whether a dotted name is a module, or something that one holds."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        module = _module(parts[:length])
        if module is not None:
            found: object = module
            for attribute in parts[length:]:
                if not hasattr(found, attribute):
                    return False
                found = getattr(found, attribute)
            return True
    return False


def _module(parts: list[str]) -> ModuleType | None:
    place = ROOT.joinpath(*parts)
    is_module = place.with_suffix(".py").is_file() or Path(place, "__init__.py").is_file()
    return importlib.import_module(".".join(parts)) if is_module else None
