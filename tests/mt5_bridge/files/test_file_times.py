from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt5_bridge.files.file_times import FileTime, Unit, has_zone, read_time, read_times

NOON = 1_704_456_000_000  # 2024-01-05T12:00:00Z


@pytest.mark.parametrize(
    ("text", "time_ms", "zone", "unit"),
    [
        ("1704456000", NOON, False, Unit.SECONDS),
        ("1704456000.25", NOON + 250, False, Unit.SECONDS),
        ("1704456000000", NOON, False, Unit.MILLISECONDS),
        ("1704456000000.0", NOON, False, Unit.MILLISECONDS),
        ("1704456000000123", NOON, False, Unit.MICROSECONDS),
        ("1704456000000000123", NOON, False, Unit.NANOSECONDS),
        ("2024-01-05T12:00:00Z", NOON, True, None),
        ("2024-01-05 12:00", NOON, False, None),
        ("2024-01-05", NOON - 43_200_000, False, None),
        ("20240105", NOON - 43_200_000, False, None),
        ("20240105120000", NOON, False, None),
        ("202401051200", NOON, False, None),
        ("20240105 120000", NOON, False, None),
        ("2024.01.05 12:00:00.250", NOON + 250, False, None),
        ("2024/01/05 12:00:00,250", NOON + 250, False, None),
        ("2024-01-05T12:00:00.123456789Z", NOON + 123, True, None),
        ("05.01.2024 12:00:00.000", NOON, False, None),
        ("05.01.2024 14:00:00.000 GMT+0200", NOON, True, None),
        ("2024-01-05 12:00:00 UTC", NOON, True, None),
        ("2024-01-05 14:00:00+02", NOON, True, None),
        ("2024-01-05T07:00:00-05:00", NOON, True, None),
    ],
)
def test_a_time_is_read_alone_as_among_others(text, time_ms, zone, unit):
    assert read_time(text) == FileTime(time_ms, zone, unit)
    many = read_times([text.encode()] * 3)
    if "." not in text or unit is None:
        assert (many.time_ms.tolist(), many.has_zone, many.unit) == ([time_ms] * 3, zone, unit)
    assert has_zone(text) == zone


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "12:00", "2024-13-05", "2024-02-30", "2024-01-05 24:00", "1/8/2024"),
        *("08/01/2024 00:00", "2024-01-05T12:60", "1.7044e12", "-1704456000", "2024-1-5", "12"),
        *(
            "2050.25",
            "2024-01-05T12:00:00+15:00",
            "2024-01-0512:00",
            "2024-01-0\u0665",
            "05.13.2024",
        ),
    ],
)
def test_what_is_no_time_is_refused_alone_as_among_others(text):
    with pytest.raises(ValueError, match="is not a time"):
        read_time(text)
    assert read_times([text.encode()] * 2) is None


def test_rows_of_different_forms_are_not_read_at_once():
    for other in ("2024-01-05T12:00:00", "2024-01-05 12:00:00Z", "2024-01-05T12:00:00.0Z", "x"):
        assert read_times([b"2024-01-05T12:00:00Z", other.encode()]) is None


MOMENTS = st.datetimes(datetime(1980, 1, 1), datetime(2199, 12, 31))  # noqa: DTZ001 - naive times
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.lists(MOMENTS, min_size=1, max_size=9), ZONES, st.sampled_from("T "))
def test_iso_times_are_what_python_reads(moments, zone, between):
    moments = [moment.replace(microsecond=0, tzinfo=zone) for moment in moments]
    texts = [moment.isoformat(between) for moment in moments]
    expected = [int(moment.timestamp()) * 1000 for moment in moments]
    assert [read_time(text).time_ms for text in texts] == expected
    many = read_times([text.encode() for text in texts])
    assert (many.time_ms.tolist(), many.has_zone) == (expected, True)


@given(MOMENTS, st.sampled_from(Unit))
def test_a_number_is_the_same_moment_in_every_unit(moment, unit):
    second = int(moment.replace(tzinfo=UTC).timestamp())
    factor = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
    text = str(second * factor[unit])
    assert read_time(text) == FileTime(second * 1000, has_zone=False, unit=unit)
    assert read_times([text.encode()]).time_ms.tolist() == [second * 1000]
