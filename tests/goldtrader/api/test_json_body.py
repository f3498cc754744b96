"""JSON that cannot be taken is refused in one sentence that says why."""

import pytest

from tests.callers import API, caller

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"[" * 200_000, "The JSON of the body is nested too deeply."),
        (b'{"a":' * 100_000, "The JSON of the body is nested too deeply."),
        (b'{"threshold": NaN}', "The body is not JSON: NaN is no number."),
        (b'{"threshold": -Infinity}', "The body is not JSON: -Infinity is no number."),
        (b'{"threshold": 1e999}', "The body holds a number that is too large."),
        (b'{"threshold": ' + b"9" * 5000 + b"}", "The body holds a number that is too large."),
        (rb'{"threshold": "\u0000"}', "The body holds a character that no text can have."),
        (rb'{"\ud800": 1}', "The body holds a character that no text can have."),
        (rb'[["a", {"b": ["\udfff"]}]]', "The body holds a character that no text can have."),
    ],
)
def test_a_body_that_cannot_be_taken_is_refused_in_one_sentence(body: bytes, sentence: str) -> None:
    response = caller("admin").post(f"{API}/config/update", body, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["error"]["message"] == sentence


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"\xed\xa0\x80", b"{", b"{'a': 1}"])
def test_what_is_not_json_is_said_to_be_so(body: bytes) -> None:
    response = caller("admin").post(
        f"{API}/connectors/token", body, content_type="application/json"
    )

    assert response.status_code == 400
    assert response.json()["error"]["code"] in {"parse_error", "invalid"}


def test_good_json_passes_whatever_its_form() -> None:
    body = '\ufeff{"threshold": 8.5e1}'.encode("utf-8-sig").removeprefix(b"\xef\xbb\xbf")

    response = caller("admin").post(f"{API}/config/update", body, content_type="application/json")

    assert response.status_code == 200
    assert response.json()["parameters"]["threshold"] == 85.0
