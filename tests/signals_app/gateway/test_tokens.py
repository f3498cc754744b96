"""Connector tokens."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signals_app.connector_names import CONNECTOR_NAME
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
        (forged(exp=float("nan")), "the token's claims have wrong types"),
        (forged(exp=float("inf")), "the token's claims have wrong types"),
        (forged(exp=10**30), "the token's claims have wrong types"),
        (forged(iat=True), "the token's claims have wrong types"),
        (forged(iat=-1), "the token's claims have wrong types"),
        (forged(nbf=float("nan")), "the token's claims have wrong types"),
        (forged(nbf="now"), "the token's claims have wrong types"),
        (forged(nbf=NOW + 60), "the token is not valid yet"),
        (forged(sub="mt5\0"), "the token's claims have wrong types"),
        (forged(sub="mt5\n"), "the token's claims have wrong types"),
        (forged(sub=""), "the token's claims have wrong types"),
        (forged(sub="m" * 65), "the token's claims have wrong types"),
        (forged(symbols=["XAU\0USD"]), "the token's claims have wrong types"),
        (forged(symbols=["\ud800"]), "the token's claims have wrong types"),
        (forged(symbols=["X"] * 1001), "the token's claims have wrong types"),
        (forged(jti="\0"), "the token's claims have wrong types"),
        (forged(key=["7f3c"]), "the token's claims have wrong types"),
        (forged(key=""), "the token's claims have wrong types"),
        (forged(key="7f3c\0"), "the token's claims have wrong types"),
        ("x" * 20_000, "this is not a token"),
    ],
)
def test_what_is_not_a_valid_token_is_refused(token: str, why: str) -> None:
    assert refusal(token) == why


def signed(payload: str, header: str | None = None) -> str:
    """Return a token over these texts, which need be neither JSON nor claims."""
    parts = [header or json.dumps({"alg": "HS256", "kid": "2024b"}), payload]
    body = b".".join(
        base64.urlsafe_b64encode(part.encode("utf-8", "surrogatepass")).rstrip(b"=")
        for part in parts
    )
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    return (body + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.integers(NOW - 90_000, NOW + 90_000),
    st.sampled_from([10**400, -(10**400), float("nan"), float("inf"), True, False]),
)
anything = st.recursive(
    st.one_of(st.none(), numbers, st.text(), st.sampled_from(["goldtrader", "connector", "\0"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
CLAIMS = ("iss", "aud", "sub", "symbols", "iat", "nbf", "exp", "jti", "key")


@given(
    st.dictionaries(st.sampled_from(CLAIMS), anything | numbers | st.lists(st.text()), max_size=4),
    st.sets(st.sampled_from(CLAIMS), max_size=2),
)
@example({"exp": float("nan")}, set())
@example({"exp": 10**400}, set())
@example({"sub": "mt5\0"}, set())
def test_whatever_is_claimed_is_either_sound_or_refused(
    changes: dict[str, Any], without: set[str]
) -> None:
    payload: dict[str, Any] = {
        "iss": "goldtrader",
        "aud": "connector",
        "sub": "mt5",
        "symbols": ["XAUUSD"],
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 3600,
        "jti": "x",
        **changes,
    }
    written = json.dumps({name: payload[name] for name in payload if name not in without})

    try:
        claims = verify(KEYS, signed(written), now=NOW)
    except TokenRefused:
        return

    assert CONNECTOR_NAME.fullmatch(claims.connector)
    assert all(isinstance(symbol, str) and "\0" not in symbol for symbol in claims.symbols)
    assert NOW < claims.expires_at <= claims.issued_at + 86_400
    assert claims.issued_at <= NOW + 5
    assert payload.get("nbf", NOW) < NOW + 6 or "nbf" in without
    assert claims.key == payload.get("key", "") or "key" in without


@given(st.text(max_size=200) | st.sampled_from(["{}", "[]", "null", "1", '"x"', "[" * 5000]))
def test_a_payload_that_is_no_claims_is_refused(text: str) -> None:
    refusal(signed(text))


@given(
    st.text(max_size=100)
    | st.sampled_from(
        [
            "[]",
            "{}",
            '{"alg": "none", "kid": "2024b"}',
            '{"alg": "RS256", "kid": "2024b"}',
            '{"alg": ["HS256"], "kid": "2024b"}',
            '{"alg": {}, "kid": "2024b"}',
            '{"alg": "HS256", "kid": ["2024b"]}',
            '{"alg": "HS256", "kid": "2024b", "crit": ["x"]}',
            '{"alg": "HS256", "kid": "2024b", "crit": 1}',
            '{"alg": "HS256", "kid": "2024b", "b64": false}',
            '{"alg": "HS256", "kid": "2024b", "crit": ["b64"], "b64": false}',
        ]
    )
)
def test_a_header_of_another_kind_is_refused(header: str) -> None:
    refusal(signed('{"sub": "mt5"}', header))


@given(st.text(max_size=300))
def test_any_text_that_is_no_token_is_refused(text: str) -> None:
    refusal(text)


def test_a_token_says_which_key_it_was_given_to() -> None:
    token = issue(KEYS, "mt5", ["XAUUSD"], now=NOW, key="7f3cA9b1")
    assert verify(KEYS, token, now=NOW).key == "7f3cA9b1"
    assert verify(KEYS, forged(), now=NOW).key == ""


def test_a_token_is_not_valid_before_it_begins() -> None:
    token = issue(KEYS, "mt5", ["XAUUSD"], now=NOW)
    assert verify(KEYS, token, now=NOW - 4).connector == "mt5"
    assert "issued in the future" in refusal(token, now=NOW - 6)
    assert refusal(forged(nbf=NOW + 6)) == "the token is not valid yet"


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
