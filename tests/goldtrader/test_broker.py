import pytest
from django.conf import settings

from goldtrader.broker import parts_of
from goldtrader.celery import app


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("redis://:s%2Fcret@127.0.0.1:6380/2", ("redis://127.0.0.1:6380/2", None, "s/cret")),
        ("rediss://user:secret@[::1]:6380/0", ("rediss://[::1]:6380/0", "user", "secret")),
        ("redis://example.com/1?a=b", ("redis://example.com/1?a=b", None, None)),
    ],
)
def test_the_address_holds_no_credentials(url, parts):
    assert parts_of(url) == parts


def test_celery_reaches_its_redis_and_shows_no_password():
    password = parts_of(settings.REDIS_URL)[2]
    with app.connection() as connection:
        connection.ensure_connection(max_retries=1)
        shown = f"{connection.info()['alternates']} {connection.as_uri()} {app.backend.as_uri()}"
    assert password is None or password not in shown
    assert app.backend.client.ping()


def test_a_worker_shows_no_setting_that_is_not_celerys():
    # As `celery inspect conf` answers.
    shown = app.conf.table(with_defaults=False)
    assert shown["task_default_queue"] == "delivery"
    assert {name for name in shown if name.isupper()} == set()
    assert settings.SECRET_KEY not in str(shown)
    password = parts_of(settings.REDIS_URL)[2]
    assert password is None or password not in str(shown)
