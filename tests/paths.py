"""Where tests find the checkout, and the sample data that may lie beside it."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Real market data; tests that need it skip where it is missing.
SHARED = Path(os.environ.get("GOLDTRADER_SHARED") or ROOT.parent / "shared")
