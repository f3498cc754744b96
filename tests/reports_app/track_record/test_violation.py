"""A row that holds anything is a violation with its name, never a traceback."""

import pytest

from reports_app.track_record.violation import Violation, read_value


def test_what_can_be_read_is_given() -> None:
    assert read_value("The row 1", int, "7") == 7


@pytest.mark.parametrize("row", ["seven", None, {}])
def test_what_cannot_be_read_is_named(row: object) -> None:
    with pytest.raises(Violation, match="The row 1 holds what nobody writes there: "):
        read_value("The row 1", int, row)
