import pytest
import redis

from goldtrader.stack.servers import valkey


def test_what_was_written_is_there_after_a_restart_and_only_for_who_knows_the_password(tmp_path):
    first = valkey.start(home=tmp_path / "store", log=tmp_path / "log", password="secret")
    with redis.Redis.from_url(first.url) as client:
        client.xadd("ticks", {"n": 1}, id="7-0")
    with (
        redis.Redis.from_url(first.url.replace(":secret@", "")) as stranger,
        pytest.raises(redis.exceptions.AuthenticationError),
    ):
        stranger.ping()
    valkey.stop(first.server)

    second = valkey.start(home=tmp_path / "store", log=tmp_path / "log", password="secret")
    with redis.Redis.from_url(second.url) as client:
        assert client.xrange("ticks") == [(b"7-0", {b"n": b"1"})]
    valkey.stop(second.server)


def test_its_settings_with_the_password_are_for_its_owner_alone(tmp_path):
    home = tmp_path / 'a "quoted" place'
    running = valkey.start(home=home, log=tmp_path / "log", password="secret")
    valkey.stop(running.server)
    assert (home / "valkey.conf").stat().st_mode & 0o777 == 0o600
