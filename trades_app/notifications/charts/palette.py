"""The product's colours: by their role, for light and for dark."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as #rrggbb, each different from the others."""

    page: str
    card: str
    ink: str
    quiet: str
    rule: str
    gold: str
    won: str
    lost: str
    random: str

    def by_role(self) -> dict[str, str]:
        return asdict(self)


LIGHT = Palette(
    page="#fbfaf7",
    card="#ffffff",
    ink="#1d1b16",
    quiet="#6f6a5e",
    rule="#e4dfd3",
    gold="#a87510",
    won="#3f8f63",
    lost="#c0533f",
    random="#bfbcb4",
)
DARK = Palette(
    page="#16150f",
    card="#1f1d16",
    ink="#efebdf",
    quiet="#a39d8c",
    rule="#383428",
    gold="#e0ae45",
    won="#62b98a",
    lost="#e2806c",
    random="#5d594d",
)
