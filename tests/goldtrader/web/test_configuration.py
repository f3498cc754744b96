"""The stack and the image start the web server with the same settings."""

from goldtrader.web import configuration
from goldtrader.web.worker import BufferingWorker
from tests.paths import ROOT

CONFIGURED = "python:goldtrader.web.configuration"


def test_stack_and_image_name_the_configuration() -> None:
    for path in ("docker/Dockerfile", "goldtrader/stack/processes/services.py"):
        assert CONFIGURED in (ROOT / path).read_text()


def test_the_worker_is_the_one_that_gathers_requests_first() -> None:
    room, _, name = configuration.worker_class.rpartition(".")

    assert (room, name) == (BufferingWorker.__module__, BufferingWorker.__name__)
