"""Tables whose columns have other names: public data sets, and any table with `--map`."""

import ast
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from difflib import SequenceMatcher
from typing import Any

from stance.display import shown
from stance.errors import UsageError
from stance.importing.sources import Import, Row, Rows, joined
from stance.label_values import SENTIMENTS, LabelReader
from stance.records import Sentiment, Stance
from stance.tables import column, open_table, optional_column

_NO_TEXT = "; stance shares and report read labels without texts, by id"
_LONGEST_PLACE = 40  # digits of the two ends of a place; int() refuses thousands of them
_LONGEST_DECISIONS = 10_000
_WORD = re.compile(r"\[TGT\]|\w+|\S")

Split = Callable[[Import, Row], Rows]
"""What makes the cells of one record those of several."""


def read_table(job: Import, split: Split = lambda job, cells: iter([cells])) -> Rows:
    """Yield the rows of a table, whose other columns come along if the user may map some.

    Else rows are numbered, and those of one text share a document, if the table does not say.
    """
    form = job.format
    with open_table(job.source, **job.options) as table:
        places = dict[str, int]()
        for ours, theirs in {**form.columns, **job.names}.items():
            place = optional_column(table, theirs)
            if place is None and (form.mapped or ours in form.needed):
                option = f"--map {ours}=" if form.mapped else ""
                by_id = option == "--map text=" and optional_column(table, "id") is not None
                place = column(table, theirs, option, _NO_TEXT * by_id)
            if place is not None:
                places[ours] = place
        if ("start" in places) != ("end" in places):
            raise UsageError("--map: the start and end of a mention belong together; name both")
        used = {*places.values()} if form.mapped else {*range(len(table.columns))}
        others = [(pos, name) for pos, name in enumerate(table.columns) if pos not in used]
        stances = LabelReader(table.name, Stance, job.known)
        sentiments = LabelReader(table.name, Sentiment, {**SENTIMENTS, **form.tones})
        documents: dict[str, str] = {}
        for record in table:
            job.where = table.where(record)
            for row in split(job, {k: record.cells[pos] for k, pos in places.items()}):
                row["stance"] = tuple(Stance)[stances.read(row["stance"], record)]
                if row.get("sentiment", "").strip():
                    row["sentiment"] = tuple(Sentiment)[sentiments.read(row["sentiment"], record)]
                if "start" in row:
                    row["spans"] = _spans(job, row.pop("start"), row.pop("end"), row["text"])
                for pos, name in others:
                    if record.cells[pos] and name in row:
                        what = f"column '{shown(name)}' would occur twice, and is not empty"
                        raise job.fault(what, f"rename it, or map it: --map {name}=…")
                    row.setdefault(name, record.cells[pos])
                if not form.mapped:
                    number = documents.setdefault(row["text"], f"s{len(documents) + 1}")
                    row = {"id": str(record.number), "document": number} | row
                yield job.row(row)
        job.notes += [*table.notes, *stances.notes(), *sentiments.notes()]


def _spans(job: Import, start: str, end: str, text: str) -> str:
    digits = start.strip().isdecimal() and end.strip().isdecimal()
    if not (digits and len(start + end) < _LONGEST_PLACE and int(start) < int(end) <= len(text)):
        what = f"{shown(start)}:{shown(end)} does not lie inside the text"
        raise job.fault(what, "offsets are 0-based, the end excluded")
    return f"{int(start)}:{int(end)}"


def read_semeval2016(job: Import) -> Rows:
    """Yield the rows of a file of SemEval-2016: tabs and no quotes, or a table with quotes.

    The files of the task are in Windows-1252; `open_table` tells copies in UTF-8 by their bytes.
    """
    job.options["encoding"] = job.options.get("encoding") or "cp1252"
    with suppress(OSError), job.source.open("rb") as file:  # `open_table` says why
        if b"\t" in file.readline():
            job.options["quoting"] = "none"
    return read_table(job)


def persent_rows(job: Import, article: Row) -> Rows:
    """Yield the labelled paragraphs of an article of PerSenT, a line each; its actor is masked."""
    texts = [text.strip() for text in article["text"].split("\n")]
    masks = article.get("masked", "").split("\n")
    for number in range(len(job.format.columns)):
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


def sentfin_rows(job: Import, headline: Row) -> Rows:
    """Yield a row per entity of SEntFiN, from ``{'Gold': 'positive'}``, which is not run."""
    cell = headline.pop("decisions").strip()
    try:
        with warnings.catch_warnings(action="ignore"):  # about backslashes
            labels: Any = ast.literal_eval(cell) if len(cell) < _LONGEST_DECISIONS else ()
        for actor, label in labels.items():
            yield {**headline, "actor": actor, "stance": label.strip()}
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError, AttributeError):
        what = "Decisions is not a dictionary such as {'Gold': 'positive'}"
        raise job.fault(what) from None
