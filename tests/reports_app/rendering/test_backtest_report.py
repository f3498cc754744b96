"""A backtest's report in the terminal and as JSON."""

import io
import json

from rich.console import Console

from reports_app.backtest.result import result_as_json
from reports_app.rendering.backtest_report import BacktestReport, print_report, report_as_json
from tests.reports_app.rendering.assessed import a_report, an_empty_report


def printed(report: BacktestReport) -> list[str]:
    out = io.StringIO()
    print_report(Console(file=out, width=110), report)
    return out.getvalue().splitlines()


def test_the_terminal_shows_the_data_then_the_figures_then_what_they_mean() -> None:
    report = a_report()
    lines = printed(report)

    assert lines[0] == "XAUUSD, 2024-01-08T00:00:00.137Z to 2024-01-12T23:59:00.137Z"
    assert lines[1] == "read as: ticks, <b>UTC</b>"
    assert "closes decided from 2024-01-09 00:00 on" in lines[3]
    assert f"{report.result.signals_per_week} a week" in " ".join(lines[3:5])
    assert any(line.startswith("BELOW_THRESHOLD") for line in lines)
    assert any(line.startswith("- In short: it ") for line in lines)


def test_a_span_that_holds_nothing_is_one_sentence() -> None:
    assert printed(an_empty_report()) == ["XAUUSD: the file holds nothing in that span."]


def test_json_has_the_result_and_the_figures_beside_it() -> None:
    report = a_report()
    found = report_as_json(report)

    assert json.loads(json.dumps(found)) == found
    assert {name: found[name] for name in result_as_json(report.result)} == result_as_json(
        report.result
    )
    assert found["signals_per_week"] == report.result.signals_per_week
    assert found["performance"]["total_signals"] == len(report.result.signals)
    assert len(found["verdict"]) == 5
