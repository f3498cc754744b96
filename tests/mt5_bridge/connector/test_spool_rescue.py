"""A damaged spool is put aside; the connector goes on from where the server is."""

import sqlite3
import struct
from contextlib import closing

import pytest

from mt5_bridge.connector.spool import Spool
from mt5_bridge.connector.spool_file import FILE_NAME, SpoolDamagedError, SpoolError
from mt5_bridge.connector.spool_rescue import open_spool, put_aside
from mt5_bridge.protocol.quotes import Quotes

NOON = 1_704_456_000_000


def a_spool(folder):
    spool = Spool(folder)
    spool.begin("XAUUSD", 0)
    for place in range(300):
        rows = [(NOON + place * 1000 + at, 2000.0, 2000.5) for at in range(100)]
        spool.append("XAUUSD", Quotes.of(rows), str(place))
    spool.close()
    return folder / FILE_NAME


def damage_header(path):
    path.write_bytes(b"no database at all" * 100)


def damage_pages(path):
    content = bytearray(path.read_bytes())
    content[8192:32768] = bytes(24576)
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [damage_header, damage_pages])
def test_a_damaged_spool_is_kept_aside_and_a_new_one_is_opened(tmp_path, damage, caplog):
    path = a_spool(tmp_path)
    damage(path)
    spool = open_spool(tmp_path)
    assert spool.state("XAUUSD") is None
    spool.begin("XAUUSD", 5)
    spool.close()
    (aside,) = (each for each in tmp_path.iterdir() if "damaged" in each.name)
    assert aside.name in caplog.text
    assert "is damaged" in caplog.text


def damage_ticks(path):
    """Change one price in the middle of a batch, which SQLite itself does not notice."""
    content = path.read_bytes()
    price = struct.pack("<d", 2000.0)
    place = content.index(price, len(content) // 2)
    path.write_bytes(content[:place] + struct.pack("<d", 2000.125) + content[place + 8 :])


def test_a_price_that_has_changed_on_the_disk_is_never_sent(tmp_path):
    damage_ticks(a_spool(tmp_path))
    spool = open_spool(tmp_path)
    with pytest.raises(SpoolDamagedError, match="are not what was written"):
        spool.read("XAUUSD", 0, 30_000)
    spool.close()


def test_a_spool_of_an_earlier_version_is_read_as_it_is(tmp_path):
    path = a_spool(tmp_path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("ALTER TABLE runs DROP COLUMN crc")
    spool = open_spool(tmp_path)
    spool.append("XAUUSD", Quotes.of([(NOON + 400_000, 2000.0, 2000.5)]), "more")
    assert sum(len(batch.quotes) for batch in spool.read("XAUUSD", 0, 40_000)) == 30_001
    spool.close()


def test_a_disk_that_goes_on_failing_does_not_fill_itself(tmp_path):
    for _ in range(5):
        path = a_spool(tmp_path)
        path.with_name(f"{path.name}-wal").write_bytes(b"x")
        put_aside(tmp_path, "a test")
    names = [each.name for each in tmp_path.iterdir()]
    assert len(names) == 6
    assert all("damaged" in name for name in names)


def test_rows_that_are_gone_are_damage(tmp_path):
    path = a_spool(tmp_path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM runs WHERE last_seq = 10000")
    spool = open_spool(tmp_path)
    with pytest.raises(SpoolDamagedError, match="ticks between others are missing"):
        spool.read("XAUUSD", 0, 30_000)
    spool.close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE symbols SET stand = '[1, 2'")
    spool = open_spool(tmp_path)
    assert spool.state("XAUUSD") is None
    spool.close()


def test_a_sound_spool_is_opened_as_it_is(tmp_path):
    a_spool(tmp_path)
    spool = open_spool(tmp_path)
    assert spool.last_seq("XAUUSD") == 30_000
    spool.close()
    assert [each.name for each in tmp_path.iterdir() if "damaged" in each.name] == []


def test_a_spool_in_use_is_not_taken_for_a_damaged_one(tmp_path):
    a_spool(tmp_path)
    user = Spool(tmp_path)
    with pytest.raises(SpoolError, match="in use by another connector"):
        open_spool(tmp_path)
    user.close()
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        assert database.execute("PRAGMA quick_check").fetchone() == ("ok",)
