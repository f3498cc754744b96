"""A backtest as one page of HTML with charts that needs nothing from elsewhere."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from html import escape

import numpy as np

from reports_app.assessment.assessment import Assessment
from reports_app.backtest.result import BacktestResult
from reports_app.performance.breakdown import COLUMNS, LEGEND, break_down, cells, or_dash
from reports_app.performance.equity import Equity
from reports_app.performance.statistics import (
    Performance,
    Period,
    TradeResult,
    by_period,
    performance,
)
from reports_app.rendering import backtest_words, svg
from reports_app.rendering.backtest_report import BacktestReport, signals_per_week
from signals_app.confluence.parameters import Parameters
from signals_app.market.calendar import milliseconds, utc
from signals_app.market.tick import Float64s, Int64s

_WIDE, _HALF = 1080, 520
#: The most names below a chart over time.
_LABELS, _FEW_LABELS = 9, 4
#: With so few years, months say more.
_FEW_YEARS = 2
_LISTED = 100
_FEW_MONTHS = 2
_RUINED = "ruined"
_CAUTION = (
    "Simulated results on past prices, without orders or a broker. They say little about future "
    "ones."
)


def page(report: BacktestReport) -> str:
    """Return the page: verdict first, then charts, tables, refusals, settings and trades."""
    result, assessed = report.result, report.assessment
    figures = performance(assessed.results)
    title = f"{result.instrument.symbol} backtest"
    parts = [
        f"<h1>{title}</h1>",
        _head(result, report.assumed, report.settings),
        _cards(result, assessed, figures),
        _verdict(assessed, result),
    ]
    if len(assessed.equity.balance):
        parts += _charts(assessed)
    parts += [
        _tables(assessed.results, figures),
        _refusals(result),
        _settings(result.parameters),
        _trades(assessed.results),
        f'<p class="quiet">{_CAUTION}</p>',
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _head(result: BacktestResult, assumed: str, settings: str) -> str:
    lines = (_span(result), f"Read as: {assumed}.", f"Settings: {settings}.")
    return f'<p class="quiet">{"<br>".join(map(escape, lines))}</p>'


def _span(result: BacktestResult) -> str:
    if result.first_time_ms is None or result.last_time_ms is None:
        return "The file holds nothing in that span."
    first, last = utc(result.first_time_ms), utc(result.last_time_ms)
    return (
        f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC. {backtest_words.data(result)}; "
        f"{result.decisions:,} closes decided."
    )


def _cards(result: BacktestResult, assessed: Assessment, figures: Performance) -> str:
    per_week = signals_per_week(result)
    cards = [
        ("Signals", f"{figures.total_signals:,}", f"{or_dash(per_week)} a week"),
        (
            "Result",
            f"{figures.total_profit_loss:+,.0f}" if assessed.equity.ruined_ms is None else _RUINED,
            f"from {assessed.equity.before:,.0f} of account currency",
        ),
        (
            "A trade",
            f"{assessed.r_multiples.mean():+.2f} R" if len(assessed.r_multiples) else "-",
            "mean profit in units of the risk"
            + (f", ± {assessed.standard_error:.2f}" if assessed.standard_error else ""),
        ),
        (
            "Won",
            "-" if figures.win_rate is None else f"{figures.win_rate:.1f} %",
            "of won and lost trades",
        ),
        ("Profit factor", or_dash(figures.profit_factor), "money won by money lost"),
        (
            "Deepest fall",
            f"{assessed.equity.maximum_drawdown:.1f} %",
            "of the highest balance before it",
        ),
    ]
    shown = "".join(
        f'<div class="card"><div class="name">{escape(name)}</div><div class="figure '
        f'{_colour(figure)}">{escape(figure)}</div><div class="quiet">{escape(text)}</div></div>'
        for name, figure, text in cards
    )
    return f'<section class="cards">{shown}</section>'


def _colour(figure: str) -> str:
    if figure == _RUINED:
        return "bad"
    return {"+": "good", "-": "bad"}.get(figure[0], "") if len(figure) > 1 else ""


def _verdict(assessed: Assessment, result: BacktestResult) -> str:
    short, *told = backtest_words.verdict(assessed)
    told += backtest_words.assumptions(result)
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in told)
    return (
        f'<section><h2>What it is worth</h2><p class="short">{escape(short)}</p><ul>{items}</ul>'
        "</section>"
    )


def _charts(assessed: Assessment) -> list[str]:
    equity = assessed.equity
    found = [
        _figure(
            "Balance",
            "as each trade closed",
            _over_time(equity, equity.balance, "balance", equity.before, "Balance over time", 300),
        ),
        _figure(
            "Fall below the highest balance",
            "percent",
            _over_time(equity, -equity.drawdowns, "fall", 0.0, "Drawdown over time", 150),
        ),
    ]
    years = by_period(assessed.results, Period.YEAR)
    by_year = len(years) > _FEW_YEARS
    shown = years if by_year else by_period(assessed.results, Period.MONTH)
    profits = [
        (f"{day:%Y}" if by_year else f"{day:%b}", float(period.total_profit_loss))
        for day, period in shown.items()
    ]
    halves = [
        _figure(
            "By year" if by_year else "By month",
            "money",
            svg.bars(profits, width=_HALF, height=220, label="Profit over time"),
        ),
        _figure(
            "Results of the trades",
            "how many ended where, in R",
            svg.histogram(
                assessed.r_multiples,
                [],
                width=_HALF,
                height=220,
                label="Results of the trades in R",
            ),
        ),
    ]
    chance, drawn = assessed.random_entries, assessed.monte_carlo
    if chance is not None:
        halves.append(
            _figure(
                "Against random entries",
                "mean R of each random set; coloured are those at least as good",
                svg.histogram(
                    np.array(chance.repeated_r),
                    [svg.Mark(chance.r, f"signals {chance.r:+.2f} R", "own")],
                    width=_HALF,
                    height=220,
                    label="Mean R of random entries",
                    split=chance.r,
                    kinds=("random", "better"),
                ),
            )
        )
    if drawn is not None:
        rows = [
            ("money", drawn.profit, ",.0f"),
            ("R a trade", drawn.r, "+.2f"),
            ("deepest fall, %", drawn.drawdown, ".1f"),
        ]
        body = "".join(
            f"<tr><th>{name}</th><td>{span.low:{form}}</td><td>{span.middle:{form}}</td>"
            f"<td>{span.high:{form}}</td></tr>"
            for name, span, form in rows
        )
        halves.append(
            _figure(
                "Drawn again",
                f"{drawn.draws:,} times from the same trades",
                '<div class="scroll"><table><thead><tr><th></th><th>5 of 100 below</th>'
                "<th>middle</th><th>5 of 100 above</th></tr></thead>"
                f"<tbody>{body}</tbody></table></div>",
            )
        )
    return [*found, f'<div class="halves">{"".join(halves)}</div>']


def _over_time(
    equity: Equity, values: Float64s, kind: str, base: float, label: str, height: int
) -> str:
    """Return the line twice: what is wide enough for a desk cannot be read on a telephone."""
    return "".join(
        f'<div class="{screen}">'
        + svg.area_line(
            equity.time_ms.astype(np.float64),
            values,
            _dates(equity.time_ms, labels),
            width=width,
            height=round(height * shape),
            kind=kind,
            base=base,
            label=label,
        )
        + "</div>"
        for screen, width, shape, labels in (
            ("desk", _WIDE, 1.0, _LABELS),
            ("telephone", _HALF, 0.8, _FEW_LABELS),
        )
    )


def _figure(title: str, text: str, content: str) -> str:
    return (
        f'<section class="chart"><h2>{escape(title)} <span class="quiet">{escape(text)}</span>'
        f"</h2>{content}</section>"
    )


def _dates(time_ms: Int64s, labels: int) -> list[tuple[float, str]]:
    """Return the beginnings of years, or of months or days where it spans less, with names."""
    first, last = utc(int(time_ms[0])), utc(int(time_ms[-1]))
    months = (last.year - first.year) * 12 + last.month - first.month
    if months < _FEW_MONTHS:
        days = np.unique(time_ms // 86_400_000)[:: max(1, (last - first).days // labels)]
        midnights = [int(day) * 86_400_000 for day in days[1:]]
        return [(float(midnight), f"{utc(midnight):%d %b}") for midnight in midnights]
    step = next(n for n in (1, 2, 3, 6, 12, 24, 60, 120) if months / n <= labels)
    named, form = [], "%b %Y" if step < 12 else "%Y"
    for month in range(first.year * 12 + first.month, last.year * 12 + last.month):
        if month % step == 0:
            moment = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
            named.append((float(milliseconds(moment)), f"{moment:{form}}"))
    return named


def _tables(results: Sequence[TradeResult], figures: Performance) -> str:
    groups = ({"all": figures}, *break_down(results).values())
    bodies = "".join(
        f"<tbody>{''.join(_row(name, found) for name, found in group.items())}</tbody>"
        for group in groups
    )
    head = "".join(f"<th>{name}</th>" for name in ("", *COLUMNS))
    return (
        "<section><h2>By direction, session, setup and year</h2><div class=scroll><table>"
        f"<thead><tr>{head}</tr></thead>{bodies}</table></div>"
        f'<p class="quiet">{LEGEND}</p></section>'
    )


def _row(name: str, figures: Performance) -> str:
    return (
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{cell}</td>' for cell in cells(figures))}</tr>"
    )


def _refusals(result: BacktestResult) -> str:
    rows = "".join(
        f"<tr><th>{reason.value}</th><td>{count:,}</td></tr>"
        for reason, count in sorted(result.refusals.items(), key=lambda item: -item[1])
    )
    return (
        "<details><summary>Why closes made no signal</summary><table><tbody>"
        f"{rows}</tbody></table></details>"
    )


def _settings(parameters: Parameters) -> str:
    rows = "".join(
        f"<tr><th>{name}</th><td>{'never' if value is None else f'{value:,g}'}</td></tr>"
        for name, value in asdict(parameters).items()
    )
    return f"<details><summary>Settings</summary><table><tbody>{rows}</tbody></table></details>"


def _trades(results: Sequence[TradeResult]) -> str:
    rows = "".join(_trade_rows(results[-_LISTED:]))
    head = "".join(
        f"<th>{name}</th>"
        for name in ("signal", "", "session", "setup", "opened", "closed", "R", "pips", "money")
    )
    return (
        f"<details><summary>The last {min(len(results), _LISTED)} trades</summary>"
        f"<div class=scroll><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        "</div></details>"
    )


def _trade_rows(results: Iterable[TradeResult]) -> Iterable[str]:
    for trade in results:
        closed = "open" if trade.closed_ms is None else f"{utc(trade.closed_ms):%Y-%m-%d %H:%M}"
        cells = (
            trade.direction,
            trade.session,
            trade.setup_type,
            f"{utc(trade.opened_ms):%Y-%m-%d %H:%M}",
            closed,
            or_dash(trade.r_multiple),
            f"{trade.profit_loss_pips:,.1f}",
            f"{trade.profit_loss:,.2f}",
        )
        told = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        yield f"<tr><th>{escape(trade.signal_id)}</th>{told}</tr>"


_STYLE = """
:root{color-scheme:light dark;--paper:#fbfaf7;--card:#fff;--ink:#1d1b16;--quiet:#6f6a5e;
--rule:#e4dfd3;--gold:#a87510;--goldfill:#a8751022;--won:#3f8f63;--lost:#c0533f;--lostfill:#c0533f26}
@media(prefers-color-scheme:dark){:root{--paper:#16150f;--card:#1f1d16;--ink:#efebdf;--quiet:#a39d8c;
--rule:#383428;--gold:#e0ae45;--goldfill:#e0ae4526;--won:#62b98a;--lost:#e2806c;--lostfill:#e2806c2b}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
main{max-width:1128px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:28px;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:16px;margin:0 0 10px}
h2 .quiet{font-weight:400}
.quiet{color:var(--quiet);font-size:13px}
section,details{background:var(--card);border:1px solid var(--rule);border-radius:10px;
padding:18px 20px;margin:16px 0}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:12px;padding:0;
background:none;border:0}
.card{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:14px 16px}
.name{color:var(--quiet);font-size:13px}
.figure{font-size:26px;font-weight:600;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.good{color:var(--won)}.bad{color:var(--lost)}
ul{margin:0;padding-left:18px}li{margin:6px 0}
.halves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr));gap:16px}
.halves section{margin:0}
svg{width:100%;height:auto;display:block}
svg text{fill:var(--quiet);font-size:11px;font-variant-numeric:tabular-nums}
.grid{stroke:var(--rule);stroke-width:1}.axis{stroke:var(--quiet);stroke-width:1}
.line{fill:none;stroke-width:1.6;stroke-linejoin:round}
.balance.line{stroke:var(--gold)}.balance.area{fill:var(--goldfill)}
.fall.line{stroke:var(--lost)}.fall.area{fill:var(--lostfill)}
rect.won{fill:var(--won)}rect.lost{fill:var(--lost)}
rect.random{fill:var(--quiet);opacity:.45}rect.better{fill:var(--gold)}
.short{font-weight:600;margin:0 0 8px}
.telephone{display:none}
.mark{stroke:var(--ink);stroke-width:2}svg text.said{fill:var(--ink);font-size:12px;font-weight:600}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}.scroll table{width:100%}
td,th{padding:4px 10px;text-align:right;white-space:nowrap;font-weight:400}
th:first-child{text-align:left;padding-left:0}
thead th{color:var(--quiet);border-bottom:1px solid var(--rule)}
tbody+tbody tr:first-child>*{border-top:1px solid var(--rule)}
summary{cursor:pointer;font-weight:600}details table{margin-top:12px}
@media(max-width:640px){main{padding:20px 12px 40px}section,details{padding:14px}
.cards{grid-template-columns:repeat(2,1fr);padding:0}
.desk{display:none}.telephone{display:block}
svg text{font-size:17px}svg text.said{font-size:18px}
td,th{padding:4px 6px}thead th{white-space:normal;vertical-align:bottom}}
"""
