"""A file as bytes and as text: opened, decompressed within a limit, decoded, cut at line ends."""

import codecs
import io
import os
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

from stance.display import shown, shown_path
from stance.errors import DataError, StanceError, UsageError, load_extra
from stance.files import DOCUMENT_NAMES, PAGE_NAMES, kind_suffix

MEGABYTE = 1024 * 1024
MAX_LINE = 16 * MEGABYTE  # characters in a line, and in a record
MAX_CELL = 10 * MEGABYTE  # characters in a cell
NOT_UTF8 = "save the file as UTF-8, or name its encoding, such as --encoding cp1252"

_LONGEST = 1024 * MEGABYTE  # characters of a text that is read into memory
_CHUNK = 64 * 1024  # bytes
_PACKED = 512  # compressed bytes at a time, since they may expand to 16 MB
_WINDOW = 64 * MEGABYTE  # a frame of zstd may ask for gigabytes; `zstd -19` needs 8 MB
_CONTROLS = bytes({*range(32), 127} - {*b"\t\n\v\f\r\x1b"})

_BYTE_ORDER_MARKS = {  # UTF-32 first: its little-endian mark begins with the one of UTF-16
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_MAGIC: dict[bytes, tuple[str, str]] = {  # first bytes of what is read, and is not
    b"\x1f\x8b": ("gz", ""),
    b"\x28\xb5\x2f\xfd": ("zst", ""),
    b"PK\x03\x04": ("workbook", "a zip archive; unpack it, or save a workbook as a file .xlsx"),
    b"\xd0\xcf\x11\xe0": ("workbook", "an old Excel workbook; save it as a file .xls"),
    b"PAR1": ("parquet", "a Parquet file; save it as a file .parquet"),
    b"%PDF": ("", "a PDF; export its text"),
    b"BZh": ("", "compressed with bzip2; decompress it first"),
    b"\xfd7zXZ": ("", "compressed with xz; decompress it first"),
}
_PAGE = re.compile(  # the first tag of one, or of a part of one; comments may stand before it
    rb"(?i)(?:\xef\xbb\xbf)?(?:\s|<[!?][^>]*>)*<(?:!doctype html|"
    rb"(?:html|head|title|body|main|article|section|header|div|p|h[1-6]|table|[uo]l)[\s>])"
)
_UNREADABLE: dict[type, str] = {
    FileNotFoundError: "no such file; check the path",
    IsADirectoryError: "is a folder; name one table in it",
    PermissionError: "no permission to read it; ask its owner or run chmod",
}


def split_lines(text: str) -> list[str]:
    """Return the lines of a text, each with its line end."""
    return io.StringIO(text, newline="").readlines()


def line_ends(text: str) -> int:
    r"""Return how many lines end in a text, by ``\n``, ``\r`` or both."""
    single = text.count("\r") - text.count("\r\n") if "\r" in text else 0
    return text.count("\n") + single


def codec_named(name: str) -> str:
    """Return the codec of a name; raise `LookupError` or `ValueError` if it is none of texts."""
    "".encode(name)  # refuses codecs from bytes to bytes, such as "hex"
    codecs.getincrementaldecoder(name)("replace").decode(b"a")  # refuses "idna"
    return codecs.lookup(name).name


class InputFile:
    """A file, or standard input where `path` is None; decompressed and decoded as it is read.

    With `binary`, a workbook or a Parquet file is accepted: `kind` says which.
    """

    def __init__(self, path: Path | None, *, binary: bool = False) -> None:
        self.name = "standard input" if path is None else shown_path(path)
        self.line = 1  # being read, for messages
        self.form = ""  # what notes say of the encoding of a text, as far as it has been read
        self._read = 0  # bytes, before decompression
        self._path = path
        self._ends: Any = io.IncrementalNewlineDecoder(None, translate=False)  # keeps CRLF whole
        with self._readable():
            self._file = sys.stdin.buffer if path is None else path.open("rb")
        try:
            with self._readable():
                size = os.fstat(self._file.fileno()).st_size if path else 0
                self._size = size or None  # of a pipe
                self._head = self._file.read(_CHUNK)
            self.kind = self._look(binary)
            self._pieces = self._decompressed()
            is_text = self.kind in ("text", "gz", "zst")
            self.first = next(self._pieces, b"") if is_text else b""  # bytes, decompressed
        except BaseException:
            self.close()
            raise

    def progress(self) -> tuple[int, int | None]:
        """Return the compressed bytes read so far, and of the file; None for a stream."""
        return self._read, self._size

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._path is not None:
            self._file.close()

    def refuse(self, why: str) -> NoReturn:
        """Raise that the file cannot be used."""
        raise DataError(f"{self.name}: {why}")

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Turn what the system says of the file into one line."""
        try:
            yield
        except (OSError, ValueError) as error:
            reason = shown(getattr(error, "strerror", None) or type(error).__name__)
            other = f"cannot be read ({reason}); copy the file and try again"
            why = _UNREADABLE.get(type(error), other)
            if re.match(r"https?:[/\\]", str(self._path)):
                why = "is a web address, and stance fetches nothing; save the page or table first"
            name = re.sub(r"^(https?:)/(?!/)", r"\1//", self.name)  # as it was before it was a path
            raise DataError(f"{name}: {why}") from error

    def _look(self, binary: bool) -> str:
        """Return what the first bytes show; refuse what is neither text nor a table."""
        head, suffix = self._head[:1024], self._path.suffix.lower() if self._path else ""
        if suffix in DOCUMENT_NAMES:
            self.refuse(f"is a {suffix} document; save its text as .txt or .html")
        for magic, (kind, what) in _MAGIC.items():
            if head.startswith(magic):
                if kind and (not what or (binary and self._path)):
                    return kind
                self.refuse(f"is {what}")
        if (binary or kind_suffix(self._path) not in PAGE_NAMES) and _PAGE.match(head):
            instead = ["save it as .html to have it read"] * (suffix not in PAGE_NAMES)
            self.refuse(f"is a web page; {', or '.join([*instead, *['name a table'] * binary])}")
        return "text"

    # --- Bytes ---

    def _decompressed(self) -> Iterator[bytes]:
        """Yield the decompressed bytes, some at a time."""
        gathered = bytearray()
        try:
            for data in self._frames():
                gathered += data
                if len(gathered) >= _CHUNK:
                    yield bytes(gathered)
                    gathered.clear()
        except StanceError:
            raise
        except Exception as error:  # of the library that decompresses
            why = f"the {self.kind} data end early or are damaged near here"
            message = f"{self.name}:{self.line}: {why}; copy or download the file again"
            raise DataError(message) from error
        if gathered:
            yield bytes(gathered)

    def _frames(self) -> Iterator[bytes]:
        """Yield what one compressed frame or several hold; the bytes if they are not compressed."""
        frame, data = None, self._head
        while data:
            self._read += len(data)
            if self.kind == "text":
                yield data
            else:
                for packed in (data[pos : pos + _PACKED] for pos in range(0, len(data), _PACKED)):
                    while packed := packed if frame or self.kind != "gz" else packed.lstrip(b"\0"):
                        frame = frame or self._new_frame()  # zeros may fill up the last block
                        yield frame.decompress(packed)
                        packed, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
            with self._readable():
                data = self._file.read(_CHUNK)
        if frame:
            raise EOFError  # it is cut off

    def _new_frame(self) -> Any:
        if self.kind == "gz":
            return zlib.decompressobj(31)
        library = load_extra("zstandard", f"{self.name}: a file compressed with zstd", "zst")
        return library.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()

    # --- Text ---

    def decode(
        self, asked: str | None, declared: str = "utf-8", errors: str = "surrogateescape"
    ) -> str:
        """Choose the encoding of the text, as its mark says or a user asks; return its start.

        Bad bytes of UTF-8 pass as lone surrogates, so that the cell they are in can be named;
        other `errors` raise. A text that is UTF-8 is read as such, whatever is asked: words of a
        codec that has one byte for each letter never look like UTF-8; of others, some do.
        """
        mark = next((mark for mark in _BYTE_ORDER_MARKS if self.first.startswith(mark)), b"")
        try:
            codec = codec_named(asked or declared).removesuffix("-sig")
            has_single_bytes = len(bytes(range(256)).decode(codec, "replace")) == 256
        except (LookupError, ValueError) as error:
            raise UsageError(f"unknown encoding {asked!a:.40}; try cp1252 or utf-16") from error
        self._may_be_utf8 = bool(asked) and not mark and has_single_bytes
        self._set_codec(_BYTE_ORDER_MARKS.get(mark, codec), errors)
        self.first = self.first[len(mark) :]
        head = self.first[:1024]
        controls = len(head) - len(head.translate(None, _CONTROLS))
        if self._codec == "utf-8" and controls > len(head) // 50 and not _as_utf8(head):
            advice = "copy it again, or name the --encoding of a text"
            self.refuse(f"is not text, or is damaged; {advice}")
        return self.first[:4096].decode(self._codec, "replace")

    def _set_codec(self, codec: str, errors: str) -> None:
        decoder: Any = codecs.getincrementaldecoder(codec)
        self._decoder = decoder(errors if codec == "utf-8" else "strict")
        self._codec, self._errors = codec, errors
        self.form = codec.upper() + f", {self.kind} compressed" * (self.kind != "text")

    def texts(self) -> Iterator[str]:
        """Yield the text, some at a time; call `decode` first."""
        for data in chain([self.first], self._pieces):
            if self._may_be_utf8 and not data.isascii():  # and all before was ASCII
                self._may_be_utf8 = False
                if data[:-3].isascii():  # the first other letter may be cut off
                    data += next(self._pieces, b"")
                if not _as_utf8(data).isascii():
                    self._set_codec("utf-8", self._errors)
            yield self._text_of(data)
        yield self._text_of(b"", last=True)

    def whole(self, most: int, advice: str) -> str:
        """Return the whole text; refuse one of more characters than a limit."""
        text = ""
        for part in self.texts():
            text += part
            if len(text) > most:
                self.refuse(f"has more than {most:,} characters; {advice}")
        return text

    def lines(self) -> Iterator[str]:
        """Yield whole lines, some at a time; the last may lack its end. Call `decode` first."""
        start = ""  # of a line that goes on
        for text in self.texts():
            if end := max(text.rfind("\n"), text.rfind("\r")) + 1:
                yield start + text[:end]
                start, text = "", text[end:]
            start += text
            if len(start) > MAX_LINE:
                what = f"a line of more than {MAX_LINE // MEGABYTE} MB"
                why = "no table has such rows: check that the file is complete and is text"
                raise DataError(f"{self.name}:{self.line}: {what}; {why}")
        if start:
            yield start

    def _text_of(self, data: bytes, *, last: bool = False) -> str:
        try:
            text = self._ends.decode(self._decoder.decode(data, last), last)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(self._codec, "replace")
            place = f"{self.name}:{self.line + line_ends(before)}"
            what = f"byte {error.object[error.start]:#04x} is not {self._codec.upper()}"
            advice = NOT_UTF8 if error.encoding == "utf-8" else "name another --encoding"
            advice = advice if self._path else "convert it to UTF-8 first"
            raise DataError(f"{place}: {what}; {advice}") from error
        except UnicodeError:
            self.refuse(f"cannot be decoded as {self._codec}; name another --encoding")
        alike = self._ends.newlines in (None, "\n", "\r\n")  # so far, as nearly always
        self.line += text.count("\n") if alike else line_ends(text)
        return text


def _as_utf8(data: bytes) -> str:
    """Return a piece of a text, but for a character cut off at its end; "" if it is not UTF-8."""
    with suppress(UnicodeDecodeError):
        return codecs.getincrementaldecoder("utf-8")().decode(data)
    return ""


def read_whole(path: Path | None, encoding: str | None = None) -> str:
    """Return the text of a file, or of standard input (None), its line ends as they are."""
    with closing(InputFile(path)) as source:
        source.decode(encoding, errors="strict")
        return source.whole(_LONGEST, "split the file")
