"""The containers: what each may do and knows, and Django's own checks in their environment."""

import os
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from tests.paths import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
GIVEN = {
    "POSTGRES_PASSWORD": "p" * 32,
    "REDIS_PASSWORD": "r" * 32,
    "SECRET_KEY": "".join(chr(97 + number % 26) for number in range(60)),
    "CONNECTOR_JWT_KEYS": "first:" + "j" * 43,
    "METRICS_TOKEN": "m" * 43,
    "ALLOWED_HOSTS": "gold.example.org",
}
#: Which service of ours has which secret; all of them reach the stores.
SECRETS = {
    "SECRET_KEY": {"web"},
    "CONNECTOR_JWT_KEYS": {"web", "gateway"},
    "METRICS_TOKEN": {"web"},
    "TELEGRAM_BOT_TOKEN": {"delivery"},
}


def environment_of(service: str) -> dict[str, str]:
    """What compose would give the service, with `GIVEN` as its .env file."""

    def fill(match: "re.Match[str]") -> str:
        name, _, otherwise = match[1].partition(":")
        return GIVEN.get(name) or otherwise.removeprefix("-")

    return {
        name: re.sub(r"\$\{([^}]*)\}", fill, str(value))
        for name, value in SERVICES[service]["environment"].items()
    }


def test_djangos_checks_for_production_have_nothing_to_say() -> None:
    web = environment_of("web") | {"PROMETHEUS_MULTIPROC_DIR": ""}
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": "/nonexistent", **web},
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_may_more_than_its_work_needs(name: str) -> None:
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert service["pids_limit"]
    assert service["mem_limit"]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_where_it_is_used_alone(secret: str) -> None:
    having = {name for name, service in SERVICES.items() if secret in service["environment"]}
    assert having == SECRETS[secret]


def test_only_the_gateway_is_reached_from_other_machines() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {
        "gateway": ["${GATEWAY_ADDRESS:-0.0.0.0}:8765:8765"],
        "web": ["127.0.0.1:8000:8000"],
    }
    assert COMPOSE["networks"]["inner"] == {"internal": True}


def test_the_web_server_does_not_start_without_a_secret() -> None:
    started = subprocess.run(
        [sys.executable, "-c", "import goldtrader.wsgi"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATA_DIR": "/nonexistent",
            "DJANGO_SETTINGS_MODULE": "goldtrader.settings",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert started.returncode == 1
    assert "SECRET_KEY is not set: give the web server 50 or more random" in started.stderr
