"""Tables whose columns have other names: public data sets, and any table with `--map`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stance.display import shown
from stance.errors import DataError, UsageError
from stance.importing._reading import Node, Notes, Request, decode
from stance.importing._rows import Row, make_row
from stance.label_values import SENTIMENTS, LabelReader
from stance.records import Sentiment, Stance
from stance.tables import Form, Record, Table, column, open_table, optional_column

NEEDED = ("text", "actor", "stance")
_ENDS = ("start", "end")  # of the mention, 0-based and end-exclusive; together they are spans
_LONGEST_PLACE = 40  # digits of the two ends of a place; int() refuses thousands of them


@dataclass(frozen=True, slots=True)
class Layout:
    """What a data set calls the columns of a corpus, and its labels."""

    columns: Mapping[str, str]  # its names by ours; those of `NEEDED` must be there
    labels: Mapping[str, int] = field(default_factory=dict)  # besides the usual spellings
    tones: Mapping[str, int] = field(default_factory=dict)
    delimiter: str | None = None
    must: tuple[str, ...] = ()  # further columns without which the file is another one


RUSENTNE = Layout(
    {
        **{"text": "sentence", "actor": "entity", "stance": "label"},
        **{"start": "entity_pos_start_rel", "end": "entity_pos_end_rel"},
    },
    labels={"-1": 0, "0": 1, "1": 2},
    delimiter="tab",
    must=_ENDS,
)
"""RuSentNE-2023: https://github.com/dialogue-evaluation/RuSentNE-evaluation (README)."""

SEMEVAL2016 = Layout(
    {"text": "Tweet", "actor": "Target", "stance": "Stance", "id": "ID", "sentiment": "Sentiment"},
    tones={"other": 1},  # "neither positive nor negative"
)
"""SemEval-2016 task 6: Mohammad et al. (2016), "SemEval-2016 Task 6: Detecting Stance in Tweets";
the tab-separated files of the task (ID, Target, Tweet, Stance), and the CSV with sentiment."""

PSTANCE = Layout({"text": "Tweet", "actor": "Target", "stance": "Stance"})
"""P-Stance: https://github.com/chuchun8/PStance; Li et al. (2021), Findings of ACL."""

VAST = Layout(
    {
        **{"text": "post", "actor": "new_topic", "stance": "label", "id": "new_id"},
        "document": "arc_id",
    },
    labels={"0": 0, "1": 2, "2": 1},
)
"""VAST: https://github.com/emilyallaway/zero-shot-stance, data/README.md (0 con, 1 pro, 2 neutral);
`post` is the comment as written, `new_topic` the topic after correction, `arc_id` the article."""

XSTANCE = Layout(
    {
        **{"text": "comment", "actor": "question", "stance": "label", "id": "id"},
        "document": "author",
    }
)
"""x-stance: https://github.com/ZurichNLP/xstance, README ("Structure"); JSON Lines."""


def read_layout(layout: Layout, request: Request, notes: Notes) -> Iterator[Row]:
    """Yield the rows of a data set's table; rows of one text share a document if it names none."""
    names = {**layout.columns, **request.names}
    documents: dict[str, str] = {}
    form: Form = {**request.form}
    form["delimiter"] = form.get("delimiter") or layout.delimiter
    with open_table(request.source, **form) as table:
        places = _places(table, names, (*NEEDED, *layout.must, *request.names))
        for record, row in _rows(table, places, layout, request, notes):
            row.setdefault("id", str(record.number))
            if "document" not in places:
                text = row["text"]
                row["document"] = documents.setdefault(text, f"s{len(documents) + 1}")
            yield row


def read_mapped(request: Request, notes: Notes) -> Iterator[Row]:
    """Yield the rows of any table, with the columns that the user names; others come along."""
    names = {name: request.name(name) for name in (*NEEDED, *request.names)}
    with open_table(request.source, **request.form) as table:
        places = _places(table, names, tuple(names), mapped=True)
        others = {name: at for at, name in enumerate(table.columns) if at not in places.values()}
        mapped = {*places, "spans"} if "start" in places else {*places}
        taken = {name: others.pop(name) for name in sorted(mapped & set(others))}
        layout = Layout(names)
        for record, row in _rows(table, places, layout, request, notes):
            if twice := next((name for name, at in taken.items() if record.cells[at]), None):
                what = f"column '{shown(twice)}' would occur twice, and is not empty"
                advice = f"rename it, or map it: --map {twice}=…"
                raise DataError(f"{table.name}:{record.line}: {what}; {advice}")
            own = {name: record.cells[at] for name, at in others.items()}
            yield make_row(f"{table.name}:{record.line}", {**row, **own})


def _places(
    table: Table, names: Mapping[str, str], needed: Sequence[str], *, mapped: bool = False
) -> dict[str, int]:
    places = {}
    for name, theirs in names.items():
        at = optional_column(table.columns, theirs, table.name)
        if at is None and name in needed:
            at = column(table.columns, theirs, table.name, f"--map {name}=" if mapped else "")
        if at is not None:
            places[name] = at
    if ("start" in places) != ("end" in places):
        raise UsageError("--map: start and end of a mention come together; name both")
    return places


def _rows(
    table: Table, places: Mapping[str, int], layout: Layout, request: Request, notes: Notes
) -> Iterator[tuple[Record, Row]]:
    words = {**request.labels, **layout.labels}
    words |= {word: request.labels[word] for word in request.own}
    stance = LabelReader(table.name, Stance, words)
    tones = {**SENTIMENTS, **layout.tones}
    tone = LabelReader(table.name, Sentiment, tones)
    for record in table:
        cells = {name: record.cells[at] for name, at in places.items()}
        where = f"{table.name}:{record.line}"
        if layout.labels and cells["stance"].strip().lower() not in words:
            known = ", ".join(layout.labels)  # no other scale counts
            what = f"stance '{shown(cells['stance'])}' is not one of {known}"
            raise DataError(f"{where}: {what}; {request.advice}")
        cells["stance"] = tuple(Stance)[stance.read(cells["stance"], record)]
        if cells.get("sentiment", "").strip():
            cells["sentiment"] = tuple(Sentiment)[tone.read(cells["sentiment"], record)]
        if "start" in cells:
            start, end = cells.pop("start").strip(), cells.pop("end").strip()
            cells["spans"] = _spans(start, end, cells["text"], where)
        yield record, make_row(where, cells)
    notes.lines += [*table.notes, *stance.notes(), *tone.notes()]


def _spans(start: str, end: str, text: str, where: str) -> str:
    digits = start.isdecimal() and end.isdecimal() and len(start + end) < _LONGEST_PLACE
    if not (digits and int(start) < int(end) <= len(text)):
        what = f"{shown(start)}:{shown(end)} does not lie inside the text"
        raise DataError(f"{where}: {what}; ends are 0-based and exclusive")
    return f"{int(start)}:{int(end)}"


# --- Tables with more than one pair in a row --------------------------------------------------


def read_persent(request: Request, notes: Notes) -> Iterator[Row]:
    """Yield a row per labelled paragraph of PerSenT.

    Each record is an article (`DOCUMENT`, paragraphs on lines of their own) about `TARGET_ENTITY`,
    with the label of its first paragraph in `Paragraph0`, and so on, and that of the whole in
    `TRUE_SENTIMENT`: https://github.com/StonyBrookNLP/PerSenT, README and
    pre_post_processing_steps; column names as in https://huggingface.co/datasets/per_sent.
    """
    with open_table(request.source, **request.form) as table:
        names = ("DOCUMENT_INDEX", "TARGET_ENTITY", "DOCUMENT", "Paragraph0")
        index, entity, body, _ = (column(table.columns, name, table.name) for name in names)
        labels: list[int] = []
        while (at := _numbered(table, len(labels))) is not None:
            labels.append(at)
        stance = LabelReader(table.name, Stance, request.labels)
        for record in table:
            where = f"{table.name}:{record.line}"
            paragraphs = record.cells[body].split("\n")
            for number, at in enumerate(labels):
                if not record.cells[at].strip():
                    continue
                if number >= len(paragraphs) or not paragraphs[number].strip():
                    notes.left_out["label of a paragraph that is not there"] += 1
                    continue
                row = {
                    "id": f"{record.cells[index]}-{number}",
                    "document": record.cells[index],
                    "actor": record.cells[entity],
                    "stance": tuple(Stance)[stance.read(record.cells[at], record)],
                    "text": paragraphs[number].strip(),
                }
                yield make_row(where, row)
        notes.lines += [*table.notes, *stance.notes()]


def _numbered(table: Table, number: int) -> int | None:
    return optional_column(table.columns, f"Paragraph{number}", table.name)


def read_sentfin(request: Request, notes: Notes) -> Iterator[Row]:
    """Yield a row per entity of SEntFiN: headlines, with labels by entity in JSON (`Decisions`).

    Sinha et al. (2022), "SEntFiN 1.0: Entity-aware sentiment analysis for financial news"; columns
    `S No.`, `Title`, `Decisions` and `Words`.
    """
    with open_table(request.source, **request.form) as table:
        title = column(table.columns, "Title", table.name)
        decisions = column(table.columns, "Decisions", table.name)
        stance = LabelReader(table.name, Stance, request.labels)
        for record in table:
            where = f"{table.name}:{record.line}"
            found = decode(record.cells[decisions], f"{where}: Decisions", request.advice)
            said = Node(found, where, request.advice, "Decisions")
            for entity, label in said.fields().items():
                row = {
                    "id": str(record.number),
                    "document": str(record.number),
                    "actor": entity,
                    "stance": tuple(Stance)[stance.read(label.text(), record)],
                    "text": record.cells[title],
                }
                yield make_row(where, row)
        notes.lines += [*table.notes, *stance.notes()]
