"""`stack.json`: what Django's settings of commands beside the stack read."""

import os

from goldtrader.environment import gateway_names
from goldtrader.stack.data_dir import DataDir, write_private
from goldtrader.stack.keys import Keys
from goldtrader.stack.processes.children import Ports
from goldtrader.stack.stores import Stores


def write_running(data_dir: DataDir, secrets: Keys, stores: Stores, ports: Ports) -> None:
    """Write where the running stack's servers are, and its secrets."""
    running: dict[str, object] = {
        "pid": os.getpid(),
        "database_url": stores.database_url,
        "redis_url": stores.redis_url,
        "port": ports.web,
        "gateway_port": ports.gateway,
    }
    write_private(data_dir.settings, _lasting(data_dir, secrets) | running)


def write_ended(data_dir: DataDir, secrets: Keys) -> None:
    """Write what still holds once the stack has ended."""
    write_private(data_dir.settings, _lasting(data_dir, secrets))


def _lasting(data_dir: DataDir, secrets: Keys) -> dict[str, object]:
    return {
        "data_dir": str(data_dir.path),
        "secret_key": secrets.secret_key,
        "connector_jwt_keys": secrets.connector_jwt_keys,
        "field_encryption_keys": secrets.field_encryption_keys,
        # Commands beside the stack know by which names it is reached.
        "gateway_names": ",".join(gateway_names(os.environ)),
        "gateway_tls_cert": str(data_dir.certificate),
        "gateway_tls_key": str(data_dir.private_key),
    }
