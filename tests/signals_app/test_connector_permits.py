"""The gateway's own process can do without Django, as the benchmark does."""

import subprocess
import sys

from signals_app.connector_permits import Permit
from tests.paths import ROOT


def test_a_refusal_allows_no_symbol() -> None:
    assert Permit("the connector is revoked").symbols == frozenset()


def test_the_gateway_is_imported_without_django() -> None:
    program = "import signals_app.gateway.server, sys; sys.exit('django.apps' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
