"""The charts of a backtest's page, each for a desk and for a telephone."""

from reports_app.rendering.backtest_charts import half_charts, wide_charts
from tests.reports_app.rendering.assessed import a_report


def test_each_chart_is_drawn_for_both_widths() -> None:
    assessed = a_report().assessment
    charts = [*wide_charts(assessed), *half_charts(assessed)]

    titles = [chart.title for chart in charts]
    assert titles[:2] == ["Balance", "Fall below the highest balance"]
    assert {"Results of the trades", "Against random entries"} <= set(titles)
    for chart in charts:
        assert set(chart.svgs) == {"desk", "telephone"}
        assert all(svg.startswith("<svg") and svg.endswith("</svg>") for svg in chart.svgs.values())
