"""Pieces of a plain-text screen."""

from collections.abc import Sequence
from unicodedata import combining, east_asian_width

from stance.display import shown


def percent(value: float | None, sign: str = "") -> str:
    """Return a share in percent, "-" for none; with ``sign`` "+" the sign of a gain too."""
    return "-" if value is None else f"{100 * value:{sign}.1f}"


def bounds(interval: Sequence[float] | None) -> str:
    """Return an interval in percent after a blank, or nothing."""
    return "" if interval is None else f" [{percent(interval[0])}, {percent(interval[1])}]"


def cell(text: str, width: int, *, right: bool = False) -> str:
    """Return the text cut or filled to columns of a terminal; wide characters take two."""
    text = shown(text, 4 * width)
    while len(text) and columns(text) > width:
        text = text[:-2] + "…"
    space = " " * (width - columns(text))
    return space + text if right else text + space


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(0 if combining(c) else 1 + (east_asian_width(c) in "WF") for c in text)
