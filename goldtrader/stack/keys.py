"""The secrets of one installation, generated once and kept in its data directory."""

import json
import secrets
from dataclasses import asdict, dataclass, fields, replace

from goldtrader.stack.data_dir import DataDir, write_private
from goldtrader.stack.errors import StackError


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets, in the form in which the settings read them.

    `admin_password` is there until it was shown; `connector_api_key` once the database knows it.
    """

    secret_key: str
    database_password: str
    redis_password: str
    connector_jwt_keys: str
    flower_password: str = ""
    connector_api_key: str = ""
    admin_password: str = ""


def load_or_generate(data_dir: DataDir) -> Keys:
    """The secrets of ``data_dir``, made the first time."""
    try:
        written = json.loads(data_dir.keys.read_text())
        # Of a file that an earlier version made.
        written.setdefault("flower_password", "")
        keys = Keys(**{field.name: written[field.name] for field in fields(Keys)})
    except FileNotFoundError:
        keys = _generate()
    except (OSError, ValueError, KeyError) as error:
        raise StackError(f"The secrets in {data_dir.keys} cannot be read: {error!r}.") from error
    else:
        if keys.flower_password:
            return keys
        keys = replace(keys, flower_password=_generate().flower_password)
    save(data_dir, keys)
    return keys


def save(data_dir: DataDir, keys: Keys) -> None:
    """Write ``keys`` where only the owner may read them."""
    write_private(data_dir.keys, asdict(keys))


def _generate() -> Keys:
    return Keys(
        secret_key=secrets.token_urlsafe(50),
        database_password=secrets.token_urlsafe(24),
        redis_password=secrets.token_urlsafe(24),
        flower_password=secrets.token_urlsafe(24),
        connector_jwt_keys=f"{secrets.token_hex(4)}:{secrets.token_urlsafe(48)}",
    )
