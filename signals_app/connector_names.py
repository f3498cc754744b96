"""What connectors may be called, and which names a key for connectors covers."""

import re
from typing import Final

LONGEST_NAME: Final = 64
#: Letters and digits, with dots, dashes and underscores between them.
CONNECTOR_NAME: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_NAME - 1}}}")
#: What a command says of another.
NAME_RULE: Final = f"use up to {LONGEST_NAME} letters, digits, dots, dashes"


def continues(name: str, key_name: str) -> bool:
    """Whether a connector's name continues a key's, as `london-simulated` does `london`."""
    return name.startswith(f"{key_name}-")
