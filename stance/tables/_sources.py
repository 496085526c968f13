"""The text of a table: its encoding chosen, decoded, and cut into lines of limited length.

An encoding is never detected in silence: a byte order mark, UTF-8 or what the user says; a guess is
only the advice of a message.
"""

import codecs
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stance.display import count
from stance.errors import DataError, UsageError
from stance.tables._bytes import MEGABYTE, READ_AHEAD, ByteFile

MAX_LINE = 16 * MEGABYTE  # characters in a line, and in a record; a cell may hold 10 of these 16 MB
_CHUNK = 64 * 1024

_MARKS = (  # UTF-32 first: its little-endian mark begins with the one of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LOOSE = ("utf-7", "unicode-escape", "raw-unicode-escape", "punycode")  # decode half a character

# Before gb18030 stands euc-kr, since Korean looks like Chinese in it.
_GUESSES = (
    *("cp1252", "cp1254", "cp1250", "cp1251", "koi8-r", "cp1253", "cp1256"),
    *("euc-kr", "gb18030", "shift_jis", "big5", "mac-roman"),
)
_GUESS_BYTES = 20_000


class EncodingError(DataError):
    """A table is not in UTF-8; `guessed` is the encoding that its message advises, or empty."""

    def __init__(self, message: str, guessed: str = "") -> None:
        super().__init__(message)
        self.guessed = guessed


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to decode a table."""

    name: str  # of the codec
    mark: int  # length of the byte order mark in bytes; 0 without one

    def __str__(self) -> str:
        decoded = "" if self.name == "utf-8" else " (decoded)"
        return f"{self.name.upper()}{decoded}{', byte order mark' if self.mark else ''}"


def choose_encoding(head: bytes, asked: str | None, table: str) -> Encoding:
    """Return the encoding that the first bytes show, or the one that the user asked for."""
    found = next(((name, len(mark)) for mark, name in _MARKS if head.startswith(mark)), None)
    if asked is None:
        if found:
            return Encoding(*found)
        _refuse_unmarked_utf16(head, table)
        return Encoding("utf-8", 0)
    name = _known(asked)
    # A Latin text may begin with the bytes FF FE by chance, but hardly with a mark of UTF-8.
    if found and name in (found[0], found[0][:6], f"{found[0]}-sig"):
        return Encoding(*found)
    if found:
        raise DataError(
            f"{table}: begins with the byte order mark of {found[0].upper()}, "
            f"but --encoding says {name}; drop --encoding"
        )
    return Encoding("utf-8" if name == "utf-8-sig" else name, 0)


def _known(asked: str) -> str:
    try:
        info = codecs.lookup(asked)
        decoder = codecs.getincrementaldecoder(asked)
        "".encode(asked)  # refuses codecs from bytes to bytes, such as "hex"
        decoder("replace").decode(b"a")  # refuses "idna"
    except (LookupError, ValueError) as error:
        raise UsageError(f"unknown encoding {asked[:40]!a}; try cp1252 or utf-16") from error
    return info.name


def _refuse_unmarked_utf16(head: bytes, table: str) -> None:
    """Raise where letters alternate with NUL bytes, as Western text does in UTF-16."""
    if len(head) < 4 or b"\0" not in head[:4]:
        return
    even, odd = head[:40:2], head[1:40:2]
    for name, letters, gaps in (("utf-16-le", even, odd), ("utf-16-be", odd, even)):
        if 0 not in letters and not any(gaps):
            why = f"looks like UTF-16 without a byte order mark; use --encoding {name}"
            raise DataError(f"{table}: {why}")


def undecodable(data: bytes, place: int, name: str, where: str, offset: int = 0) -> EncodingError:
    """Return the error for the byte at `place`, which the codec refuses, with what to do."""
    around = data[max(0, place - 2000) :]
    what = f"byte {data[place]:#04x} at offset {offset + place} is not {name.upper()}"
    if name == "utf-8" and _mostly_utf8(around):
        return EncodingError(f"{where}: {what}, but most of the text is; mend it in an editor")
    guessed = (guess_encoding(around) if name == "utf-8" else None) or ""
    advice = f"try --encoding {guessed}" if guessed else "name its encoding with --encoding"
    return EncodingError(f"{where}: {what}; {advice}", guessed)


def _mostly_utf8(data: bytes) -> bool:
    """Return whether more characters beyond ASCII are whole than broken: two files were joined."""
    text = data[:_GUESS_BYTES].decode("utf-8", "surrogateescape")
    broken = sum("\udc80" <= char <= "\udcff" for char in text)
    return sum(not char.isascii() for char in text) > 2 * broken


def guess_encoding(data: bytes) -> str | None:
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
    before, after = text[place - 1] if place else " ", text[place + 1 : place + 2]
    if char in "‘’“”–—…«»„€„©§°、。，：！？「」\xa0" or (char in "£¥" and after.isdecimal()):
        return 1.0
    category = unicodedata.category(char)
    if category in ("Lu", "Ll") and after.isdecimal():  # else £5 would be Ł5
        return 0.3
    if not category.startswith("L"):
        return 0.2
    latin = unicodedata.name(char, "").startswith("LATIN")
    # Accents are scattered among ASCII letters; other scripts keep to themselves.
    odd = before.isascii() is not latin or (category == "Lu" and before.islower())
    if odd and before.isalpha():
        return 0.3
    low, high = _COMMON.get(name, (0x82, 0x97))  # Shift JIS: Kana and the first level of Kanji
    common = category != "Lo" or low <= char.encode(name)[0] <= high
    return 0.97 if common and char not in "þðÞÐ" else 0.3


_COMMON = {  # lead bytes of frequent letters; any bytes make some Han character, but a rare one
    **{"cp1256": (0x00, 0xFF), "gb18030": (0xB0, 0xD7)},
    **{"big5": (0xA4, 0xC6), "euc-kr": (0xB0, 0xC8)},
}


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole lines."""

    text: str  # each line with its line end
    odd: bool  # whether NUL bytes or lone surrogates may stand in or near them
    single: bool = False  # one long line, which must not take memory to be searched for others

    @property
    def lines(self) -> list[str]:
        """The lines one by one."""
        return [self.text] if self.single else _lines(self.text)


class Source:
    """Blocks of lines; with `salvage`, undecodable bytes of UTF-8 pass as lone surrogates."""

    def __init__(self, file: ByteFile, encoding: str | None, *, salvage: bool = False) -> None:
        self.file, self.name = file, file.name
        self._replaced, self._open_end = 0, False
        self._line_ends = set[str]()  # kinds met outside of quoted cells
        self.line = 1  # first one not read; who takes a block, and knows its lines, moves it on
        self._salvage = salvage
        try:
            self._first = self.file.read(_CHUNK, self.line)
            if not self._first:
                raise DataError(f"{self.name}: is empty; a table begins with its column names")
            if len(self._first) <= READ_AHEAD:  # too few to see what it is
                self._first += self.file.read(_CHUNK, self.line)
            self.encoding = choose_encoding(self._first[:64], encoding, self.name)
        except BaseException:
            self.file.close()
            raise
        self._fed = self.encoding.mark
        self._first = self._first[self.encoding.mark :]
        self._decoder: Any = codecs.getincrementaldecoder(self.encoding.name)("strict")

    def head(self) -> str:
        """Return the beginning of the text, without taking it from `blocks`."""
        return self._first[:4096].decode(self.encoding.name, "replace")

    def notes(self, *, cut_off: bool) -> Iterator[str]:
        """Yield what is odd about the text so far; `cut_off` if its last line may be."""
        if len(self._line_ends) > 1:
            yield f"mixed line ends ({' and '.join(sorted(self._line_ends))}); each ends a record"
        if self._open_end and cut_off:
            yield "the last line has no line end; check that it is complete"
        if self._replaced:
            found = count(self._replaced, "character")
            yield f"{found} U+FFFD: an earlier conversion lost letters there"

    def texts(self) -> Iterator[str]:
        """Yield the whole text once, piece by piece; instead of `blocks`."""
        for text, _, _ in self._texts():
            yield text
            self.line += text.count("\n")

    def blocks(self) -> Iterator[Block]:
        """Yield every line of the table once, some at a time."""
        start: list[str] = []  # of a line that goes on in the next chunk
        start_odd = False
        held = ""
        for text, odd, last in self._texts():
            text, held = held + text, ""
            if text.endswith("\r") and not last:
                text, held = text[:-1], "\r"  # its "\n" may come with the next chunk
            cut = len(text) if last else max(text.rfind("\n"), text.rfind("\r")) + 1
            if last:
                end = "".join([*start[-1:], text])[-1:]
                self._open_end = end not in ("", "\n", "\r")
            if not cut and not last:
                start.append(text)
                start_odd |= odd
                self._check_length(start)
                continue
            whole = text[:cut]
            if '"' not in text:
                self._note_line_ends(whole)
            if len(start) > 1:  # a long line comes alone; one of its chunks may be odd
                end = io.StringIO(whole, newline="").readline()
                yield Block("".join([*start, end]), odd=True, single=True)
                start, whole = [], whole[len(end) :]
            whole = "".join([*start, whole])
            start = [text[cut:]] if cut < len(text) else []
            del text
            if whole:
                yield Block(whole, odd or start_odd)
            start_odd = odd

    def _check_length(self, start: list[str]) -> None:
        if sum(map(len, start)) > MAX_LINE:
            why = "no table has such rows: check that the file is complete and is text"
            size = f"a line of more than {MAX_LINE // MEGABYTE} MB"
            raise DataError(f"{self.name}:{self.line}: {size}; {why}")

    def _note_line_ends(self, text: str) -> None:
        both = text.count("\r\n") if "\r" in text else 0
        found = {"CRLF": both, "LF": text.count("\n") - both, "CR": text.count("\r") - both}
        self._line_ends.update(end for end, times in found.items() if times)

    def _texts(self) -> Iterator[tuple[str, bool, bool]]:
        """Yield (text, odd, last); the last one may be empty."""
        data, self._first = self._first, b""
        while True:
            following = self.file.read(_CHUNK, self.line)
            text, salvaged = self._decode(data, last=not following)
            self._replaced += text.count("\ufffd") if "\ufffd" in text else 0
            odd = salvaged or "\0" in text or self.encoding.name in _LOOSE
            yield text, odd, not following
            if not following:
                self.file.check_unchanged()
                return
            data = following

    def _decode(self, data: bytes, last: bool) -> tuple[str, bool]:
        try:
            text: str = self._decoder.decode(data, last)
            salvaged = False
        except UnicodeDecodeError as error:
            if not (self._salvage and self.encoding.name == "utf-8"):
                raise self._undecodable(error, len(data)) from error
            # The decoder keeps its state when it refuses, so the same bytes can come again.
            self._decoder.errors = "surrogateescape"
            text, salvaged = self._decoder.decode(data, last), True
            self._decoder.errors = "strict"
        except UnicodeError as error:
            why = f"cannot be decoded as {self.encoding.name}; name another --encoding"
            raise DataError(f"{self.name}: {why}") from error
        self._fed += len(data)
        return text, salvaged

    def _undecodable(self, error: UnicodeDecodeError, length: int) -> EncodingError:
        data = bytes(error.object)
        before = data[: error.start].decode(self.encoding.name, "replace")
        line = self.line + len(_lines(before + "x")) - 1
        offset = self._fed + length - len(data)
        where = f"{self.name}:{line}"
        return undecodable(data, error.start, self.encoding.name, where, offset)


def _lines(text: str) -> list[str]:
    return list(io.StringIO(text, newline=""))
