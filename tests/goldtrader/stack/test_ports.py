import socket

import pytest

from goldtrader.stack import ports
from goldtrader.stack.errors import StackError


def test_a_port_that_somebody_listens_on_is_named_with_its_option():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        with pytest.raises(StackError, match=f"Port {port} is taken .* with --port"):
            ports.require_free(port, option="--port")
        assert ports.choose_free(port) != port
    assert ports.is_free(port)
    assert ports.choose_free(port) == port


def test_a_number_that_is_no_port_is_refused():
    with pytest.raises(StackError, match="--port 70000 is not a port number"):
        ports.require_free(70_000, option="--port")
