"""What is posted and answered, as JSON."""

import json

import pytest

from signals_app.gateway.http_messages import PostRefused, read


def test_a_body_holds_messages_as_they_came() -> None:
    post = read(b'{"session":"s","messages":[{"type":"tick", "bid":1}],"more":1}')
    assert (post.session, post.close, post.symbols) == ("s", False, [])
    assert bytes(post.messages[0]) == b'{"type":"tick", "bid":1}'


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"messages":[NaN]}', b"\xff", b"[" * 100_000])
def test_what_is_no_body_is_refused_with_a_sentence(body: bytes) -> None:
    with pytest.raises(PostRefused) as refused:
        read(body)
    assert (refused.value.status, refused.value.code) == (400, "BAD_MESSAGE")
    assert json.loads(refused.value.body())["error"]["message"]


@pytest.mark.parametrize(
    ("code", "reason", "status", "name"),
    [
        (4401, "TOKEN_EXPIRED: the token has expired", 401, "TOKEN_EXPIRED"),
        (4409, "NAME_IN_USE: mt5 is connected", 409, "NAME_IN_USE"),
        (4429, "RATE_LIMITED: too many frames", 429, "RATE_LIMITED"),
        (4400, "too many bad messages", 400, "BAD_MESSAGE"),
        (1013, "try again later", 503, "TRY_AGAIN_LATER"),
        (1001, "nothing heard", 410, "SESSION_ENDED"),
    ],
)
def test_a_close_code_has_its_status(code: int, reason: str, status: int, name: str) -> None:
    refusal = PostRefused.closed(code, reason)
    assert (refusal.status, refusal.code) == (status, name)
