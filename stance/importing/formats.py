"""Formats that can be imported, and the way from any of them to a corpus table."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Unpack

from stance.display import count, shown, shown_path
from stance.errors import DataError, UsageError
from stance.importing import _datasets, _standoff, _tables, _tools
from stance.importing._reading import Notes, Request
from stance.importing._rows import Row
from stance.label_values import stance_spellings
from stance.tables import Form, write_table

COLUMNS = ("id", "document", "actor", "spans", "stance", "text")
"""Columns that every imported corpus has; others follow as far as a row has them."""

Reader = Callable[[Request, Notes], Iterator[Row]]

_NO_NEUTRAL = "it has no neutral label: a model of it alone never answers neutral"
_TOPICS = (
    "the actor is a topic or a question, which a text need not name: train a recipe with "
    "per_actor on topics that recur, such as fixed-topics.toml"
)


@dataclass(frozen=True, slots=True)
class Format:
    """A format that can be imported."""

    name: str
    read: Reader
    advice: str = "name a file of the set"  # about a file that is not of the format
    notes: tuple[str, ...] = ()  # what a user must know of every corpus in it
    mapped: bool = False  # whether --map applies
    tabular: bool = False  # whether its files are tables


def _set(name: str, read: Reader, advice: str = "", *notes: str) -> Format:
    return Format(name, read, advice or "name a file of the set, such as train.csv", notes)


def _table(name: str, read: Reader | _tables.Layout, advice: str = "", *notes: str) -> Format:
    if isinstance(read, _tables.Layout):
        read = partial(_tables.read_layout, read)
    return replace(_set(name, read, advice, *notes), tabular=True)


def _tool(name: str, read: Reader, advice: str) -> Format:
    return Format(name, read, advice, mapped=True)


_LINES = "name a file of the set, such as train.jsonl"
_FOLDER = "name the folder that holds annotations and articles"

FORMATS: Mapping[str, Format] = {
    each.name: each
    for each in (
        _set("newsmtsc", _datasets.read_newsmtsc, _LINES),
        _set(
            "madtsc",
            _datasets.read_madtsc,
            _LINES,
            "it names no article: sentences of one article may stand on two sides of a split",
        ),
        _table("rusentne", _tables.RUSENTNE),
        _set("ruopinionne", _datasets.read_ruopinionne, _LINES, _NO_NEUTRAL),
        _table(
            "persent",
            _tables.read_persent,
            "",
            "labels of paragraphs are converted; TRUE_SENTIMENT, the label of the whole article, "
            "is not",
            "many paragraphs name the actor by a pronoun or not at all; stance check counts them",
        ),
        _table("semeval2016", _tables.SEMEVAL2016, "", _TOPICS),
        _table("pstance", _tables.PSTANCE, "", _NO_NEUTRAL),
        _table("vast", _tables.VAST, "", _TOPICS),
        _table("xstance", _tables.XSTANCE, _LINES, _TOPICS, _NO_NEUTRAL),
        _table(
            "sentfin",
            _tables.read_sentfin,
            "name SEntFiN.csv",
            "it labels what news mean for investors: good news for a firm is favor",
        ),
        _set(
            "semeval2025",
            _datasets.read_semeval2025,
            "name the folder of a language, such as EN",
            "roles are read as stances: Protagonist is favor, Antagonist against; Innocent is "
            "left out unless --labels Innocent=favor says what it is",
            _NO_NEUTRAL,
        ),
        _set(
            "seesaw",
            _datasets.read_seesaw,
            _FOLDER,
            _NO_NEUTRAL,
            "actors have their full names, which sentences often shorten: stance check counts them",
        ),
        _set(
            "basil",
            _datasets.read_basil,
            _FOLDER,
            "it labels biased sentences alone, with a bias for or against an actor; unbiased ones "
            "are no neutral rows, since nobody looked for actors in them",
            _NO_NEUTRAL,
        ),
        _tool("doccano", _tools.read_doccano, "export it again as JSONL"),
        _tool("labelstudio", _tools.read_labelstudio, "export it again as JSON"),
        _tool("prodigy", _tools.read_prodigy, "write it again with prodigy db-out"),
        _tool("brat", _standoff.read_brat, "name a folder of .ann and .txt files"),
        _tool("inception", _standoff.read_inception, "export it again as WebAnno TSV v3.3"),
        Format("table", _tables.read_mapped, "name a table", mapped=True, tabular=True),
    )
}


def parse_map(option: str | None) -> dict[str, str]:
    """Read ``COLUMN=NAME,...`` as what a source calls our columns.

    >>> parse_map("text=body, actor=target")
    {'text': 'body', 'actor': 'target'}
    """
    found: dict[str, str] = {}
    for part in (option or "").split(","):
        column, equals, name = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if not (equals and column and name) or column in found:
            what = "is not COLUMN=NAME" if column not in found else "names a column again"
            example = "write our column first, such as text=body,actor=target"
            raise UsageError(f"--map: '{shown(part)}' {what}; {example}")
        if other := next((key for key, same in found.items() if same == name), None):
            why = f"column '{shown(name)}' cannot be both {shown(other)} and {shown(column)}"
            raise UsageError(f"--map: {why}; name a column for each, or copy it")
        found[column] = name
    return found


def import_corpus(
    form: str,
    source: Path,
    target: Path,
    *,
    names: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    force: bool = False,
    **table: Unpack[Form],
) -> list[str]:
    """Convert a data set or an export to a corpus table; return what a user must know of it.

    ``form`` is one of `FORMATS`; the source is a file or, where the format has several, a folder.
    ``names`` is what the source calls our columns (see `parse_map`), ``labels`` are stances by its
    own spellings (see `stance.label_values.parse_labels`), ``table`` is the form of a table. Raises
    `DataError` with file, line and key if the source is not of the format, and `UsageError` if
    there is no such format, or it takes no names.
    """
    if form not in FORMATS:
        raise UsageError(f"unknown format '{shown(form)}'; choose among {', '.join(FORMATS)}")
    chosen = FORMATS[form]
    if names and not chosen.mapped:
        raise UsageError(f"--map: {form} has names of its own; use it with table or a tool")
    if table.get("actor") is not None and (form != "table" or "actor" in (names or {})):
        raise UsageError("--actor is for a table without a column for it; drop --actor")
    if unfit := [f"--{name}" for name, said in table.items() if said and not chosen.tabular]:
        raise UsageError(f"{unfit[0]} is about tables, which files of {form} are not; drop it")
    own = frozenset(label.lower() for label in labels or {})
    spellings = stance_spellings(labels)
    given = (names or {}, spellings, own, table)
    notes = Notes(list(chosen.notes))
    rows = list(chosen.read(Request(source, chosen.advice, *given), notes))
    if form != "table":  # whose cells stay as they are
        _align(rows)
    name = shown_path(source)
    if not rows:
        found = f"; its labels are {notes.labelled()}, see --labels" if notes.labels else ""
        raise DataError(f"{name}: no rows of {form} in it{found}; {chosen.advice}")
    columns = [*COLUMNS, *dict.fromkeys(key for row in rows for key in row if key not in COLUMNS)]
    inputs = [source] if source.is_file() else []
    with write_table(target, columns, force=force, inputs=inputs) as writer:
        for row in rows:
            writer.write([row.get(column, "") for column in columns])
    told = [line if line.startswith(str(source)) else f"{form}: {line}" for line in notes.told()]
    if coders := sorted({row["coder"] for row in rows if row.get("coder")}):
        listed = ", ".join(shown(coder, 30) for coder in coders[:8])
        told.append(f"{form}: {count(len(coders), 'coder')} in long form: {listed}")
    return [
        *told,
        f"{name}: {count(len(rows), 'row')} of {form} written to {target}{writer.remark()}",
    ]


def _align(rows: list[Row]) -> None:
    """Give the codings of one pair the same spans: all places that any coder marked.

    Else coders who mark different mentions of an actor would seem to judge different pairs. A
    coder with two rows on a pair told its mentions apart; then spans stay as they are.
    """
    pairs: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if row.get("coder"):
            key = (row.get("document", ""), row.get("id", ""), row["text"], row["actor"])
            pairs[key].append(row)
    for codings in pairs.values():
        if len({row["coder"] for row in codings}) == len(codings) > 1:
            places = {place for row in codings for place in row.get("spans", "").split(";")}
            ordered = sorted(places - {""}, key=lambda place: int(place.partition(":")[0]))
            for row in codings:
                row["spans"] = ";".join(ordered)
