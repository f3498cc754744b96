"""Whether the database already has the schema of this code, so that a start need not migrate."""

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.apps import apps
from psycopg import sql


def is_current(database_url: str) -> bool:
    """Whether this database was prepared by just these migrations, and not touched since."""
    try:
        with psycopg.connect(database_url, connect_timeout=10) as connection:
            noted = connection.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
                " WHERE datname = current_database()"
            ).fetchone()
            return noted is not None and noted[0] == _note(connection)
    except psycopg.Error:
        return False


def note_current(database_url: str) -> None:
    """Note in the database itself that it has the schema of this code.

    A database that is not ours to comment stays without a note, and is migrated at every start.
    """
    name = urlsplit(database_url).path.lstrip("/")
    try:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                    sql.Identifier(name), sql.Literal(_note(connection))
                )
            )
    except psycopg.Error:
        return


def _note(connection: psycopg.Connection[tuple[object, ...]]) -> str:
    applied = connection.execute(
        "SELECT md5(string_agg(app || '.' || name, ',' ORDER BY app, name)) FROM django_migrations"
    ).fetchone()
    return f"goldtrader {_digest_of_files()} {applied[0] if applied else None}"


def _digest_of_files() -> str:
    digest = hashlib.sha256()
    for app in apps.get_app_configs():
        for path in sorted((Path(app.path) / "migrations").glob("*.py")):
            digest.update(f"{app.label}/{path.name}".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:32]
