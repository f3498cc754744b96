"""Celery's way to Redis: the address, which people are shown, and the credentials apart from it."""

from urllib.parse import unquote, urlsplit


def parts_of(redis_url: str) -> tuple[str, str | None, str | None]:
    """The address without credentials, the user and the password; None where there is none."""
    url = urlsplit(redis_url)
    place = url.netloc.rpartition("@")[2]
    return (
        url._replace(netloc=place).geturl(),
        unquote(url.username) if url.username else None,
        unquote(url.password) if url.password else None,
    )
