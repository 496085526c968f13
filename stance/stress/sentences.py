"""The paragraphs of the suite and what each test needs to change in them, read from TOML."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from stance.records import Stance

Replacements = tuple[tuple[str, str], ...]
"""Pairs of what stands in a text and what takes its place, applied in order."""

KINDS = ("state", "organisation", "other")
"""Kinds of actor of which a paragraph speaks where it does not say otherwise."""

_WORD = re.compile(r"\{\w+\}|\w+")


@dataclass(frozen=True, slots=True)
class Seed:
    """One paragraph with slots.

    Attributes
    ----------
    stance : Stance
        Gold stance toward ``{actor}``.
    tone : str
        news, speech or opinion.
    kinds : tuple of str
        Kinds of actor that can stand in it, of `stance.reading.actors.ACTOR_KINDS`.
    text : str
    negate : Replacements
        After these the text no longer takes its stance; neutral ones stay neutral.
    turn : Replacements
        Turn praise into blame or blame into praise; empty where neutral.
    """

    stance: Stance
    tone: str
    kinds: tuple[str, ...]
    text: str
    negate: Replacements
    turn: Replacements

    @property
    def deciding(self) -> str:
        """The word on which the stance hangs: the longest of those that are negated first."""
        words: list[str] = _WORD.findall(self.negate[0][0])
        return max((word for word in words if word[0] != "{"), key=len)

    @property
    def polar(self) -> bool:
        """Whether it takes a side."""
        return self.stance is not Stance.NEUTRAL


@dataclass(frozen=True, slots=True)
class Sentences:
    """All that the data file holds; its header says what each list is for."""

    seeds: tuple[Seed, ...]
    articles: frozenset[str]
    persons: tuple[str, ...]
    places: tuple[str, ...]
    numbers: tuple[str, ...]
    speakers: tuple[str, ...]
    neutral: tuple[str, ...]
    praise: tuple[str, ...]
    blame: tuple[str, ...]


@cache
def read_sentences() -> Sentences:
    """Read the bundled file."""
    text = files("stance.stress").joinpath("sentences.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    seeds = tuple(_seed(table) for table in tables.pop("seed"))
    lists = {name: tuple(values) for name, values in tables.items()}
    return Sentences(seeds, frozenset(lists.pop("articles")), **lists)


def _seed(table: dict[str, Any]) -> Seed:
    return Seed(
        stance=Stance(table["stance"]),
        tone=table["tone"],
        kinds=tuple(table.get("kinds", KINDS)),
        text=table["text"],
        negate=_replacements(table["negate"]),
        turn=_replacements(table.get("turn", ())),
    )


def _replacements(pairs: Sequence[Sequence[str]]) -> Replacements:
    return tuple((before, after) for before, after in pairs)


def replaced(text: str, replacements: Replacements) -> str:
    """Return the text after the replacements.

    Examples
    --------
    >>> replaced("{actor} was praised.", (("was", "was not"),))
    '{actor} was not praised.'
    """
    for before, after in replacements:
        text = text.replace(before, after, 1)
    return text
