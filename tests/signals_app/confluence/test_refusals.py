"""Reasons to refuse a signal."""

import re
from pathlib import Path

from signals_app.confluence.refusals import RefusalReason

PAGE = Path(__file__).parents[3] / "docs" / "domain" / "confluence.md"


def test_every_reason_is_in_the_page_of_the_decision() -> None:
    documented = re.findall(r"^\| `([A-Z_]+)` \|", PAGE.read_text(), re.MULTILINE)

    assert sorted(documented) == sorted(reason.value for reason in RefusalReason)
