"""The product's colours can be distinguished and read."""

import re

import pytest

from trades_app.notifications.charts.palette import DARK, LIGHT, Palette


def luminance(colour: str) -> float:
    """Relative luminance (0..1) as WCAG 2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_each_role_has_a_colour_of_its_own(palette: Palette) -> None:
    colours = palette.by_role()

    assert len(set(colours.values())) == len(colours)
    assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in colours.values())


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_words_can_be_read_and_lines_be_seen(palette: Palette) -> None:
    for ground in (palette.page, palette.card):
        assert contrast(palette.ink, ground) > 7
        assert contrast(palette.quiet, ground) > 4.5
        for line in (palette.gold, palette.won, palette.lost):
            assert contrast(line, ground) > 3
