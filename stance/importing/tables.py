"""Tables whose columns have other names: public data sets, and any table with `--map`."""

import ast
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from difflib import SequenceMatcher
from functools import partial
from types import MappingProxyType
from typing import Any

from stance.display import shown
from stance.errors import UsageError
from stance.importing.sources import Format, Import, Row, Rows, joined
from stance.label_values import SENTIMENTS, STANCES, LabelReader
from stance.records import Sentiment, Stance
from stance.tables import column, open_table, optional_column

_NO_TEXT = "; stance shares and report read labels without texts, by id"
_NEEDED = ("text", "actor", "stance")
_LONGEST_PLACE = 40  # digits of the two ends of a place; int() refuses thousands of them
_LONGEST_DECISIONS = 10_000
_MOST_PARAGRAPHS = 16  # of an article of PerSenT
_WORD = re.compile(r"\[TGT\]|\w+|\S")

Split = Callable[[Import, Row], Rows]
"""What makes the cells of one record those of several."""


def read_table(
    job: Import,
    *,
    columns: Mapping[str, str],
    tones: Mapping[str, int] = MappingProxyType({}),
    split: Split = lambda job, cells: iter([cells]),
    needed: Sequence[str] = _NEEDED,
    mapped: bool = False,
) -> Rows:
    """Yield the rows of a table, whose other columns come along if the user mapped some.

    Else rows are numbered, and those of one text share a document, if the table does not say.
    `columns` are its names by ours, of which it has those `needed`, and `tones` are further
    spellings of sentiments.
    """
    with open_table(job.source, **job.form) as table:
        places = dict[str, int]()
        for ours, theirs in columns.items():
            place = optional_column(table, theirs)
            if place is None and (mapped or ours in needed):
                option = f"--map {ours}=" if mapped else ""
                by_id = ours == "text" and optional_column(table, "id") is not None
                place = column(table, theirs, option, _NO_TEXT * by_id)
            if place is not None:
                places[ours] = place
        if ("start" in places) != ("end" in places):
            raise UsageError("--map: the start and end of a mention belong together; name both")
        others = [pos for pos in range(len(table.columns)) if mapped and pos not in places.values()]
        stances = LabelReader(table.name, Stance, job.known)
        sentiments = LabelReader(table.name, Sentiment, {**SENTIMENTS, **tones})
        documents: dict[str, str] = {}
        for record in table:
            job.where = table.where(record)
            for row in split(job, {k: record.cells[pos] for k, pos in places.items()}):
                row["stance"] = tuple(Stance)[stances.read(row["stance"], record)]
                if row.get("sentiment", "").strip():
                    row["sentiment"] = tuple(Sentiment)[sentiments.read(row["sentiment"], record)]
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
        job.notes += [*table.notes, *stances.notes(), *sentiments.notes()]


def _spans(job: Import, start: str, end: str, text: str) -> str:
    digits = start.strip().isdecimal() and end.strip().isdecimal()
    if not (digits and len(start + end) < _LONGEST_PLACE and int(start) < int(end) <= len(text)):
        what = f"{shown(start)}:{shown(end)} does not lie inside the text"
        raise job.fault(what, "offsets are 0-based, the end excluded")
    return f"{int(start)}:{int(end)}"


def _read_mapped(job: Import) -> Rows:
    """Yield the rows of any table, with the columns that the user names; others come along."""
    names = {name: job.names.get(name, name) for name in (*_NEEDED, *job.names)}
    return read_table(job, columns=names, mapped=True)


def _read_semeval2016(job: Import) -> Rows:
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
    columns = {"text": "Tweet", "actor": "Target", "stance": "Stance", "id": "ID"}
    return read_table(
        job, columns={**columns, "sentiment": "Sentiment"}, tones={"other": 1, "neither": 1}
    )


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


# --- All of them -----------------------------------------------------------------------------

NO_NEUTRAL = "it has no neutral label: a model trained only on it never answers neutral"
_TOPICS = (
    "the actor is a topic or a question, which a text need not name: train a recipe with "
    "per_actor on topics that recur, such as fixed-topics.toml"
)
_WHOLE = "TRUE_SENTIMENT, the label of the whole article, is not converted"
_MONEY = "it labels what news means for investors: good news for a firm is favor"


def _table(
    columns: Mapping[str, str],
    *notes: str,
    known: Mapping[str, int] = STANCES,
    advice: str = "name a file of the set, such as train.csv",
    **more: Any,
) -> Format:
    read = partial(read_table, columns=columns, **more)
    return Format(read, advice, notes, known, tabular=True)


TABLES: Mapping[str, Format] = {
    # https://github.com/dialogue-evaluation/RuSentNE-evaluation
    "rusentne": _table(
        {"text": "sentence", "actor": "entity", "stance": "label"}
        | {"start": "entity_pos_start_rel", "end": "entity_pos_end_rel"},
        known={"-1": 0, "0": 1, "1": 2},
    ),
    # https://github.com/StonyBrookNLP/PerSenT, pre_post_processing_steps: a record is an article,
    # its paragraphs on lines of their own; the label of the first one is in `Paragraph0`.
    "persent": _table(
        {"document": "DOCUMENT_INDEX", "actor": "TARGET_ENTITY", "text": "DOCUMENT"}
        | {"masked": "MASKED_DOCUMENT"}
        | {f"stance {number}": f"Paragraph{number}" for number in range(_MOST_PARAGRAPHS)},
        _WHOLE,
        split=_paragraphs,
        needed=("document", "actor", "text", "stance 0"),
    ),
    # Mohammad et al. (2016), "SemEval-2016 Task 6: Detecting Stance in Tweets".
    "semeval2016": Format(_read_semeval2016, notes=(_TOPICS,), tabular=True),
    # https://github.com/chuchun8/PStance; Li et al. (2021), Findings of ACL.
    "pstance": _table({"text": "Tweet", "actor": "Target", "stance": "Stance"}, NO_NEUTRAL),
    # https://github.com/ZurichNLP/xstance, README ("Structure"); JSON Lines.
    "xstance": _table(
        {"text": "comment", "actor": "question", "stance": "label", "document": "author"}
        | {name: name for name in ("id", "language", "topic", "test_set")},
        _TOPICS,
        NO_NEUTRAL,
        advice="name a file of the set, such as train.jsonl",
    ),
    # Sinha et al. (2022), "SEntFiN 1.0: Entity-aware sentiment analysis for financial news".
    "sentfin": _table(
        {"text": "Title", "decisions": "Decisions"},
        _MONEY,
        split=_decisions,
        needed=("text", "decisions"),
        advice="name SEntFiN.csv",
    ),
    "table": Format(_read_mapped, "name a table", mapped=True, tabular=True),
}
