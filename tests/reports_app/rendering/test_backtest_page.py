"""A backtest's page: whole in itself, its words escaped, readable without a trade."""

import re
from dataclasses import replace

from reports_app.rendering.backtest_page import Card, page
from tests.reports_app.rendering.assessed import a_report, an_empty_report


def test_it_needs_nothing_from_elsewhere() -> None:
    html = page(a_report())

    assert not re.search(r"<(?:script|link|iframe)|\bsrc=|url\(\s*[\"']?https?:", html)
    assert html.count("<svg") >= 4


def test_words_of_files_and_settings_are_escaped() -> None:
    html = page(replace(a_report(), settings="<script>"))

    assert "ticks, &lt;b&gt;UTC&lt;/b&gt;" in html
    assert "Settings: &lt;script&gt;." in html


def test_figures_stand_on_cards_and_closes_with_their_beginning() -> None:
    report = a_report()
    html = page(report)

    assert f"{report.result.signals_per_week} a week" in html
    assert "closes decided from 2024-01-09 00:00 on." in html
    assert f"The last {len(report.assessment.results[-100:])} trades" in html


def test_a_span_that_holds_nothing_has_a_page_without_charts() -> None:
    html = page(an_empty_report())

    assert "The file holds nothing in that span." in html
    assert "<svg" not in html


def test_gains_and_losses_have_their_colours() -> None:
    colours = [Card("", figure, "").colour for figure in ("+5", "-5", "0.9", "-", "ruined")]

    assert colours == ["good", "bad", "", "", "bad"]
