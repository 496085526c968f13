"""The actor book: which actors a paragraph names, and where; here "US" is told apart from "us"."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from stance.arrays import Ints, Ints8, Ints32
from stance.display import brief, shown
from stance.errors import ActorError, UsageError
from stance.reading.languages import MOST_ALIASES, bundled, inflected, languages
from stance.reading.names import person_spans, surname
from stance.reading.phrases import Phrase, PhraseMatcher
from stance.reading.string_table import StringTable
from stance.reading.text import normalise, normalise_all
from stance.reading.tokens import FLAGS, Spellings, Tokens, flags_of, tokenise
from stance.records import Mention
from stance.settings import hint, parse_settings, read_settings

ALIAS_KINDS = ("name", "demonym", "capital", "institution", "leader", "nickname", "surname")
"""Kinds of alias, in the order of the file format."""

SURNAME = ALIAS_KINDS.index("surname")

ACTOR_KINDS = ("state", "organisation", "person", "other")

BATCH = 1000  # texts scanned at a time
MOST_SPELLINGS = 400_000  # kept for the next batch
_LONGEST = 200  # characters of a name or an alias


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor and the words that name it."""

    name: str
    kind: str = "other"  #: one of `ACTOR_KINDS`
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: by `ALIAS_KINDS`
    case: frozenset[str] = frozenset()  #: aliases that count only as spelled or in ALL CAPS
    exclusions: tuple[str, ...] = ()  #: where an alias is not the actor ("Washington Post")
    office: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: first day, last day, ...

    def to_table(self) -> dict[str, Any]:
        """Return the actor as a table of the file format."""
        lists = {kind: list(names) for kind, names in self.aliases.items() if names}
        table = {"kind": self.kind, **lists, "case": sorted(self.case)}
        table |= {"not": list(self.exclusions)} if self.exclusions else {}
        office = {alias: list(days) for alias, days in self.office.items()}
        return table | ({"office": office} if office else {})

    def limited(self, kinds: Collection[str]) -> "Actor":
        """Return the actor with aliases of some kinds; the others become exclusions."""
        kept = {kind: names for kind, names in self.aliases.items() if kind in kinds}
        counting = {alias for names in kept.values() for alias in names}
        dropped = {a: 0 for names in self.aliases.values() for a in names if a not in counting}
        office = {alias: days for alias, days in self.office.items() if alias in counting}
        return replace(self, aliases=kept, exclusions=(*self.exclusions, *dropped), office=office)


@dataclass(frozen=True, slots=True)
class MentionBatch:
    """Mentions in a batch of paragraphs, in reading order."""

    para: Ints32
    actor: Ints32  # number in the book
    first: Ints  # word of the batch
    last: Ints
    kind: Ints8  # index into `ALIAS_KINDS`


class ActorBook:
    """Actors, and a matcher for all their aliases.

    Raises an `ActorError` if two actors share a name or an alias.

    >>> book = ActorBook.default()
    >>> [(m.actor, m.start, m.end) for m in book.find("Moscow, said NATO, and the U.S. Open")]
    [('Russia', 0, 6), ('NATO', 13, 17)]
    """

    columns: ClassVar[dict[str, type]] = {"alias exact": np.int32, "alias": np.int32}
    """Columns that `describe` gives a table of spellings: see `PhraseMatcher.describe`."""

    def __init__(self, actors: Sequence[Actor]) -> None:
        self.actors = tuple(actors)
        self.kinds: Collection[str] = ALIAS_KINDS  #: of the aliases that count
        self.names = tuple(actor.name for actor in actors)
        self._number = {name: number for number, name in enumerate(self.names)}
        aliases: list[tuple[int, int]] = []  # actor and kind of each
        owners: dict[str, tuple[str, str, str]] = {}
        phrases, terms = list[Phrase](), list[list[tuple[int, int]]]()
        bearers = defaultdict[str, list[int]](list)
        for number, actor in enumerate(actors):
            if self._number[actor.name] != number:
                raise ActorError(f"actor '{actor.name}' is in the book twice")
            for kind, names in actor.aliases.items():
                if kind == "surname":
                    for alias in names:
                        bearers[normalise(alias)].append(number)
                    continue
                for alias in names:
                    _claim(owners, alias, actor, kind)
                    phrases.append(Phrase(normalise(alias), len(aliases), alias in actor.case))
                    aliases.append((number, ALIAS_KINDS.index(kind)))
                    office = actor.office.get(alias)
                    terms.append(_ALWAYS if office is None else _months(office))
        self._bearers: dict[int, list[int]] = {}  # of the surnames, by number of the alias
        for alias, numbers in bearers.items():
            if alias in owners or alias.lower() in owners:
                continue
            self._bearers[len(aliases)] = numbers
            phrases.append(Phrase(alias, len(aliases), exact=True))
            owners[alias] = (self.names[numbers[0]] if len(numbers) == 1 else "", alias, "surname")
            aliases.append((numbers[0], SURNAME))
            terms.append(_ALWAYS)
        self._owner = {alias: (owner, kind) for alias, (owner, _, kind) in owners.items()}
        phrases += [
            Phrase(normalise(text), len(aliases), text in actor.case)
            for actor in actors
            for text in actor.exclusions
        ]
        if (size := len(phrases)) > MOST_ALIASES:
            said = f"{size:,} aliases and exclusions; the limit is {MOST_ALIASES:,}"
            raise ActorError(f"the book has {said}")
        self._matcher = PhraseMatcher(phrases)
        self._actor_of = np.array([*(actor for actor, _ in aliases), -1], np.int32)
        self._kind_of = np.array([*(kind for _, kind in aliases), -1], np.int8)
        most = max(map(len, terms), default=1)
        padded = [each + [_NEVER] * (most - len(each)) for each in terms]
        self._terms = np.array([*padded, [_NEVER] * most], np.int64)  # first and last months
        self._termed = np.array([*(each is not _ALWAYS for each in terms), False], np.bool_)

    def __repr__(self) -> str:
        return brief("ActorBook", actors=len(self.actors), names=self.names[:3])

    @property
    def has_terms(self) -> bool:
        """Whether some alias counts only while its bearer is in office."""
        return any(actor.office for actor in self.actors)

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings(self._describe, FLAGS | self.columns)

    def _describe(self, words: Sequence[str]) -> Iterator[Any]:
        lower = [*map(str.lower, words)]
        return chain(flags_of(words, lower), self.describe(words, lower))

    @classmethod
    def default(cls, language: str = "english") -> "ActorBook":
        """Return the bundled book of a language, the English one where there is none."""
        own = bundled(language, "actors.toml")
        if own is None:
            return cls.default()
        return cls.from_toml(own, f"{language} actors")

    @classmethod
    def read(cls, path: Path | str) -> "ActorBook":
        """Read a book from a TOML file; raise an `ActorError` if it cannot be used.

        A top-level ``extends = true`` adds its actors to the bundled ones, ``extends = "russian"``
        to those of that language; an actor of the same name replaces the bundled one. A table
        ``endings`` names lists of endings that aliases may refer to: "Росси|я".
        """
        return cls._extended(read_settings(Path(path), "actor book", ActorError), str(path))

    @classmethod
    def from_toml(cls, text: str, name: str) -> "ActorBook":
        """Make a book from TOML text; messages call it ``name``."""
        return cls._extended(parse_settings(text, name, ActorError), name)

    @classmethod
    def _extended(cls, tables: dict[str, Any], name: str) -> "ActorBook":
        extends = tables.pop("extends", False)
        language = extends if isinstance(extends, str) else "english"
        if not isinstance(extends, str | bool) or language not in languages():
            known = f"true, false or a language that has a book ({', '.join(languages())})"
            raise ActorError(f"{name}: 'extends' must be {known}, not {extends!r}")
        if (endings := tables.pop("endings", None)) is not None:
            tables = inflected(tables, endings, name)
        return cls.from_tables(tables, name, cls.default(language).actors if extends else ())

    @classmethod
    def from_tables(
        cls, tables: Mapping[str, Any], name: str, base: Sequence[Actor] = ()
    ) -> "ActorBook":
        """Make a book from tables, as in the file format and a model's manifest, and ``base``."""
        if not tables:
            raise ActorError(f'{name}: no actor in it; write a table per actor, such as ["NATO"]')
        own = {key: _actor_from_table(key, table, name) for key, table in tables.items()}
        actors = [own.pop(actor.name, actor) for actor in base]
        try:
            return cls([*actors, *own.values()])
        except ActorError as error:
            raise ActorError(f"{name}: {error}") from error

    def to_tables(self) -> dict[str, dict[str, Any]]:
        """Return the book as the tables that `from_tables` reads."""
        return {actor.name: actor.to_table() for actor in self.actors}

    def limited(self, kinds: Collection[str]) -> "ActorBook":
        """Return the book in which only aliases of some of the `ALIAS_KINDS` count.

        It finds the mentions of those kinds that the whole book finds, and no others: "Bank of
        Thailand", an institution, does not become the name "Thailand".

        >>> book = ActorBook.default().limited(["name", "demonym"])
        >>> [m.actor for m in book.find("Trump met Russian and NATO officials in Washington.")]
        ['Russia', 'NATO']
        """
        if odd := [kind for kind in kinds if kind not in ALIAS_KINDS]:
            known = ", ".join(ALIAS_KINDS)
            raise UsageError(f"'{shown(odd[0])}' is not a kind of alias; the kinds are {known}")
        book = ActorBook([actor.limited(kinds) for actor in self.actors])
        book.kinds = kinds
        return book

    def __len__(self) -> int:
        return len(self.actors)

    def number(self, name: str) -> int:
        """Return the number of the actor with this name or alias, -1 if there is none."""
        return self._number.get(name, self._number.get(self._owned(name)[0], -1))

    def _owned(self, name: str) -> tuple[str, str]:
        """Return whose alias a name is, and of which kind; itself and "" if it is nobody's."""
        plain = normalise(name).strip()
        return self._owner.get(plain) or self._owner.get(plain.lower()) or (plain, "")

    def has_alias(self, name: str) -> bool:
        """Return whether some actor has this alias, or several the surname."""
        return self._owned(name)[1] != ""

    def proper_name(self, name: str) -> str:
        """Return the name of the actor with this name or alias; any other name unchanged."""
        number = self.number(name)
        return self.names[number] if number >= 0 else name

    def topics(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the topics that names stand for: actors, but a leader is a topic of its own.

        >>> ActorBook.default().topics(["Kremlin", "Trump", "Obama", "abortion"])
        ('Russia', 'Trump', 'Obama', 'abortion')
        """
        owned = {name: self._owned(name) for name in set(names)}
        topics = {n: n if kind in ("", "leader") else owner for n, (owner, kind) in owned.items()}
        return tuple(map(topics.__getitem__, names))

    def describe(self, words: Sequence[str], lower: Sequence[str]) -> Iterator[list[int]]:
        """Yield `columns` of some spellings."""
        return self._matcher.describe(words, lower)

    def match(self, tokens: Tokens, types: StringTable, months: Ints | None = None) -> MentionBatch:
        """Find the mentions in a batch whose spellings `describe` has described.

        With the month of each paragraph, counted from the year 0 and -1 where it is not known,
        aliases count only while in office.
        """
        first, length, alias = self._matcher.find(tokens, types["alias exact"], types["alias"])
        actor = self._actor_of.take(alias)
        if self._bearers:
            self._tell_bearers(tokens, first, length, alias, actor)
        # "US$5 billion" is a price.
        named = (actor >= 0) & ~tokens.price.take(first + length - 1)
        if months is not None:
            at = np.flatnonzero(self._termed.take(alias))
            month = months.take(tokens.para.take(first.take(at)))[:, None]
            low, high = np.moveaxis(self._terms[alias.take(at)], 2, 0)
            named[at] &= ((low <= month) & (month <= high) | (month < 0)).any(axis=1)
        first, length, actor = first[named], length[named], actor[named]
        kind = self._kind_of.take(alias[named])
        return MentionBatch(tokens.para.take(first), actor, first, first + length - 1, kind)

    def _tell_bearers(
        self, tokens: Tokens, first: Ints, length: Ints, alias: Ints, actor: Ints32
    ) -> None:
        """Write whose the surnames among some aliases are, -1 where it is not one person's."""
        known: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for at in np.flatnonzero(self._kind_of.take(alias) == SURNAME).tolist():
            low, high = int(first[at]), int(first[at] + length[at]) - 1
            para, place = int(tokens.para[low]), (int(tokens.start[low]), int(tokens.end[high]))
            bearing = []
            for number in self._bearers[int(alias[at])]:
                if (spans := known.get((para, number))) is None:
                    one = self.actors[number]
                    names = [one.name, *one.aliases.get("name", ())]
                    spans = known[para, number] = [
                        span
                        for last in one.aliases["surname"]
                        for span in person_spans(tokens.texts[para], names, last)
                    ]
                bearing += [number] if place in spans else []
            actor[at] = bearing[0] if len(bearing) == 1 else -1

    def scan(
        self, texts: Iterable[str], months: Ints | None = None
    ) -> Iterator[tuple[int, Tokens, MentionBatch]]:
        """Yield the mentions in any number of texts, with the number of the batch's first text."""
        rows, low = iter(texts), 0
        while part := list(islice(rows, BATCH)):
            if len(self._spellings) > MOST_SPELLINGS:
                self.forget()
            tokens = tokenise(normalise_all(part), self._spellings)
            when = None if months is None else months[low : low + len(part)]
            yield low, tokens, self.match(tokens, self._spellings.words, when)
            low += len(part)

    def named(self, texts: Iterable[str]) -> Ints:
        """Return pairs of a text's and a named actor's number, sorted, without repetition."""
        width = np.int64(max(1, len(self)))
        found = [(m.para + low) * width + m.actor for low, _, m in self.scan(texts)]
        pairs = np.unique(np.concatenate([np.zeros(0, np.int64), *found]))
        return np.stack(np.divmod(pairs, width), axis=1)

    def forget(self) -> None:
        """Forget the words met so far, which are kept to find them faster."""
        self._spellings.forget()

    def find(self, text: str, month: int = -1) -> list[Mention]:
        """Return the mentions of one paragraph; offsets count characters after `normalise`.

        With a month, counted from the year 0, aliases count only while in office.
        """
        text = normalise(text)
        tokens = tokenise([text], self._spellings)
        when = None if month < 0 else np.array([month], np.int64)
        found = self.match(tokens, self._spellings.words, when)
        mentions = []
        for actor, first, last in zip(found.actor, found.first, found.last, strict=True):
            start, end = int(tokens.start[first]), int(tokens.end[last])
            if text[end : end + 1] == "." and text[end - 2 : end - 1] == ".":
                end += 1  # the final dot of "U.S."
            mentions.append(Mention(self.names[actor], start, end))
        return mentions


def _claim(owners: dict[str, tuple[str, str, str]], alias: str, actor: Actor, kind: str) -> None:
    """Give an alias to an actor, unless another has it."""
    plain = normalise(alias)
    key = plain if alias in actor.case else plain.lower()
    owner, *_ = owners.setdefault(key, (actor.name, alias, kind))
    if owner != actor.name:
        raise ActorError(f"alias '{alias}' belongs to both '{owner}' and '{actor.name}'")


_NEVER = (1, 0)
_LAST = 12 * 10_000
_ALWAYS = [(0, _LAST)]


def _months(days: Sequence[str]) -> list[tuple[int, int]]:
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
            good = isinstance(days, list) and days and all(a <= b for a, b in _months(days))
        except (TypeError, ValueError):
            good = False
        if not good:
            raise ActorError(
                f"{where}: 'office' of '{shown(alias)}' must list a first and a last day per term, "
                'such as ["2024-10-01", ""]'
            )
    return {alias: tuple(days) for alias, days in table.items()}


def _actor_from_table(name: str, table: object, source: str) -> Actor:
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
        if key not in (*ALIAS_KINDS, "case", "not"):
            known = (*ALIAS_KINDS, "kind", "case", "not", "office")
            raise ActorError(f"{where}: unknown key '{shown(key)}'. {hint(key, known)}")
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise ActorError(f"{where}: '{key}' must be a list of strings")
        if (longest := max(map(len, value), default=0)) > _LONGEST:
            why = f"has an entry of {longest:,} characters; the limit is {_LONGEST}"
            raise ActorError(f"{where}: '{key}' {why}")
        if blank := [v for v in value if not any(c.isalnum() for c in v)]:
            raise ActorError(f"{where}: '{key}' has an entry without a letter: {blank[0]!r}")
        lists[key] = tuple(value)
        if odd := [v for v in value if not v.isprintable()]:
            raise ActorError(f"{where}: '{key}' has a control character in {odd[0]!r}")
    kind = table.get("kind", "other")
    if kind not in ACTOR_KINDS:
        raise ActorError(f"{where}: 'kind' must be one of {', '.join(ACTOR_KINDS)}, not {kind!r}")
    case, exclusions = lists.pop("case", ()), lists.pop("not", ())
    if not any(lists.values()) and not exclusions:  # a limited book may have left it only these
        raise ActorError(f'{where}: no alias; add at least name = ["{name}"]')
    if kind == "person" and "surname" not in lists:
        lasts = map(surname, (name, *lists.get("name", ())))
        lists["surname"] = tuple(dict.fromkeys(filter(None, lasts)))
    aliases = {alias for names in lists.values() for alias in names}
    if stray := [alias for alias in case if alias not in aliases and alias not in exclusions]:
        raise ActorError(
            f"{where}: 'case' names '{shown(stray[0])}', which is not one of its aliases"
        )
    office = _office(table.get("office", {}), aliases, where)
    return Actor(name, kind, lists, frozenset(case), exclusions, office)
