"""`manage.py shadow`: try parameters beside the live strategy, compare, and make one live."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signals_app.confluence.limits import BadParameter, read_change
from signals_app.management.database import add_data_dir_argument, open_database
from signals_app.market.calendar import iso
from signals_app.models import NoLiveStrategy, Strategy
from signals_app.services.strategies import NotPossible, add_version, make_live
from trades_app.shadow import following
from trades_app.shadow.following import Standing


class Command(BaseCommand):
    """Without an option prints the comparison; only --make-live touches what is decided live."""

    help = "Compare strategies in shadow with the live record; let one begin, end or decide."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to do; one thing at a time."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--try",
            dest="changes",
            nargs="*",
            metavar="NAME=VALUE",
            help="make a version of the live parameters with these changes, and run it in shadow",
        )
        what.add_argument("--begin", type=int, metavar="VERSION", help="run a version in shadow")
        what.add_argument("--retire", type=int, metavar="VERSION", help="end a version in shadow")
        what.add_argument(
            "--make-live",
            type=int,
            metavar="VERSION",
            help="let a version decide from the next close on; the live one is retired",
        )
        parser.add_argument("--symbol", help="one instrument; by default all")
        parser.add_argument("--json", action="store_true", dest="as_json")
        add_data_dir_argument(parser)

    def handle(self, **options: Any) -> None:
        """Do what was asked, or print the comparison."""
        with open_database(options["data_dir"], by="shadow"):
            self._do(options)

    def _do(self, options: Mapping[str, Any]) -> None:
        try:
            if options["changes"] is not None:
                added = add_version(dict(map(read_change, options["changes"])))
                self.stdout.write(f"{following.begin(added.pk)} runs in shadow.")
            elif options["begin"] is not None:
                self.stdout.write(f"{following.begin(_id_of(options['begin']))} runs in shadow.")
            elif options["retire"] is not None:
                retired = following.retire(_id_of(options["retire"]))
                self.stdout.write(f"{retired} is retired; its open trades run on.")
            elif options["make_live"] is not None:
                made = make_live(_id_of(options["make_live"]))
                self.stdout.write(f"{made} is live and decides from the next close on.")
            else:
                self._compare(options["symbol"], as_json=options["as_json"])
        except (BadParameter, NotPossible, NoLiveStrategy) as refusal:
            raise CommandError(str(refusal), returncode=2) from None

    def _compare(self, symbol: str | None, *, as_json: bool) -> None:
        standings = following.compare(symbol)
        if as_json:
            self.stdout.write(json.dumps([_as_json(one) for one in standings], indent=2))
            return
        if not standings:
            self.stdout.write("No strategy has followed a close in shadow.")
            return
        heads = ("symbol", "strategy", "since", "trades", "closed", "won", "mean R", "profit")
        self.stdout.write(_LINE.format(*heads))
        for one in standings:
            self.stdout.write(_LINE.format(*_cells(one)))


_LINE = "{:<8} {:<14} {:<20} {:>6} {:>6} {:>5} {:>7} {:>12}"


def _id_of(version: int) -> int:
    newest = Strategy.objects.order_by("-pk").values("name")[:1]
    found = Strategy.objects.filter(name=newest, version=version).first()
    if found is None:
        raise CommandError(f"There is no version {version}.", returncode=2)
    return found.pk


def _cells(one: Standing) -> tuple[str, ...]:
    return (
        one.symbol,
        "live" if one.strategy is None else str(one.strategy),
        iso(one.since_ms)[:16] if one.since_ms else "the beginning",
        str(one.trades),
        str(one.closed),
        str(one.won),
        "-" if one.mean_r is None else f"{one.mean_r:+.2f}",
        f"{one.profit_loss:+,.2f}",
    )


def _as_json(one: Standing) -> dict[str, Any]:
    return {
        "symbol": one.symbol,
        "strategy": None if one.strategy is None else str(one.strategy),
        "since": iso(one.since_ms) if one.since_ms else None,
        "trades": one.trades,
        "closed": one.closed,
        "won": one.won,
        "mean_r": None if one.mean_r is None else float(one.mean_r),
        "profit_loss": float(one.profit_loss),
        "skipped": dict(one.skipped),
    }
