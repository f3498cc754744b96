"""Charts as PNG and as SVG inside a page."""

import re
import struct
from xml.etree import ElementTree as ET

from trades_app.notifications.charts.figure import new_chart
from trades_app.notifications.charts.output import as_inline_svg, as_png
from trades_app.notifications.charts.palette import DARK, LIGHT, Palette


def svg(name: str = "chart", palette: Palette = LIGHT) -> str:
    with new_chart(200, 100, palette) as (figure, axes):
        bars = axes.bar([0, 1], [3, -2], color=palette.gold)
        bars[0].set_gid("first")
        axes.set_title("gold & <silver>")
        return as_inline_svg(
            figure, name=name, label="What they made", tooltips={"first": "gold: 3"}
        )


def png() -> bytes:
    with new_chart(120, 80) as (figure, axes):
        axes.plot([1, 2])
        return as_png(figure)


def test_the_same_chart_is_the_same_bytes() -> None:
    assert svg() == svg()
    assert png() == png()


def test_a_picture_has_two_pixels_for_each_one_asked_for() -> None:
    assert struct.unpack(">II", png()[16:24]) == (240, 160)


def test_inline_svg_scales_and_says_what_it_shows() -> None:
    root = ET.fromstring(svg())

    assert root.attrib == {
        "viewBox": "0 0 200 100",
        "role": "img",
        "aria-label": "What they made",
    }
    titles = [element.text for element in root.iter("title")]
    assert titles == ["gold: 3"]
    assert "gold & <silver>" in [element.text for element in root.iter("text")]


def test_inline_svg_takes_colours_and_font_from_its_page() -> None:
    drawn = svg()

    assert "var(--gold)" in drawn
    assert "var(--quiet)" in drawn
    assert not re.search("#[0-9a-f]{6}|font-family|<style", drawn)


def test_inline_svg_refers_to_nothing_elsewhere() -> None:
    assert not re.search(r"https?:|url\(|<metadata|<!DOCTYPE", svg())


def test_ids_are_the_chart_s_own() -> None:
    def marked(name: str) -> str:
        with new_chart(200, 100) as (figure, axes):
            axes.plot([1, 2, 1], "o")
            return as_inline_svg(figure, name=name, label="marks")

    one, other = (set(re.findall(r' id="([^"]+)"', marked(name))) for name in ("one", "other"))

    assert one
    assert not one & other
    assert {f"#{each}" for each in one} == set(re.findall('href="([^"]+)"', marked("one")))


def test_a_palette_says_each_colour_once() -> None:
    for palette in (LIGHT, DARK):
        colours = palette.by_role().values()
        assert len(set(colours)) == len(colours)
        assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours)
