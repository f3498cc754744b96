"""Pages have a size within limits, and a cursor of ours."""

import pytest

from tests.callers import API, caller, error

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many", "1.5", "9" * 40, "²"])
def test_a_limit_that_cannot_be_kept_is_refused(limit: str) -> None:
    response = caller().get(f"{API}/signals", {"limit": limit})

    assert response.status_code == 400
    assert response.json() == error("invalid", "limit must be a whole number from 1 to 1000.")


def test_a_cursor_that_is_not_ours_is_refused() -> None:
    response = caller().get(f"{API}/signals", {"cursor": "nonsense"})

    assert response.status_code == 404
    assert response.json() == error("not_found", "Invalid cursor")
