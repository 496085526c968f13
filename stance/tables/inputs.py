"""What `predict` reads: a table, or an article saved as text, cut into paragraphs."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from stance.display import count
from stance.errors import DataError
from stance.tables import Record, Records, Table, charsets, open_table
from stance.tables.files import ByteFile
from stance.tables.reading import RejectSink

LARGEST_ARTICLE = 20_000_000
"""Bytes of a text file that are still taken for an article."""

OR_ELSE = ", or use --rejects FILE"
"""What `predict` can also do about a bad record."""


class ArticleTable:
    """The paragraphs of one article, with the interface of `stance.tables.Table`.

    Parameters
    ----------
    path : Path
    encoding : str or None
        None is UTF-8, or what a byte order mark says.
    keep_all : bool
        Whether page furniture (navigation, captions, sign-up boxes) is kept too.

    Raises
    ------
    DataError
        If the file cannot be read as text.
    """

    columns = ("document", "paragraph", "text")

    def __init__(self, path: Path, encoding: str | None, keep_all: bool) -> None:
        from stance.tables.articles import split_article  # only here: it has a lot to compile

        file = ByteFile(path)
        self.name = file.name
        self._document = path.stem
        try:
            data = _all_of(file)
            file.check_unchanged()
        finally:
            file.close()
        chosen = charsets.choose(data[:64], encoding, self.name)
        article = split_article(self._decode(data, chosen), keep_all=keep_all)
        self.bytes_read = self.bytes_total = len(data)
        self.records_in = len(article.paragraphs)
        self._paragraphs = article.paragraphs
        dropped = Counter(str(piece.reason) for piece in article.dropped)
        kinds = ", ".join(f"{number} {reason}" for reason, number in dropped.most_common())
        self.notes: tuple[str, ...] = (
            f"{self.name}: article of {count(len(article.paragraphs), 'paragraph')}, {chosen}"
            + (f"; left out as page furniture: {kinds} (--keep-all keeps them)" if kinds else ""),
        )

    def _decode(self, data: bytes, encoding: charsets.Encoding) -> str:
        try:
            text = data[encoding.mark :].decode(encoding.name)
        except UnicodeDecodeError as error:
            place = encoding.mark + error.start
            line = data[:place].count(b"\n") + 1
            raise DataError(
                f"{self.name}:{line}: {charsets.undecodable(data, place, encoding.name)}"
            ) from error
        if "\0" in text:
            line = text[: text.index("\0")].count("\n") + 1
            raise DataError(
                f"{self.name}:{line}: a NUL byte; the file is damaged or not text: export it again"
            )
        return text

    def __iter__(self) -> Iterator[Record]:
        for number, text in enumerate(self._paragraphs, 1):
            yield Record(number, number, (self._document, str(number), text))

    def blocks(self) -> Iterator[Records]:
        """Yield all records at once."""
        yield Records.of(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing is left open."""


def _all_of(file: ByteFile) -> bytes:
    """Return all bytes of an article, or refuse it for its size."""
    parts: list[bytes] = []
    while part := file.read(LARGEST_ARTICLE, 1):
        parts.append(part)
        if sum(map(len, parts)) > LARGEST_ARTICLE:
            raise DataError(
                f"{file.name}: more than {LARGEST_ARTICLE:,} bytes are no article; "
                "put paragraphs in a CSV table"
            )
    return b"".join(parts)


def open_input(
    path: Path | None,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    rejects: RejectSink | None = None,
    keep_all: bool = False,
) -> Table | ArticleTable:
    """Open an article where the name ends in ``.txt``, else a table; None is standard input.

    A spreadsheet saves tables as ``.txt``, too: with a `delimiter` it is one.
    """
    if path is not None and path.suffix.lower() == ".txt" and delimiter is None:
        return ArticleTable(path, encoding, keep_all)
    return open_table(
        path, delimiter=delimiter, encoding=encoding, rejects=rejects, or_else=OR_ELSE
    )
