"""The variables that the product obeys, and those that it does not."""

import os
import subprocess
import sys

import pytest

from goldtrader import environment
from goldtrader.environment import SettingRefused
from tests.paths import ROOT


@pytest.mark.parametrize(
    ("name", "value", "wish"),
    [
        ("GATEWAY_PORT", "abc", "a whole number from 0 to 65535"),
        ("GATEWAY_PORT", "70000", "a whole number from 0 to 65535"),
        ("GATEWAY_PORT", "٨٧٦٥", "a whole number from 0 to 65535"),
        ("GATEWAY_NAMES", "gold.example.org,https://a.org", "'https://a.org' is neither"),
        ("METRICS_PORT", "-1", "a whole number from 0 to 65526"),
        ("TRUSTED_PROXIES", "one", "a whole number from 0 to 100"),
        ("API_RATE_LIMIT", "lots", "such as 6000/min"),
        ("API_RATE_LIMIT", "0/min", "such as 6000/min"),
        ("API_ALLOWED_IPS", "10.0.0.0/8,localhost", "'localhost' is neither"),
        ("STALE_FEED_MINUTES", "nan", "a number of minutes above 0"),
        ("STALE_FEED_MINUTES", "five", "a number of minutes above 0"),
        ("LOG_LEVEL", "loud", "one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("HTTPS_ONLY", "perhaps", "true or false"),
        ("DEBUG", "2", "true or false"),
        ("ALLOWED_HOSTS", "localhost,https://a.org", "'https://a.org' is none"),
        ("ALLOWED_HOSTS", "localhost:8000", "without ports"),
        ("TELEGRAM_API_BASE_URL", "api.telegram.org", "https://api.telegram.org"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(name: str, value: str, wish: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        environment.check({name: value})

    assert str(refused.value).startswith(f"{name} is {value!r}: give ")
    assert wish in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://gold:s3cret@host/name"),
        ("DATABASE_URL", "s3cret"),
        ("DATABASE_URL", "postgres://gold:s3cret@host:port/name"),
        ("REDIS_URL", "amqp://gold:s3cret@host/0"),
    ],
)
def test_a_refused_address_is_not_printed_as_it_may_hold_a_password(name: str, value: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        environment.check({name: value})

    assert str(refused.value).startswith(f"{name} is of no use: give an address such as ")
    assert "s3cret" not in str(refused.value)


def test_blanks_around_a_value_are_no_part_of_it() -> None:
    variables = {"LOG_LEVEL": " info ", "DEBUG": "true ", "HOME": " theirs "}
    environment.strip(variables)

    assert variables == {"LOG_LEVEL": "info", "DEBUG": "true", "HOME": " theirs "}


@pytest.mark.parametrize("module", ["theirs.settings", "goldtrader.theirs", "goldtrader.", ""])
def test_settings_that_are_not_ours_are_not_read(module: str) -> None:
    variables = {"DJANGO_SETTINGS_MODULE": module}
    environment.drop_foreign(variables)

    assert variables == {"DJANGO_SETTINGS_MODULE": "goldtrader.settings"}


def test_good_values_and_empty_ones_pass() -> None:
    environment.check(
        {
            "ALLOWED_HOSTS": "localhost, .example.org,[::1],*,under_score.local",
            "DATABASE_URL": "postgres:///goldtrader?host=/run/postgresql",
            "REDIS_URL": "rediss://:a%2Fb@redis.example.org/0",
            "TELEGRAM_API_BASE_URL": "http://127.0.0.1:8081",
            "GATEWAY_PORT": "8765",
            "API_RATE_LIMIT": "100/sec",
            "API_ALLOWED_IPS": "10.0.0.0/8, 2001:db8::/32,127.0.0.1",
            "STALE_FEED_MINUTES": "0.5",
            "LOG_LEVEL": "debug",
            "HTTPS_ONLY": "True",
            "METRICS_PORT": "",
        }
    )


def test_what_was_set_for_another_program_is_dropped() -> None:
    variables = {
        "CELERY_BROKER_URL": "redis://elsewhere/0",
        "PGSSLMODE": "require",
        "PGSERVICE": "theirs",
        "PGOPTIONS": "-c search_path=theirs",
        "PGDATESTYLE": "German",
        "GUNICORN_CMD_ARGS": "--workers 50",
        "MPLBACKEND": "module://theirs",
        "MATPLOTLIBRC": "/theirs",
        "NUMBA_DISABLE_JIT": "1",
        "NUMBA_CACHE_DIR": "/ours",
        "DJANGO_SETTINGS_MODULE": "theirs.settings",
        "DATABASE_URL": "postgres://ours",
        "PATH": "/bin",
    }

    environment.drop_foreign(variables)

    assert variables == {
        "DJANGO_SETTINGS_MODULE": "goldtrader.settings",
        "NUMBA_CACHE_DIR": "/ours",
        "DATABASE_URL": "postgres://ours",
        "PATH": "/bin",
    }


def manage(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("command", [("stack",), ("check",)])
def test_a_command_refuses_a_bad_setting_by_one_sentence(command: tuple[str, ...]) -> None:
    ended = manage(*command, API_RATE_LIMIT="lots")

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == (
        "API_RATE_LIMIT is 'lots': give requests by second, minute, hour or day, such as "
        "6000/min, or leave it out.\n"
    )


def test_variables_of_other_programs_change_nothing() -> None:
    script = "from goldtrader.celery import app, serve_metrics as documented\n"
    script += "print(app.conf.broker_url, bool(documented.__doc__))"
    ended = manage(
        *("shell", "--verbosity", "0", "-c", script),
        CELERY_BROKER_URL="redis://elsewhere.example/7",
        DJANGO_SETTINGS_MODULE="theirs.settings",
        PYTHONOPTIMIZE="2",
        REDIS_URL="redis://127.0.0.1:1/0",
    )

    assert ended.stdout == "redis://127.0.0.1:1/0 True\n", ended.stderr


def test_debugging_prints_nothing_of_celery_s_own_workings_to_the_terminal() -> None:
    ended = manage("check", LOG_LEVEL=" debug ")

    assert "celery.utils.functional" not in ended.stdout + ended.stderr
    assert ended.returncode == 0


def test_the_gateways_names_are_known_before_django_s_settings() -> None:
    given = {"GATEWAY_NAMES": " gold.example.org, 192.0.2.7 ,2001:db8::7,"}

    environment.check({"GATEWAY_NAMES": "gold.example.org,192.0.2.7,2001:db8::7"})
    assert environment.gateway_names(given) == ["gold.example.org", "192.0.2.7", "2001:db8::7"]
    assert environment.gateway_names({}) == []


def test_an_empty_directory_of_metrics_is_none(tmp_path) -> None:
    program = "from goldtrader import environment; environment.load(); import prometheus_client"
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": "", "PYTHONPATH": str(ROOT)},
        check=True,
    )

    assert list(tmp_path.iterdir()) == []
