"""Seed paragraphs with actors of a model's book in their slots."""

import dataclasses
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from stance.reading.actor_tables import ALIAS_KINDS, Actor
from stance.reading.actors import ActorBook
from stance.records import Stance

# What stands in a text and what takes its place, in order.
Replacements = tuple[tuple[str, str], ...]

# Kinds of alias that a sentence can name an actor by; an adjective ("Russian") is none.
NAMING_KINDS = tuple(k for k in ALIAS_KINDS if k not in ("demonym", "surname", "refers"))
# Kinds of actors, where a seed does not say otherwise.
_KINDS = ("state", "organisation", "armed group", "other")
_WORD = re.compile(r"\{\w+\}|\w+")
_SLOT = re.compile(r"\{(\w+)\}('s)?(\.?)")
_OPENING = re.compile(r'(^|[.!?]"? )"?$')


@dataclass(frozen=True, slots=True)
class Seed:
    """A paragraph with slots, as ``sentences.toml`` describes it."""

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
    """Everything in ``sentences.toml``; its header says what each list is for."""

    seeds: tuple[Seed, ...]
    articles: frozenset[str]
    persons: tuple[str, ...]
    places: tuple[str, ...]
    numbers: tuple[str, ...]
    speakers: tuple[str, ...]
    neutral: tuple[str, ...]
    praise: tuple[str, ...]
    blame: tuple[str, ...]
    criticism: tuple[str, ...]
    approval: tuple[str, ...]

    def with_article(self, alias: str) -> str:
        """Return the alias as it stands in a sentence."""
        return f"the {alias}" if alias in self.articles else alias

    def fillers(self, number: int) -> dict[str, str]:
        """Return the person, place, number and speaker that go with a seed's number."""
        slots = ("person", "place", "number", "speaker")
        lists = (self.persons, self.places, self.numbers, self.speakers)
        return {s: values[number % len(values)] for s, values in zip(slots, lists, strict=True)}


@dataclass(frozen=True, slots=True)
class Scene:
    """A seed paragraph and what stands in its slots."""

    number: int  # of the seed; it alone decides what stands in the slots
    seed: Seed
    text: str  # with slots; at first the seed's
    fills: Mapping[str, str]
    actor: Actor  # the one judged
    other: Actor | None  # in the slot of that name, or in an added sentence
    substitute: Actor | None  # of the actor's kind, to take its place

    def change(self, text: str | None = None, **fills: str) -> "Scene":
        """Return the scene with another text, or with something else in some slots."""
        return dataclasses.replace(self, text=text or self.text, fills={**self.fills, **fills})

    def render(self) -> str:
        """Return the paragraph."""
        return render(self.text, self.fills)


@cache
def read_sentences() -> Sentences:
    """Read the bundled file."""
    text = files("stance.stress").joinpath("sentences.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    seeds = tuple(_seed(table) for table in tables.pop("seed"))
    lists = {name: tuple(values) for name, values in tables.items()}
    return Sentences(seeds, frozenset(lists.pop("articles")), **lists)


def _seed(table: Mapping[str, Any]) -> Seed:
    found = {"kinds": _KINDS, "turn": (), **table, "stance": Stance(table["stance"])}
    lists = {name: tuple(map(tuple, found[name])) for name in ("negate", "turn")}
    return Seed(**found | lists | {"kinds": tuple(found["kinds"])})


def replaced(text: str, replacements: Replacements) -> str:
    """Return the text after the replacements."""
    for before, after in replacements:
        text = text.replace(before, after, 1)
    return text


def render(text: str, fills: Mapping[str, str]) -> str:
    """Fill the slots of a text.

    An article at the start of a sentence gets a capital, a name in -s only an apostrophe.

    >>> render("{actor}'s offer came late.", {"actor": "the United States"})
    "The United States' offer came late."
    >>> render("It was made by {actor}.", {"actor": "the U.S."})
    'It was made by the U.S.'
    """

    def fill(match: re.Match[str]) -> str:
        slot, possessive, stop = match.groups()
        value = fills[slot]
        bare = slot in ("actor", "other") and not value.startswith("the ")
        if not bare and _OPENING.search(text[: match.start()]):
            value = value[0].upper() + value[1:]
        if possessive:
            value += "'" if value.endswith("s") else "'s"
        return value + ("" if value.endswith(".") else stop)

    return _SLOT.sub(fill, text)


def cast(book: ActorBook, words: Sentences) -> list[Scene]:
    """Put actors of the book into the seed paragraphs in turn; drop seeds that no actor fits."""
    times: Counter[str] = Counter()  # that an actor was put into one
    names = {actor.name: _called(actor, words) for actor in book.actors}
    scenes = []
    for number, seed in enumerate(words.seeds):
        fitting = [actor for actor in book.actors if actor.kind in seed.kinds and names[actor.name]]
        if not fitting:
            continue
        at = min(range(len(fitting)), key=lambda place: times[fitting[place].name])
        actor, *others = fitting[at:] + fitting[:at]
        others.sort(key=lambda a: a.kind != actor.kind)  # its own kind first, else in order
        times[actor.name] += 1
        named = "{other}" in seed.text
        if named and not others:
            continue
        alike = [a for a in others if a.kind == actor.kind][named:]
        other = others[0] if others else None
        substitute = alike[-1] if alike else None  # the last, to differ from the other if it can
        roles = {"actor": actor, "other": other, "substitute": substitute}
        fills = {role: names[who.name] or "" for role, who in roles.items() if who is not None}
        fills |= words.fillers(number)
        scenes.append(Scene(number, seed, seed.text, fills, actor, other, substitute))
    return scenes


def _called(actor: Actor, words: Sentences) -> str | None:
    """Return what an actor is called in a slot, with its article; None if only by adjectives."""
    aliases = (alias for kind in NAMING_KINDS for alias in actor.aliases.get(kind, ()))
    alias = next(aliases, None)
    return alias and words.with_article(alias)
