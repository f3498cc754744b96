"""Connectors that a key made by a name that continues its own belong to that key."""

from typing import Any

from django.db import migrations


def name_owners(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001
    """The key whose name covers most of a connector's name is the one that made it."""
    names = (
        apps.get_model("goldtrader", "ApiKey")
        .objects.filter(scope="connector", revoked=False)
        .values_list("name", flat=True)
    )
    owners = sorted(set(names), key=len, reverse=True)
    connectors = apps.get_model("signals_app", "Connector").objects.filter(owner="")
    changed = []
    for connector in connectors:
        found = [name for name in owners if connector.name.startswith(f"{name}-")]
        if found:
            connector.owner = found[0]
            changed.append(connector)
    connectors.model.objects.bulk_update(changed, ["owner"])


class Migration(migrations.Migration):
    dependencies = [
        ("goldtrader", "0001_api_keys"),
        ("signals_app", "0022_connectors_have_owners"),
    ]

    operations = [migrations.RunPython(name_owners, migrations.RunPython.noop)]
