"""Texts come in the order in which they were asked for, whoever writes them."""

import os
import signal

import pytest

from reports_app.backtest.text_processes import TextProcesses, can_fork
from reports_app.backtest.windows import PlannedClose
from signals_app.confluence.description import Description
from signals_app.confluence.planning import Plan
from signals_app.market.direction import Direction

pytestmark = pytest.mark.skipif(not can_fork(), reason="no process can be forked here")


def close(row: int) -> PlannedClose:
    plan = Plan(row, (Direction.BUY,), Direction.BUY, 80.0, None, None)
    return PlannedClose(row, row * 900_000, plan, (50, 50, 50))


def write(asked: PlannedClose) -> Description:
    return Description(f"setup {asked.row}", "BOS", (), "", "", str(os.getpid()))


def asked_of(processes: TextProcesses, count: int) -> list[Description]:
    for row in range(count):
        processes.ask(close(row))
    return processes.texts()


@pytest.mark.parametrize("count", [0, 1, 64, 200])
def test_texts_come_in_order(count: int) -> None:
    processes = TextProcesses(write, 2)
    try:
        texts = asked_of(processes, count)
    finally:
        processes.end()

    assert [text.setup_type for text in texts] == [f"setup {row}" for row in range(count)]
    assert str(os.getpid()) not in {text.m15_context for text in texts}


def test_what_a_killed_process_leaves_is_written_here() -> None:
    here = os.getpid()

    def write_or_die(asked: PlannedClose) -> Description:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return write(asked)

    processes = TextProcesses(write_or_die, 2)
    try:
        texts = asked_of(processes, 130)
    finally:
        processes.end()

    assert [text.setup_type for text in texts] == [f"setup {row}" for row in range(130)]
    assert {text.m15_context for text in texts} == {str(here)}
