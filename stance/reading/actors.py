"""The actor book: which actors a paragraph names, and where; here "US" is told apart from "us"."""

import warnings
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import category

import numpy as np

from stance.arrays import Ints, Ints8, Ints32
from stance.display import shown
from stance.errors import ActorError, UsageError
from stance.reading.actor_tables import ALIAS_KINDS, MOST_ALIASES, Actor, inflected, read_actor
from stance.reading.keys import StringTable
from stance.reading.lexicon import ALIASES, PhraseMatcher, bundled, languages
from stance.reading.names import Alias, References, name_words, unknown_names
from stance.reading.text import normalise, normalise_all
from stance.reading.tokens import Spellings, Tokens, tokenise
from stance.records import Mention
from stance.settings import parse_settings, read_settings

UNSURE = ("surname", "refers")  # kinds of alias that several actors may share
THE = "the "
BATCH = 1000  # texts scanned at a time


def _is_sign(char: str) -> bool:
    """Return whether a character is a punctuation mark or a symbol."""
    return category(char)[0] in "PS"


class MentionBatch(NamedTuple):
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

    def __init__(self, actors: Sequence[Actor], kinds: Collection[str] = ALIAS_KINDS) -> None:
        self.actors = tuple(actors)
        self.kinds = kinds  #: of the aliases that count
        self.names = tuple(actor.name for actor in actors)
        self._people = [
            (a.kind, (a.name, *a.aliases.get("name", ())), a.aliases.get("surname", ()))
            for a in actors
        ]
        self._number = {name: number for number, name in enumerate(self.names)}
        self._owner: dict[str, tuple[str, str]] = {}  # whose an alias is, and its kind
        aliases = [*self._sure_aliases(), *self._unsure_aliases()]
        excluded = ((text, text in actor.case) for actor in actors for text in actor.exclusions)
        aliases += [Alias(normalise(text), exact, "", (-1,)) for text, exact in excluded]
        if len(aliases) > MOST_ALIASES:
            why = f"{len(aliases):,} aliases and exclusions; the limit is {MOST_ALIASES:,}"
            raise ActorError(f"the book has {why}")
        self._aliases = aliases
        self.matcher = PhraseMatcher(ALIASES, ((a.text, n, a.exact) for n, a in enumerate(aliases)))
        self._actor_of = np.array([alias.actors[0] for alias in aliases], np.int32)
        places = {kind: place for place, kind in enumerate((*ALIAS_KINDS, ""))}
        self._kind_of = np.array([places[alias.kind] for alias in aliases], np.int8)
        self._termed = np.array([len(alias.terms) > 0 for alias in aliases], np.bool_)
        # What counts by what stands around it.
        self._doubtful = np.array([a.alone or a.kind in UNSURE for a in aliases], np.bool_)
        self._spellings = Spellings(self.matcher.describe, dict.fromkeys(ALIASES, np.int32))

    def _sure_aliases(self) -> Iterator[Alias]:
        """Yield the aliases that can mean one actor alone."""
        for number, actor in enumerate(self.actors):
            if self._number[actor.name] != number:
                raise ActorError(f"actor '{actor.name}' is in the book twice")
            for kind, name in ((k, n) for k, names in actor.aliases.items() for n in names):
                if kind not in UNSURE:
                    text, exact = normalise(name), name in actor.case
                    key = text if exact else text.lower()
                    owner, _ = self._owner.setdefault(key, (actor.name, kind))
                    if owner != actor.name:
                        both = f"both '{owner}' and '{actor.name}'"
                        raise ActorError(f"alias '{name}' belongs to {both}")
                    alone = name in actor.alone
                    yield Alias(text, exact, kind, (number,), actor.terms(name), alone)

    def _unsure_aliases(self) -> Iterator[Alias]:
        """Yield what several actors may share, unless it is also a sure alias."""
        states = {n: actor.name for n, actor in enumerate(self.actors) if actor.kind == "state"}
        for kind in UNSURE:
            bearers: dict[str, dict[int, str]] = defaultdict(dict)  # with the alias in the book
            for number, actor in enumerate(self.actors):
                for name in actor.aliases.get(kind, ()):
                    text = normalise(name)
                    bearers[text][number] = name
                    if kind == "surname":  # "Van der Meer" opens a sentence
                        bearers[text[:1].upper() + text[1:]].setdefault(number, name)
            if kind == "refers" and kind in self.kinds and states:
                bearers = dict.fromkeys(name_words()["pairs"], states) | bearers
            for name, numbers in bearers.items():
                if name in self._owner or name.lower() in self._owner:
                    continue
                # "the alliance" is matched without "the", or it would win over "Alliance Party".
                text = name.removeprefix(THE) if kind == "refers" else name
                (number, known), *others = numbers.items()
                one = None if others else self.actors[number]
                if exact := kind == "surname":
                    self._owner[name] = (one.name if one else "", kind)
                terms = one.terms(known) if one else ()
                beside = {"article": text != name, "pair": numbers is states}
                yield Alias(text, exact, kind, tuple(numbers), terms, **beside)

    def __repr__(self) -> str:
        return shown(f"ActorBook(actors={len(self.actors)}, names={self.names[:3]})", 200)

    @property
    def has_terms(self) -> bool:
        """Whether some alias counts only while its bearer is in office."""
        return any(actor.office for actor in self.actors)

    def __reduce__(self) -> tuple[Any, ...]:
        return ActorBook, (self.actors, self.kinds)  # a copy learns spellings of its own

    @classmethod
    def default(cls, language: str = "english") -> "ActorBook":
        """Return the bundled book of a language, the English one where there is none."""
        text = bundled(language, "actors.toml") or bundled("english", "actors.toml") or ""
        return cls.from_toml(text, f"{language} actors")

    @classmethod
    def read(cls, path: Path | str) -> "ActorBook":
        """Read a book from a TOML file; raise an `ActorError` if it cannot be used.

        A top-level ``extends = true`` adds its actors to the bundled ones, ``extends = "russian"``
        to those of that language; an actor of the same name replaces the bundled one, and bundled
        actors lose the aliases that the file gives to its own. A table ``endings`` names lists of
        endings that aliases may refer to: "Росси|я".
        """
        tables = read_settings(Path(path), "actor book", ActorError)
        book = cls._extended(tables, str(path))
        mine = (actor.aliases.values() for actor in book.actors if actor.name in tables)
        listed = chain.from_iterable(chain.from_iterable(mine))
        if bare := [repr(n) for n in listed if _is_sign(n[0]) or _is_sign(n.removesuffix(".")[-1])]:
            what = f"aliases are found without the signs at their ends: {', '.join(bare[:9])}"
            warnings.warn(f"{path}: {what}; list phrases to ignore in 'not'", stacklevel=2)
        return book

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
        if not tables and not base:
            raise ActorError(f'{name}: no actor in it; write a table per actor, such as ["NATO"]')
        new = {key: read_actor(key, table, name) for key, table in tables.items()}
        try:
            mine = cls([*new.values()])
            rest = [new.pop(a.name) if a.name in new else mine._without_mine(a) for a in base]
            rest = [actor for actor in rest if any(actor.aliases.values()) or actor.exclusions]
            return cls([*rest, *new.values()]) if base else mine
        except ActorError as error:
            raise ActorError(f"{name}: {error}") from error

    def _without_mine(self, actor: Actor) -> Actor:
        """Return an actor without this book's aliases, and the surnames of those who have them."""
        owned = {name: self.owned(name) for names in actor.aliases.values() for name in names}
        sure = {name: owner for name, (owner, kind) in owned.items() if kind not in ("", *UNSURE)}
        bearers = (self.actors[self._number[owner]] for owner in {*sure.values()})
        surnames = (bearer.aliases.get("surname", ()) for bearer in bearers)
        return actor.without({*sure, *chain.from_iterable(surnames)})

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
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if odd := [kind for kind in kinds if kind not in ALIAS_KINDS]:
            what = f"'{shown(odd[0])}' is not a kind of name"
            raise UsageError(f"--aliases: {what}; the kinds are {', '.join(ALIAS_KINDS)}")
        return ActorBook([actor.limited(kinds) for actor in self.actors], kinds)

    def __len__(self) -> int:
        return len(self.actors)

    def number(self, name: str) -> int:
        """Return the number of the actor with this name or alias, -1 if there is none.

        A leader, whose words and deeds count as the state's, is not the state if judged by name.
        """
        return self._number.get(name, self._number.get(self.topics([name])[0], -1))

    def owned(self, name: str) -> tuple[str, str]:
        """Return whose alias a name is ("" if several's), and of which kind; or itself, and ""."""
        plain = normalise(name).strip()
        return self._owner.get(plain) or self._owner.get(plain.lower()) or (plain, "")

    def proper_name(self, name: str) -> str:
        """Return the name of the actor with this name or alias; any other name unchanged."""
        return name if name in self._number else self.owned(name)[0] or name

    def topics(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the topics that names stand for: actors, but a leader is a topic of its own.

        >>> ActorBook.default().topics(["Kremlin", "Trump", "Obama", "abortion"])
        ('Russia', 'Trump', 'Obama', 'abortion')
        """
        owned = {name: self.owned(name) for name in set(names)}
        topics = {n: n if kind in ("", "leader") else owner for n, (owner, kind) in owned.items()}
        return tuple(map(topics.__getitem__, names))

    def match(
        self, tokens: Tokens, types: StringTable, months: Ints | None = None,
        before: Sequence[str] = (),
    ) -> MentionBatch:  # fmt: skip
        """Find the mentions in a batch whose spellings the `matcher` has described.

        With the month of each paragraph, counted from the year 0 and -1 where it is not known,
        aliases count only while in office. With the paragraph before each, "" if there is none,
        "the alliance" may mean whom that one names.
        """

        @cache  # for each mention of a paragraph that names nobody asks
        def earlier(para: int) -> list[int]:
            month = -1 if months is None else int(months[para])
            mentions = self.find(before[para], month) if before and before[para] else ()
            return [self._number[mention.actor] for mention in mentions]

        first, length, alias = self.matcher.find(tokens.para, tokens.gap, tokens.type, types)
        last, actor = first + length - 1, self._actor_of.take(alias)
        actor[tokens.followed("price", last)] = -1  # "US$5 billion" is a price
        if months is not None:
            month = months.take(tokens.para.take(first))
            for match in np.flatnonzero(self._termed.take(alias) & (month >= 0)).tolist():
                terms = self._aliases[alias[match]].terms
                if not any(since <= month[match] <= until for since, until in terms):
                    actor[match] = -1
        references = References(self._people, tokens, types, (first, last), actor, earlier)
        for mention in np.flatnonzero(self._doubtful.take(alias) & (actor >= 0)).tolist():
            references.resolve(mention, self._aliases[alias[mention]])
        actor, partner = np.array([references.actor, references.partner], np.int32)
        row = np.flatnonzero(actor >= 0)
        row = row.repeat(1 + (partner.take(row) >= 0))
        actor, pair = actor.take(row), np.flatnonzero(row[1:] == row[:-1])
        actor[pair] = partner.take(row[pair])
        kind = self._kind_of.take(alias.take(row))
        para = tokens.para.take(first.take(row))
        return MentionBatch(para, actor, first.take(row), last.take(row), kind)

    def scan(
        self, texts: Iterable[str], months: Ints | None = None
    ) -> Iterator[tuple[int, Tokens, MentionBatch]]:
        """Yield the mentions in any number of texts, with the number of the batch's first text."""
        rows, low = iter(texts), 0
        while part := list(islice(rows, BATCH)):
            if self._spellings.full():
                self._spellings.clear()
            tokens = tokenise(normalise_all(part), self._spellings)
            when = None if months is None else months[low : low + len(part)]
            yield low, tokens, self.match(tokens, self._spellings, when)
            low += len(part)

    def unknown_names(
        self, texts: Sequence[str]
    ) -> Iterator[tuple[str, list[tuple[str, int, int]]]]:
        """Yield each text, normalised, and the places of names that the book lacks."""
        for text, mentions in zip(normalise_all(texts), self.find_all(texts), strict=True):
            yield text, [*unknown_names(text, [(one.start, one.end) for one in mentions])]

    def find(self, text: str, month: int = -1) -> list[Mention]:
        """Return the mentions of one paragraph; offsets count characters after `normalise`.

        With a month, counted from the year 0, aliases count only while in office.
        """
        return next(self.find_all([text], np.array([month], np.int64)))

    def find_all(self, texts: Iterable[str], months: Ints | None = None) -> Iterator[list[Mention]]:
        """Yield what `find` returns of each text."""
        for _, tokens, matches in self.scan(texts, months):
            mentions: list[list[Mention]] = [[] for _ in tokens.texts]
            starts, ends = tokens.start.take(matches.first), tokens.end.take(matches.last)
            columns = (column.tolist() for column in (matches.para, matches.actor, starts, ends))
            for para, actor, start, end in zip(*columns, strict=True):
                text = tokens.texts[para]
                if text[end : end + 1] == "." and text[end - 2 : end - 1] == ".":
                    end += 1  # the final dot of "U.S."
                mentions[para].append(Mention(self.names[actor], start, end))
            yield from mentions
