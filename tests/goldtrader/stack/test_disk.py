import os
from types import SimpleNamespace

import pytest

from goldtrader.stack import disk


@pytest.mark.parametrize(("blocks", "full"), [(0, True), (243, True), (250, False)])
def test_a_disk_without_a_megabyte_is_full(tmp_path, monkeypatch, blocks, full):
    found = SimpleNamespace(f_bavail=blocks, f_frsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda _: found)
    assert disk.is_full(tmp_path) is full


def test_what_is_not_there_is_on_no_full_disk(tmp_path):
    assert not disk.is_full(tmp_path / "nowhere")
