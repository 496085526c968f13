"""Names of persons, and whom a doubtful mention means by what its paragraph names.

::

    Tom Price met aides. Price left.        whose surname it is
    NATO met in Oslo. The alliance said     the last organisation named
    Peru thanked Chile. Both countries      the only states named
    Georgia Smith                           nobody, for another name stands beside it
"""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence, Set
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from stance.arrays import Ints, Ints32
from stance.reading.keys import StringTable
from stance.reading.lexicon import bundled
from stance.reading.tokens import GAP_SPACE, Tokens

Place = tuple[int, int]  # first character and end

ASIDE = re.compile(r"""\s["'“„‘(][^"'”“’)]+["'”“’)](?=[\s,]|$)""")  # Robert "Bobby" Scott (D)
_SHORTEST = 3  # letters of a surname
_BEFORE = re.compile(r"([\w.&'-]+)\s$")
_AFTER = re.compile(r"'?s?\s([^\W\d_]\w+)")
_OPENING = re.compile(r"(?:^|[.!?:;\"(\[\n\u2014]|[.!?]['\")\]])[\s\"'(\[]*$")
_TITLE = 4  # weighty words of a title
_REACH = 60  # characters that are looked at before and after a name
_BACK = 200  # mentions in which is looked for whom a later one means


@lru_cache(maxsize=1)
def name_words() -> dict[str, frozenset[str]]:
    """Return the lists of ``names.toml``: titles, openers and the like, in lower case."""
    tables = tomllib.loads(bundled("english", "names.toml") or "")
    pairs = " ".join(tables.pop("pairs").split()).split("; ")
    words = {key: frozenset(text.split()) for key, text in tables.items()}
    return words | {"pairs": frozenset(pairs)}


@lru_cache(maxsize=10_000)
def surname(name: str) -> str:
    """Return the surname of a person given in full; "" for any other name.

    >>> [surname(name) for name in ("Sen. Mitch McConnell", "Marine Le Pen", "Supreme Court")]
    ['McConnell', 'Le Pen', '']
    """
    known, words = name_words(), ASIDE.sub(" ", name).replace(",", " ").split()
    while words and words[-1].rstrip(".").lower() in known["suffixes"]:
        words.pop()
    titled = False
    while words and words[0].rstrip(".").lower() in known["titles"]:
        titled = bool(words.pop(0))
    if len(words) < (1 if titled else 2) or words[0].lower() in known["places"]:
        return ""
    first, particles = len(words) - 1, known["particles"]
    while first > 1 and words[first - 1].lower() in particles:
        first -= 1
    particle, hyphen, rest = words[-1].partition("-")
    if hyphen and particle.lower() in particles:
        words[-1] = rest
    capital = all(word[:1].isupper() or word.lower() in particles for word in words)
    last = words[-1]
    if not capital or len(last) < _SHORTEST or last.lower() in known["things"]:
        return ""
    plain = last.replace("-", "").replace("'", "").isalpha() and not last.isupper()
    return " ".join(words[first:]) if plain else ""


def literal_spans(text: str, name: str) -> Iterator[Place]:
    """Yield where a name is a whole word of a text, in the same case.

    >>> [*literal_spans("Mali's junta left; Somalia and Mali", "Mali")]
    [(0, 4), (31, 35)]
    """
    start = text.find(name) if name.strip() else -1
    while start >= 0:
        end = start + len(name)
        if not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()):
            yield start, end
        start = text.find(name, end)


def person_spans(text: str, names: Sequence[str], last: str) -> list[Place]:
    """Return where a text names a person in full or by the surname ``last``.

    A surname does not count where it is somebody else's, and alone not in a text that gives it to
    somebody else, too. One that is spelled like a word counts inside a sentence.

    >>> person_spans("But Price left. Tom Price or Mr. Price? Price wars.", ["Tom Price"], "Price")
    [(4, 9), (16, 25), (33, 38), (40, 45)]
    >>> person_spans("Rand Paul met Paul.", ["Ron Paul"], "Paul")
    []
    """
    full = [span for name in names for span in literal_spans(text, name)]
    given = {word.strip(".,\"'“”„‘’()").lower() for name in names for word in name.split()}
    signs: dict[Place, str] = dict.fromkeys(full, "full")
    for spelling in {last, last.upper(), last[0].upper() + last[1:]} if last else ():
        for start, end in literal_spans(text, spelling):
            if not any(low <= start and end <= high for low, high in full):
                signs[start, end] = _sign(text, start, end, given)
    met = set(signs.values())
    sure = {"full"} if "other" in met else met - {""} if met & {"full", "alone"} else set()
    return sorted(place for place, sign in signs.items() if sign in sure)


def _sign(text: str, start: int, end: int, given: set[str]) -> str:
    """Return what a surname in a text is a sign of.

    It is "full" after a given name, "other" after somebody else's, "alone" by itself, "opens" if it
    opens a sentence and may be a plain word, and "" if it is none.
    """
    known, word = name_words(), text[start:end].lower()
    ordinary = word in known["ordinary"]
    lead = text[max(0, start - _REACH) : start]
    before = _BEFORE.search(lead)
    previous = before[1].rstrip(".").lower() if before else lead.rpartition(" ")[2].rstrip("-")
    if before and before[1][-1] == "." and previous not in known["titles"] and len(previous) > 1:
        before = None  # the end of a sentence
    if before and previous in given:
        return "full"
    if before and ordinary and previous in ("the", "a", "an"):
        return ""
    opens = previous == "in" and _OPENING.search(lead, 0, before.start()) if before else None
    if word in known["months"] and (opens or previous in known["before months"]):
        return ""  # "In May", "since May"
    titled = _is_title(text, start)
    after = _AFTER.match(text, end)
    named = after and after[1][0].isupper() and not titled
    if named and word in known["ordinary"] | known["first"]:
        return ""
    if not before:
        if lead.endswith("-") and previous[:1].isupper():
            return ""
        return "opens" if ordinary and _OPENING.search(lead) else "alone"
    if previous in known["titles"]:
        return "alone"
    if before[1][0].isupper():
        if titled:
            return "" if ordinary else "alone"
        opened = _OPENING.search(lead, 0, before.start()) and previous in known["openers"]
        return "alone" if opened else "other"
    return "alone"


def _is_title(text: str, start: int) -> bool:
    """Return whether all weighty words of a line begin with a capital, as in a headline."""
    line = text[:start].rpartition("\n")[2] + text[start:].partition("\n")[0]
    words = [word for word in line.split() if word.lower() not in name_words()["openers"]]
    return len(words) >= _TITLE and not any(word[0].islower() for word in words)


@lru_cache(maxsize=1)
def _capitalised() -> re.Pattern[str]:
    """Return a pattern of names in all alphabets; in ALL CAPS, of a short word by itself."""
    upper = "".join(filter(str.isupper, map(chr, range(0x10000))))
    return re.compile(
        rf"(?=[{upper}])(?:(?<![{upper}] )\b(?P<short>[{upper}]{{2,6}})(?![\w'-]| [{upper}])|"
        rf"(?!I'|[{upper}\d_'-]+(?![\w'-]))[\w'-]+"
        rf"(?: (?:(?:de|van|von|bin|al|of) )?[{upper}][\w'-]+)*)"
    )


def unknown_names(text: str, named: Sequence[Place]) -> Iterator[tuple[str, int, int]]:
    """Yield the names of a text outside its mentions: name, first character, end."""
    known = name_words()
    leading = known["titles"] | known["openers"]
    for match in _capitalised().finditer(text):
        start, end = match.span()
        short = match["short"] or ""
        if short.lower() in known["abbreviations"] or (short and text.isupper()):
            continue
        words = match[0].removesuffix("'s").split(" ")
        while words and words[0].lower() in leading:
            start += len(words.pop(0)) + 1
        person, lead = " ".join(words).partition(" of ")[0], text[max(0, start - _REACH) : start]
        previous = lead.removesuffix(" ").rpartition(" ")[2].lstrip("\"'([").rstrip(".").lower()
        if previous in known["titles"] and surname(person):
            words, end = person.split(" "), start + len(person)  # "Sen. Tom Price of Ohio"
        alone = len(words) == 1 and not short and _OPENING.search(lead)
        if words and not alone and not any(start < last and first < end for first, last in named):
            yield " ".join(words), start, end


class Alias(NamedTuple):
    """What is known of an alias."""

    text: str  # normalised
    exact: bool  # whether case counts
    kind: str  # one of `ALIAS_KINDS`, "" for an exclusion
    actors: tuple[int, ...]  # several that share a surname or are referred to alike
    terms: Sequence[tuple[int, int]] = ()  # first and last month of each
    alone: bool = False  # no name may stand beside it
    article: bool = False  # "the" must stand before it
    pair: bool = False  # it names two of its actors at once


Person = tuple[str, Sequence[str], Sequence[str]]
"""The kind of an actor, and its names and surnames."""


class References:
    """Whom the mentions of a batch mean; ``place`` has their first and last words, in order."""

    def __init__(
        self, people: Sequence[Person], tokens: Tokens, types: StringTable,
        place: tuple[Ints, Ints], actor: Ints32, earlier: Callable[[int], Sequence[int]],
    ) -> None:  # fmt: skip
        self._earlier = earlier  # whom the paragraph before one names, in order
        # Lists, since mentions are looked at one by one.
        self.actor: list[int] = actor.tolist()  # number in the book of each mention, -1 for nobody
        self.partner = [-1] * len(actor)  # that of the other one of "both countries"
        self._people, self._tokens, self._types = people, tokens, types
        self._first, self._last = first, _ = place
        self._para: list[int] = tokens.para.take(first).tolist()
        self._sentence: list[int] = tokens.sentence.take(first).tolist()
        self._surnames = dict[tuple[int, tuple[int, ...]], dict[Place, int]]()

    def resolve(self, mention: int, alias: Alias) -> None:
        """Decide whom a doubtful mention names, and the partner; those before it must be right."""
        if alias.kind == "surname":
            self.actor[mention] = self._bearer(mention, alias)
        elif alias.article and not self._behind_the(mention):
            self.actor[mention] = -1
        elif alias.pair:
            self.partner[mention], self.actor[mention] = self._two_states(mention)
        elif alias.kind == "refers":
            kinds = {self._people[number][0] for number in alias.actors}
            named = [who for _, who in self._named_before(mention, kinds)]
            last = named[-1] if named else -1
            self.actor[mention] = last if last in alias.actors else -1
        elif self._beside_a_name(mention):
            self.actor[mention] = -1

    def _bearer(self, mention: int, alias: Alias) -> int:
        """Return whose a surname is, -1 if it is nobody's or could be several's."""
        para, first, last = self._para[mention], self._first[mention], self._last[mention]
        if (bearers := self._surnames.get((para, alias.actors))) is None:
            bearers = self._surnames[para, alias.actors] = dict[Place, int]()
            text = self._tokens.texts[para]
            for number in alias.actors:
                _, names, surnames = self._people[number]
                spans = (person_spans(text, names, name) for name in surnames)
                for place in set(chain.from_iterable(spans)):
                    bearers[place] = -1 if place in bearers else number
        return bearers.get((int(self._tokens.start[first]), int(self._tokens.end[last])), -1)

    def _named_before(self, mention: int, kinds: Set[str]) -> list[tuple[int, int]]:
        """Return sentence and actor of mentions before one, in its paragraph or the one before."""
        begin = bisect_left(self._para, self._para[mention])
        here = (
            (self._sentence[one], who)
            for one in range(max(begin, mention - _BACK), mention)
            for who in (self.partner[one], self.actor[one])
        )
        named = [one for one in here if one[1] >= 0 and self._people[one[1]][0] in kinds]
        earlier = self._earlier(self._para[mention]) if not named else ()
        return named or [(-1, who) for who in earlier if self._people[who][0] in kinds]

    def _two_states(self, mention: int) -> tuple[int, int]:
        """Return which two states "both countries" are, the last named last; -1 twice if none.

        They are the only ones named so far in the paragraph, or in this sentence, or else in the
        sentence before; or, if there are none, the only ones of the paragraph before.
        """
        states, this = self._named_before(mention, {"state"}), self._sentence[mention]
        pair = [*dict.fromkeys(who for _, who in reversed(states))][::-1]
        if len(pair) > 2:
            now = [who for who in pair if (this, who) in states]
            before = [who for who in pair if (this - 1, who) in states]
            pair = now if len(now) == 2 else before if {*now} <= {*before} else []
        return (pair[0], pair[1]) if len(pair) == 2 else (-1, -1)

    def _behind_the(self, mention: int) -> bool:
        word = self._types.strings[self._tokens.type[self._first[mention] - 1]]
        return word.lower() == "the" and not self._tokens.sentence_start[self._first[mention]]

    def _beside_a_name(self, mention: int) -> bool:
        """Return whether a capitalised word of its sentence stands directly beside a mention."""
        tokens, types = self._tokens, self._types
        before, last = self._first[mention] - 1, self._last[mention]

        def joined(left: int) -> bool:
            return bool(tokens.gap[left] == GAP_SPACE and not tokens.clitic[left])

        if joined(last) and types["capital"][tokens.type[last + 1]]:
            return True
        if tokens.sentence_start[before + 1] or not joined(before):
            return False
        word, opens = types.strings[tokens.type[before]], tokens.sentence_start[before]
        return word[0].isupper() and not (opens and word.lower() in name_words()["openers"])
