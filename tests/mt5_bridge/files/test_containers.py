import bz2
import gzip
import io
import lzma
import os
import threading
import time
import zipfile

import pytest

from mt5_bridge.files import containers
from mt5_bridge.files.containers import open_file, rereadable
from mt5_bridge.files.errors import MarketFileError

TEXT = b"timestamp_ms,bid,ask\n1704456000000,1,2\n"


def read(path):
    with open_file(path) as file:
        return file.read(1_000_000)


def zipped(**members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", TEXT),
        ("a.csv.gz", gzip.compress(TEXT)),
        ("a.csv.gz", gzip.compress(TEXT[:20]) + gzip.compress(TEXT[20:])),
        ("a.csv.bz2", bz2.compress(TEXT)),
        ("a.csv.xz", lzma.compress(TEXT)),
        ("a.zip", zipped(a_csv=TEXT)),
        ("a.zip", zipped(a_csv=TEXT, a_txt="HistData's report of gaps")),
        ("renamed.csv", gzip.compress(TEXT)),
    ],
    ids=["plain", "gz", "two gz", "bz2", "xz", "zip", "zip with a report", "renamed gz"],
)
def test_a_file_is_unpacked_by_its_content(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert read(path) == TEXT


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.csv.zst", b"\x28\xb5\x2f\xfd\x00", "is compressed with zstd"),
        ("a.parquet", b"PAR1\x15\x04", "is a Parquet file"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\x00\x04", "is a 7z archive"),
        ("a.rar", b"Rar!\x1a\x07\x01\x00", "is a RAR archive"),
        ("a.zip", zipped(a_csv=TEXT, b_csv=TEXT), "holds 2 files; unpack it"),
        ("a.zip", zipped(), "holds 0 files"),
        ("a.zip", zipped(a_csv=TEXT)[:-20], "is not a sound zip archive"),
        ("a.zip", TEXT, "is named .zip but is not zip"),
        ("a.csv.gz", TEXT, "is named .gz but is not gzip"),
        ("a.csv.bz2", TEXT, "is named .bz2 but is not bzip2"),
        ("a.csv.gz", gzip.compress(TEXT * 99)[:-12], "is cut off"),
        ("a.csv.xz", lzma.compress(TEXT * 99)[:-20], "is cut off"),
        ("a.csv.bz2", bz2.compress(TEXT * 99)[:-20], "is cut off"),
        ("a.csv.gz", gzip.compress(TEXT)[:12] + b"xxxxxxxxxxxx", "is damaged"),
        ("a.csv.bz2", bz2.compress(TEXT)[:12] + b"x" * 60, "cannot be read: its compressed stream"),
    ],
    # By number: gzip writes the time into what it compresses, which made each process name others.
    ids=range(15),
)
def test_what_cannot_be_unpacked_is_refused_in_one_sentence(tmp_path, name, content, what):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MarketFileError, match=what) as refused:
        read(path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_what_is_no_file_is_refused(tmp_path):
    for path, what in (
        (tmp_path, "is a directory"),
        (tmp_path / "none", "does not exist"),
        (tmp_path.joinpath("/dev/zero"), "neither a file nor a pipe"),
    ):
        with pytest.raises(MarketFileError, match=what):
            read(path)


def test_a_pipe_is_read_once_and_opened_as_often_as_needed(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(TEXT), daemon=True)
    writer.start()
    assert [read(path), read(path)] == [TEXT, TEXT]
    writer.join()
    assert rereadable(path).stat().st_size == len(TEXT)


def test_a_pipe_whose_writer_takes_his_time_is_waited_for(tmp_path, monkeypatch):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    monkeypatch.setattr(containers, "_WAIT_FOR_WRITER", 0.05)

    def write_late():
        with path.open("wb") as pipe:
            time.sleep(0.3)
            pipe.write(TEXT)

    writer = threading.Thread(target=write_late, daemon=True)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        writer.start()
        time.sleep(0.1)
        assert read(path) == TEXT
    finally:
        os.close(reading)
    writer.join()


def test_a_pipe_whose_writer_has_gone_is_no_wait_for_ever(tmp_path, monkeypatch):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    monkeypatch.setattr(containers, "_WAIT_FOR_WRITER", 0.05)
    with pytest.raises(MarketFileError, match="a pipe that nobody writes to; give a regular file"):
        read(path)
