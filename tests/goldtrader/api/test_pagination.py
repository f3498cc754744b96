"""Pages have a size within limits, and a cursor of ours."""

import pytest

from tests.callers import API, caller, error
from tests.goldtrader.nasty import cursor

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many", "1.5", "9" * 40, "²"])
def test_a_limit_that_cannot_be_kept_is_refused(limit: str) -> None:
    response = caller().get(f"{API}/signals", {"limit": limit})

    assert response.status_code == 400
    assert response.json() == error("invalid", "limit must be a whole number from 1 to 1000.")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("signals", "nonsense"),
        ("signals", cursor("yesterday")),
        ("signals", cursor("2024-01-05\0")),
        ("signals", cursor("0001-01-01T00:00:00+23:59")),
        ("signals", cursor("2024-01-05", reverse="x")),
        ("decisions", cursor("1e5")),
        ("trades", cursor("9" * 40)),
        ("performance/daily", cursor("2024-02-30")),
        ("probabilities", cursor("first")),
    ],
)
def test_a_cursor_that_is_not_ours_is_refused(path: str, text: str | bytes) -> None:
    response = caller().get(f"{API}/{path}", {"cursor": text})

    assert response.status_code == 404
    assert response.json() == error("not_found", "Invalid cursor")
