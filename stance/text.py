"""Text as the model reads it: normalised characters, and the class of every character."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SEPARATOR = "\x1e"
"""Stands between the paragraphs of a batch; `normalise` takes it out of every text."""

_SINGLE = "\u2018\u2019\u201a\u201b\u02bc\u2032"
_DOUBLE = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033"
_HYPHEN = "\u2010\u2011\u2043"
_DASH = "\u2012\u2013\u2014\u2015"
_SPACE = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t\v\f\x1c-\x1f\x85\u2028\u2029"
_NOTHING = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\x00"

_ODD = re.compile(f"[{_SINGLE}{_DOUBLE}{_HYPHEN}{_DASH}{_SPACE}{_NOTHING}]|\r\n?")
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

    Zero-width characters, soft hyphens and direction marks vanish; every other odd space
    becomes a space; line ends become ``\n``. Normalising twice changes nothing more.

    Examples
    --------
    >>> normalise("Rus\u00adsia\u2019s \u201callies\u201d")
    'Russia\'s "allies"'
    """
    text = _ODD.sub(_plain, text)
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text
    return unicodedata.normalize("NFC", text)


def normalise_all(texts: Sequence[str]) -> list[str]:
    """Normalise many texts; those that only need other quotes, spaces and dashes all at once."""
    found = list(texts)
    odd = _odd(found)
    joined = SEPARATOR.join([found[i] for i in odd])
    if joined.count(SEPARATOR) != len(odd) - 1:  # none is odd, or one holds the separator
        return [normalise(text) for text in found] if odd else found
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    plain = _PLAIN_CODES.take(codes, mode="clip")
    ends = np.cumsum([len(found[i]) + 1 for i in odd])
    hard = np.flatnonzero(plain == _HARD)
    plain[hard] = ord(" ")
    for i, text in zip(odd, plain.tobytes().decode("utf-32-le").split(SEPARATOR), strict=True):
        found[i] = text
    for at in np.unique(np.searchsorted(ends, hard, side="right")).tolist():
        found[odd[at]] = normalise(texts[odd[at]])
    return found


def _odd(texts: Sequence[str]) -> list[int]:
    """Return which texts hold other characters than printable ASCII."""
    odd, plain = list[int](), list[int]()
    for i, text in enumerate(texts):
        (plain if text.isascii() else odd).append(i)
    codes = np.frombuffer("".join([texts[i] for i in plain]).encode(), np.uint8)
    control = np.flatnonzero((codes < ord(" ")) | (codes > ord("~")))
    if len(control):
        ends = np.cumsum([len(texts[i]) for i in plain])
        places = np.unique(np.searchsorted(ends, control, side="right"))
        odd = sorted([*odd, *(plain[place] for place in places.tolist())])
    return odd


_HARD = 0xFFFFFFFF


def _plain_codes() -> NDArray[np.uint32]:
    """Return what `normalise` puts in the place of single characters, `_HARD` where it depends.

    The last entry stands for every character beyond the table.
    """
    codes = np.full(0x3001, _HARD, np.uint32)
    for code in (*range(0x300), *range(0x2000, 0x2070), 0x20AC):  # no accent to be composed
        plain = normalise(chr(code))
        if len(plain) == 1 and code != ord("\r"):  # which may be half of a line end
            codes[code] = ord(plain)
    codes[ord(SEPARATOR)] = ord(SEPARATOR)
    return codes


_PLAIN_CODES = _plain_codes()


def normalised_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where characters ``start`` to ``end`` of a raw text stand after `normalise`."""
    low, high = len(normalise(text[:start])), len(normalise(text[:end]))
    # A mark behind the border may merge with what stands before it, and make the text shorter.
    high = min(high, len(normalise(text)))
    return min(low, high), high


# Classes of characters, as bits.
WORD, SPACE, STOP, QUOTE, UPPER, APOSTROPHE, HYPHEN, COMMA = (np.uint8(1 << i) for i in range(8))


def _class_of(char: str) -> int:
    if char.isalnum() or unicodedata.category(char) in ("Mn", "Mc"):
        return int(WORD) | (int(UPPER) if char.isupper() or char.istitle() else 0)
    if char.isspace():
        return int(SPACE)
    return int(_PUNCTUATION.get(char, np.uint8(0)))


_PUNCTUATION = {
    ".": STOP,
    "!": STOP,
    "?": STOP,
    "\u2026": STOP,
    '"': QUOTE,
    "'": APOSTROPHE,
    "-": HYPHEN,
    ",": COMMA,
}

_UNSEEN = np.uint8(0xFF)  # no character has every class
_classes = np.full(0x110000, _UNSEEN)


def character_classes(codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return the class bits of each code point; the table fills with what has been seen."""
    found = _classes.take(codes)
    unseen = found == _UNSEEN
    if unseen.any():
        for code in np.unique(codes[unseen]).tolist():
            _classes[code] = _class_of(chr(code))
        found = _classes.take(codes)
    return found


_WORD_RUN = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """Return the lower-case words of a text: for hashes and counts, not for features.

    Examples
    --------
    >>> words_of("The U.S. isn't Russia\u2019s ally")
    ['the', 'u', 's', 'isn', 't', 'russia', 's', 'ally']
    """
    return _WORD_RUN.findall(normalise(text).lower())
