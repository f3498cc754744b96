"""Cutting off a connector is a right of its own, which takes less than letting one in."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("signals_app", "0026_connector_events_are_counted")]

    operations = [
        migrations.AlterModelOptions(
            name="connector",
            options={"permissions": (("revoke_connector", "Can cut off connectors"),)},
        ),
    ]
