"""A file as bytes and as text: opened, decompressed within a limit, decoded, cut at line ends.

An encoding is never detected in silence: it is that of a byte order mark, UTF-8, or what the user
says; a guess is only the advice of a message.
"""

import codecs
import io
import os
import re
import stat
import sys
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NoReturn

from stance.display import count, shown, shown_path
from stance.errors import DataError, UsageError

MEGABYTE = 1024 * 1024
MAX_LINE = 16 * MEGABYTE  # characters in a line, and in a record; a cell may hold 10 of these 16 MB
JSON_NAMES = (".jsonl", ".ndjson", ".json")
WORKBOOK_NAMES = (".xlsx", ".xlsm", ".xls")
ARROW_NAMES = (".parquet", ".feather", ".arrow")
_COMPRESSED_NAMES = (".gz", ".zst")

_HEAD = 1024  # bytes that show what a file is
_CHUNK = 64 * 1024
_PACKED = 512  # compressed bytes at a time, since they may expand to 16 MB
_MAX_RATIO = 200  # bytes out of a compressed file for each byte in; articles reach 3 to 10
_RATIO_FROM = MEGABYTE  # a small table of equal rows may well compress 300 times
_WINDOW = 64 * MEGABYTE  # a frame of zstd may ask for gigabytes; `zstd -19` needs 8 MB

Compression = Literal["", "gz", "zst"]
Binary = Literal["", "workbook", "parquet", "arrow"]
_COMPRESSED: dict[bytes, Compression] = {b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zst"}
_BINARY: dict[bytes, tuple[Binary, str]] = {
    b"PK\x03\x04": ("workbook", "a zip archive or an Excel workbook"),
    b"\xd0\xcf\x11\xe0": ("workbook", "an old Excel workbook"),
    b"PAR1": ("parquet", "a Parquet file"),
    b"ARROW1": ("arrow", "an Arrow file"),
}
_FOREIGN = {
    b"%PDF": "a PDF; export its text",
    b"SQLite format 3": "an SQLite database; export a table as CSV",
    b"BZh": "compressed with bzip2; decompress it first",
    b"\xfd7zXZ": "compressed with xz; decompress it first",
    b"\x80\x04\x95": "a pickle, which can run code and is never read; export the table as CSV",
}
_DOCUMENTS = {
    **dict.fromkeys((".doc", ".docx", ".odt", ".rtf"), "a word processor's document"),
    ".epub": "an e-book",
    ".webarchive": "a web archive of Safari",
}
_NAMED = {
    **dict.fromkeys(WORKBOOK_NAMES, "an Excel workbook"),
    **dict.fromkeys(ARROW_NAMES, "a Parquet or Arrow file"),
    ".zip": "a zip archive",
}
_UNREADABLE: dict[type, str] = {
    FileNotFoundError: "no such file; check the path",
    IsADirectoryError: "is a folder; name one table in it",
    PermissionError: "no permission to read it; ask its owner or run chmod",
}


def kind_suffix(path: Path | None) -> str:
    """Return the suffix that says what kind of table a name is, before one of compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes] if path else []
    if suffixes and suffixes[-1] in _COMPRESSED_NAMES:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def bare_path(path: Path) -> Path:
    """Return a path without its ending, and without that of compression behind it."""
    compressed = path.suffix.lower() in _COMPRESSED_NAMES
    return path.parent / (Path(path.stem).stem if compressed else path.stem)


# --- Bytes ----------------------------------------------------------------------------------------


class Source:
    """The bytes of a file, or of standard input where `path` is None; decompressed as it is read.

    With `binary`, a workbook or a Parquet or Arrow file is accepted: `binary` says which.
    """

    def __init__(self, path: Path | None, *, binary: bool = False) -> None:
        self.name = "standard input" if path is None else shown_path(path)
        self.line = 1  # being read, for messages
        self.bytes_read = 0  # before decompression
        self._path = path
        self._damaged: tuple[type[Exception], ...] = (zlib.error, EOFError)
        try:
            self._file = sys.stdin.buffer if path is None else path.open("rb")
        except (OSError, ValueError) as error:
            self._refuse_unreadable(error)
        try:
            found = os.fstat(self._file.fileno()) if path else None
            self._stat = found if found and stat.S_ISREG(found.st_mode) else None
            self._head = self._file.read(_HEAD)
            self.compression, self.binary = self._kind(binary)
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                self._refuse_unreadable(error)
            raise

    @property
    def bytes_total(self) -> int | None:
        """Bytes of the file, before decompression; None for a stream."""
        return self._stat.st_size if self._stat else None

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._path is not None:
            self._file.close()

    def pieces(self) -> Iterator[bytes]:
        """Yield the decompressed bytes, some at a time; raise at the end if the file changed."""
        gathered, size = bytearray(), 0
        try:
            for data in self._unpacked():
                size += len(data)
                if size > max(_RATIO_FROM, _MAX_RATIO * self.bytes_read):
                    why = f"expands more than {_MAX_RATIO} times, as a decompression bomb does"
                    raise DataError(f"{self.name}: {why}; if you trust it, decompress it first")
                gathered += data
                if len(gathered) >= _CHUNK:
                    yield bytes(gathered)
                    gathered.clear()
        except OSError as error:
            self._refuse_unreadable(error)
        except self._damaged as error:
            why = f"the {self.compression} data end early or are damaged near here"
            message = f"{self.name}:{self.line}: {why}; copy or download the file again"
            raise DataError(message) from error
        if gathered:
            yield bytes(gathered)
        self.check_unchanged()

    def check_unchanged(self) -> None:
        """Raise if the file has grown or been replaced since it was opened."""
        if self._path is None or self._stat is None:
            return
        try:
            found = {_identity(os.fstat(self._file.fileno())), _identity(self._path.stat())}
        except OSError:
            found = set()
        if found != {_identity(self._stat)}:
            raise DataError(
                f"{self.name}: changed while it was read ({count(self.bytes_read, 'byte')} in); "
                "wait until it is complete and run again"
            )

    def _raw(self, size: int) -> Iterator[bytes]:
        data = self._head
        while data:
            self.bytes_read += len(data)
            for start in range(0, len(data), size):
                yield data[start : start + size]
            data = self._file.read(_CHUNK)

    def _unpacked(self) -> Iterator[bytes]:
        if not self.compression:
            return self._raw(_CHUNK)
        if self.compression == "gz":
            return _decompressed(self._raw(_PACKED), partial(zlib.decompressobj, 31))
        try:
            library: Any = import_module("zstandard")
        except ImportError as error:
            why = "is compressed with zstd; pip install zstandard, or run unzstd first"
            raise DataError(f"{self.name}: {why}") from error
        self._damaged = (*self._damaged, library.ZstdError)
        decompressor = library.ZstdDecompressor(max_window_size=_WINDOW)
        return _decompressed(self._raw(_PACKED), decompressor.decompressobj)

    def _kind(self, binary: bool) -> tuple[Compression, Binary]:
        """Return what the first bytes show; refuse what is neither text nor a table."""
        head, suffix = self._head, self._path.suffix.lower() if self._path else ""
        if suffix in _DOCUMENTS:
            self._refuse(f"is {_DOCUMENTS[suffix]}; save its text as .txt or .html")
        for magic, compression in _COMPRESSED.items():
            if head.startswith(magic):
                return compression, ""
        for magic, (kind, what) in _BINARY.items():
            if head.startswith(magic) and not (binary and self._path):
                advice = "end its name as such files do" if self._path else "save it as a file"
                self._refuse(f"is {what}; {advice}")
            if head.startswith(magic):
                return "", kind
        for magic, what in _FOREIGN.items():
            if head.startswith(magic):
                self._refuse(f"is {what}")
        if suffix in _NAMED and not _may_be_text(head):
            why = f"is not {_NAMED[suffix]}, though its name ends in {suffix}"
            self._refuse(f"{why}; copy, download or save it again")
        if head and suffix in _COMPRESSED_NAMES:
            self._refuse(f"is not compressed; remove {suffix!r} from its name")
        return "", ""

    def _refuse(self, why: str) -> NoReturn:
        raise DataError(f"{self.name}: {why}")

    def _refuse_unreadable(self, error: OSError | ValueError) -> NoReturn:
        if isinstance(error, FileNotFoundError) and re.match(r"https?:[/\\]", str(self._path)):
            why = "is a web address, and nothing is fetched; save the page in a browser as .html"
            raise DataError(f"{self.name}: {why}") from error
        reason = shown(getattr(error, "strerror", None) or type(error).__name__)
        other = f"cannot be read ({reason}); copy the file and try again"
        raise DataError(f"{self.name}: {_UNREADABLE.get(type(error), other)}") from error


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _may_be_text(head: bytes) -> bool:
    """Return whether the first bytes of a file may be text, in whatever encoding."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return True
    control = any(byte < 32 and byte not in b"\t\r\n" for byte in head)
    return not control and 2 * sum(byte > 127 for byte in head) <= len(head)


def _decompressed(packed: Iterable[bytes], new_frame: Callable[[], Any]) -> Iterator[bytes]:
    """Yield what one frame or several hold; raise `EOFError` if the last is cut off."""
    frame = None
    for data in packed:
        while data:
            frame = frame or new_frame()
            yield frame.decompress(data)
            data, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    if frame:
        raise EOFError


# --- Text -----------------------------------------------------------------------------------------


_LINES = re.compile("[^\r\n]*+(?:\r\n|\r|\n)|[^\r\n]++")


def split_lines(text: str) -> list[str]:
    """Return the lines of a text, each with its line end."""
    return _LINES.findall(text)


def line_ends(text: str) -> int:
    r"""Return how many lines end in a text, by ``\n``, ``\r`` or both."""
    single = text.count("\r") - text.count("\r\n") if "\r" in text else 0
    return text.count("\n") + single


class Text:
    """The text of a source; with `salvage`, bad bytes of UTF-8 pass as lone surrogates."""

    def __init__(self, source: Source, encoding: str | None, *, salvage: bool = False) -> None:
        self.source, self.name = source, source.name
        self._pieces = source.pieces()
        self._first = next(self._pieces, b"")
        if not self._first:
            raise DataError(f"{self.name}: is empty; a table begins with its column names")
        self.encoding = choose_encoding(self._first[:64], encoding, self.name)
        errors = "surrogateescape" if salvage and self.encoding.name == "utf-8" else "strict"
        decoder: Any = codecs.getincrementaldecoder(self.encoding.name)(errors)
        self._decoder = io.IncrementalNewlineDecoder(decoder, translate=False)  # keeps CRLF whole
        self._bytes = self.encoding.mark  # decoded
        self._replaced, self._open_end = 0, False
        self._line_ends = set[str]()  # kinds met outside of quoted cells

    def head(self) -> str:
        """Return the beginning of the text, without taking it from `pieces`."""
        return self._first[self.encoding.mark : 4096].decode(self.encoding.name, "replace")

    def pieces(self) -> Iterator[str]:
        """Yield the text, some at a time."""
        for data in chain([self._first[self.encoding.mark :]], self._pieces):
            yield self._decoded(data)
        yield self._decoded(b"", last=True)

    def chunks(self) -> Iterator[str]:
        """Yield whole lines, some at a time; the last may lack its end."""
        start: list[str] = []  # of a line that goes on
        for text in self.pieces():
            end = max(text.rfind("\n"), text.rfind("\r")) + 1
            if end:
                lines = "".join([*start, text[:end]])
                self._note_line_ends(lines)
                yield lines
                start, text = [], text[end:]
            start.append(text)
            if sum(map(len, start)) > MAX_LINE:
                what = f"a line of more than {MAX_LINE // MEGABYTE} MB"
                why = "no table has such rows: check that the file is complete and is text"
                raise DataError(f"{self.name}:{self.source.line}: {what}; {why}")
        if rest := "".join(start):
            self._open_end = True
            yield rest

    def notes(self, *, cut_off: bool) -> Iterator[str]:
        """Yield what is odd about the text so far; `cut_off` if its last line may be."""
        if len(self._line_ends) > 1:
            yield f"mixed line ends ({' and '.join(sorted(self._line_ends))}); each ends a record"
        if self._open_end and cut_off:
            yield "the last line has no line end; check that it is complete"
        if self._replaced:
            found = count(self._replaced, "character")
            yield f"{found} U+FFFD: an earlier conversion lost letters there"

    def _note_line_ends(self, lines: str) -> None:
        if '"' not in lines:
            both = lines.count("\r\n") if "\r" in lines else 0
            found = {"CRLF": both, "LF": lines.count("\n") - both, "CR": lines.count("\r") - both}
            self._line_ends.update(end for end, times in found.items() if times)

    def _decoded(self, data: bytes, *, last: bool = False) -> str:
        name = self.encoding.name
        try:
            text = self._decoder.decode(data, last)
        except UnicodeDecodeError as error:
            before = line_ends(error.object[: error.start].decode(name, "replace"))
            where = f"{self.name}:{self.source.line + before}"
            offset = self._bytes + len(data) - len(error.object)
            raise undecodable(error.object, error.start, name, where, offset) from error
        except UnicodeError as error:
            why = f"cannot be decoded as {name}; name another --encoding"
            raise DataError(f"{self.name}: {why}") from error
        self._bytes += len(data)
        self._replaced += text.count("\ufffd")
        self.source.line += line_ends(text)
        return text


# --- Encodings ------------------------------------------------------------------------------------

_MARKS = {  # UTF-32 first: its little-endian mark begins with the one of UTF-16
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_GUESSED_FROM = 20_000  # bytes


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
    found, mark = next(
        ((name, len(mark)) for mark, name in _MARKS.items() if head.startswith(mark)), ("", 0)
    )
    if asked is None:
        if not found and (likely := _unmarked_utf16(head)):
            why = f"looks like UTF-16 without a byte order mark; use --encoding {likely}"
            raise DataError(f"{table}: {why}")
        return Encoding(found or "utf-8", mark)
    name = _known(asked)
    # A Latin text may begin with the bytes FF FE by chance, but hardly with a mark of UTF-8.
    if found and name not in (found, found[:6], f"{found}-sig"):
        raise DataError(
            f"{table}: begins with the byte order mark of {found.upper()}, "
            f"but --encoding says {name}; drop --encoding"
        )
    return Encoding(found or ("utf-8" if name == "utf-8-sig" else name), mark)


def _known(asked: str) -> str:
    try:
        info = codecs.lookup(asked)
        decoder = codecs.getincrementaldecoder(asked)
        "".encode(asked)  # refuses codecs from bytes to bytes, such as "hex"
        decoder("replace").decode(b"a")  # refuses "idna"
    except (LookupError, ValueError) as error:
        raise UsageError(f"unknown encoding {asked[:40]!a}; try cp1252 or utf-16") from error
    return info.name


def _unmarked_utf16(head: bytes) -> str:
    """Return the encoding if letters alternate with NUL bytes, as in Western text in UTF-16."""
    even, odd = head[:40:2], head[1:40:2]
    for name, letters, gaps in (("utf-16-le", even, odd), ("utf-16-be", odd, even)):
        if len(head) >= 4 and 0 not in letters and not any(gaps):
            return name
    return ""


def undecodable(data: bytes, place: int, name: str, where: str, offset: int = 0) -> EncodingError:
    """Return the error for the byte at `place`, which the codec refuses, with what to do."""
    around = data[max(0, place - 2000) :][:_GUESSED_FROM]
    what = f"byte {data[place]:#04x} at offset {offset + place} is not {name.upper()}"
    guessed = ""
    if name == "utf-8":
        text = around.decode("utf-8", "surrogateescape")
        broken = sum("\udc80" <= char <= "\udcff" for char in text)
        if sum(not char.isascii() for char in text) > 2 * broken:  # two files were joined
            return EncodingError(f"{where}: {what}, but most of the text is; mend it in an editor")
        guessed = guess_encoding(around)
    advice = f"try --encoding {guessed}" if guessed else "name its encoding with --encoding"
    return EncodingError(f"{where}: {what}; {advice}", guessed)


# Before gb18030 stands euc-kr, since Korean looks like Chinese in it.
_GUESSES = (
    *("cp1252", "cp1254", "cp1250", "cp1251", "koi8-r", "cp1253", "cp1256"),
    *("euc-kr", "gb18030", "shift_jis", "big5", "mac-roman"),
)
_COMMON = {  # lead bytes of frequent letters; any bytes make some Han character, but a rare one
    **{"cp1256": (0x00, 0xFF), "gb18030": (0xB0, 0xD7), "shift_jis": (0x82, 0x97)},
    **{"big5": (0xA4, 0xC6), "euc-kr": (0xB0, 0xC8)},
}


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
    if char in "‘’“”–—…«»„€„©§°、。，：！？「」\xa0" or (char in "£¥" and after.isdecimal()):
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
