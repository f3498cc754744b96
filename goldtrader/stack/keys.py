"""The secrets of one installation, generated once and kept in its data directory."""

import base64
import json
import re
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
    field_encryption_keys: str = ""
    connector_api_key: str = ""
    admin_password: str = ""


def load_or_generate(data_dir: DataDir) -> Keys:
    """The secrets of ``data_dir``, made the first time; what an earlier version lacks is added."""
    try:
        written = json.loads(data_dir.keys.read_text())
        optional = {"flower_password": "", "field_encryption_keys": ""}
        known = optional | written
        keys = Keys(**{field.name: known[field.name] for field in fields(Keys)})
    except FileNotFoundError:
        keys = _generate()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StackError(f"The secrets in {data_dir.keys} cannot be read: {error!r}.") from error
    else:
        completed = _completed(keys)
        if completed == keys:
            return keys
        keys = completed
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
        field_encryption_keys=_field_key(),
    )


def _completed(keys: Keys) -> Keys:
    """The secrets, with those that a version before had no use for."""
    is_ring = re.fullmatch(r"[A-Za-z0-9_-]{43}=(,[A-Za-z0-9_-]{43}=)*", keys.field_encryption_keys)
    return replace(
        keys,
        flower_password=keys.flower_password or secrets.token_urlsafe(24),
        field_encryption_keys=keys.field_encryption_keys if is_ring else _field_key(),
    )


def _field_key() -> str:
    """A key for what the database holds encrypted."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
