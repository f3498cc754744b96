"""A chart as the bytes of a PNG, or as SVG inside a page; the same chart gives the same bytes."""

import re
from collections.abc import Mapping
from io import BytesIO, StringIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from trades_app.notifications.charts.palette import LIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Pixels of a picture for each one of the chart, so that it is sharp on a telephone.
_SCALE = 2
#: What would say when and by which version it was made.
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_VARIABLES = {colour: f"var(--{role})" for role, colour in LIGHT.by_role().items()}
_COLOUR = re.compile("|".join(_VARIABLES))


def as_png(figure: "Figure") -> bytes:
    """The chart as PNG, of twice as many pixels as it was made for."""
    written = BytesIO()
    figure.savefig(written, format="png", dpi=figure.dpi * _SCALE, metadata={"Software": None})
    return written.getvalue()


def as_inline_svg(
    figure: "Figure", *, name: str, label: str, tooltips: Mapping[str, str] | None = None
) -> str:
    """The chart as an `<svg>` for a page of HTML, which scales to its place there.

    ``name`` is the chart's own on its page: the ids in it begin with it. ``label`` is what a screen
    reader says, ``tooltips`` are by the gid of what they belong to. Text stays text, in the page's
    font; the light palette's colours become the page's variables, so that they turn with it.
    Nothing is clipped: what is drawn lies within its axes.
    """
    from matplotlib import rc_context

    written = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(written, format="svg", transparent=True, metadata=_NO_METADATA)
    root = ET.fromstring(written.getvalue())  # noqa: S314 - it was made here
    for element in root.iter():
        # Inside HTML there are no namespaces.
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
        element.text, element.tail = (element.text or "").strip() or None, None
    _add_tooltips(root, tooltips or {})
    _leave_out(root)
    _rename_ids(root, name)
    for element in root.iter():
        for key, value in element.attrib.items():
            element.set(key, _short(key, value))
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": label}
    return ET.tostring(root, encoding="unicode")


def _add_tooltips(root: ET.Element, tooltips: Mapping[str, str]) -> None:
    for element in root.iter():
        text = tooltips.get(element.get("id", ""))
        if text is not None:
            title = ET.Element("title")
            title.text = text
            element.insert(0, title)


def _leave_out(root: ET.Element) -> None:
    """Take out what is invisible, and the style sheet, which would be the whole page's."""
    for parent in list(root.iter()):
        parent.attrib.pop("clip-path", None)
        for child in list(parent):
            is_invisible = child.tag == "path" and child.get("style") == "fill: none"
            if is_invisible or child.tag in ("metadata", "style", "clipPath"):
                parent.remove(child)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in ("g", "defs") and not len(child):
                parent.remove(child)


def _rename_ids(root: ET.Element, name: str) -> None:
    """Leave ids to what others refer to; no other chart of the page has them too."""
    references = [element.get("href", "").removeprefix("#") for element in root.iter("use")]
    ids = {old: f"{name}-{number}" for number, old in enumerate(dict.fromkeys(references))}
    for element in root.iter():
        old = element.attrib.pop("id", None)
        if old in ids:
            element.set("id", ids[old])
        if element.tag == "use":
            element.set("href", f"#{ids[element.attrib['href'].removeprefix('#')]}")


def _short(key: str, value: str) -> str:
    if key == "style":
        kept = [part for part in value.split("; ") if not part.startswith("font-family")]
        return _COLOUR.sub(lambda found: _VARIABLES[found[0]], ";".join(kept))
    # A tenth of a pixel is as fine as anybody sees.
    return _LONG_NUMBER.sub(lambda found: f"{float(found[0]):z.1f}", " ".join(value.split()))
