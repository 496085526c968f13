"""Find a column by name: exactly, then ignoring case; suggest near matches in the error."""

import difflib
import re
from collections.abc import Iterable, Sequence

from stance.display import shown
from stance.errors import DataError
from stance.tables.quoting import SEPARATORS
from stance.tables.table import ColumnError, folded

_USUAL = {
    "text": (
        *("body", "content", "paragraph", "article_text", "article_body", "body_text", "full_text"),
        *("fulltext", "main_text", "plain_text", "raw_text", "clean_text", "sentence", "passage"),
        *("article", "story", "tweet", "post", "message", "comment", "quote", "speech"),
        *("transcript", "description", "document_text", "segment", "snippet", "textual_content"),
        *("absatz", "volltext", "inhalt", "texto", "texte", "testo", "tekst", "текст"),
    ),
    "actor": ("target", "entity", "actor_name", "target_name", "country", "aspect", "topic"),
    "stance": ("label", "gold", "gold_label", "annotation", "polarity", "class", "stance_label"),
    "document": ("doc_id", "document_id", "docid", "article_id", "doc", "url", "uri", "link"),
    "date": (
        *("published", "publication_date", "pub_date", "pubdate", "published_at", "date_published"),
        *("publish_date", "created_at", "datetime", "timestamp", "day", "time"),
        *("datum", "fecha", "дата"),
    ),
}
"""What other people call the columns that we ask for, most telling names first."""


_NEAR = 0.7  # likeness of "texts" to "text" is 0.89, of "outlet" 0.6


def column(
    table_columns: Sequence[str], name: str, table_name: str, option: str = "", hint: str = ""
) -> int:
    """Return the place of a column, or raise with the name, and `option`, that may be meant.

    `hint` ends the message where no column looks meant.

    >>> column(("id", "Text"), "text", "mine.csv")
    1
    """
    at = optional_column(table_columns, name, table_name)
    if at is None:
        missing = f"no column '{shown(name)}'; {_advice(table_columns, name, option, hint)}"
        prose = is_prose(",".join(table_columns))
        raise ColumnError(f"{table_name}: {PROSE if prose else missing}", name)
    return at


def optional_column(table_columns: Sequence[str], name: str, table_name: str) -> int | None:
    """Return the place of a column or None; raise if two differ from the name in case alone.

    An exact name wins; then case, spaces, quotes and invisible characters around it do not count.
    """
    if name in table_columns:
        return list(table_columns).index(name)
    wanted = folded(name)
    alike = [at for at, found in enumerate(table_columns) if folded(found) == wanted]
    if len(alike) > 1:
        names = " and ".join(f"'{shown(table_columns[at])}'" for at in alike[:3])
        why = f"columns {names} could each be '{shown(name)}'"
        or_else = f", or choose one with --{name}-column" if name in _USUAL else ""
        raise DataError(f"{table_name}: {why}; rename all but one of them{or_else}")
    return alike[0] if alike else None


def read_as(table_columns: Sequence[str], names: Iterable[str], table_name: str) -> list[str]:
    """Return notes on columns that are read though case or spaces in their names differ.

    >>> read_as(("text", "Actor"), ("text", "actor", "spans"), "mine.csv")
    ["mine.csv: column 'Actor' is read as 'actor'"]
    """
    places = {name: optional_column(table_columns, name, table_name) for name in names}
    return [
        f"{table_name}: column '{shown(table_columns[at])}' is read as '{shown(name)}'"
        for name, at in places.items()
        if at is not None and table_columns[at] != name
    ]


def is_prose(line: str) -> bool:
    """Return whether a first line is a sentence rather than the names of columns.

    >>> is_prose("Poland praised NATO, and Russia did not."), is_prose("id,text of it")
    (True, False)
    """
    words = len(line.split())
    ends = re.search(r"""[.!?…]["'”’)]*$""", line.rstrip()) is not None
    separated = re.search(r"""[,;\t|](?!["'”’»]?(?:\s|$))""", line) is not None
    return not separated and words > (1 if ends else 7)


PROSE = (
    "is text, not a table; `stance explain -` takes one paragraph, an article is a .txt file, "
    "and a table begins with the names of its columns, such as text"
)


def _advice(columns: Sequence[str], name: str, option: str, hint: str) -> str:
    wanted = folded(name)
    if len(columns) == 1:  # it may hold the wanted name beside others
        signs = (*SEPARATORS, ":", " ")
        mark = next((sign for sign in signs if wanted in map(folded, columns[0].split(sign))), "")
        quoted = "remove the quotes around it, or " if mark in SEPARATORS else ""
        if mark:
            advice = f"{quoted}name its separator with --delimiter"
            return f"the header is one column {shown(columns[0])!r}; {advice}"
    if meant := likely(columns, name):
        first, *others = (f"'{shown(column)}'" for column in meant)
        or_else = f" (or {', '.join(others[:2])})" if others else ""
        space = " " if option and not option.endswith("=") else ""
        return f"did you mean {option}{space}{first}{or_else}?"
    if any(map(_looks_like_data, columns)):
        return f"line 1 begins with '{shown(columns[0])}': are the column names missing?"
    listed = ", ".join(shown(column, 30) for column in columns[:8])
    or_else = f"; choose one with {option}" if option else ""
    return f"it has {listed}{' …' if len(columns) > 8 else ''}{or_else}{hint}"


def likely(columns: Sequence[str], name: str) -> list[str]:
    """Return the columns that may be meant by a name, the likeliest first.

    >>> likely(("No.", "Outlet", "Paragraph text"), "text")
    ['Paragraph text']
    """
    wanted, names = folded(name), [folded(column[:200]) for column in columns]
    usual = _USUAL.get(wanted, ())
    words = dict(zip(columns, (re.split(r"[\W_]+", each) for each in names), strict=True))
    same = [c for each in usual for c in columns if "".join(words[c]) == each.replace("_", "")]
    within = [c for each in (wanted, *usual) for c in columns if usual and each in words[c]]
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=_NEAR)
    return list(dict.fromkeys(same or within)) or [columns[names.index(each)] for each in near]


def _looks_like_data(name: str) -> bool:
    is_number = re.fullmatch(r"[+-]?\d[\d.,:/-]*", name) is not None
    return is_number or len(name) > 60 or name.count(" ") > 3
