"""What a search takes beside its market: the ranges, how many trials, and where they run."""

from argparse import ArgumentParser

from reports_app.experiments.search import Place
from reports_app.management.argument_types import natural, parameter_range, positive


def add_search_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--param",
        action="append",
        required=True,
        type=parameter_range,
        metavar="NAME=LOW:HIGH:STEP",
        dest="ranges",
        help="a parameter's range, or its values: NAME=A,B,C; may be repeated",
    )
    parser.add_argument(
        "--random", type=positive, metavar="N", help="try N combinations instead of all"
    )
    parser.add_argument("--folds", type=positive, default=4, help="steps forward in time (4)")
    parser.add_argument("--seed", type=natural, default=1, help="of every choice and draw (1)")
    parser.add_argument(
        "--workers",
        choices=[place.value for place in Place],
        default="auto",
        help="auto (default): a stack's Celery workers where they can be reached",
    )
    parser.add_argument(
        "--processes", type=positive, help="of this machine, when local (one per processor)"
    )
