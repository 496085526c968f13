"""A table's bytes on their way in: opened, decompressed, decoded, cut into lines, all bounded."""

import gzip
import io
import os
import stat
import sys
import zlib
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol, cast

from stance import charsets
from stance.display import count, shown
from stance.errors import DataError

MEGABYTE = 1024 * 1024
MAX_LINE = 16 * MEGABYTE
"""Characters in a line, and in a record; a cell may hold 10 of these 16 MB."""

MAX_RATIO = 200
"""Bytes out of a compressed file for each byte in; articles reach 3 to 10."""

_RATIO_FROM = 16 * MEGABYTE  # a small table of equal rows may well compress 300 times
_CHUNK = 64 * 1024
_BLOCK_LINES = 512  # short lists are reused by the interpreter: twice as fast as 5,000

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


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole lines, each with its line end.

    Attributes
    ----------
    first : int
        1-based number of the first line.
    quotes : bool
        Whether a quotation mark stands in or near the lines.
    odd : bool
        Whether NUL bytes or undecodable bytes (as lone surrogates) stand in or near them.
    """

    lines: list[str]
    first: int
    quotes: bool
    odd: bool


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


class Source:
    """A readable table: blocks of lines, with what is known of its bytes.

    Parameters
    ----------
    path : Path or None
        None is standard input.
    encoding : str or None
        None is UTF-8, or what a byte order mark says.
    salvage : bool
        Let undecodable bytes of UTF-8 through as lone surrogates, so that only their
        records need be rejected.
    """

    compression: Literal["none", "gz", "zst"]

    def __init__(self, path: Path | None, encoding: str | None, *, salvage: bool = False) -> None:
        self.name = "standard input" if path is None else shown(str(path), 200)
        self.replaced = 0
        self.line_ends: dict[str, int] = {"CRLF": 0, "LF": 0, "CR": 0}
        self._path = path
        self._salvage = salvage
        self._line = 1
        self._bytes_out = 0
        self._file = self._open(path)
        try:
            self._stat = _regular(self._file) if path else None
            self._raw = _Counted(self._file)
            self._stream = self._decompressed()
            self._first = self._read()
            if not self._first:
                raise DataError(
                    f"{self.name}: is empty; a table begins with a line of column names"
                )
            chosen = charsets.choose(self._first[:64], encoding, self.name)
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise DataError(self._unreadable(error)) from error
            raise
        self.encoding, self.bom = chosen.name, chosen.mark > 0
        self._fed = chosen.mark
        self._first = self._first[chosen.mark :]
        self._decoder: Any = getincrementaldecoder(self.encoding)("strict")

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
        return self._stat.st_size if self._stat and self._stat.st_size else None

    def head(self) -> str:
        """Return the beginning of the text, without taking it from `blocks`."""
        return self._first[:4096].decode(self.encoding, "replace")

    def blocks(self) -> Iterator[Block]:
        """Yield every line of the table once, some at a time."""
        start: list[str] = []  # of a line that is longer than a chunk
        held = ""
        for text, odd, last in self._texts():
            text, held = held + text, ""
            if text.endswith("\r") and not last:
                text, held = text[:-1], "\r"  # its "\n" may come with the next chunk
            cut = len(text) if last else max(text.rfind("\n"), text.rfind("\r")) + 1
            if not cut and not last:
                start.append(text)
                self._check_length(start)
                continue
            quotes = '"' in text
            if not quotes and "\r" in text:
                self._count_line_ends(text[:cut])
            lines = list(io.StringIO(text[:cut], newline=""))
            if start:
                long = "".join(start) + (lines[0] if lines else "")
                yield self._block([long], '"' in long, odd=True)  # an earlier chunk may be odd
                del long
                lines = lines[1:]
            start = [text[cut:]] if cut < len(text) else []
            del text
            for place in range(0, len(lines), _BLOCK_LINES):
                yield self._block(lines[place : place + _BLOCK_LINES], quotes, odd)

    def _block(self, lines: list[str], quotes: bool, odd: bool) -> Block:
        block = Block(lines, self._line, quotes, odd)
        self._line += len(lines)
        return block

    def _check_length(self, start: list[str]) -> None:
        if sum(map(len, start)) > MAX_LINE:
            raise DataError(
                f"{self.name}:{self._line}: a line of more than {MAX_LINE // MEGABYTE} MB; "
                f"no table has such rows: check that the file is whole and is text"
            )

    def _count_line_ends(self, text: str) -> None:
        both = text.count("\r\n")
        self.line_ends["CRLF"] += both
        self.line_ends["LF"] += text.count("\n") - both
        self.line_ends["CR"] += text.count("\r") - both

    # --- Bytes to text -----------------------------------------------------------------------

    def _texts(self) -> Iterator[tuple[str, bool, bool]]:
        """Yield (text, odd, last); the last one may be empty."""
        data, self._first = self._first, b""
        while True:
            following = self._read()
            text, salvaged = self._decode(data, last=not following)
            if "\ufffd" in text:
                self.replaced += text.count("\ufffd")
            yield text, salvaged or "\0" in text, not following
            if not following:
                self._check_unchanged()
                return
            data = following

    def _decode(self, data: bytes, last: bool) -> tuple[str, bool]:
        try:
            text: str = self._decoder.decode(data, last)
            salvaged = False
        except UnicodeDecodeError as error:
            if not (self._salvage and self.encoding == "utf-8"):
                raise DataError(self._undecodable(error, len(data))) from error
            # The decoder keeps its state when it refuses, so the same bytes can come again.
            self._decoder.errors = "surrogateescape"
            text, salvaged = self._decoder.decode(data, last), True
            self._decoder.errors = "strict"
        except UnicodeError as error:
            raise DataError(f"{self.name}: cannot be decoded as {self.encoding}") from error
        self._fed += len(data)
        return text, salvaged

    def _undecodable(self, error: UnicodeDecodeError, length: int) -> str:
        data = bytes(error.object)
        before = data[: error.start].decode(self.encoding, "replace")
        line = self._line + len(list(io.StringIO(before + "x", newline=""))) - 1
        offset = self._fed + length - len(data) + error.start
        around = data[max(0, error.start - 2000) :]
        guessed = charsets.guess(around) if self.encoding == "utf-8" else None
        advice = f"try --encoding {guessed}" if guessed else "name its encoding with --encoding"
        return (
            f"{self.name}:{line}: byte {data[error.start]:#04x} at offset {offset} "
            f"is not {self.encoding.upper()}; {advice}"
        )

    # --- The file itself ---------------------------------------------------------------------

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
            return _zstandard(self._raw, self.name)
        for magic, what in _FOREIGN:
            if head.startswith(magic):
                raise DataError(f"{self.name}: is {what}")
        suffix = self._path.suffix.lower() if self._path else ""
        if head and suffix in (".gz", ".zst"):
            raise DataError(f"{self.name}: is not compressed; take {suffix!r} off its name")
        self.compression = "none"
        return self._raw

    def _read(self) -> bytes:
        try:
            data = self._stream.read(_CHUNK)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise DataError(
                f"{self.name}:{self._line}: the gzip data end early or are damaged here; "
                "copy or download the file again"
            ) from error
        except OSError as error:
            raise DataError(self._unreadable(error)) from error
        except Exception as error:
            if self.compression != "zst":
                raise
            raise DataError(
                f"{self.name}:{self._line}: the zstd data are damaged here; copy the file again"
            ) from error
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

    def _check_unchanged(self) -> None:
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


def _regular(file: BinaryIO) -> os.stat_result | None:
    found = os.fstat(file.fileno())
    return found if stat.S_ISREG(found.st_mode) else None


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _zstandard(raw: _Counted, name: str) -> _Bytes:
    try:
        zstandard: Any = import_module("zstandard")
    except ImportError as error:
        raise DataError(
            f"{name}: is compressed with zstd; pip install zstandard, or run unzstd first"
        ) from error
    # A frame may ask for a window of gigabytes; 64 MB is what `zstd --ultra -22` needs at most
    # without --long.
    decompressor = zstandard.ZstdDecompressor(max_window_size=64 * MEGABYTE)
    stream: _Bytes = decompressor.stream_reader(raw, read_across_frames=True)
    return stream
