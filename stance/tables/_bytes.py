"""The bytes of a table: opened, decompressed with a cap, and checked to be the same at the end."""

import codecs
import gzip
import os
import stat
import sys
import unicodedata
import zlib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol, cast

from stance.display import count, shown
from stance.errors import DataError, UsageError

MEGABYTE = 1024 * 1024
MAX_RATIO = 200
"""Bytes out of a compressed file for each byte in; articles reach 3 to 10."""

_RATIO_FROM = 16 * MEGABYTE  # a small table of equal rows may well compress 300 times

_FOREIGN = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook; save the sheet as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save the sheet as CSV (UTF-8)"),
    (b"%PDF", "a PDF; export its text"),
    (b"PAR1", "a Parquet file; export it as CSV"),
    (b"SQLite format 3", "an SQLite database; export a table as CSV"),
    (b"BZh", "compressed with bzip2; decompress it first"),
    (b"\xfd7zXZ", "compressed with xz; decompress it first"),
    (b"\x80\x04\x95", "a pickle, which can run code and is never read; export the table as CSV"),
)


class _Bytes(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Counted:
    """Bytes of a file with its first ones put back, counting what passes."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.head = file.read(16)
        self.passed = 0
        self._start = self.head

    def read(self, size: int = -1, /) -> bytes:
        data = self._start or self.file.read(size)
        if self._start and 0 <= size < len(data):
            data, self._start = data[:size], data[size:]
        else:
            self._start = b""
        self.passed += len(data)
        return data


class ByteFile:
    """A file or standard input, decompressed while it is read.

    Attributes
    ----------
    name : str
        What messages call it.
    """

    compression: Literal["none", "gz", "zst"]

    def __init__(self, path: Path | None) -> None:
        self.name = "standard input" if path is None else shown(str(path), 200)
        self._path = path
        self._bytes_out = 0
        self._file = self._open(path)
        try:
            self._stat = _regular(self._file) if path else None
            self._raw = _Counted(self._file)
            self._stream = self._decompressed()
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise DataError(self._unreadable(error)) from error
            raise

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._path is not None:
            self._file.close()

    @property
    def bytes_read(self) -> int:
        """Bytes taken from the file so far, before decompression."""
        return self._raw.passed

    @property
    def bytes_total(self) -> int | None:
        """Bytes of the file, before decompression; None for a stream."""
        return self._stat.st_size if self._stat else None

    def read(self, size: int, line: int) -> bytes:
        """Return up to `size` decompressed bytes; `line` is where a message will say they are."""
        try:
            data = self._stream.read(size)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise DataError(
                f"{self.name}:{line}: the {self.compression} data end early or are damaged "
                "near here; copy or download the file again"
            ) from error
        except OSError as error:
            raise DataError(self._unreadable(error)) from error
        self._bytes_out += len(data)
        if self._bytes_out > _RATIO_FROM and self.compression != "none":
            self._check_ratio()
        return data

    def _check_ratio(self) -> None:
        if self._bytes_out > MAX_RATIO * self._raw.passed:
            raise DataError(
                f"{self.name}: expands more than {MAX_RATIO} times, as a decompression bomb does; "
                "if you trust it, decompress it first"
            )

    def check_unchanged(self) -> None:
        """Raise if the file has grown or been replaced since it was opened."""
        if self._path is None or self._stat is None:
            return
        try:
            now, there = os.fstat(self._file.fileno()), self._path.stat()
        except OSError:
            there = None
        seen = _identity(self._stat)
        if there is None or _identity(there) != seen or _identity(now) != seen:
            raise DataError(
                f"{self.name}: changed while it was read ({count(self._raw.passed, 'byte')} in); "
                "wait until it is complete and run again"
            )

    def _open(self, path: Path | None) -> BinaryIO:
        if path is None:
            return sys.stdin.buffer
        try:
            return path.open("rb")
        except (OSError, ValueError) as error:
            raise DataError(self._unreadable(error)) from error

    def _unreadable(self, error: OSError | ValueError) -> str:
        if isinstance(error, FileNotFoundError):
            return f"{self.name}: no such file; check the path"
        if isinstance(error, IsADirectoryError):
            return f"{self.name}: is a folder; name one table in it"
        if isinstance(error, PermissionError):
            return f"{self.name}: no permission to read it; ask its owner or run chmod"
        reason = getattr(error, "strerror", None) or type(error).__name__
        return f"{self.name}: cannot be read ({shown(str(reason))}); copy the file and try again"

    def _decompressed(self) -> _Bytes:
        head = self._raw.head
        if head.startswith(b"\x1f\x8b"):
            self.compression = "gz"
            return gzip.GzipFile(fileobj=cast(BinaryIO, self._raw), mode="rb")
        if head.startswith(b"\x28\xb5\x2f\xfd"):
            self.compression = "zst"
            return _Zstandard(self._raw, self.name)
        for magic, what in _FOREIGN:
            if head.startswith(magic):
                raise DataError(f"{self.name}: is {what}")
        suffix = self._path.suffix.lower() if self._path else ""
        if head and suffix in (".gz", ".zst"):
            raise DataError(f"{self.name}: is not compressed; take {suffix!r} off its name")
        self.compression = "none"
        return self._raw


def _regular(file: BinaryIO) -> os.stat_result | None:
    found = os.fstat(file.fileno())
    return found if stat.S_ISREG(found.st_mode) else None


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class _Zstandard:
    """Decompressed bytes of zstd.

    The package's own reader takes a file that is cut off for a whole one, and its object that
    knows better has no bound on what it gives; so it is fed a little at a time.
    """

    _PIECE = 512  # at worst 128 blocks of 128 KB: 16 MB

    def __init__(self, raw: _Counted, name: str) -> None:
        try:
            self._zstandard: Any = import_module("zstandard")
        except ImportError as error:
            raise DataError(
                f"{name}: is compressed with zstd; pip install zstandard, or run unzstd first"
            ) from error
        self._raw = raw
        self._rest = b""
        self._ready = bytearray()
        self._frame: Any = None

    def read(self, size: int, /) -> bytes:
        while len(self._ready) < size and (piece := self._rest or self._raw.read(self._PIECE)):
            self._rest = b""
            # A frame may ask for a window of gigabytes; `zstd -19` needs 8 MB.
            self._frame = (
                self._frame
                or self._zstandard.ZstdDecompressor(max_window_size=64 * MEGABYTE).decompressobj()
            )
            try:
                self._ready += self._frame.decompress(piece)
            except self._zstandard.ZstdError as error:
                raise EOFError from error
            if self._frame.eof:
                self._rest, self._frame = self._frame.unused_data, None
        if not self._ready and self._frame:
            raise EOFError
        data = bytes(self._ready[:size])
        del self._ready[:size]
        return data


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


def choose_encoding(head: bytes, asked: str | None, table: str) -> Encoding:
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
    guessed = guess_encoding(around) if name == "utf-8" else None
    advice = f"try --encoding {guessed}" if guessed else "name its encoding with --encoding"
    return f"byte {data[place]:#04x} at offset {offset + place} is not {name.upper()}; {advice}"


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
