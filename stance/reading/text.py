"""Text as the model reads it: normalised characters, and the class of each."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bytes, Codes, Ints, Ints32, slices

SEPARATOR = "\x1e"  # between the paragraphs of a batch; `normalise` takes it out of every text

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

    Zero-width characters, soft hyphens and direction marks vanish, every other odd space becomes a
    space, and line ends become ``\n``. Normalising twice changes nothing more.

    >>> normalise("Rus\u00adsia\u2019s \u201callies\u201d")
    'Russia\'s "allies"'
    """
    if text.isascii() and text.isprintable():
        return text
    text = _ODD.sub(_plain, text)
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text
    return unicodedata.normalize("NFC", text)


def normalise_all(texts: Sequence[str]) -> list[str]:
    """Normalise many texts at once."""
    return join_normalised(texts).text.split(SEPARATOR)[:-1]


Places = Sequence[tuple[int, int]]  # first character and end of each


def normalised_spans(text: str, places: Places) -> list[tuple[int, int]]:
    r"""Return where places of a raw text stand after `normalise`.

    >>> normalised_spans("Rus\u00adsia\u2019s", [(0, 7)])
    [(0, 6)]
    """
    length = _normalised_lengths(text, [end for place in places for end in place])
    # A mark behind the border may merge with the character before it and shorten the text.
    whole = len(normalise(text))
    ends = [(length[start], min(length[end], whole)) for start, end in places]
    return [(min(low, high), high) for low, high in ends]


def raw_spans(text: str, places: Places) -> list[tuple[int, int]]:
    r"""Return where places of the normalised text stand in the raw one.

    >>> raw_spans("Rus\u00adsia\u2019s", [(0, 6)])
    [(0, 7)]
    """
    if normalise(text) == text:
        return list(places)
    lengths = [*_normalised_lengths(text, range(len(text) + 1)).values()]
    return [
        (bisect_right(lengths, start) - 1, bisect_right(lengths, end) - 1) for start, end in places
    ]


def _normalised_lengths(text: str, ends: Iterable[int]) -> dict[int, int]:
    """Return how long the text up to each end is after `normalise`, in one pass over it."""
    stops = {end: len(range(len(text))[:end]) for end in ends}
    found, low, before = {}, 0, 0  # text[:low] has `before` characters after `normalise`
    for end, stop in sorted(stops.items(), key=itemgetter(1)):
        cut = stop
        while cut > low and not _stands_alone(text, cut):
            cut -= 1
        before, low = before + len(normalise(text[low:cut])), cut
        found[end] = before + len(normalise(text[cut:stop]))
    return found


def _stands_alone(text: str, at: int) -> bool:
    """Return whether what precedes a character changes nothing in what it becomes."""
    if at == len(text) or " " <= text[at] <= "~":
        return True
    return text[at] != "\n" and _plain_code(text[at]) not in (_HARD, _GONE)


# Classes of characters, as bits.
WORD, SPACE, STOP, QUOTE, UPPER, APOSTROPHE, HYPHEN, COMMA = (np.uint8(1 << i) for i in range(8))


def _class_of(char: str) -> int:
    if char.isalnum() or unicodedata.category(char) in ("Mn", "Mc"):
        return int(WORD) | (int(UPPER) if char.isupper() or char.istitle() else 0)
    if char.isspace():
        return int(SPACE)
    return int(_PUNCTUATION.get(char, np.uint8(0)))


_PUNCTUATION = dict.fromkeys(".!?\u2026", STOP)
_PUNCTUATION |= {'"': QUOTE, "'": APOSTROPHE, "-": HYPHEN, ",": COMMA}

_UNSEEN = np.uint8(0xFF)  # no character has every class
_classes = np.full(0x110000, _UNSEEN)


def character_classes(codes: Codes) -> Bytes:
    """Return the class bits of each code point; the table learns those it has not seen."""
    found = _classes.take(codes)
    unseen = found == _UNSEEN
    if unseen.any():
        for code in _distinct(codes[unseen]):
            _classes[code] = _class_of(chr(code))
        found = _classes.take(codes)
    return found


def _distinct(numbers: NDArray[Any]) -> list[int]:
    """Return the distinct numbers; `np.unique` would load numpy's masked arrays."""
    found: list[int] = np.flatnonzero(np.bincount(numbers)).tolist()
    return found


@dataclass(frozen=True)
class Joined:
    """Normalised paragraphs joined into one string, which is nearly all ASCII: one byte each."""

    bytes: Bytes  # `SEPARATOR` follows each paragraph; beyond ASCII, `BEYOND` and the class bits
    far: Ints  # places of the characters beyond ASCII
    codes: Codes  # their code points
    offset: Ints  # where each paragraph starts, and where the next one would

    @cached_property
    def text(self) -> str:
        """The string."""
        parts = slices(len(self.bytes))
        return "".join([self.piece(part.start, part.stop) for part in parts])

    def piece(self, start: int, end: int) -> str:
        """Return the characters from ``start`` to ``end``."""
        codes = self.bytes[start:end].astype(np.uint32)
        low, high = np.searchsorted(self.far, (start, end))
        codes[self.far[low:high] - start] = self.codes[low:high]
        return codes.tobytes().decode("utf-32-le", "surrogatepass")

    def pieces(self, start: Ints32, end: Ints32) -> list[str]:
        """Return the characters from each start to each end."""
        least = start.min(initial=len(self.bytes))
        chars = self.bytes[least : end.max(initial=0)].tobytes()
        plain = chars.decode("latin-1")  # at once, which is right for ASCII
        places = zip((start - least).tolist(), (end - least).tolist(), strict=True)
        found = [plain[low:high] for low, high in places]
        beyond = np.searchsorted(self.far, start) < np.searchsorted(self.far, end)
        for at in np.flatnonzero(beyond).tolist():
            found[at] = self.piece(int(start[at]), int(end[at]))
        return found


BEYOND = np.uint8(0x80)  # bit set in `Joined.bytes` for a character beyond ASCII


def join(texts: Sequence[str]) -> Joined:
    """Join normalised texts."""
    codes = _codes_of(texts)
    odd = np.flatnonzero(codes >= BEYOND)
    offset = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1, out=offset[1:])
    return _joined(codes, odd, codes.take(odd), offset)


def join_normalised(texts: Sequence[str]) -> Joined:
    """Normalise many texts and join them; those in which characters merge one by one."""
    codes = _codes_of(texts)
    odd, plain = _plain_of(codes)
    end = odd[plain == ord(SEPARATOR)]
    if len(end) != len(texts):
        return join([normalise(text) for text in texts])
    hard = _distinct(np.searchsorted(end, odd[plain == _HARD]))
    if hard:
        pieces, begin = [], 0
        for i in hard:
            pieces += [codes[begin : end[i] - len(texts[i])], _codes_of([normalise(texts[i])])]
            begin = end[i] + 1
        codes = np.concatenate([*pieces, codes[begin:]]).astype(np.uint32)
        odd, plain = _plain_of(codes)
        plain = np.where(plain == _HARD, codes.take(odd), plain)
        end = odd[plain == ord(SEPARATOR)]
    return _joined(codes, odd, plain, np.append(0, end + 1))


def _codes_of(texts: Sequence[str]) -> NDArray[Any]:
    """Return the code points of texts, each followed by the separator."""
    try:
        text = SEPARATOR.join([*texts, ""])
    except TypeError as error:
        place, odd = next((at, t) for at, t in enumerate(texts) if not isinstance(t, str))
        advice = "replace missing texts, as by df['text'].fillna('')"
        raise TypeError(f"texts[{place}] is {odd!r:.60}, not a string; {advice}") from error
    if text.isascii():
        return np.frombuffer(text.encode(), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _joined(codes: NDArray[Any], odd: Ints, plain: Codes, offset: Any) -> Joined:
    found = codes.astype(np.uint8)
    found[odd] = plain
    beyond = (plain >= BEYOND) & (plain != _GONE)
    far, codes = odd[beyond], plain[beyond].astype(np.uint32)
    found[far] = character_classes(codes) | BEYOND
    gone = odd[plain == _GONE]
    if len(gone):
        found = np.delete(found, gone)
        far, offset = (at - np.searchsorted(gone, at) for at in (far, offset))
    return Joined(found, far, codes, offset)


_HARD, _GONE = 0xFFFFFFFF, 0xFFFFFFFE
_plain_codes = np.zeros(0x110000, np.uint32)


def _plain_of(codes: NDArray[Any]) -> tuple[Ints, Codes]:
    """Return where what is not printable ASCII stands, and its replacement, `_HARD` or `_GONE`."""
    odd = np.flatnonzero((codes < ord(" ")) | (codes > ord("~")))
    found = codes.take(odd)
    plain = _plain_codes.take(found)
    unseen = plain == 0
    if unseen.any():
        for code in _distinct(found[unseen]):
            _plain_codes[code] = _plain_code(chr(code))
        plain = _plain_codes.take(found)
    returns = np.flatnonzero(found == ord("\r"))
    halves = returns[codes.take(odd.take(returns) + 1) == ord("\n")]
    plain[halves] = _GONE  # the line feed stays
    return odd, plain


def _plain_code(char: str) -> int:
    plain = normalise(char)
    if char == SEPARATOR:
        return ord(char)
    # A mark or a part of a Korean syllable merges with the character before it.
    joins = unicodedata.category(char)[0] == "M" or "\u1100" <= char <= "\u11ff"
    if joins or len(plain) > 1:
        return _HARD
    return ord(plain) if plain else _GONE


_WORD_RUN = re.compile(r"[^\W_]+")
_APART = "".join(char if char.isalnum() else " " for char in map(chr, range(128)))


def words_of(text: str) -> list[str]:
    """Return the lower-case words of a text, for hashes and counts rather than features.

    >>> words_of("The U.S. isn't Russia\u2019s ally")
    ['the', 'u', 's', 'isn', 't', 'russia', 's', 'ally']
    """
    plain = normalise(text).lower()
    return plain.translate(_APART).split() if plain.isascii() else _WORD_RUN.findall(plain)
