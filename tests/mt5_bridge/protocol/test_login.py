from mt5_bridge.protocol import wire
from mt5_bridge.protocol.login import Login
from mt5_bridge.protocol.wire import encode

NOON = 1_704_456_000_000


def test_a_token_is_renewed_after_four_fifths_of_its_life():
    login = Login(("XAUUSD",), "first")
    login.accept(wire.iso(NOON + 100_000), NOON)
    assert not login.needs_new_token(NOON + 79_999)
    assert login.needs_new_token(NOON + 80_000)
    assert login.renew("next") == wire.Auth(token="next", symbols=["XAUUSD"])
    assert not login.needs_new_token(NOON + 90_000)


def test_a_token_about_to_end_is_not_renewed_more_than_once_a_second():
    login = Login(("XAUUSD",), "first")
    login.accept(wire.iso(NOON), NOON)
    assert not login.needs_new_token(NOON + 999)
    assert login.needs_new_token(NOON + 1000)


def test_without_a_login_a_new_token_is_shown_at_the_next_one():
    login = Login(("XAUUSD",))
    assert login.renew("next") is None
    assert login.auth().token == "next"


def test_a_token_whose_end_is_not_known_is_not_renewed():
    login = Login(("XAUUSD",), "first")
    for expires_at in (None, "never"):
        login.accept(expires_at, NOON)
        assert login.is_done
        assert not login.needs_new_token(2**53)


def test_the_identity_of_the_spool_is_shown_where_there_is_one():
    assert Login(("XAUUSD",), "t", spool="1f").auth().spool == "1f"
    assert "spool" not in encode(Login(("XAUUSD",), "t").auth())
