"""The text of a table: decoded and cut into lines, with a bound on each."""

import io
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance.errors import DataError
from stance.tables._bytes import MEGABYTE, ByteFile, choose_encoding, undecodable

MAX_LINE = 16 * MEGABYTE
"""Characters in a line, and in a record; a cell may hold 10 of these 16 MB."""

_CHUNK = 64 * 1024
# Their decoders take half a character.
_LOOSE = ("utf-7", "unicode-escape", "raw-unicode-escape", "punycode")


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole lines.

    Attributes
    ----------
    text : str
        The lines, each with its line end.
    odd : bool
        Whether NUL bytes or lone surrogates, as of undecodable bytes, may stand in or near them.
    single : bool
        Whether it is one long line, which must not take memory to be looked for others.
    """

    text: str
    odd: bool
    single: bool = False

    @property
    def lines(self) -> list[str]:
        """Return the lines one by one."""
        return [self.text] if self.single else _lines(self.text)


class Source:
    """A readable table: blocks of lines, with what is known of its bytes.

    Attributes
    ----------
    replaced : int
        Characters U+FFFD so far.
    line_ends : dict
        How often each line end has stood outside quotes so far.
    line : int
        1-based number of the first line that has not been read; whoever takes a block moves it
        on, since they know best how many lines it has.
    open_end : bool
        Whether the last line may be cut off: it has no line end.

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

    def __init__(self, path: Path | None, encoding: str | None, *, salvage: bool = False) -> None:
        self.file = ByteFile(path)
        self.name = self.file.name
        self.replaced = 0
        self.open_end = False
        self.line_ends: dict[str, int] = {"CRLF": 0, "LF": 0, "CR": 0}
        self._salvage = salvage
        self.line = 1
        try:
            self._first = self.file.read(_CHUNK, self.line)
            if not self._first:
                raise DataError(
                    f"{self.name}: is empty; a table begins with a line of column names"
                )
            chosen = choose_encoding(self._first[:64], encoding, self.name)
        except BaseException:
            self.file.close()
            raise
        self.encoding, self.bom = chosen.name, chosen.mark > 0
        self._fed = chosen.mark
        self._first = self._first[chosen.mark :]
        self._decoder: Any = getincrementaldecoder(self.encoding)("strict")

    def head(self) -> str:
        """Return the beginning of the text, without taking it from `blocks`."""
        return self._first[:4096].decode(self.encoding, "replace")

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
                self.open_end = end not in ("", "\n", "\r")
            if not cut and not last:
                start.append(text)
                start_odd |= odd
                self._check_length(start)
                continue
            whole = text[:cut]
            if "\r" in text and '"' not in text:
                self._count_line_ends(whole)
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
            raise DataError(
                f"{self.name}:{self.line}: a line of more than {MAX_LINE // MEGABYTE} MB; "
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
            following = self.file.read(_CHUNK, self.line)
            text, salvaged = self._decode(data, last=not following)
            if "\ufffd" in text:
                self.replaced += text.count("\ufffd")
            odd = salvaged or "\0" in text or self.encoding in _LOOSE
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
        line = self.line + len(_lines(before + "x")) - 1
        offset = self._fed + length - len(data)
        wrong = undecodable(data, error.start, self.encoding, offset)
        return f"{self.name}:{line}: {wrong}"


def _lines(text: str) -> list[str]:
    return list(io.StringIO(text, newline=""))
