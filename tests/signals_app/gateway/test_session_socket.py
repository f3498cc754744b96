"""Both kinds of connection carry a session."""

from signals_app.gateway.http_session import HttpSocket
from signals_app.gateway.session_socket import SessionSocket
from signals_app.gateway.transport import GatewayConnection


def test_connections_and_requests_have_what_a_session_asks_for() -> None:
    asked = [name for name in dir(SessionSocket) if not name.startswith("_")]
    assert {"transport", "address", "verified", "let_in", "recv", "send", "close"} <= {*asked}
    given = dir(HttpSocket("192.0.2.1", lambda: None))
    assert [name for name in asked if name not in given] == []
    # A connection has its transport from the moment that it is made.
    given = dir(GatewayConnection)
    assert [name for name in asked if name not in given] == ["transport"]
