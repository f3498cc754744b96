"""What commands show of their progress."""

from reports_app.rendering.console import lines_of_progress, progress


def test_without_a_terminal_there_is_a_line_a_minute() -> None:
    written: list[str] = []
    seconds = [0.0]
    on_progress = lines_of_progress(written.append, lambda: seconds[0])
    for second in range(0, 200, 7):
        seconds[0] = float(second)
        on_progress(second, 200, f"{second} candles")
    assert written == ["63 candles: 32%\n", "126 candles: 63%\n", "189 candles: 94%\n"]
    seconds[0] = 300.0
    on_progress(5, 0, "5 candles")
    assert written[-1] == "5 candles\n"


def test_a_short_job_writes_nothing(capsys) -> None:
    with progress(quiet=True) as on_progress:
        on_progress(1, 2, "half")
    assert capsys.readouterr() == ("", "")
