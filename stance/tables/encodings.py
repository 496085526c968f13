"""The encoding of a text: by its mark, UTF-8 or as the user says; a guess is only advice."""

import codecs
import unicodedata
from dataclasses import dataclass

from stance.errors import DataError, UsageError

_MARKS = {  # UTF-32 first: its little-endian mark begins with the one of UTF-16
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_GUESSED_FROM = 20_000  # bytes
# Before gb18030 stands euc-kr, since Korean looks like Chinese in it.
_GUESSES = (
    *("cp1252", "cp1254", "cp1250", "cp1251", "koi8-r", "cp1253", "cp1256"),
    *("euc-kr", "gb18030", "shift_jis", "big5", "mac-roman"),
)
_COMMON = {  # lead bytes of frequent letters; any bytes make some Han character, but a rare one
    **{"cp1256": (0x00, 0xFF), "gb18030": (0xB0, 0xD7), "shift_jis": (0x82, 0x97)},
    **{"big5": (0xA4, 0xC6), "euc-kr": (0xB0, 0xC8)},
}
_SIGNS = "‘’“”–—…«»„€„©§°、。，：！？「」\xa0£¥"


class EncodingError(DataError):
    """A table is not in UTF-8; `guessed` is the encoding that its message advises, or empty."""

    def __init__(self, message: str, guessed: str = "") -> None:
        super().__init__(message)
        self.guessed = guessed


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to decode a text."""

    name: str  # of the codec
    mark: int  # length of the byte order mark in bytes; 0 without one

    def __str__(self) -> str:
        decoded = "" if self.name == "utf-8" else " (decoded)"
        return f"{self.name.upper()}{decoded}{', byte order mark' if self.mark else ''}"


def choose_encoding(head: bytes, asked: str | None, table: str) -> Encoding:
    """Return the encoding that the first bytes show, or the one that the user asked for."""
    mark = next((mark for mark in _MARKS if head.startswith(mark)), b"")
    found = _MARKS.get(mark, "")
    if asked is None:
        letters = [0 in head[:40:2], 0 in head[1:40:2]]
        if not mark and len(head) >= 4 and sum(letters) == 1 and not any(head[letters[1] : 40 : 2]):
            likely = "utf-16-le" if letters[1] else "utf-16-be"
            why = f"looks like UTF-16 without a byte order mark; use --encoding {likely}"
            raise DataError(f"{table}: {why}")
        return Encoding(found or "utf-8", len(mark))
    name = _known(asked)
    # A Latin text may begin with the bytes FF FE by chance, but hardly with a mark of UTF-8.
    if found and name not in (found, found[:6], f"{found}-sig"):
        what = f"begins with the byte order mark of {found.upper()}, but --encoding says {name}"
        raise DataError(f"{table}: {what}; drop --encoding")
    return Encoding(found or name.removesuffix("-sig"), len(mark))


def _known(asked: str) -> str:
    try:
        "".encode(asked)  # refuses codecs from bytes to bytes, such as "hex"
        codecs.getincrementaldecoder(asked)("replace").decode(b"a")  # refuses "idna"
        return codecs.lookup(asked).name
    except (LookupError, ValueError) as error:
        raise UsageError(f"unknown encoding {asked[:40]!a}; try cp1252 or utf-16") from error


def undecodable(data: bytes, place: int, name: str, where: str, offset: int = 0) -> EncodingError:
    """Return the error for the byte at `place`, which the codec refuses, with what to do."""
    what = f"{where}: byte {data[place]:#04x} at offset {offset + place} is not {name.upper()}"
    around, guessed = data[max(0, place - 2000) :][:_GUESSED_FROM], ""
    if name == "utf-8":
        text = around.decode("utf-8", "surrogateescape")
        broken = sum("\udc80" <= char <= "\udcff" for char in text)
        if sum(not char.isascii() for char in text) > 2 * broken:  # two files were joined
            return EncodingError(f"{what}, but most of the text is; mend it in an editor")
        guessed = guess_encoding(around)
    advice = f"try --encoding {guessed}" if guessed else "name its encoding with --encoding"
    return EncodingError(f"{what}; {advice}", guessed)


def guess_encoding(data: bytes) -> str:
    """Return the encoding in which the non-ASCII bytes read most like words; empty if none."""
    scores = {name: round(_plausibility(data, name), 9) for name in _GUESSES}
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] > 0.5 else ""


def _plausibility(data: bytes, name: str) -> float:
    """Return from 0 to 1 how far the non-ASCII characters look like part of a text."""
    try:
        text = codecs.getincrementaldecoder(name)().decode(data)  # it may end inside a character
    except UnicodeError:
        return 0.0
    points = [_fits(text, place, name) for place, char in enumerate(text) if ord(char) > 127]
    return sum(points) / len(points) if points else 0.0


def _fits(text: str, place: int, name: str) -> float:
    char = text[place]
    before, after = text[place - 1] if place else " ", text[place + 1 : place + 2]
    if char in _SIGNS and (char not in "£¥" or after.isdecimal()):
        return 1.0
    category = unicodedata.category(char)
    if not category.startswith("L"):
        return 0.2
    # Accents are scattered among ASCII letters; other scripts keep to themselves.
    latin = unicodedata.name(char, "").startswith("LATIN")
    odd = before.isascii() is not latin or (category == "Lu" and before.islower())
    if (odd and before.isalpha()) or (category != "Lo" and after.isdecimal()):  # £5 is not Ł5
        return 0.3
    low, high = _COMMON.get(name, (0, 0))
    common = category != "Lo" or low <= char.encode(name)[0] <= high
    return 0.97 if common and char not in "þðÞÐ" else 0.3
