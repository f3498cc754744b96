"""How admin pages show values: prices, money, times, links and coloured labels."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from time import monotonic
from typing import Any, TypeVar, cast

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display as unfold_display

from signals_app import actor
from signals_app.market import calendar
from signals_app.models import Instrument

#: Colours of directions and outcomes in lists.
GOOD, BAD, BUSY, NEUTRAL = "success", "danger", "warning", "info"

#: What unfold's own labels wear; its style sheet holds no other classes.
_COLOURS = {
    GOOD: "bg-green-100 text-green-700 dark:bg-green-500/20 dark:text-green-400",
    BAD: "bg-red-100 text-red-700 dark:bg-red-500/20 dark:text-red-400",
    BUSY: "bg-orange-100 text-orange-700 dark:bg-orange-500/20 dark:text-orange-400",
    NEUTRAL: "bg-blue-100 text-blue-700 dark:bg-blue-500/20 dark:text-blue-400",
    "": "bg-base-500/8 text-base-700 dark:bg-base-500/20 dark:text-base-200",
}

Method = TypeVar("Method", bound=Callable[..., Any])


def labelled(
    description: str, colours: Mapping[str, str], ordering: str | None = None
) -> Callable[[Method], Method]:
    """A decorator that shows a column's value as a label, coloured by the value."""
    return cast(
        "Callable[[Method], Method]",
        unfold_display(description=description, label=dict(colours), ordering=ordering),
    )


def shown(symbol: str, price: Decimal | float | None) -> str:
    """A price as people read it: thousands separated, the instrument's decimals."""
    return "-" if price is None else f"{price:,.{digits_by_symbol().get(symbol, 5)}f}"


def money(amount: Decimal | None) -> SafeString | str:
    """A profit or loss with its sign, a loss in red."""
    if amount is None:
        return "-"
    colour = ""
    if amount:
        loss, gain = "text-red-700 dark:text-red-400", "text-green-700 dark:text-green-400"
        colour = loss if amount < 0 else gain
    return format_html('<span class="{}">{}</span>', colour, f"{amount:+z,.2f}")


def moment(time: datetime | int | None) -> SafeString | str:
    """A time (or Unix milliseconds) in UTC, to the second."""
    return _on_one_line(time, "%Y-%m-%d %H:%M:%S")


def close_time(time: datetime | int | None) -> SafeString | str:
    """The end of a candle (or its Unix milliseconds) in UTC, to the minute."""
    return _on_one_line(time, "%Y-%m-%d %H:%M")


def _on_one_line(time: datetime | int | None, form: str) -> SafeString | str:
    if not time:
        return "-"
    at = calendar.utc(time) if isinstance(time, int) else time
    return nowrap(at.strftime(form))


def nowrap(text: str) -> SafeString:
    """A text that stays on one line."""
    return format_html('<span class="whitespace-nowrap">{}</span>', text)


def since(time: datetime | None) -> str:
    """How long ago something was, in its largest unit."""
    if time is None:
        return "never"
    seconds = (timezone.now() - time).total_seconds()
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"


def link_to(row: models.Model | None, text: str | None = None) -> SafeString | str:
    """A link to a row's page; what it is called alone for whoever may not open that."""
    if row is None:
        return "-"
    options = row._meta
    if not actor.may(f"{options.app_label}.view_{options.model_name}"):
        return text or str(row)
    url = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=(row.pk,))
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, text or row
    )


def simulated_badge(is_simulated: bool) -> SafeString | str:
    """A badge that nobody overlooks where ticks are made up."""
    if not is_simulated:
        return ""
    return label("SIMULATED", BUSY)


def label(text: str, colour: str) -> SafeString:
    """A word as the admin's lists show labels."""
    return format_html(
        '<span class="inline-block font-semibold h-6 leading-6 px-2 rounded-default text-[11px] '
        'uppercase whitespace-nowrap {}">{}</span>',
        _COLOURS.get(colour, _COLOURS[""]),
        text,
    )


def digits_by_symbol() -> dict[str, int]:
    """The decimals that each instrument is shown with; asked again twice a minute."""
    return _digits_by_symbol(int(monotonic() // 30))


@lru_cache(maxsize=1)
def _digits_by_symbol(_: int) -> dict[str, int]:
    return dict(Instrument.objects.values_list("symbol", "digits"))
