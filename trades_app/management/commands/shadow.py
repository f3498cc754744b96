"""`manage.py shadow`: try parameters beside the live strategy, compare, and make one live."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signals_app.confluence.limits import BadParameter, read_change
from signals_app.management.database import add_data_dir_argument, open_database
from signals_app.market.calendar import iso, milliseconds
from signals_app.models import NoLiveStrategy
from signals_app.services.strategies import NotPossible, add_version, make_live, version_id
from trades_app.shadow import following
from trades_app.shadow.standings import Standing, compare, standing_as_json

_HEADINGS = ("symbol", "strategy", "since", "trades", "closed", "won", "mean R", "profit")
_LINE = "{:<8} {:<14} {:<20} {:>6} {:>6} {:>5} {:>7} {:>12}"


class Command(BaseCommand):
    """Without an option prints the comparison; only --make-live touches what is decided live."""

    help = "Compare strategies in shadow with the live record; let one begin, end or decide."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what to do; one thing at a time."""
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
        try:
            with open_database(options["data_dir"], by="shadow"):
                self.stdout.write(_done(options) or _comparison(options))
        except (BadParameter, NotPossible, NoLiveStrategy) as refusal:
            raise CommandError(str(refusal), returncode=2) from None


def _done(options: Mapping[str, Any]) -> str | None:
    """Change what is asked for and say so; `None` where nothing is."""
    if options["changes"] is not None:
        added = add_version(dict(map(read_change, options["changes"])))
        return f"{following.begin(added.pk)} runs in shadow."
    if options["begin"] is not None:
        return f"{following.begin(version_id(options['begin']))} runs in shadow."
    if options["retire"] is not None:
        retired = following.retire(version_id(options["retire"]))
        return f"{retired} is retired; its open trades run on."
    if options["make_live"] is not None:
        made = make_live(version_id(options["make_live"]))
        return f"{made} is live and decides from the next close on."
    return None


def _comparison(options: Mapping[str, Any]) -> str:
    standings = compare(options["symbol"])
    if options["as_json"]:
        return json.dumps(list(map(standing_as_json, standings)), indent=2)
    if not standings:
        return "No strategy has followed a close in shadow."
    return "\n".join(_LINE.format(*row) for row in (_HEADINGS, *map(_cells, standings)))


def _cells(one: Standing) -> tuple[str, ...]:
    return (
        one.symbol,
        "live" if one.strategy is None else str(one.strategy),
        "the beginning" if one.since is None else iso(milliseconds(one.since))[:16],
        str(one.trades),
        str(one.closed),
        str(one.won),
        "-" if one.mean_r is None else f"{one.mean_r:+.2f}",
        f"{one.profit_loss:+,.2f}",
    )
