"""Actors as tables of TOML files: checked, read and written; endings that inflect their names."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import product
from math import prod
from typing import Any

from stance.display import shown
from stance.errors import ActorError
from stance.reading.names import surname
from stance.settings import hint

ALIAS_KINDS = (
    *("name", "demonym", "capital", "institution", "leader", "nickname"),
    *("surname", "refers"),  # which count where they can mean nobody else
)
"""Kinds of alias, in the order of the file format."""

ACTOR_KINDS = ("state", "organisation", "armed group", "person", "other")

_LISTS = (*ALIAS_KINDS, "case", "alone", "not")
_LONGEST = 200  # characters of a name or an alias
MOST_ALIASES = 100_000  # of a book, its exclusions among them
MOST_FORMS = 1000  # of one alias

_REFERENCE = re.compile(r"\|(\w+)")


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor and the words that name it."""

    name: str
    kind: str = "other"  #: one of `ACTOR_KINDS`
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: by `ALIAS_KINDS`
    case: frozenset[str] = frozenset()  #: aliases that count only as spelled or in ALL CAPS
    alone: frozenset[str] = frozenset()  #: those that count only without a name beside them
    exclusions: tuple[str, ...] = ()  #: where an alias is not the actor ("Washington Post")
    office: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: first day, last day, ...

    def to_table(self) -> dict[str, Any]:
        """Return the actor as a table of the file format."""
        lists = {kind: list(names) for kind, names in self.aliases.items() if names}
        table = {"kind": self.kind, **lists, "case": sorted(self.case)}
        table |= {"alone": sorted(self.alone)} if self.alone else {}
        table |= {"not": list(self.exclusions)} if self.exclusions else {}
        office = {alias: list(days) for alias, days in self.office.items()}
        return table | ({"office": office} if office else {})

    def limited(self, kinds: Collection[str]) -> "Actor":
        """Return the actor with aliases of some kinds; the others become exclusions."""
        kept = {kind: names for kind, names in self.aliases.items() if kind in kinds}
        counting = {alias for names in kept.values() for alias in names}
        names = [a for kind, names in self.aliases.items() if kind != "refers" for a in names]
        dropped = dict.fromkeys(alias for alias in names if alias not in counting)
        office = {alias: days for alias, days in self.office.items() if alias in counting}
        return replace(self, aliases=kept, exclusions=(*self.exclusions, *dropped), office=office)


_LAST = 12 * 10_000
ALWAYS = [(0, _LAST)]


def months_of_terms(days: Sequence[str]) -> list[tuple[int, int]]:
    """Return the first and last month of each term, counted from the year 0."""
    ends = [date.fromisoformat(day) if day != "" else None for day in days]
    months = [None if end is None else end.year * 12 + end.month - 1 for end in ends]
    terms = zip(months[::2], months[1::2], strict=True)
    return [(first or 0, _LAST if last is None else last) for first, last in terms]


def _office(table: object, aliases: Collection[str], where: str) -> dict[str, tuple[str, ...]]:
    """Check and return the days on which aliases begin and cease to count."""
    if not isinstance(table, dict):
        raise ActorError(f"{where}: 'office' must be a table of aliases and their days")
    for alias, days in table.items():
        if alias not in aliases:
            raise ActorError(
                f"{where}: 'office' names '{shown(alias)}', which is not one of its aliases"
            )
        try:
            good = isinstance(days, list) and days and all(a <= b for a, b in months_of_terms(days))
        except (TypeError, ValueError):
            good = False
        if not good:
            raise ActorError(
                f"{where}: 'office' of '{shown(alias)}' must list a first and a last day per term, "
                'such as ["2024-10-01", ""]'
            )
    return {alias: tuple(days) for alias, days in table.items()}


def read_actor(name: str, table: object, source: str) -> Actor:
    """Make an actor from its table; raise an `ActorError` that names the source if it is bad."""
    if len(name) > _LONGEST:
        raise ActorError(
            f"{source}: an actor's name has {len(name):,} characters; the limit is {_LONGEST}"
        )
    where = f"{source}: actor '{name}'"
    if not name.strip() or not name.isprintable():
        raise ActorError(f"{source}: {name!r} is not a name for an actor; use printable characters")
    if not isinstance(table, dict):
        raise ActorError(f"{source}: '{name}' is not a table; write [\"{name}\"] and its aliases")
    lists: dict[str, tuple[str, ...]] = {}
    for key, value in table.items():
        if key in ("kind", "office"):
            continue
        if key not in _LISTS:
            known = (*_LISTS, "kind", "office")
            raise ActorError(f"{where}: unknown key '{shown(key)}'. {hint(key, known)}")
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise ActorError(f"{where}: '{key}' must be a list of strings")
        if (longest := max(map(len, value), default=0)) > _LONGEST:
            why = f"has an entry of {longest:,} characters; the limit is {_LONGEST}"
            raise ActorError(f"{where}: '{key}' {why}")
        if blank := [v for v in value if not any(map(str.isalnum, v))]:
            raise ActorError(f"{where}: '{key}' has an entry without a letter: {blank[0]!r}")
        lists[key] = tuple(value)
        if odd := [v for v in value if not v.isprintable()]:
            raise ActorError(f"{where}: '{key}' has a control character in {odd[0]!r}")
    kind = table.get("kind", "other")
    if kind not in ACTOR_KINDS:
        raise ActorError(f"{where}: 'kind' must be one of {', '.join(ACTOR_KINDS)}, not {kind!r}")
    case, alone, exclusions = (lists.pop(key, ()) for key in ("case", "alone", "not"))
    if not any(lists.values()) and not exclusions:  # a limited book may have left it only these
        raise ActorError(f'{where}: no alias; add at least name = ["{name}"]')
    if kind == "person" and "surname" not in lists:
        lasts = map(surname, (name, *lists.get("name", ())))
        lists["surname"] = tuple(dict.fromkeys(filter(None, lasts)))
    aliases = {alias for names in lists.values() for alias in names}
    for key, listed in (("case", case), ("alone", alone)):
        if stray := [alias for alias in listed if alias not in aliases and alias not in exclusions]:
            raise ActorError(
                f"{where}: '{key}' names '{shown(stray[0])}', which is not one of its aliases"
            )
    office = _office(table.get("office", {}), aliases, where)
    return Actor(name, kind, lists, frozenset(case), frozenset(alone), exclusions, office)


def inflected(tables: Mapping[str, Any], endings: object, where: str) -> dict[str, Any]:
    """Return an actor book's tables, in which every list holds all forms of its entries.

    >>> book = {"Russia": {"name": ["Росси|я", "РФ"]}}
    >>> inflected(book, {"я": ["я", "и", "ю", "ей"]}, "mine.toml")
    {'Russia': {'name': ['Россия', 'России', 'Россию', 'Россией', 'РФ']}}
    """
    if not isinstance(endings, dict) or not all(map(_are_endings, endings.values())):
        raise ActorError(f"{where}: 'endings' must be a table of lists of endings, such as {_LIKE}")

    made = 0

    def forms(entry: object, place: str) -> Sequence[object]:
        nonlocal made
        if not isinstance(entry, str):
            return [entry]  # the book's own check says what is wrong with it
        first, *parts = _REFERENCE.split(entry)
        for name in parts[::2]:
            if name not in endings:
                advice = hint(name, list(endings))
                raise ActorError(f"{place}: no endings '{name}' for '{shown(entry)}'. {advice}")
        if (size := prod(len(endings[name]) for name in parts[::2])) > MOST_FORMS:
            raise ActorError(
                f"{place}: '{shown(entry)}' has {size:,} forms; the limit is {MOST_FORMS:,}"
            )
        if (made := made + size) > 2 * MOST_ALIASES:  # lists of `case` repeat aliases
            raise ActorError(f"{place}: more than {2 * MOST_ALIASES:,} forms; use fewer endings")
        choices = [endings[name] for name in parts[::2]]
        return [first + "".join(map("".join, zip(words, parts[1::2], strict=True)))
                for words in product(*choices)]  # fmt: skip

    def every(value: object, place: str) -> object:
        if isinstance(value, list):
            return list(dict.fromkeys(form for entry in value for form in forms(entry, place)))
        if isinstance(value, dict):
            return {form: days for entry, days in value.items() for form in forms(entry, place)}
        return value

    return {
        actor: {key: every(value, f"{where}: actor '{actor}': '{key}'")
                for key, value in table.items()} if isinstance(table, dict) else table
        for actor, table in tables.items()
    }  # fmt: skip


_LIKE = 'я = ["я", "и", "ю", "ей"]'


def _are_endings(value: object) -> bool:
    return isinstance(value, list) and value != [] and all(isinstance(v, str) for v in value)
