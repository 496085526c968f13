"""Tables whose columns have other names: public data sets, and any table with `--map`."""

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from stance.display import shown
from stance.errors import UsageError
from stance.importing.sources import Import, Row, Rows, joined
from stance.label_values import SENTIMENTS, STANCES, LabelReader
from stance.records import Sentiment, Stance
from stance.tables import column, open_table, optional_column

_NEEDED = ("text", "actor", "stance")
_LONGEST_PLACE = 40  # digits of the two ends of a place; int() refuses thousands of them
_LONGEST_DECISIONS = 10_000
_MOST_PARAGRAPHS = 16  # of an article of PerSenT
_WORD = re.compile(r"\[TGT\]|\w+|\S")

Split = Callable[[Import, Row], Rows]
"""What makes the cells of one record those of several."""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """What a table calls the columns of a corpus, and its labels."""

    columns: Mapping[str, str]  # its names by ours
    tones: Mapping[str, int] = field(default_factory=dict)  # further spellings of sentiments
    split: Split = lambda job, cells: iter([cells])
    needed: tuple[str, ...] = _NEEDED


def read_table(their: ColumnMap, job: Import, *, mapped: bool = False) -> Rows:
    """Yield the rows of a table, whose other columns come along if the user mapped some.

    Else rows are numbered, and those of one text share a document, if the table does not say.
    """
    with open_table(job.source, **job.form) as table:
        places = dict[str, int]()
        for ours, theirs in their.columns.items():
            place = optional_column(table.columns, theirs, table.name)
            if place is None and (mapped or ours in their.needed):
                option = f"--map {ours}=" if mapped else ""
                place = column(table.columns, theirs, table.name, option)
            if place is not None:
                places[ours] = place
        if ("start" in places) != ("end" in places):
            raise UsageError("--map: start and end of a mention come together; name both")
        others = [pos for pos in range(len(table.columns)) if mapped and pos not in places.values()]
        stances = LabelReader(table.name, Stance, job.known)
        tones = LabelReader(table.name, Sentiment, {**SENTIMENTS, **their.tones})
        is_exact = not STANCES.keys() <= job.known.keys()  # no other numbers count
        documents: dict[str, str] = {}
        for record in table:
            job.where = table.where(record)
            for row in their.split(job, {k: record.cells[pos] for k, pos in places.items()}):
                if is_exact and row["stance"].strip().lower() not in job.known:
                    known = ", ".join(job.known)
                    raise job.fault(f"stance '{shown(row['stance'])}' is not one of {known}")
                row["stance"] = tuple(Stance)[stances.read(row["stance"], record)]
                if row.get("sentiment", "").strip():
                    row["sentiment"] = tuple(Sentiment)[tones.read(row["sentiment"], record)]
                if "start" in row:
                    row["spans"] = _spans(job, row.pop("start"), row.pop("end"), row["text"])
                for name, cell in ((table.columns[pos], record.cells[pos]) for pos in others):
                    if cell and name in row:
                        what = f"column '{shown(name)}' would occur twice, and is not empty"
                        raise job.fault(what, f"rename it, or map it: --map {name}=…")
                    row.setdefault(name, cell)
                if not mapped:
                    number = documents.setdefault(row["text"], f"s{len(documents) + 1}")
                    row = {"id": str(record.number), "document": number} | row
                yield job.row(row)
        job.notes += [*table.notes, *stances.notes(), *tones.notes()]


def _spans(job: Import, start: str, end: str, text: str) -> str:
    digits = start.strip().isdecimal() and end.strip().isdecimal()
    if not (digits and len(start + end) < _LONGEST_PLACE and int(start) < int(end) <= len(text)):
        what = f"{shown(start)}:{shown(end)} does not lie inside the text"
        raise job.fault(what, "ends are 0-based and exclusive")
    return f"{int(start)}:{int(end)}"


def read_mapped(job: Import) -> Rows:
    """Yield the rows of any table, with the columns that the user names; others come along."""
    names = {name: job.names.get(name, name) for name in (*_NEEDED, *job.names)}
    return read_table(ColumnMap(names), job, mapped=True)


# --- Data sets -------------------------------------------------------------------------------

RUSENTNE = ColumnMap(
    {"text": "sentence", "actor": "entity", "stance": "label"}
    | {"start": "entity_pos_start_rel", "end": "entity_pos_end_rel"}
)
"""https://github.com/dialogue-evaluation/RuSentNE-evaluation (README)."""

PSTANCE = ColumnMap({"text": "Tweet", "actor": "Target", "stance": "Stance"})
"""https://github.com/chuchun8/PStance; Li et al. (2021), Findings of ACL."""

VAST = ColumnMap(
    {"text": "post", "actor": "new_topic", "stance": "label", "id": "new_id", "document": "arc_id"}
)
"""https://github.com/emilyallaway/zero-shot-stance, data/README.md: `post` is the comment as
written, `new_topic` the topic after correction, `arc_id` the article."""

XSTANCE = ColumnMap(
    {"text": "comment", "actor": "question", "stance": "label", "id": "id", "document": "author"}
    | {name: name for name in ("language", "topic", "test_set")}
)
"""https://github.com/ZurichNLP/xstance, README ("Structure"); JSON Lines."""

SEMEVAL2016 = ColumnMap(
    {**PSTANCE.columns, "id": "ID", "sentiment": "Sentiment"}, tones={"other": 1, "neither": 1}
)
"""Mohammad et al. (2016), "SemEval-2016 Task 6: Detecting Stance in Tweets"."""


def read_semeval2016(job: Import) -> Rows:
    """Yield the rows of a file of SemEval-2016: tabs and no quotes, or a table with quotes.

    The files of the task are in Windows-1252; copies in UTF-8 are told by their bytes.
    """
    data = b""
    with suppress(OSError):  # `open_table` says why
        data = job.source.read_bytes()
    if job.form.get("encoding") is None:
        try:
            data.decode()
        except UnicodeDecodeError:
            job.form["encoding"] = "cp1252"
    if b"\t" in data.partition(b"\n")[0]:
        job.form["quoting"] = "none"
    return read_table(SEMEVAL2016, job)


def _paragraphs(job: Import, article: Row) -> Rows:
    """Yield the labelled paragraphs of an article of PerSenT, in which its actor is masked."""
    texts = [text.strip() for text in article["text"].split("\n")]
    masks = article.get("masked", "").split("\n")
    for number in range(_MOST_PARAGRAPHS):
        label = article.get(f"stance {number}", "")
        if label.strip() and not "".join(texts[number : number + 1]):
            job.skip("label", "of a paragraph that is not there")
        elif label.strip():
            fits = len(masks) == len(texts)
            places = masked_places(texts[number], masks[number]) if fits else set()
            row = {"id": f"{article['document']}-{number}", "document": article["document"]}
            row |= {"actor": article["actor"], "spans": joined(places), "stance": label}
            yield row | {"text": texts[number]}


def masked_places(text: str, masked: str) -> set[tuple[int, int]]:
    """Return where a text has what its copy calls ``[TGT]``; nothing if the two do not fit.

    >>> sorted(masked_places("Ann Lee won. She smiled.", " [TGT]  won.  [TGT]  smiled."))
    [(0, 7), (13, 16)]
    """
    words, masks = list(_WORD.finditer(text)), _WORD.findall(masked)
    matcher = SequenceMatcher(None, [word[0] for word in words], masks, autojunk=False)
    places = set[tuple[int, int]]()
    for kind, start, end, low, high in matcher.get_opcodes():
        if kind != "equal":
            if start == end or {*masks[low:high]} != {"[TGT]"}:
                return set()
            places.add((words[start].start(), words[end - 1].end()))
    return places


PERSENT = ColumnMap(
    {"document": "DOCUMENT_INDEX", "actor": "TARGET_ENTITY", "text": "DOCUMENT"}
    | {"masked": "MASKED_DOCUMENT"}
    | {f"stance {number}": f"Paragraph{number}" for number in range(_MOST_PARAGRAPHS)},
    split=_paragraphs,
    needed=("document", "actor", "text", "stance 0"),
)
"""https://github.com/StonyBrookNLP/PerSenT, pre_post_processing_steps: a record is an article, its
paragraphs on lines of their own; the label of the first one is in `Paragraph0`."""


def _decisions(job: Import, headline: Row) -> Rows:
    """Yield a row per entity of a Python dictionary, ``{'Gold': 'positive'}``, which is not run."""
    cell = headline.pop("decisions").strip()
    try:
        with warnings.catch_warnings(action="ignore"):  # about backslashes
            labels: Any = ast.literal_eval(cell) if len(cell) < _LONGEST_DECISIONS else ()
        for actor, label in labels.items():
            yield {**headline, "actor": actor, "stance": label.strip()}
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError, AttributeError):
        what = "Decisions is not a dictionary such as {'Gold': 'positive'}"
        raise job.fault(what) from None


SENTFIN = ColumnMap(
    {"text": "Title", "decisions": "Decisions"}, split=_decisions, needed=("text", "decisions")
)
"""Sinha et al. (2022), "SEntFiN 1.0: Entity-aware sentiment analysis for financial news"."""
