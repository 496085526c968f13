"""Actors as tables of TOML files: checked, read and written; endings that inflect their names."""

import re
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from itertools import chain, product
from math import prod
from typing import Any

from stance.display import shown
from stance.errors import ActorError
from stance.reading.names import surname
from stance.records import Holder
from stance.settings import SchemaError, entries, hint, of, one_of, such, table

ALIAS_KINDS = (
    *("name", "demonym", "capital", "institution", "leader", "nickname"),
    *("surname", "refers"),  # which count where they can mean nobody else
)
"""Kinds of alias, in the order of the file format."""

ACTOR_KINDS = ("state", "organisation", "armed group", "person", "other")

_LONGEST = 200  # characters of a name or an alias
MOST_ALIASES = 100_000  # of a book, its exclusions among them

_LAST = 12 * 10_000  # month of a term that has no end
_REFERENCE = re.compile(r"\|(\w*)")


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

    def terms(self, alias: str) -> tuple[tuple[int, int], ...]:
        """Return the first and last month of each term in which an alias counts; () for always."""
        return months_of_terms(self.office.get(alias, ()))

    def to_table(self) -> dict[str, Any]:
        """Return the actor as a table of the file format."""
        lists = {kind: list(names) for kind, names in self.aliases.items()}
        lists |= {"case": sorted(self.case), "alone": sorted(self.alone)}
        office = {alias: list(days) for alias, days in self.office.items()}
        table = lists | {"not": list(self.exclusions), "office": office}
        return {"kind": self.kind} | {k: v for k, v in table.items() if v or k == "case"}

    def limited(self, kinds: Collection[str]) -> "Actor":
        """Return the actor with aliases of some kinds; the others become exclusions."""
        kept = {kind: names for kind, names in self.aliases.items() if kind in kinds}
        counting = {alias for names in kept.values() for alias in names}
        names = [a for kind, names in self.aliases.items() if kind != "refers" for a in names]
        dropped = dict.fromkeys(alias for alias in names if alias not in counting)
        office = {alias: days for alias, days in self.office.items() if alias in counting}
        return replace(self, aliases=kept, exclusions=(*self.exclusions, *dropped), office=office)

    def without(self, lost: Set[str]) -> "Actor":
        """Return the actor without some aliases."""
        left = {kind: tuple(n for n in a if n not in lost) for kind, a in self.aliases.items()}
        kept = {kind: names for kind, names in left.items() if names}
        office = {alias: days for alias, days in self.office.items() if alias not in lost}
        case, alone = self.case - lost, self.alone - lost
        return replace(self, aliases=kept, case=case, alone=alone, office=office)


@lru_cache(maxsize=4096)  # a book is checked before it is read
def months_of_terms(days: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Return the first and last month of each term, counted from the year 0."""
    ends = [date.fromisoformat(day) if day != "" else None for day in days]
    months = [None if end is None else end.year * 12 + end.month - 1 for end in ends]
    terms = zip(months[::2], months[1::2], strict=True)
    return tuple((first or 0, _LAST if last is None else last) for first, last in terms)


def _are_names(entries: list[Any]) -> bool:
    if not {*map(type, entries)} <= {str} or not "".join(entries).isprintable():
        return False
    named = (text[:1].isalnum() or any(map(str.isalnum, text)) for text in entries)
    return max(map(len, entries), default=0) <= _LONGEST and all(named)


def are_terms(days: list[Any]) -> bool:
    """Return whether a list is the first and the last day of each term."""
    try:
        return days != [] and all(first <= last for first, last in months_of_terms(tuple(days)))
    except (TypeError, ValueError):
        return False


_WRITTEN = f"a list of names, each at most {_LONGEST} printable characters with a letter"
_NAMES = such(of(list), _are_names, _WRITTEN)
_DAYS = 'a first and a last day per term, such as ["2024-10-01", ""]'
_TABLE = table(
    optional={
        **dict.fromkeys((*ALIAS_KINDS, "case", "alone", "not"), _NAMES),
        "kind": one_of(*ACTOR_KINDS),
        "office": entries(such(of(list), are_terms, _DAYS)),
    }
)


def read_actor(name: str, entry: object, source: str) -> Actor:
    """Make an actor from its table; raise an `ActorError` that names the source if it is bad."""
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST:
        advice = f"use at most {_LONGEST} printable characters"
        raise ActorError(f"{source}: {shown(repr(name))} is not a name for an actor; {advice}")
    if name.lower() in (Holder.AUTHOR, Holder.OTHER):
        raise ActorError(f"{source}: '{name}' is a kind of holder; give the actor another name")
    where = f"{source}: actor '{name}'"
    if not isinstance(entry, dict):
        meant = hint(name, ("extends", "endings"), f'Write ["{name}"] and its aliases.')
        raise ActorError(f"{source}: '{name}' is not a table. {meant}")
    try:
        lists = _TABLE(entry, "")
    except SchemaError as error:
        raise ActorError(f"{where}: {error}") from error
    kind, office = lists.pop("kind", "other"), lists.pop("office", {})
    case, alone, exclusions = (lists.pop(key, ()) for key in ("case", "alone", "not"))
    if not any(lists.values()) and not exclusions:  # a limited book may have left it only these
        raise ActorError(f'{where}: no alias; add at least name = ["{name}"]')
    if kind == "person" and "surname" not in lists:
        lasts = map(surname, (name, *lists.get("name", ())))
        lists["surname"] = dict.fromkeys(filter(None, lasts))
    known = {*exclusions, *chain.from_iterable(lists.values())}
    for key, listed in (("case", case), ("alone", alone), ("office", office)):
        for alias in listed:
            if alias not in known:
                why = f"names '{shown(alias)}', which is not one of its aliases"
                raise ActorError(f"{where}: '{key}' {why}")
    aliases = {key: tuple(names) for key, names in lists.items()}
    terms = {alias: tuple(days) for alias, days in office.items()}
    return Actor(name, kind, aliases, frozenset(case), frozenset(alone), tuple(exclusions), terms)


def inflected(tables: Mapping[str, Any], endings: Any, where: str) -> dict[str, Any]:
    """Return an actor book's tables, in which every list holds all forms of its entries.

    >>> book = {"Russia": {"name": ["Росси|я", "Russland|"]}}
    >>> inflected(book, {"я": ["я", "и", "ю", "ей"], "": ["", "s"]}, "mine.toml")
    {'Russia': {'name': ['Россия', 'России', 'Россию', 'Россией', 'Russland', 'Russlands']}}
    """
    lists = endings.values() if isinstance(endings, dict) else [None]
    if not all(isinstance(e, list) and e and all(isinstance(v, str) for v in e) for e in lists):
        like = 'я = ["я", "и", "ю", "ей"]'
        raise ActorError(f"{where}: 'endings' must be a table of lists of endings, such as {like}")
    made = 0

    def forms(entry: object, place: str) -> Sequence[object]:
        nonlocal made
        if not isinstance(entry, str):
            return [entry]  # the book's own check says what is wrong with it
        parts = [[part] for part in _REFERENCE.split(entry)]
        for (name,) in parts[1::2]:
            if name not in endings:
                advice = hint(name, [*endings], f"Known: {', '.join(map(repr, endings))}.")
                raise ActorError(f"{place}: no endings '{name}' for '{shown(entry)}'. {advice}")
        parts[1::2] = [endings[name] for (name,) in parts[1::2]]
        if sum(max(map(len, part)) for part in parts) > _LONGEST:
            raise ActorError(f"{place}: '{shown(entry)}' has forms of over {_LONGEST} characters")
        if (made := made + prod(map(len, parts))) > 2 * MOST_ALIASES:  # `case` repeats aliases
            raise ActorError(f"{place}: more than {2 * MOST_ALIASES:,} forms; use fewer endings")
        return [*map("".join, product(*parts))]

    def every(value: object, place: str) -> object:
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            return list(dict.fromkeys(form for entry in value for form in forms(entry, place)))
        if isinstance(value, dict):
            return {form: days for entry, days in value.items() for form in forms(entry, place)}
        return value

    return {
        actor: {key: every(value, f"{where}: actor '{actor}': '{key}'")
                for key, value in table.items()} if isinstance(table, dict) else table
        for actor, table in tables.items()
    }  # fmt: skip
