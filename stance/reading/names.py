"""Names of persons: the surname of somebody given in full, and where a text means them by it."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import itemgetter

from stance.reading.lexicon import bundled

Place = tuple[int, int]  # first character and end

_PARTICLES = {"abu", "al", "ben", "bin", "da", "de", "del", "den", "der", "di", "dos", "du", "el"}
_PARTICLES |= {"ibn", "la", "las", "le", "van", "von"}
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})
_SHORTEST = 3  # letters of a surname
_BEFORE = re.compile(r"([\w.&'-]+)\s$")
_AFTER = re.compile(r"'?s?\s([A-Z]\w+)")
_OPENING = re.compile(r"(?:^|[.!?:;\"(\[\n\u2014]|[.!?]['\")\]])[\s\"'(\[]*$")
_TITLE = 4  # weighty words of a title
_NAME = re.compile(
    r"(?!I')[A-Z][\w'-]*[a-z][\w'-]*(?: (?:(?:de|van|von|bin|al|of) )?[A-Z][\w'-]+)*"
)
_REACH = 60  # characters that are looked at before and after a name


@lru_cache(maxsize=1)
def name_words() -> dict[str, frozenset[str]]:
    """Return the lists of ``names.toml``: titles, openers and the like, in lower case."""
    tables = tomllib.loads(bundled("english", "names.toml") or "")
    return {key: frozenset(words) for key, words in tables.items()}


@lru_cache(maxsize=10_000)
def surname(name: str) -> str:
    """Return the surname of a person given in full; "" for any other name.

    >>> [surname(name) for name in ("Sen. Mitch McConnell", "Marine Le Pen", "Supreme Court")]
    ['McConnell', 'Le Pen', '']
    """
    known, words = name_words(), name.replace(",", " ").split()
    while words and words[-1].rstrip(".").lower() in _SUFFIXES:
        words.pop()
    titled = False
    while words and words[0].rstrip(".").lower() in known["titles"]:
        titled = bool(words.pop(0))
    if len(words) < (1 if titled else 2) or words[0].lower() in known["places"]:
        return ""
    first = len(words) - 1
    while first > 1 and words[first - 1].lower() in _PARTICLES:
        first -= 1
    particle, hyphen, rest = words[-1].partition("-")
    if hyphen and particle.lower() in _PARTICLES:
        words[-1] = rest
    capital = all(word[:1].isupper() or word.lower() in _PARTICLES for word in words)
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
    given = {word.strip(".,").lower() for name in names for word in name.split()}
    signs: dict[Place, str] = dict.fromkeys(full, "full")
    inside = {
        place: end for start, end in sorted(full, key=itemgetter(1)) for place in range(start, end)
    }
    for spelling in {last, last.upper(), last[0].upper() + last[1:]} if last else ():
        for start, end in literal_spans(text, spelling):
            if inside.get(start, 0) < end:
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
    if before and previous in given:
        return "full"
    if before and ordinary and previous in ("the", "a", "an"):
        return ""
    titled = _is_title(text, start)
    after = _AFTER.match(text, end)
    if after and not titled and word in known["ordinary"] | known["first"]:
        return ""
    if before and before[1][-1] == "." and previous not in known["titles"] and len(previous) > 1:
        before = None
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


def opens_sentence(text: str, start: int) -> bool:
    """Return whether a sentence begins at a place of a text."""
    return bool(_OPENING.search(text[max(0, start - _REACH) : start]))


def _is_title(text: str, start: int) -> bool:
    """Return whether all weighty words of a line begin with a capital, as in a headline."""
    low, high = text.rfind("\n", 0, start) + 1, text.find("\n", start)
    return _is_title_line(text[low : high if high >= 0 else len(text)])


@lru_cache(maxsize=100)
def _is_title_line(line: str) -> bool:
    small = name_words()["openers"]
    words = [word for word in line.split() if word.lower() not in small]
    return len(words) >= _TITLE and not any(word[0].islower() for word in words)


def unknown_names(text: str, named: Sequence[int]) -> Iterator[tuple[str, int, int]]:
    """Yield the names of a text where no mention begins: name, first character, end."""
    leading = name_words()["titles"] | name_words()["openers"]
    for match in _NAME.finditer(text):
        start, end = match.span()
        words = match[0].removesuffix("'s").split(" ")
        while words and words[0].lower() in leading:
            start += len(words.pop(0)) + 1
        alone = len(words) == 1 and opens_sentence(text, start)
        if words and not alone and not any(start <= place < end for place in named):
            yield " ".join(words), start, end
