"""The bytes of a table: opened, decompressed with a limit, and unchanged until the end."""

import gzip
import os
import stat
import sys
import zlib
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol, cast

from stance.display import count, shown, shown_path
from stance.errors import DataError

MEGABYTE = 1024 * 1024
JSON_NAMES = (".jsonl", ".ndjson", ".json")
WORKBOOK_NAMES = (".xlsx", ".xlsm", ".xls")
ARROW_NAMES = (".parquet", ".feather", ".arrow")
READ_AHEAD = 512  # bytes, to see what a file is
_COMPRESSED_NAMES = (".gz", ".zst")

_MAX_RATIO = 200  # bytes out of a compressed file for each byte in; articles reach 3 to 10
_WINDOW = 64 * MEGABYTE  # a frame of zstd may ask for gigabytes; `zstd -19` needs 8 MB
_RATIO_FROM = MEGABYTE  # a small table of equal rows may well compress 300 times

Binary = Literal["", "workbook", "parquet", "arrow"]
_BINARY: tuple[tuple[bytes, Binary, str], ...] = (
    (b"PK\x03\x04", "workbook", "a zip archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "workbook", "an old Excel workbook"),
    (b"PAR1", "parquet", "a Parquet file"),
    (b"ARROW1", "arrow", "an Arrow file"),
)
_FOREIGN = (
    (b"%PDF", "a PDF; export its text"),
    (b"SQLite format 3", "an SQLite database; export a table as CSV"),
    (b"BZh", "compressed with bzip2; decompress it first"),
    (b"\xfd7zXZ", "compressed with xz; decompress it first"),
    (b"\x80\x04\x95", "a pickle, which can run code and is never read; export the table as CSV"),
)
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


class _Bytes(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Counted:
    """Bytes of a file, counted as they are read; `head` is read ahead and given again."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.head = file.read(READ_AHEAD)
        self.passed = 0
        self._ahead = self.head

    def read(self, size: int = -1, /) -> bytes:
        data = self._ahead or self.file.read(size)
        if self._ahead and 0 <= size < len(data):
            data, self._ahead = data[:size], data[size:]
        else:
            self._ahead = b""
        self.passed += len(data)
        return data


class ByteFile:
    """A file, or standard input where `path` is None, decompressed while it is read."""

    name: str  # in messages
    compression: Literal["none", "gz", "zst"]
    binary: Binary = ""  # a file that is read by name, not as a stream of bytes

    def __init__(self, path: Path | None, *, binary: bool = False) -> None:
        self.name = "standard input" if path is None else shown_path(path)
        self._path, self._may_be_binary = path, binary
        self._bytes_out = 0
        try:
            self._file = sys.stdin.buffer if path is None else path.open("rb")
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error
        try:
            found = os.fstat(self._file.fileno()) if path else None
            self._stat = found if found and stat.S_ISREG(found.st_mode) else None
            self._raw = _Counted(self._file)
            self._stream = self._decompressed()
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise self._unreadable(error) from error
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
        """Return up to `size` decompressed bytes; messages say that they are at `line`."""
        try:
            data = self._stream.read(size)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            why = f"the {self.compression} data end early or are damaged near here"
            message = f"{self.name}:{line}: {why}; copy or download the file again"
            raise DataError(message) from error
        except OSError as error:
            raise self._unreadable(error) from error
        self._bytes_out += len(data)
        too_many = self._bytes_out > max(_RATIO_FROM, _MAX_RATIO * self._raw.passed)
        if too_many and self.compression != "none":
            why = f"expands more than {_MAX_RATIO} times, as a decompression bomb does"
            raise DataError(f"{self.name}: {why}; if you trust it, decompress it first")
        return data

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
                f"{self.name}: changed while it was read ({count(self._raw.passed, 'byte')} in); "
                "wait until it is complete and run again"
            )

    def _unreadable(self, error: OSError | ValueError) -> DataError:
        reason = shown(getattr(error, "strerror", None) or type(error).__name__)
        other = f"cannot be read ({reason}); copy the file and try again"
        return DataError(f"{self.name}: {_UNREADABLE.get(type(error), other)}")

    def _decompressed(self) -> _Bytes:
        head = self._raw.head
        suffix = self._path.suffix.lower() if self._path else ""
        if suffix in _DOCUMENTS:
            raise DataError(f"{self.name}: is {_DOCUMENTS[suffix]}; save its text as .txt or .html")
        if head.startswith(b"\x1f\x8b"):
            self.compression = "gz"
            return gzip.GzipFile(fileobj=cast(BinaryIO, self._raw), mode="rb")
        if head.startswith(b"\x28\xb5\x2f\xfd"):
            self.compression = "zst"
            return _Zstandard(self._raw, self.name)
        self.compression = "none"
        for magic, kind, what in _BINARY:
            if head.startswith(magic):
                if self._path is None:
                    raise DataError(f"{self.name}: is {what}; save it, and name the file")
                if not self._may_be_binary:
                    raise DataError(f"{self.name}: is {what}; end its name as such files do")
                self.binary = kind
                return self._raw
        for magic, what in _FOREIGN:
            if head.startswith(magic):
                raise DataError(f"{self.name}: is {what}")
        if suffix in _NAMED and not _may_be_text(head):
            why = f"is not {_NAMED[suffix]}, though its name ends in {suffix}"
            raise DataError(f"{self.name}: {why}; copy, download or save it again")
        if head and suffix in _COMPRESSED_NAMES:
            raise DataError(f"{self.name}: is not compressed; remove {suffix!r} from its name")
        return self._raw


def _may_be_text(head: bytes) -> bool:
    """Return whether the first bytes of a file may be text, in whatever encoding."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return True
    control = any(byte < 32 and byte not in b"\t\r\n" for byte in head)
    return not control and 2 * sum(byte > 127 for byte in head) <= len(head)


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class _Zstandard:
    """Decompressed bytes of zstd; unlike the package's own reader, it notices a truncated file."""

    _PIECE = 512  # at a time, since there is no limit to what comes out: at worst 16 MB

    def __init__(self, raw: _Counted, name: str) -> None:
        try:
            zstandard: Any = import_module("zstandard")
        except ImportError as error:
            why = "is compressed with zstd; pip install zstandard, or run unzstd first"
            raise DataError(f"{name}: {why}") from error
        self._decompressor, self._error = zstandard.ZstdDecompressor, zstandard.ZstdError
        self._raw, self._rest, self._ready = raw, b"", bytearray()
        self._frame: Any = None

    def read(self, size: int, /) -> bytes:
        while len(self._ready) < size and (piece := self._rest or self._raw.read(self._PIECE)):
            self._rest = b""
            self._frame = self._frame or self._decompressor(max_window_size=_WINDOW).decompressobj()
            try:
                self._ready += self._frame.decompress(piece)
            except self._error as error:
                raise EOFError from error
            if self._frame.eof:
                self._rest, self._frame = self._frame.unused_data, None
        if not self._ready and self._frame:
            raise EOFError
        data = bytes(self._ready[:size])
        del self._ready[:size]
        return data
