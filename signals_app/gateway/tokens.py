"""Connector tokens: JSON Web Tokens that name a connector and the symbols it may send.

Two signing keys are valid at a time, so that keys rotate without an outage: a new key is put
first, and the old one stays behind it until the last token made with it has expired.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Final

import jwt

from signals_app.connector_names import CONNECTOR_NAME
from signals_app.market.symbols import SYMBOL

ISSUER: Final = "goldtrader"
AUDIENCE: Final = "connector"
MAXIMUM_LIFETIME: Final = 24 * 3600
"""Seconds that a token may be valid at most."""

_ALGORITHM: Final = "HS256"
_MINIMUM_SECRET_BYTES: Final = 32
_VALID_KEYS: Final = 2
# Clocks of the web server and the gateway may differ by so many seconds.
_LEEWAY: Final = 5
_REQUIRED: Final = ("iss", "aud", "sub", "symbols", "iat", "exp", "jti")
# Beyond 9999-12-31 there is no time that the database or an answer could hold.
_LATEST: Final = 253_402_300_799
_LONGEST_TOKEN: Final = 16 * 1024
_MOST_SYMBOLS: Final = 1000
_ID: Final = re.compile(r"[\x21-\x7e]{1,100}")


class TokenRefused(Exception):  # noqa: N818 - refused, not failed
    """The token is not accepted; the text says why, without repeating the token."""


class BadKeys(ValueError):  # noqa: N818 - the setting is bad
    """The setting with the signing keys cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The valid keys, secret by key id. The first signs; all verify."""

    secrets: Mapping[str, str]

    @classmethod
    def parse(cls, setting: str) -> "SigningKeys":
        """Read the keys of `kid:secret,kid:secret`; raises `BadKeys`."""
        secrets: dict[str, str] = {}
        for pair in filter(None, (part.strip() for part in setting.split(","))):
            kid, colon, secret = pair.partition(":")
            if not colon or not kid:
                raise BadKeys("CONNECTOR_JWT_KEYS must be kid:secret pairs, separated by commas")
            if kid in secrets:
                raise BadKeys(f"CONNECTOR_JWT_KEYS has the key id {kid!r} twice")
            if len(secret.encode()) < _MINIMUM_SECRET_BYTES:
                raise BadKeys(
                    f"CONNECTOR_JWT_KEYS: the secret of {kid!r} is shorter than "
                    f"{_MINIMUM_SECRET_BYTES} bytes"
                )
            secrets[kid] = secret
        if not secrets:
            raise BadKeys("CONNECTOR_JWT_KEYS is empty, so no connector can be let in")
        if len(secrets) > _VALID_KEYS:
            raise BadKeys(f"CONNECTOR_JWT_KEYS has more than {_VALID_KEYS} keys")
        return cls(secrets)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. Times are Unix seconds.

    `key` is the id of the API key that it was given to, empty where an operator made it by command.
    """

    connector: str
    symbols: tuple[str, ...]
    token_id: str
    issued_at: int
    expires_at: int
    key: str = ""


def issue(
    keys: SigningKeys,
    connector: str,
    symbols: Sequence[str],
    *,
    now: int,
    lifetime: int = MAXIMUM_LIFETIME,
    key: str = "",
) -> str:
    """Make a token that is valid from ``now`` (Unix seconds) for ``lifetime`` seconds.

    A longer lifetime than 24 hours is cut to that. ``key`` is the id of the API key that asked for
    it, with which the token ends.
    """
    kid, secret = next(iter(keys.secrets.items()))
    payload: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": connector,
        "symbols": list(symbols),
        "iat": now,
        "nbf": now,
        "exp": now + min(lifetime, MAXIMUM_LIFETIME),
        "jti": token_hex(16),
        **({"key": key} if key else {}),
    }
    return jwt.encode(payload, secret, algorithm=_ALGORITHM, headers={"kid": kid})


def verify(keys: SigningKeys, token: str, *, now: float) -> Claims:
    """Read what a token says; raises `TokenRefused` where it is not valid at ``now``."""
    if len(token) > _LONGEST_TOKEN:
        raise TokenRefused("this is not a token")
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        secret = keys.secrets.get(kid) if isinstance(kid, str) else None
        if secret is None:
            raise TokenRefused("the token is signed with an unknown key")
        # Times are checked below, against the caller's clock.
        payload = jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={
                "require": list(_REQUIRED),
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except jwt.InvalidAudienceError:
        raise TokenRefused("the token is for another audience") from None
    except jwt.InvalidIssuerError:
        raise TokenRefused("the token is from another issuer") from None
    except jwt.InvalidSignatureError:
        raise TokenRefused("the token's signature is wrong") from None
    except jwt.MissingRequiredClaimError as error:
        raise TokenRefused(f"the token lacks {error.claim}") from None
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise TokenRefused("this is not a token") from None
    claims = _claims(payload)
    _check_times(claims, _seconds(payload.get("nbf", claims.issued_at)), now)
    return claims


def _claims(payload: Mapping[str, object]) -> Claims:
    symbols = payload["symbols"]
    if not isinstance(symbols, list) or len(symbols) > _MOST_SYMBOLS:
        raise TokenRefused("the token's claims have wrong types")
    return Claims(
        connector=_text(payload["sub"], CONNECTOR_NAME),
        symbols=tuple(_text(symbol, SYMBOL) for symbol in symbols),
        token_id=_text(payload["jti"], _ID),
        issued_at=_seconds(payload["iat"]),
        expires_at=_seconds(payload["exp"]),
        key=_text(payload["key"], _ID) if "key" in payload else "",
    )


def _text(claim: object, form: re.Pattern[str]) -> str:
    if not isinstance(claim, str) or not form.fullmatch(claim):
        raise TokenRefused("the token's claims have wrong types")
    return claim


def _seconds(claim: object) -> int:
    """A time in whole seconds: neither a truth value, nor NaN, nor beyond what dates can say."""
    is_number = isinstance(claim, int | float) and not isinstance(claim, bool)
    if not (is_number and 0 <= claim <= _LATEST):  # type: ignore[operator]
        raise TokenRefused("the token's claims have wrong types")
    return int(claim)  # type: ignore[call-overload, no-any-return]


def _check_times(claims: Claims, not_before: int, now: float) -> None:
    if claims.expires_at <= now:
        raise TokenRefused("the token has expired")
    if claims.issued_at > now + _LEEWAY:
        raise TokenRefused("the token was issued in the future")
    if not_before > now + _LEEWAY:
        raise TokenRefused("the token is not valid yet")
    if claims.expires_at - claims.issued_at > MAXIMUM_LIFETIME:
        raise TokenRefused("the token is valid for longer than 24 hours")
