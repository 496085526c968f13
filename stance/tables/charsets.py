"""Which encoding the bytes of a table are in: told by a byte order mark, checked, or guessed."""

import codecs
import unicodedata
from dataclasses import dataclass

from stance.errors import DataError, UsageError

_MARKS = (  # UTF-32 first: its little-endian mark begins with the one of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_GUESSES = (
    "cp1252",
    "cp1254",
    "cp1250",
    "cp1251",
    "koi8-r",
    "cp1253",
    "cp1256",
    "euc-kr",  # before the next, in which Korean looks like Chinese
    "gb18030",
    "shift_jis",
    "big5",
    "mac-roman",
)
_GUESS_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to decode a table.

    Attributes
    ----------
    name : str
        Name of the codec, such as ``utf-8`` or ``utf-16-le``.
    mark : int
        Length of the byte order mark in bytes; 0 without one.
    """

    name: str
    mark: int

    def __str__(self) -> str:
        decoded = "" if self.name == "utf-8" else " (decoded)"
        return f"{self.name.upper()}{decoded}{', byte order mark' if self.mark else ''}"


def choose(head: bytes, asked: str | None, table: str) -> Encoding:
    """Return the encoding that the first bytes show, or the one that the user asked for."""
    found = next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), None)
    if asked is None:
        if found:
            return Encoding(found[1], len(found[0]))
        _refuse_unmarked_utf16(head, table)
        return Encoding("utf-8", 0)
    name = _known(asked)
    # A Latin text may begin with the bytes FF FE by chance, but hardly with a mark of UTF-8.
    if found and (name in (found[1], found[1][:6], f"{found[1]}-sig")):
        return Encoding(found[1], len(found[0]))
    if found:
        raise DataError(
            f"{table}: begins with the byte order mark of {found[1].upper()}, "
            f"but --encoding says {name}; leave --encoding out"
        )
    return Encoding("utf-8" if name == "utf-8-sig" else name, 0)


def _known(asked: str) -> str:
    try:
        info = codecs.lookup(asked)
        codecs.getincrementaldecoder(asked)
        "".encode(asked)  # refuses codecs from bytes to bytes, such as "hex"
    except (LookupError, ValueError) as error:
        raise UsageError(f"unknown encoding {asked[:40]!a}; try cp1252 or utf-16") from error
    return info.name


def _refuse_unmarked_utf16(head: bytes, table: str) -> None:
    """Letters of Western text alternate with NUL bytes in UTF-16."""
    if len(head) < 4 or b"\0" not in head[:4]:
        return
    for name, letters, gaps in (
        ("le", head[0:40:2], head[1:40:2]),
        ("be", head[1:40:2], head[0:40:2]),
    ):
        if 0 not in letters and not any(gaps):
            raise DataError(
                f"{table}: looks like UTF-16 without a byte order mark; "
                f"use --encoding utf-16-{name}"
            )


def undecodable(data: bytes, place: int, name: str, offset: int = 0) -> str:
    """Return what is wrong with a byte, and what to do.

    Parameters
    ----------
    data : bytes
    place : int
        Of the byte in the data.
    name : str
        Of the codec that refuses it.
    offset : int
        Of the data in the file.
    """
    around = data[max(0, place - 2000) :]
    guessed = guess(around) if name == "utf-8" else None
    advice = f"try --encoding {guessed}" if guessed else "name its encoding with --encoding"
    return f"byte {data[place]:#04x} at offset {offset + place} is not {name.upper()}; {advice}"


def guess(data: bytes) -> str | None:
    """Return the encoding in which the non-ASCII bytes read most like words, or None."""
    sample = data[:_GUESS_BYTES]
    best, best_score = None, 0.5
    for name in _GUESSES:
        score = _plausibility(sample, name)
        if score > best_score + 1e-9:
            best, best_score = name, score
    return best


def _plausibility(sample: bytes, name: str) -> float:
    """Return from 0 to 1 how far the non-ASCII characters look like part of a text."""
    try:
        # The sample may end inside a character of several bytes.
        text = codecs.getincrementaldecoder(name)("strict").decode(sample)
    except UnicodeError:
        return 0.0
    points = [_fits(text, place, name) for place, char in enumerate(text) if ord(char) > 127]
    return sum(points) / len(points) if points else 0.0


def _fits(text: str, place: int, name: str) -> float:
    char = text[place]
    before = text[place - 1] if place else " "
    if char in "‘’“”–—…«»„€„©§°、。，：！？「」\xa0":
        return 1.0
    category = unicodedata.category(char)
    if not category.startswith("L"):
        return 0.2
    latin = unicodedata.name(char, "").startswith("LATIN")
    # Accents are scattered among ASCII letters; other scripts keep to themselves.
    if before.isalpha() and before.isascii() is not latin:
        return 0.3
    if category == "Lu" and before.isalpha() and before.islower():
        return 0.3
    if char in "þðÞÐ" or (category == "Lo" and not _is_common(char, name)):
        return 0.3
    return 0.97


def _is_common(char: str, name: str) -> bool:
    """Tell whether a letter is frequent; any bytes make some Han character, but a rare one."""
    if name == "cp1256":
        return True
    lead = char.encode(name)[0]
    if name == "gb18030":
        return 0xB0 <= lead <= 0xD7
    if name == "big5":
        return 0xA4 <= lead <= 0xC6
    if name == "euc-kr":
        return 0xB0 <= lead <= 0xC8
    return 0x82 <= lead <= 0x97  # Shift JIS: Kana and the first level of Kanji
