"""The page that a client is written from says what `wire.py` does."""

import json
import re

import pytest

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.quote_filter import BadTick
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "reference" / "wire.md").read_text(encoding="utf-8")
EXAMPLES = [
    line
    for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith('{"type"')
]
FROM_CONNECTOR = frozenset(each.__struct_config__.tag for each in wire.ConnectorMessage.__args__)
MESSAGES = {
    each.__struct_config__.tag: each
    for each in (*wire.ConnectorMessage.__args__, *wire.ServerMessage.__args__)
}
ROWS = {"ticks": wire.Row, "history": wire.CandleRow, "auth_ok": wire.Resume}


def section(kind):
    """Return the text from a message's heading to the next one."""
    found = re.search(rf"^### `{kind}`.*?\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"the page has no section ### `{kind}`"
    return found[1]


def fields_of(text):
    """Return the names in the first column of the tables."""
    cells = re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_each_message_is_described_field_by_field(kind):
    rows = ROWS.get(kind)
    wanted = {*MESSAGES[kind].__struct_fields__, *(rows.__struct_fields__ if rows else ())}
    assert fields_of(section(kind)) == wanted


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_each_message_has_an_example(kind):
    assert f'{{"type":"{kind}"' in section(kind)


@pytest.mark.parametrize("frame", EXAMPLES, ids=range(len(EXAMPLES)))
def test_each_example_is_a_message_that_says_nothing_unknown(frame):
    kind = re.match(r'{"type":"(\w+)"', frame)[1]
    is_connectors = kind in FROM_CONNECTOR
    decode = wire.decode_from_connector if is_connectors else wire.decode_from_server
    assert type(decode(frame)) is MESSAGES[kind]
    assert set(re.findall(r'[{,]"(\w+)":', frame)) - {"type", "XAUUSD"} <= {
        *MESSAGES[kind].__struct_fields__,
        *wire.Resume.__struct_fields__,
    }


def test_each_code_is_described():
    codes = re.search(r"^## Error codes\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)[1]
    assert fields_of(codes) == {code.value for code in wire.ErrorCode}
    for code, close in wire.CLOSES.items():
        (row,) = (line for line in codes.splitlines() if line.startswith(f"| `{code}` |"))
        assert f"closed with {close.value}" in row
    closes = re.search(r"^## Close codes\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)[1]
    for close in wire.CloseCode:
        assert f"\n| {close.value} |" in closes


def test_each_reason_is_described_in_the_order_of_the_rules():
    rules = re.search(r"^## Ticks that are refused\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)[1]
    assert re.findall(r"^\| `(\w+)` \|", rules, re.MULTILINE) == [each.value for each in BadTick]


def test_roles_and_limits_are_those_of_the_code():
    for role in wire.Role:
        assert f"`{role.value}`" in section("auth_ok")
    for limit in (
        f"up to {wire.MAX_MESSAGE_BYTES:,} bytes",
        f"up to {wire.MAX_BATCH_ROWS:,} |",
        f"the {wire.MAX_BAD_MESSAGES}th on a connection",
        f"`auth`, within {wire.AUTH_TIMEOUT:.0f} s",
        f"`heartbeat` every {wire.HEARTBEAT_INTERVAL} s",
    ):
        assert limit in PAGE, limit


#: Examples of the messages with optional fields, and those that may be left out but not null.
OPTIONAL = {
    "auth": '{"type":"auth","token":"t","symbols":["XAUUSD"]}',
    "heartbeat": '{"type":"heartbeat","timestamp":"2024-01-06T14:44:00.000Z"}',
    "tick": '{"type":"tick","symbol":"XAUUSD","timestamp":"2024-01-06T14:44:00.000Z",'
    '"bid":1.0,"ask":2.0}',
    "ticks": '{"type":"ticks","symbol":"XAUUSD","rows":[]}',
}
NOT_NULL = frozenset({("heartbeat", "watermark")})


@pytest.mark.parametrize("kind", sorted(OPTIONAL))
def test_a_field_that_may_be_missing_may_be_null_but_for_those_the_page_names(kind):
    least = json.loads(OPTIONAL[kind])
    assert isinstance(wire.decode_from_connector(json.dumps(least)), MESSAGES[kind])
    for name in set(MESSAGES[kind].__struct_fields__) - set(least):
        frame = json.dumps({**least, name: None})
        if (kind, name) in NOT_NULL:
            assert f"`{name}` of a heartbeat" in PAGE
            with pytest.raises(wire.BadMessage):
                wire.decode_from_connector(frame)
        else:
            assert isinstance(wire.decode_from_connector(frame), MESSAGES[kind])
