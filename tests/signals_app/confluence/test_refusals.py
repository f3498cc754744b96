"""Reasons to refuse a signal."""

import re
from pathlib import Path

from signals_app.confluence.refusals import LiveReason, RefusalReason

PAGE = Path(__file__).parents[3] / "docs" / "domain" / "confluence.md"


def test_every_reason_is_in_the_page_of_the_decision() -> None:
    documented = re.findall(r"^\| `([A-Z_]+)` \|", PAGE.read_text(), re.MULTILINE)

    assert sorted(documented) == sorted(reason.value for reason in RefusalReason)


def test_reasons_that_only_live_decisions_have_are_named_below_the_table() -> None:
    beside = re.search(r"Live there are two reasons more: (.*?)\n\n", PAGE.read_text(), re.DOTALL)

    assert beside is not None
    assert re.findall(r"`([A-Z_]+)`", beside[1]) == [reason.value for reason in LiveReason]
    assert not set(LiveReason) & set(RefusalReason)
