"""The instruments of the product's table, and the default strategy."""

from django.db import migrations

INSTRUMENTS = (
    # symbol, pip, contract size, digits, prefix, default spread, quote currency
    ("XAUUSD", 0.1, 100, 2, "XAU", 0.30, "USD"),
    ("EURUSD", 0.0001, 100_000, 5, "EUR", 0.00010, "USD"),
    ("GBPUSD", 0.0001, 100_000, 5, "GBP", 0.00010, "USD"),
    ("USDCAD", 0.0001, 100_000, 5, "CAD", 0.00010, "CAD"),
)


def add(apps, schema_editor):
    instrument = apps.get_model("signals_app", "Instrument")
    for symbol, pip, size, digits, prefix, spread, currency in INSTRUMENTS:
        instrument.objects.get_or_create(
            symbol=symbol,
            defaults={
                "pip": pip,
                "contract_size": size,
                "digits": digits,
                "signal_prefix": prefix,
                "default_spread": spread,
                "quote_currency": currency,
            },
        )
    apps.get_model("signals_app", "Strategy").objects.get_or_create(name="default", version=1)


class Migration(migrations.Migration):
    dependencies = [("signals_app", "0001_market_pipeline_and_signals")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
