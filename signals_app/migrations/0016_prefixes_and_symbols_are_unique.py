"""No two instruments share a signal prefix, or a symbol but for its case.

Ids of signals begin with the prefix: two instruments with one would claim the same ids, and the one
that comes second could never store a signal. Where rows collide today:

- of two spellings of a symbol the one without any data is removed; where both have data somebody
  has to say which one is meant, and the migration stops with a sentence;
- of several instruments with one prefix the one with signals keeps it (the first by symbol where
  several or none have any); the others get one made of their symbol. Ids that were given stay.
"""

from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandError
from django.db import migrations, models
from django.db.models.functions import Upper

_LONGEST_PREFIX = 8
#: What an instrument may have, by model.
_DATA = ("Signal", "Decision", "StreamPosition", "PriceCandle", "Analysis")


def separate(apps: Any, _schema_editor: Any) -> None:
    """Give each symbol one row and each row a prefix of its own."""
    _remove_spellings(apps)
    _separate_prefixes(apps)


def _remove_spellings(apps: Any) -> None:
    instruments = apps.get_model("signals_app", "Instrument")
    for symbol, rows in _groups(instruments.objects.order_by("symbol"), "symbol").items():
        used = [row for row in rows if _has_data(apps, row.symbol)]
        if len(used) > 1:
            names = " and ".join(row.symbol for row in used)
            raise CommandError(
                f"The instruments {names} are one symbol ({symbol}) in two spellings, and both "
                "have data. Remove what belongs to one of them, or restore the backup and let "
                "its connector use the other's spelling; then migrate again."
            )
        kept = used[0] if used else next((r for r in rows if r.symbol == symbol), rows[0])
        for row in rows:
            if row.symbol != kept.symbol:
                row.delete()


def _separate_prefixes(apps: Any) -> None:
    instruments = apps.get_model("signals_app", "Instrument")
    signals = apps.get_model("signals_app", "Signal")
    rows = list(instruments.objects.order_by("symbol"))
    taken = {row.signal_prefix.upper() for row in rows}
    for same in _groups(rows, "signal_prefix").values():
        same.sort(key=lambda row: not signals.objects.filter(instrument=row.symbol).exists())
        for row in same[1:]:
            row.signal_prefix = _free(row.symbol, taken)
            taken.add(row.signal_prefix.upper())
            row.save(update_fields=("signal_prefix",))


def _groups(rows: Iterable[Any], field: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(getattr(row, field).upper(), []).append(row)
    return found


def _has_data(apps: Any, symbol: str) -> bool:
    models_with_data = (apps.get_model("signals_app", name) for name in _DATA)
    return any(model.objects.filter(instrument=symbol).exists() for model in models_with_data)


def _free(symbol: str, taken: set[str]) -> str:
    wanted = symbol[:_LONGEST_PREFIX]
    number = 1
    while wanted.upper() in taken:
        number += 1
        wanted = f"{symbol[: _LONGEST_PREFIX - len(str(number))]}{number}"
    return wanted


class Migration(migrations.Migration):
    dependencies = [
        ("signals_app", "0015_timeframes_and_directions_are_kinds"),
    ]

    operations = [
        migrations.RunPython(separate, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="instrument",
            constraint=models.UniqueConstraint(
                Upper("symbol"),
                name="one_instrument_per_symbol",
                violation_error_message="There is an instrument of this symbol, be it in other case.",
            ),
        ),
        migrations.AddConstraint(
            model_name="instrument",
            constraint=models.UniqueConstraint(
                Upper("signal_prefix"),
                name="one_instrument_per_prefix",
                violation_error_message="Another instrument has this signal prefix: ids would collide.",
            ),
        ),
    ]
