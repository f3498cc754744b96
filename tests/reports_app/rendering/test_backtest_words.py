"""What a backtest means, in sentences."""

from dataclasses import replace

import numpy as np

from reports_app.performance.equity import Equity
from reports_app.rendering.backtest_words import assumptions, data, decisions, verdict
from tests.reports_app.rendering.assessed import a_report, an_empty_report

REPORT = a_report()


def test_closes_are_said_with_the_moment_from_which_they_were_decided() -> None:
    result = REPORT.result

    assert decisions(result) == f"{result.decisions:,} closes decided from 2024-01-09 00:00 on"
    whole = replace(result, decided_from_ms=result.first_time_ms)
    assert decisions(whole) == f"{result.decisions:,} closes decided"


def test_the_verdict_is_short_first_and_answers_each_question() -> None:
    short, balance, drawn, chance, tried = verdict(REPORT.assessment)

    assert short.startswith("In short: it ")
    assert balance.startswith("From 10,000 the balance went to ")
    assert drawn.startswith("Drawn again from the same trades ")
    assert chance.startswith("Random entries (the same directions, ")
    assert tried.startswith("3 settings were tried on this file")
    assert "the luckiest would still show" in tried


def test_too_few_trades_are_no_ground_for_a_verdict() -> None:
    short, balance, drawn, chance, tried = verdict(an_empty_report().assessment)

    assert short == "In short: these are too few trades to say anything."
    assert balance == "No trade was closed, so there is nothing to judge."
    assert drawn == "With fewer than ten closed trades, no range of results can be given."
    assert chance == "With fewer than ten closed trades, chance cannot be compared with."
    assert tried == "Nobody counted how many settings were tried on this file."


def test_a_ruined_account_is_said_first_with_its_day() -> None:
    assessment = REPORT.assessment
    ruined = Equity(
        10_000.0, assessment.equity.time_ms, np.zeros(len(assessment.equity.balance)), 0
    )

    short, balance, drawn, *_ = verdict(replace(assessment, equity=ruined))

    assert short == "In short: it lost everything."
    assert balance.startswith("RUINED: on 01 January 1970 the account had lost all of its 10,000.")
    assert drawn == "An account that was ruined is not drawn again."


def test_what_had_to_be_assumed_is_said() -> None:
    result = replace(REPORT.result, ambiguous_candles=1_200)

    costs, order = assumptions(result)
    _, minutes = assumptions(replace(result, of_minutes=True, ambiguous_candles=0))

    assert costs.startswith("All figures are net of the spread")
    assert order.startswith("1,200 times a candle could have ended better")
    assert minutes.endswith("No minute held a trade's stop and its target.")


def test_ticks_are_counted_where_there_are_any() -> None:
    assert data(REPORT.result).startswith("7,200 ticks, ")
    assert not data(replace(REPORT.result, ticks=0)).startswith("0")
