"""The codes of connector events, on the wire, in alerts and in the runbook."""

import re
from typing import get_args

from mt5_bridge.protocol.wire import ErrorCode
from signals_app.connector_codes import ConnectorEventCode
from signals_app.gateway.admitted import REPORTED
from tests.paths import ROOT
from trades_app.notifications.content.alerts import DeliveryAlert, LoginBurst

RUNBOOK = ROOT / "docs" / "operations" / "runbook.md"


def test_whatever_a_connector_may_report_has_its_code() -> None:
    assert {ConnectorEventCode(code) for code in REPORTED} < set(ConnectorEventCode)
    assert ConnectorEventCode(ErrorCode.NAME_IN_USE) is ConnectorEventCode.NAME_IN_USE


def test_every_code_is_in_the_runbooks_table_of_alerts() -> None:
    table = RUNBOOK.read_text().split("## Alerts to operators")[1].split("\n## ")[0]
    first_cells = re.findall(r"^\|([^|]*)\|", table, re.MULTILINE)
    named = {code for cell in first_cells for code in re.findall(r"`([A-Z0-9_]+)`", cell)}

    tags = {each.__struct_config__.tag for each in get_args(DeliveryAlert | LoginBurst)}
    assert named == set(ConnectorEventCode) | tags
