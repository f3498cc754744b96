"""The latency promises on a whole stack: ticks come at 50 a second, callers ask 100 times a second.

    python -m tests.benchmarks.bench_latency [--minutes 5] [--ticks-per-second 50] [--requests 100]

A made-up week is replayed so fast that its ticks come at that rate, so that candles close every few
seconds and not every quarter of an hour; the threshold is lowered, so that there are signals to
send. Telegram is a stand-in on loopback. What the stack observes itself is read from `/metrics`;
requests are timed from when they were due, not from when they could be sent.
"""
# ruff: noqa: T201 - what is printed is the result

import argparse
import asyncio
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg

from goldtrader.stack import ports
from goldtrader.stack.servers import postgres
from tests.benchmarks.bench_gateway import percentile
from tests.benchmarks.close_trace import print_table, traces
from tests.paths import ROOT
from tests.stand_ins.market_files import MarketFiles, write_market_files
from tests.stand_ins.telegram_api import Law, TelegramApi, serving

_CHANNEL = "@gold"
#: The week is played in minutes, so that a minute brings the messages of hours.
_LAW = Law(chat_seconds=0.01, chat_per_minute=1000)
_PATHS = (
    "signals?limit=50",
    "signals/active",
    "trades?limit=50",
    "trades/active",
    "performance/daily",
    "performance/monthly",
    "candles?symbol=XAUUSD&timeframe=M15&limit=200",
    "connectors",
    "config",
    "health",
)
#: What is promised, in seconds, by the histogram that tells it.
_PROMISES = (
    ("tick to analysis stored", "tick_to_analysis_seconds", 0.1),
    ("analysis to signal stored", "signal_generation_seconds", 0.5),
    ("signal to Telegram accepted", "telegram_delivery_seconds", 2.0),
    ("database query", "database_queries_duration", 0.05),
)


def main() -> None:
    """Run a stack, put it under load, and print what was promised beside what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--ticks-per-second", type=float, default=50.0)
    parser.add_argument("--requests", type=float, default=100.0, help="requests a second")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        serving(TelegramApi(chats={_CHANNEL: -1001}, law=_LAW)) as telegram,
        running(Path(directory), telegram, options.ticks_per_second) as stack,
    ):
        lower_the_threshold(*stack)
        before = histograms(stack[0])
        if options.requests:
            latencies, refused = asyncio.run(
                ask(*stack, per_second=options.requests, seconds=60 * options.minutes)
            )
        else:
            latencies, refused = [], 0
            time.sleep(60 * options.minutes)
        after = histograms(stack[0])
        print(f"{options.ticks_per_second:g} ticks/s, {options.requests:g} requests/s")
        for what, name, promise in _PROMISES:
            found = {edge: count - before[name].get(edge, 0) for edge, count in after[name].items()}
            count = found[float("inf")]
            within = found[promise] / count if count else float("nan")
            tell(what, quantile(found, 0.5), quantile(found, 0.99), promise, within, count)
        if latencies:
            within = sum(latency <= 0.2 for latency in latencies) / len(latencies)
            middle, p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
            tell("API", middle, p99, 0.2, within, len(latencies))
        print(f"answers that were not 200: {refused}; messages sent: {len(telegram.messages)}")
        with (Path(directory) / "data" / "logs" / "worker-pipeline.log").open() as log:
            found = traces(log)
        # An earlier version, measured for comparison, does not log the chain.
        if found:
            print_table(found)


def tell(what: str, middle: float, p99: float, promise: float, within: float, count: float) -> None:
    """Print a line; `within` is the share that kept the promise."""
    kept = "kept" if p99 < promise else "NOT KEPT"
    print(
        f"{what:30} p50 {1000 * middle:8.1f} ms   p99 {1000 * p99:8.1f} ms"
        f"   promised {1000 * promise:6.0f} ms: {kept} by {within:.1%} of {count:,.0f}"
    )


@contextmanager
def running(
    directory: Path, telegram: TelegramApi, ticks_per_second: float
) -> Iterator[tuple[str, str]]:
    """Run a stack that replays a week at this rate; yield its API's address and an admin key."""
    market = write_market_files(directory)
    port, data_dir = ports.choose_free(), directory / "data"
    environment = {
        **os.environ,
        "TELEGRAM_BOT_TOKEN": telegram.token,
        "TELEGRAM_API_BASE_URL": telegram.base_url,
        "TELEGRAM_CHAT_SECONDS": str(_LAW.chat_seconds),
        "TELEGRAM_CHAT_PER_MINUTE": str(_LAW.chat_per_minute),
        "API_RATE_LIMIT": "1000000/min",
    }
    command = [
        *(sys.executable, "manage.py", "stack", "--data-dir", str(data_dir), "--symbol", "XAUUSD"),
        *("--port", str(port), "--gateway-port", str(ports.choose_free())),
        *("--feed", str(market.ticks_file), "--history", str(market.history_directory)),
        *("--speed", str(max(round(ticks_per_second / own_rate(market)), 1))),
    ]
    log = directory / "log"
    with log.open("wb") as written:
        stack = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=written, stderr=subprocess.STDOUT
        )
    try:
        while "Ctrl-C ends all of it" not in log.read_text():
            if stack.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.2)
        settings = json.loads((data_dir / "stack.json").read_text())
        with psycopg.connect(settings["database_url"]) as database:
            database.execute("UPDATE instruments SET telegram_channel = %s", [_CHANNEL])
        made = subprocess.run(
            [
                *(sys.executable, "manage.py", "api_key", "bench", "--scope", "admin"),
                *("--data-dir", str(data_dir)),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        yield f"http://127.0.0.1:{port}", made.stdout.split()[-1]
    finally:
        stack.terminate()
        stack.wait(60)
        postgres.remove(data_dir)


def own_rate(market: MarketFiles) -> float:
    """Return the week's ticks a second of market time."""
    time_ms = market.ticks.time_ms
    return 1000 * len(time_ms) / float(time_ms[-1] - time_ms[0])


def lower_the_threshold(address: str, key: str) -> None:
    """Let more closes make signals than the default does."""
    httpx.post(
        f"{address}/api/v1/config/update",
        json={"threshold": 50, "maximum_open_trades": 50},
        headers={"Authorization": f"Api-Key {key}"},
    ).raise_for_status()


async def ask(
    address: str, key: str, *, per_second: float, seconds: float
) -> tuple[list[float], int]:
    """Ask at a steady rate; return the seconds of each answer since it was due, and refusals."""
    latencies: list[float] = []
    refused = 0
    asked: set[asyncio.Task[None]] = set()
    async with httpx.AsyncClient(
        base_url=f"{address}/api/v1/", headers={"Authorization": f"Api-Key {key}"}, timeout=30
    ) as client:

        async def one(path: str, due: float) -> None:
            nonlocal refused
            try:
                is_answered = (await client.get(path)).status_code == 200
            except httpx.TransportError:
                # The server may end an idle connection just as it is taken again.
                is_answered = False
            latencies.append(time.perf_counter() - due)
            refused += not is_answered

        started = time.perf_counter()
        for number, path in zip(
            range(int(per_second * seconds)), itertools.cycle(_PATHS), strict=False
        ):
            due = started + number / per_second
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            task = asyncio.create_task(one(path, due))
            asked.add(task)
            task.add_done_callback(asked.discard)
        await asyncio.gather(*asked)
    return latencies, refused


def histograms(address: str) -> dict[str, dict[float, float]]:
    """Return by name how many observations were at most each edge (seconds)."""
    found: dict[str, dict[float, float]] = {name: {} for _, name, _ in _PROMISES}
    for line in httpx.get(f"{address}/metrics", timeout=30).text.splitlines():
        bucket = re.fullmatch(r'(\w+)_bucket\{.*le="([^"]+)".*\} (\S+)', line)
        if bucket and bucket[1] in found:
            edge = float(bucket[2])
            found[bucket[1]][edge] = found[bucket[1]].get(edge, 0.0) + float(bucket[3])
    return found


def quantile(counts: dict[float, float], share: float) -> float:
    """Return the quantile as Prometheus's `histogram_quantile` does, NaN where there is none."""
    wanted = share * counts[float("inf")]
    if not wanted:
        return float("nan")
    edge_before, count_before = 0.0, 0.0
    for edge, count in sorted(counts.items()):
        if count >= wanted:
            if edge == float("inf"):
                return edge_before
            part = (wanted - count_before) / (count - count_before) if count > count_before else 1
            return edge_before + (edge - edge_before) * part
        edge_before, count_before = edge, count
    return float("nan")


if __name__ == "__main__":
    main()
