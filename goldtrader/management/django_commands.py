"""Django's own commands on the database of a stack's data directory, as the product's have it."""

import sys
from collections.abc import Sequence

#: Those that need the database and no more.
_ON_THE_DATABASE = frozenset(
    {
        *("changepassword", "createsuperuser", "dbshell", "dumpdata", "loaddata", "migrate"),
        *("shell", "showmigrations"),
    }
)
_OPTION = "--data-dir"


def execute(arguments: Sequence[str]) -> None:
    """Run a command line of `manage.py`; Django's own commands take `--data-dir`, too."""
    from django.core.management import execute_from_command_line

    if arguments[1:2] and arguments[1] in _ON_THE_DATABASE:
        _execute_on_database(list(arguments))
    else:
        execute_from_command_line(list(arguments))


def _execute_on_database(arguments: list[str]) -> None:
    import django
    from django.conf import settings
    from django.core.management import execute_from_command_line

    from goldtrader.stack.data_dir import DataDir
    from goldtrader.stack.errors import StackError
    from goldtrader.stack.use import use_data_dir

    plain = _without_data_dir(arguments)
    if plain == arguments and not DataDir(settings.DATA_DIR).keys.is_file():
        # No stack was ever here: whatever database Django's settings name.
        execute_from_command_line(plain)
        return
    django.setup()
    try:
        with use_data_dir(settings.DATA_DIR, by=f"manage.py {arguments[1]}"):
            execute_from_command_line(plain)
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


def _without_data_dir(arguments: list[str]) -> list[str]:
    left = iter(arguments)
    kept = []
    for argument in left:
        if argument == _OPTION:
            next(left, None)
        elif not argument.startswith(f"{_OPTION}="):
            kept.append(argument)
    return kept
