"""Find a column by name: exactly, then ignoring case; suggest a near match in the error."""

import difflib
import re
from collections.abc import Sequence
from typing import NamedTuple

from stance.display import joined, shown
from stance.errors import DataError
from stance.tables.table import Table, folded

USUAL = {
    "text": (
        *("body", "content", "paragraph", "article_text", "full_text", "fulltext", "sentence"),
        *("article", "story", "tweet", "post", "message", "comment", "speech", "transcript"),
        *("description", "segment", "snippet", "quote", "volltext", "texto", "texte", "текст"),
    ),
    "actor": ("target", "entity", "country", "aspect", "topic"),
    "stance": ("label", "gold", "annotation", "polarity", "class"),
    "document": ("doc_id", "document_id", "docid", "article_id", "doc", "url", "uri", "link"),
    "date": (
        *("published", "publication_date", "pubdate", "published_at", "created_at", "datetime"),
        *("timestamp", "day", "time", "datum", "fecha", "дата"),
    ),
}
"""What other people call the columns that we ask for, most telling names first."""


class Header(NamedTuple):
    """The columns of what is not an open table, and what messages call it."""

    columns: Sequence[str]
    name: str


def column(table: Table | Header, name: str, option: str = "", hint: str = "") -> int:
    """Return the place of a column, or raise with the name, and `option`, that may be meant.

    `hint` ends the message where no column looks meant.

    >>> column(Header(("id", "Text"), "mine.csv"), "text")
    1
    """
    place = optional_column(table, name)
    if place is None:
        elsewhere = table.elsewhere if isinstance(table, Table) else None
        advice = (elsewhere and elsewhere(name)) or _advice(table.columns, name, option, hint)
        raise DataError(f"{table.name}: no column '{shown(name)}'; {advice}")
    return place


def optional_column(table: Table | Header, name: str) -> int | None:
    """Return the place of a column or None; raise if two differ from the name in case alone.

    An exact name wins; then case, spaces, quotes and invisible characters around it do not count,
    which the table notes.
    """
    columns = table.columns
    if name in columns:
        return list(columns).index(name)
    wanted = folded(name)
    alike = [place for place, other in enumerate(columns) if folded(other) == wanted]
    if len(alike) > 1:
        names = joined([f"'{shown(columns[place])}'" for place in alike[:3]])
        why = f"columns {names} could each be '{shown(name)}'"
        raise DataError(f"{table.name}: {why}; rename all but one of them")
    if alike and isinstance(table, Table):
        table.respelled[name] = columns[alike[0]]
    return alike[0] if alike else None


def likely(columns: Sequence[str], name: str) -> str:
    """Return the column that may be meant by a name; empty if none looks so.

    >>> likely(("No.", "Outlet", "Paragraph text"), "text")
    'Paragraph text'
    """
    wanted, names = folded(name), [folded(column[:200]) for column in columns]
    usual = USUAL.get(wanted, ())
    words = [re.split(r"[\W_]+", column) for column in names]
    joined = list(map("".join, words))
    same = [joined.index(word) for word in (w.replace("_", "") for w in usual) if word in joined]
    within = [pos for word in (wanted, *usual) for pos, parts in enumerate(words) if word in parts]
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.7)
    places = [*same, *(within if usual else []), *(names.index(match) for match in near)]
    return columns[places[0]] if places else ""


def _advice(columns: Sequence[str], name: str, option: str, hint: str) -> str:
    if len(columns) == 1 and folded(name) in re.split(r"\W", folded(columns[0])):
        advice = "name its separator with --delimiter, or remove quotes around the line"
        return f"the header is one column {shown(columns[0])!r}; {advice}"
    if meant := likely(columns, name):
        return f"did you mean {option}{' ' if option[-1:].isalpha() else ''}'{shown(meant)}'?"
    listed = ", ".join(shown(column, 30) for column in columns[:8])
    ways = [f"choose one with {option}"] * bool(option)
    ways += ["remove lines above the header"] * (len(columns) == 1)
    or_else = f"; {', or '.join(ways)}" if ways else ""
    return f"it has {listed}{' …' if len(columns) > 8 else ''}{or_else}{hint}"
