"""Strings that break careless pages: a list of our own, and what is easily made of it."""

import json
from itertools import cycle
from pathlib import Path

LISTED = tuple(json.loads(Path(__file__).with_suffix(".json").read_text("utf-8")))

MADE = (
    lambda text: text.swapcase(),
    lambda text: f'x"{text}',
    lambda text: f"{text}\u202e{text[:20]}",
    lambda text: text.replace("<", "<\t").replace(" ", "/"),
)
"""Ways to vary a string, in turn."""

LONG = ("x" * 3000, "<b>" * 1000, "\u0301" * 500, "W " * 2500, "&" * 2000, "\U0001f469\u200d" * 300)


def naughty() -> list[str]:
    """Return all of them, none twice."""
    varied = [make(text) for make, text in zip(cycle(MADE), LISTED, strict=False)]
    return list(dict.fromkeys([*LISTED, *LONG, *varied]))


def readable(text: str) -> str:
    """Return a string as a table can hold it: without NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()
