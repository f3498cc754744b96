"""Values that found faults in some program: broken text, the ends of time and of numbers."""

import base64
from urllib.parse import quote

from hypothesis import strategies as st


def cursor(position: str, *, offset: str = "0", reverse: str = "0") -> bytes:
    """A cursor as the API makes them, that leads to `position`."""
    text = f"p={quote(position)}&o={offset}&r={reverse}"
    return base64.b64encode(text.encode())


TEXTS = (
    *(b"", b"\0", b"a\0b", b"\xff\xfe", b"\xed\xa0\x80", "\u202e\ufeff٣".encode(), b"%s%d{}"),
    *(b"'\"", b"../../etc/passwd", b"<script>", b"_5F", b"__", b"," * 50, b"a" * 5000),
)
NUMBERS = (
    *(b"0", b"1", b"-1", b"1e400", b"nan", b"9" * 10, b"9" * 19, b"9" * 400, b"1" * 5000),
    *(b"0x10", b"1_0", b"1000", b"1001", b"1.5", b"-0"),
)
TIMES = (
    *(b"0001-01-01T00:00:00Z", b"0001-01-01T00:00:00+23:59", b"9999-12-31T23:59:59.999999Z"),
    *(b"9999-12-31T23:59:59-23:59", b"0001-01-01", b"9999-12-31", b"2024-02-30T00:00:00Z"),
    *(b"10000-01-01T00:00:00Z", b"-0001-01-01T00:00:00Z", b"24:00", b"2024-01-05T14:30:00+99:99"),
    *(b"1677-09-21T00:12:43Z", b"2262-04-12T00:00:00Z", b"2024-W01-1", b"1970-01-01T00:00:00Z"),
    *(b"2024-01-05", b"2024-01-05 14:30:00+00:00", b"13", b"32", b"10000"),
)
WORDS = (b"XAUUSD", b"M15", b"BUY", b"XAU_20240105_001", b"True", b"status", b"id")
CURSORS = (
    *(b"bz0x", b"====", b"cD0", b"*", cursor("x"), cursor("\0"), cursor("9" * 40), cursor("ключ")),
    *(cursor(time.decode()) for time in TIMES),
    *(cursor("1", offset="9" * 30), cursor("1", offset="-1"), cursor("1", reverse="x")),
    *(cursor("", reverse="1"), cursor("1e5"), cursor("nan")),
)

values = st.one_of(
    *map(st.sampled_from, (TEXTS, NUMBERS, TIMES, WORDS, CURSORS)),
    st.text(max_size=12).map(str.encode),
    st.binary(max_size=8),
)
json_values = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
        st.sampled_from(("\0", "\ud800", 10**400, "9999-12-31", -1, 1e308, [], {})),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
