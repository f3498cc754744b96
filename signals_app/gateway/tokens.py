"""Connector tokens: JSON Web Tokens that name a connector and the symbols it may send.

Two signing keys are valid at a time, so that keys rotate without an outage: a new key is put
first, and the old one stays behind it until the last token made with it has expired.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Final

import jwt

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
    """What a verified token says. Times are Unix seconds."""

    connector: str
    symbols: tuple[str, ...]
    token_id: str
    issued_at: int
    expires_at: int


def issue(
    keys: SigningKeys,
    connector: str,
    symbols: Sequence[str],
    *,
    now: int,
    lifetime: int = MAXIMUM_LIFETIME,
) -> str:
    """Make a token that is valid from ``now`` (Unix seconds) for ``lifetime`` seconds.

    A longer lifetime than 24 hours is cut to that.
    """
    kid, secret = next(iter(keys.secrets.items()))
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": connector,
        "symbols": list(symbols),
        "iat": now,
        "exp": now + min(lifetime, MAXIMUM_LIFETIME),
        "jti": token_hex(16),
    }
    return jwt.encode(payload, secret, algorithm=_ALGORITHM, headers={"kid": kid})


def verify(keys: SigningKeys, token: str, *, now: float) -> Claims:
    """Read what a token says; raises `TokenRefused` where it is not valid at ``now``."""
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
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        raise TokenRefused("this is not a token") from None
    return _timely(_claims(payload), now)


def _claims(payload: Mapping[str, object]) -> Claims:
    connector, symbols, token_id = payload["sub"], payload["symbols"], payload["jti"]
    issued_at, expires_at = payload["iat"], payload["exp"]
    if not (
        isinstance(connector, str)
        and connector
        and isinstance(token_id, str)
        and isinstance(symbols, list)
        and all(isinstance(symbol, str) for symbol in symbols)
        and isinstance(issued_at, int | float)
        and isinstance(expires_at, int | float)
    ):
        raise TokenRefused("the token's claims have wrong types")
    return Claims(connector, tuple(symbols), token_id, int(issued_at), int(expires_at))


def _timely(claims: Claims, now: float) -> Claims:
    if claims.expires_at <= now:
        raise TokenRefused("the token has expired")
    if claims.issued_at > now + _LEEWAY:
        raise TokenRefused("the token was issued in the future")
    if claims.expires_at - claims.issued_at > MAXIMUM_LIFETIME:
        raise TokenRefused("the token is valid for longer than 24 hours")
    return claims
