"""Paragraphs with actors of a model's book in their slots."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass

from stance.reading.actors import ALIAS_KINDS, Actor, ActorBook
from stance.stress.sentences import Seed, Sentences

_SLOT = re.compile(r"\{(\w+)\}('s)?(\.?)")
_OPENING = re.compile(r'(^|[.!?]"? )"?$')
_ACTORS = ("actor", "other")


@dataclass(frozen=True, slots=True)
class Scene:
    """A seed paragraph with everything in its slots.

    Attributes
    ----------
    number : int
        Of the seed, which alone decides what is in the slots.
    seed : Seed
    text : str
        With slots; at first the seed's.
    fills : mapping of str to str
        What stands in each slot.
    actor : Actor
        The one judged.
    other : Actor or None
        In the slot of that name, or in a sentence that is added.
    substitute : Actor or None
        Of the actor's kind, to take its place.
    """

    number: int
    seed: Seed
    text: str
    fills: Mapping[str, str]
    actor: Actor
    other: Actor | None
    substitute: Actor | None

    def change(self, text: str | None = None, **fills: str) -> "Scene":
        """Return the scene with another text or with something else in some slots."""
        return dataclasses.replace(self, text=text or self.text, fills={**self.fills, **fills})

    def render(self) -> str:
        """Return the paragraph."""
        return render(self.text, self.fills)


def render(text: str, fills: Mapping[str, str]) -> str:
    """Fill the slots of a text.

    Articles at the start of a sentence get a capital, and a name in -s only an apostrophe.

    Examples
    --------
    >>> render("{actor}'s offer came late.", {"actor": "the United States"})
    "The United States' offer came late."
    >>> render("It was made by {actor}.", {"actor": "the U.S."})
    'It was made by the U.S.'
    """

    def fill(match: re.Match[str]) -> str:
        slot, possessive, stop = match.groups()
        value = fills[slot]
        bare = slot in _ACTORS and not value.startswith("the ")
        if not bare and _OPENING.search(text[: match.start()]):
            value = value[0].upper() + value[1:]
        if possessive:
            value += "'" if value.endswith("s") else "'s"
        return value + ("" if value.endswith(".") else stop)

    return _SLOT.sub(fill, text)


def called(actor: Actor, articles: frozenset[str]) -> str | None:
    """Return how an actor is called in a slot, with its article; None if nothing names it.

    An adjective ("Russian") does not.
    """
    aliases = (alias for kind in naming_kinds() for alias in actor.aliases.get(kind, ()))
    alias = next(aliases, None)
    return alias and with_article(alias, articles)


def naming_kinds() -> tuple[str, ...]:
    """Return the kinds of alias that can take the place of each other in a sentence."""
    return tuple(kind for kind in ALIAS_KINDS if kind != "demonym")


def with_article(alias: str, articles: frozenset[str]) -> str:
    """Return the alias as it stands in a sentence."""
    return f"the {alias}" if alias in articles else alias


def cast(book: ActorBook, words: Sentences) -> list[Scene]:
    """Put actors of the book in the seed paragraphs, in turn; leave out those that nobody fits."""
    names = {actor.name: called(actor, words.articles) for actor in book.actors}
    scenes = []
    for number, seed in enumerate(words.seeds):
        fitting = [actor for actor in book.actors if actor.kind in seed.kinds and names[actor.name]]
        if not fitting:
            continue
        at = number % len(fitting)
        actor, *others = fitting[at:] + fitting[:at]
        others.sort(key=lambda a: a.kind != actor.kind)  # of its kind first, else in order
        other = others[0] if others else None
        if other is None and "{other}" in seed.text:
            continue
        alike = [a for a in others if a.kind == actor.kind]
        if "{other}" in seed.text:
            alike = alike[1:]
        # The last one, so that it differs from the other where the book allows.
        substitute = alike[-1] if alike else None
        roles = {"actor": actor, "other": other, "substitute": substitute}
        fills = {role: names[who.name] or "" for role, who in roles.items() if who is not None}
        fills |= _fillers(number, words)
        scenes.append(Scene(number, seed, seed.text, fills, actor, other, substitute))
    return scenes


def _fillers(number: int, words: Sentences) -> dict[str, str]:
    return {
        slot: values[number % len(values)]
        for slot, values in (
            ("person", words.persons),
            ("place", words.places),
            ("number", words.numbers),
            ("speaker", words.speakers),
        )
    }


def other_fillers(scene: Scene, words: Sentences) -> dict[str, str]:
    """Return another person, place, number and speaker for a scene."""
    return _fillers(scene.number + 1, words)
