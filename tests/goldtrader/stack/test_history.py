from pathlib import Path

import pytest

from goldtrader.stack.errors import StackError
from goldtrader.stack.history import HistoryFile, check_history, find_history, shorter_first


def test_a_directory_gives_the_files_whose_names_say_what_they_hold(tmp_path):
    for name in ("XAUUSD_M15.csv", "XAUUSD_H4.csv.gz", "XAUUSD_M1.csv", "notes.txt"):
        (tmp_path / name).touch()
    assert find_history(tmp_path) == (
        HistoryFile(tmp_path / "XAUUSD_H4.csv.gz", "XAUUSD", "H4"),
        HistoryFile(tmp_path / "XAUUSD_M15.csv", "XAUUSD", "M15"),
    )


def test_two_files_of_one_timeframe_are_refused(tmp_path):
    for name in ("XAUUSD_H1_2012.csv", "XAUUSD_H1_2013.csv.gz", "EURUSD_H1.csv"):
        (tmp_path / name).touch()
    with pytest.raises(StackError, match=r"holds XAUUSD_H1_2012\.csv and XAUUSD_H1_2013\.csv\.gz"):
        find_history(tmp_path)


def test_one_file_may_say_more_in_its_name(tmp_path):
    path = tmp_path / "EURUSD_H1_2025_UTC.csv"
    path.touch()
    assert find_history(path) == (HistoryFile(path, "EURUSD", "H1"),)


def test_nothing_to_read_is_said_in_one_sentence(tmp_path):
    with pytest.raises(StackError, match=r"holds no file named like XAUUSD_M15\.csv"):
        find_history(tmp_path)
    with pytest.raises(StackError, match="does not exist"):
        find_history(Path("nowhere"))


def test_a_file_that_is_not_sound_is_refused(tmp_path):
    path = tmp_path / "XAUUSD_M15.csv"
    path.write_text("timestamp,open,high,low,close,volume\n2024-01-05T00:00:00Z,1,nan,1,1,1\n")
    with pytest.raises(StackError, match="line 2"):
        check_history(find_history(path))


def test_what_others_may_be_built_from_is_imported_first(tmp_path):
    for name in ("XAUUSD_H1.csv", "XAUUSD_H4.csv", "EURUSD_M15.csv", "XAUUSD_M15.csv"):
        (tmp_path / name).touch()
    found = [file.path.stem for file in shorter_first(find_history(tmp_path))]
    assert found == ["EURUSD_M15", "XAUUSD_M15", "XAUUSD_H1", "XAUUSD_H4"]


def test_a_history_of_another_timeframe_is_refused(tmp_path):
    rows = [f"2024-01-05T{hour:02}:00:00Z,1,1,1,1,1" for hour in range(5)]
    path = tmp_path / "XAUUSD_H4.csv"
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows, ""]))
    with pytest.raises(StackError, match="holds candles of H1, not of H4"):
        check_history(find_history(tmp_path))


def test_the_clock_of_the_feed_is_that_of_its_history_too(tmp_path):
    header = "timestamp,open,high,low,close,volume"
    for name, hours in (("XAUUSD_H1.csv", 1), ("XAUUSD_H4.csv", 4)):
        rows = [f"2024-01-05T{hour:02}:00:00,1,1,1,1,1" for hour in range(0, 24, hours)]
        (tmp_path / name).write_text("\n".join([header, *rows, ""]))
    files = find_history(tmp_path, "server-eu")
    assert {file.source_timezone for file in files} == {"server-eu"}
    check_history(files)
    with pytest.raises(StackError, match="it opens at 2024-01-04T22:00:00 UTC"):
        check_history(files[1:])


def test_a_clock_that_a_name_ends_in_is_that_of_its_file(tmp_path):
    header = "timestamp,open,high,low,close,volume"
    for name in ("XAUUSD_H1_SERVER-EU.csv", "XAUUSD_M15.csv"):
        (tmp_path / name).write_text(f"{header}\n2024-01-05T00:00:00,1,1,1,1,1\n")
    files = find_history(tmp_path, "utc")
    assert [file.source_timezone for file in files] == ["server-eu", "utc"]
    check_history(files)
