"""Text as the model reads it: plain quotes, spaces and hyphens, and places in it."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from stance.arrays import Codes
from stance.display import count, shown
from stance.errors import DataError

_SINGLE = "\u2018\u2019\u201a\u201b\u02bc\u2032"
_DOUBLE = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033"
_HYPHEN = "\u2010\u2011\u2043"
_DASH = "\u2012\u2013\u2015"  # which become em dashes
_SPACE = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t\v\f\x1c-\x1f\x85\u2028\u2029"
_NOTHING = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\x00"

_ODD = re.compile(f"[{_SINGLE}{_DOUBLE}{_HYPHEN}{_DASH}{_SPACE}{_NOTHING}\r](?:(?<=\r)\n)?")
_PLAIN = (
    dict.fromkeys(_SINGLE, "'")
    | dict.fromkeys(_DOUBLE, '"')
    | dict.fromkeys(_HYPHEN, "-")
    | dict.fromkeys(_DASH, "\u2014")
    | {"\r\n": "\n", "\r": "\n"}
)
_VANISHING = re.compile(f"[{_NOTHING}]")


def _plain(match: re.Match[str]) -> str:
    odd = match.group()
    return _PLAIN.get(odd) or ("" if _VANISHING.match(odd) else " ")


def normalise(text: str) -> str:
    r"""Return the text in NFC with plain quotes, spaces and hyphens.

    Zero-width characters, soft hyphens and direction marks vanish, every other odd space becomes a
    space, and line ends become ``\n``. Normalising twice changes nothing more.

    >>> normalise("Rus\u00adsia\u2019s \u201callies\u201d")
    'Russia\'s "allies"'
    """
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", _ODD.sub(_plain, text))


def as_name(cell: str) -> str:
    """Return a name as it is told from others, however its accents are composed."""
    return unicodedata.normalize("NFC", cell.strip())


MOST_READ = 50_000
"""Characters of a paragraph that are read: no paragraph has more, though some cells do."""


def cut_note(number: int) -> str:
    """Return what is said of texts that are longer than what is read; "" if there are none."""
    note = f"only the first {MOST_READ:,} characters of {count(number, 'text')} are read"
    return f"{note}; split long texts" if number else ""


def foreign_note(number: int, texts: int, language: str) -> str:
    """Return what is said of texts in another language than a model's."""
    what = f"{number:,} of {count(texts, 'paragraph')} not in a language"
    return f"{what} this model knows (trained on {shown(language.title())}): marked uncertain"


def count_cut(texts: Sequence[str]) -> int:
    """Return how many texts are longer than what is read of them."""
    return sum(length > MOST_READ for length in map(len, texts))


def code_points(text: str) -> Codes:
    """Return the code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def normalise_all(texts: Iterable[str]) -> list[str]:
    """Normalise what is read of many texts; raise `TypeError` if one is not a string."""
    return [normalise(text[:MOST_READ]) for text in list_strings("texts", texts)]


def is_missing(cell: object) -> bool:
    """Return whether a cell is what pandas, numpy or Arrow put where nothing is."""
    return str(cell) in ("None", "nan", "<NA>", "NaT")


def list_strings(name: str, given: Iterable[str]) -> list[str]:
    """Return strings as a list; raise `TypeError` if one is not a string."""
    strings = list(given)
    doubtful = () if {*map(type, strings)} <= {str} else enumerate(strings)
    for place, odd in doubtful:
        if not isinstance(odd, str):
            advice = "give .to_pylist()" if hasattr(odd, "as_py") else "give a string"
            if is_missing(odd):
                texts = name in ("texts", "before")
                advice = "replace it, as by .fillna('')" if texts else "leave out rows without one"
            raise TypeError(f"{name}[{place}] is {odd!r:.60}, not a string; {advice}")
    return strings


def joined_quotation(before: str, text: str) -> str:
    """Return two paragraphs in one if a quotation goes on from one to the other, else "".

    >>> joined_quotation('She said: "I was there.', '"Mali lied."')
    'She said: "I was there." "Mali lied."'
    """
    first, second = normalise(before), normalise(text)
    goes_on = second.startswith('"') and first.count('"') % 2
    return f'{first}" {second}' if goes_on else ""


Places = Sequence[tuple[int, int]]  # first character and end of each


def normalised_spans(text: str, places: Places) -> list[tuple[int, int]]:
    r"""Return where places of a raw text stand after `normalise`.

    >>> normalised_spans("Rus\u00adsia\u2019s", [(0, 7)])
    [(0, 6)]
    """
    # A mark behind the border may merge with the character before it and shorten the text.
    whole = len(normalise(text))
    ends = ((_normalised_end(text, start), _normalised_end(text, end)) for start, end in places)
    return [(min(low, end, whole), min(end, whole)) for low, end in ends]


def _normalised_end(text: str, end: int) -> int:
    return len(normalise(text[:end]))


def raw_spans(text: str, places: Places) -> list[tuple[int, int]]:
    r"""Return where places of the normalised text stand in the raw one.

    >>> raw_spans("Rus\u00adsia\u2019s", [(0, 6)])
    [(0, 7)]
    """
    if normalise(text) == text:
        return list(places)
    ends, length = range(len(text) + 1), partial(_normalised_end, text)
    return [
        (bisect_right(ends, start, key=length) - 1, bisect_right(ends, end, key=length) - 1)
        for start, end in places
    ]


_WORD_RUN = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """Return the lower-case words of a text, for hashes and counts rather than features.

    >>> words_of("The U.S. isn't Russia\u2019s ally")
    ['the', 'u', 's', 'isn', 't', 'russia', 's', 'ally']
    """
    return _WORD_RUN.findall(normalise(text).lower())


def parse_spans(cell: str, text: str, where: str) -> list[tuple[int, int]] | None:
    """Read ``0:6;116:119`` as places in a text; None if the cell is empty.

    Raises a `DataError` about anything else, and about a place outside the text.

    >>> parse_spans("0:4", "NATO met.", "mine.csv:2")
    [(0, 4)]
    """
    if not cell.strip():
        return None
    if fault := odd_place(cell, text):
        raise DataError(f"{where}: {fault}; {places_advice(text)}")
    ends = (place.partition(":")[::2] for place in cell.split(";"))
    return sorted((int(start), int(end)) for start, end in ends)


def places_of(given: Any, text: str, where: str) -> list[tuple[int, int]] | None:
    """Return places in a text that are given as in a table, or as pairs."""
    if isinstance(given, str):
        return parse_spans(given, text, where)
    try:
        places = [(int(s), int(end)) for s, end in (() if is_missing(given) else given)]
        whole = len(text) != MOST_READ  # else it may be cut
        if not all(0 <= start < end <= (len(text) if whole else end) for start, end in places):
            raise ValueError
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where} is {given!r:.60}; {places_advice(text)}") from error
    return places or None


def odd_place(cell: str, text: str) -> str:
    """Return what is wrong with the first odd part of a cell of spans; "" if nothing is.

    >>> odd_place("0:4;4:99", "NATO met.")
    "spans '4:99' is not a place in the text"
    """
    for part in cell.split(";") if cell.strip() else ():
        start, colon, end = part.strip().partition(":")
        good = colon and start.isascii() and end.isascii() and start.isdigit() and end.isdigit()
        if not good or len(part) > 20 or not int(start) < int(end) <= len(text):
            return f"spans '{shown(part, 20)}' is not a place in the text"
    return ""


def places_advice(text: str) -> str:
    """Say how to write spans."""
    return f"write start:end (0-based, end-exclusive; the text has {len(text)} characters)"
