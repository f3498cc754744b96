"""Takes the sign from results of zero that are kept as text in JSON.

Number columns never had one. No link of the record covers these columns: its events do not change.
"""

from django.db import migrations

_SIGNED_ZERO, _SAME_WITHOUT = r'"-(0(\.0+)?)"', r'"\1"'


def _unsigned(table: str, column: str) -> str:
    return (
        f"UPDATE {table} SET {column} = "
        f"regexp_replace({column}::text, '{_SIGNED_ZERO}', '{_SAME_WITHOUT}', 'g')::jsonb "
        f"WHERE {column}::text ~ '{_SIGNED_ZERO}'"
    )


class Migration(migrations.Migration):
    dependencies = [("trades_app", "0008_trades_name_their_kinds")]

    operations = [
        migrations.RunSQL(_unsigned(table, column), migrations.RunSQL.noop)
        for table, column in (
            ("trades", "partial_closes"),
            ("trades", "costs"),
            ("shadow_trades", "trade"),
            ("shadow_trades", "events"),
        )
    ]
