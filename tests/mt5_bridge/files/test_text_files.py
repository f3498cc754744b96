import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt5_bridge.files import text_files
from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.text_files import Header, blocks, bodies, read_header

LINES = ["timestamp,bid,ask", "2024-01-05T12:00:00Z,1,2", "2024-01-05T12:00:01Z,3,4"]


def text_of(path):
    return b"".join(block for _, block in blocks(path)).decode()


@given(
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.integers(3, 40),
)
def test_encoding_line_ends_and_blocks_do_not_matter(
    tmp_path_factory, encoding, line_end, ends, size
):
    path = tmp_path_factory.mktemp("text") / "a.csv"
    path.write_bytes((line_end.join(LINES) + (line_end if ends else "")).encode(encoding))
    with pytest.MonkeyPatch.context() as patch:
        # UTF-16 is recognised by the first block, which real blocks hold many times over.
        patch.setattr(text_files, "_BLOCK_BYTES", max(size, 8))
        assert text_of(path).splitlines() == LINES
        numbered = [
            (first + place, line)
            for first, block in blocks(path)
            for place, line in enumerate(block.decode().splitlines())
        ]
    assert numbered == list(enumerate(LINES, 1))


def test_the_header_is_the_first_line_that_is_not_blank(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("\n \n" + "\n".join(LINES) + "\n")
    assert read_header(path) == Header(3, LINES[0])
    ((line, body),) = bodies(path, 3)
    assert (line, body.decode().splitlines()) == (4, LINES[1:])


@pytest.mark.parametrize("content", [b"", b"\n\n", b" \r\n"])
def test_a_file_without_a_line_is_empty(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(MarketFileError, match="is empty; export it again"):
        read_header(path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"timestamp,bid\n1,2\n3,\xff\xfa\n", "line 3 is not text in UTF-8"),
        (b"timestamp,bid\n1,\0\n", "line 2 is not text in UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0", "line 1 is not text in UTF-8"),
        (b"\xff\xfea\0b\0c", "begins as UTF-16 and does not go on so"),
        (b"x" * 6_500_000, "line 1 has no end"),
    ],
    ids=["latin", "zero", "png", "half UTF-16", "endless"],
)
def test_what_is_no_text_is_refused_with_its_line(tmp_path, content, what):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(MarketFileError, match=what):
        text_of(path)
