"""What `predict` reads: a table, or an article saved as text, cut into paragraphs."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from stance.articles import split_article
from stance.display import count, shown
from stance.errors import DataError
from stance.tables import Record, Table, open_table
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
        None is UTF-8, with or without byte order mark.
    keep_all : bool
        Whether page furniture (navigation, captions, sign-up boxes) is kept too.

    Raises
    ------
    DataError
        If the file cannot be read as text.
    """

    columns = ("document", "paragraph", "text")

    def __init__(self, path: Path, encoding: str | None, keep_all: bool) -> None:
        self.name = shown(str(path), 200)
        self._document = path.stem
        try:
            size = path.stat().st_size
            if size > LARGEST_ARTICLE:
                raise DataError(
                    f"{self.name}: {size:,} bytes is no article; put paragraphs in a CSV table"
                )
            data = path.read_bytes()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise DataError(f"{self.name}: cannot be read ({reason})") from error
        article = split_article(self._decode(data, encoding or "utf-8-sig"), keep_all=keep_all)
        self.bytes_read = self.bytes_total = len(data)
        self.records_in = len(article.paragraphs)
        self._paragraphs = article.paragraphs
        dropped = Counter(str(piece.reason) for piece in article.dropped)
        kinds = ", ".join(f"{number} {reason}" for reason, number in dropped.most_common())
        self.notes: tuple[str, ...] = (
            f"{self.name}: article of {count(len(article.paragraphs), 'paragraph')}"
            + (f"; left out as page furniture: {kinds} (--keep-all keeps them)" if kinds else ""),
        )

    def _decode(self, data: bytes, encoding: str) -> str:
        if (
            b"\0" in data
            and encoding == "utf-8-sig"
            and not data.startswith((b"\xff\xfe", b"\xfe\xff"))
        ):
            raise DataError(f"{self.name}: holds a NUL byte at {data.index(0)}; it is no text file")
        if data.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding == "utf-8-sig":
            encoding = "utf-16"
        try:
            return data.decode(encoding)
        except LookupError as error:
            raise DataError(f"{self.name}: unknown encoding '{shown(encoding)}'") from error
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise DataError(
                f"{self.name}:{line}: byte {error.start} is not {error.encoding}; say which "
                "encoding it has, such as --encoding cp1252"
            ) from error

    def __iter__(self) -> Iterator[Record]:
        for number, text in enumerate(self._paragraphs, 1):
            yield Record(number, number, (self._document, str(number), text))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing is left open."""


def open_input(
    path: Path | None,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    rejects: RejectSink | None = None,
    keep_all: bool = False,
) -> Table | ArticleTable:
    """Open an article where the name ends in ``.txt``, else a table; None is standard input."""
    if path is not None and path.suffix.lower() == ".txt":
        return ArticleTable(path, encoding, keep_all)
    return open_table(
        path, delimiter=delimiter, encoding=encoding, rejects=rejects, or_else=OR_ELSE
    )
