"""The command line as a whole."""

import os
import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT


def test_a_reader_that_wants_no_more_sees_no_traceback(tmp_path: Path) -> None:
    candles = tmp_path / "XAUUSD_M15.csv"
    rows = (f"2024-01-02T{n // 4:02}:{n % 4 * 15:02}:00Z,1,2,1,2,5" for n in range(90))
    candles.write_text("\n".join(("time,open,high,low,close,volume", *rows)))
    reads, writes = os.pipe()
    os.close(reads)
    try:
        ended = subprocess.run(
            [
                *(sys.executable, "manage.py", "smc", str(candles)),
                *("--symbol", "XAUUSD", "--timeframe", "M15", "--json"),
            ],
            cwd=ROOT,
            stdout=writes,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writes)

    assert ended.stderr == ""
    assert ended.returncode == 141
