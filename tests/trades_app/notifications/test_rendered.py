"""What is sent is a value: equal where it shows the same."""

from trades_app.notifications.rendered import Rendered


def test_a_text_alone_has_neither_markup_nor_picture_nor_button() -> None:
    assert Rendered("x") == Rendered("x", is_html=False, picture=None, copy_text="")
