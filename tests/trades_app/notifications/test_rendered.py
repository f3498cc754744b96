"""What is sent is a value, and its length is counted as Telegram counts."""

from trades_app.notifications.kinds import REPEATED, marked_as_repeated
from trades_app.notifications.rendered import Rendered, cut, utf16_length

PICTURE = b"png"


def test_a_text_alone_has_neither_markup_nor_picture_nor_button() -> None:
    assert Rendered("x") == Rendered("x", is_html=False, picture=None, copy_text="")


def test_lengths_are_counted_in_utf_16() -> None:
    assert (utf16_length("a"), utf16_length("😀"), utf16_length("⚖️")) == (1, 2, 2)
    assert (Rendered("😀" * 10).room, Rendered("😀", picture=PICTURE).room) == (4076, 1022)
    assert (cut("a😀b", 2), cut("a😀b", 3), cut("a😀b", 99), cut("a", 0)) == (
        "a",
        "a😀",
        "a😀b",
        "",
    )


def test_a_repeated_text_says_so_and_still_fits() -> None:
    assert marked_as_repeated(Rendered("x")).text == f"x\n{REPEATED}"

    full = marked_as_repeated(Rendered("😀" * 512, picture=PICTURE))
    assert full.text.endswith(f"\n{REPEATED}")
    assert full.room in (0, 1)
    markup = Rendered("<b>" + "x" * 1017 + "</b>", is_html=True, picture=PICTURE)
    assert marked_as_repeated(markup) == markup
