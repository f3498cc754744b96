"""Connector tokens."""

from typing import Any

import jwt
import pytest

from signals_app.gateway.tokens import (
    BadKeys,
    Claims,
    SigningKeys,
    TokenRefused,
    issue,
    verify,
)

NOW = 1_704_456_000
SECRET = "s" * 40
KEYS = SigningKeys({"2024b": SECRET, "2024a": "a" * 40})


def forged(secret: str = SECRET, kid: str | None = "2024b", **changes: Any) -> str:
    """Return a token with these claims changed; `None` leaves one out."""
    payload = {
        "iss": "goldtrader",
        "aud": "connector",
        "sub": "mt5-primary",
        "symbols": ["XAUUSD"],
        "iat": NOW,
        "exp": NOW + 3600,
        "jti": "x",
        **changes,
    }
    claims = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(claims, secret, "HS256", headers={"kid": kid} if kid else {})


def refusal(token: str, now: float = NOW) -> str:
    with pytest.raises(TokenRefused) as refused:
        verify(KEYS, token, now=now)
    return str(refused.value)


def test_what_was_issued_is_verified() -> None:
    token = issue(KEYS, "mt5-primary", ["XAUUSD", "EURUSD"], now=NOW, lifetime=600)
    claims = verify(KEYS, token, now=NOW + 599)
    assert claims == Claims("mt5-primary", ("XAUUSD", "EURUSD"), claims.token_id, NOW, NOW + 600)
    assert jwt.get_unverified_header(token)["kid"] == "2024b"


def test_no_two_tokens_are_alike() -> None:
    first, second = (issue(KEYS, "mt5", ["XAUUSD"], now=NOW) for _ in range(2))
    assert verify(KEYS, first, now=NOW).token_id != verify(KEYS, second, now=NOW).token_id


def test_a_token_lives_a_day_at_most() -> None:
    token = issue(KEYS, "mt5", ["XAUUSD"], now=NOW, lifetime=10**9)
    assert verify(KEYS, token, now=NOW).expires_at == NOW + 86_400
    assert refusal(forged(exp=NOW + 90_000)) == "the token is valid for longer than 24 hours"


def test_tokens_of_the_older_key_stay_valid_while_keys_rotate() -> None:
    older = SigningKeys({"2024a": "a" * 40})
    token = issue(older, "mt5", ["XAUUSD"], now=NOW)
    assert verify(KEYS, token, now=NOW).connector == "mt5"
    assert "unknown key" in refusal(issue(SigningKeys({"2023": "z" * 40}), "mt5", [], now=NOW))


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "this is not a token"),
        ("a.b.c", "this is not a token"),
        (forged(secret="w" * 40), "the token's signature is wrong"),
        (forged(kid=None), "the token is signed with an unknown key"),
        (forged(aud="dashboard"), "the token is for another audience"),
        (forged(iss="somebody"), "the token is from another issuer"),
        (forged(exp=NOW), "the token has expired"),
        (forged(exp=NOW - 1), "the token has expired"),
        (forged(iat=NOW + 60), "the token was issued in the future"),
        (forged(jti=None), "the token lacks jti"),
        (forged(exp=None), "the token lacks exp"),
        (forged(symbols=None), "the token lacks symbols"),
        (forged(symbols="XAUUSD"), "the token's claims have wrong types"),
        (forged(symbols=[1]), "the token's claims have wrong types"),
        (forged(exp="soon"), "the token's claims have wrong types"),
    ],
)
def test_what_is_not_a_valid_token_is_refused(token: str, why: str) -> None:
    assert refusal(token) == why


def test_a_token_without_signature_is_refused() -> None:
    payload = {"sub": "mt5", "aud": "connector", "iss": "goldtrader"}
    unsigned = jwt.encode(payload, None, "none", headers={"kid": "2024b"})
    assert refusal(unsigned) == "this is not a token"


def test_keys_are_read_in_order() -> None:
    keys = SigningKeys.parse(f"b:{'b' * 32}, a:{'a' * 32}")
    assert list(keys.secrets) == ["b", "a"]


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("", "empty"),
        ("secret", "kid:secret pairs"),
        (":" + "x" * 40, "kid:secret pairs"),
        ("a:short", "shorter than 32 bytes"),
        (f"a:{'x' * 32},a:{'y' * 32}", "twice"),
        (f"a:{'x' * 32},b:{'y' * 32},c:{'z' * 32}", "more than 2"),
    ],
)
def test_keys_that_cannot_be_used_are_named(setting: str, why: str) -> None:
    with pytest.raises(BadKeys, match=why):
        SigningKeys.parse(setting)
