from mt5_bridge.files.errors import printable


def test_what_is_shown_is_one_line_that_a_terminal_can_print():
    assert printable("timestamp,bid") == "'timestamp,bid'"
    assert printable("preis €", 10) == "'preis €'"
    assert printable("a\x1b[2J\nb") == "'a\\x1b[2J\\nb'"
    assert printable("x" * 99, 5) == "'xxxxx'"
