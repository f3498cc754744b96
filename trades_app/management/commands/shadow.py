"""`manage.py shadow`: try parameters beside the live strategy, compare, and make one live."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signals_app.confluence.limits import BadParameter, read_change
from signals_app.management.database import add_data_dir_argument, open_database
from signals_app.market.symbols import UnknownSymbol
from signals_app.models import NoLiveStrategy
from signals_app.services.price_history import known_symbol
from signals_app.services.strategies import NotPossible, add_version, make_live, version_id
from trades_app.management.standings_table import standings_json, standings_table
from trades_app.shadow import following
from trades_app.shadow.standings import compare


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
                done = _done(options)
                standings = [] if done else compare(known_symbol(options["symbol"]))
        except (BadParameter, NotPossible, NoLiveStrategy, UnknownSymbol) as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        shown = standings_json if options["as_json"] else standings_table
        self.stdout.write(done or shown(standings))


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
