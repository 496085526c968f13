"""Exports of annotation tools: doccano, Label Studio, Prodigy and brat.

A label is about a whole text and the actor in one of its keys, as `stance label` exports pairs, or
it marks the words that name the actor.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from stance.display import shown, shown_path
from stance.importing.sources import (
    Format,
    Import,
    Item,
    Place,
    Row,
    Rows,
    files_in,
    objects,
    paragraph_around,
    read_json,
    read_text,
    scalar,
)
from stance.label_values import SENTIMENTS, SOFT, STANCES
from stance.records import Sentiment
from stance.settings import anything, items, of, table


def _rows(
    job: Import, where: str, cells: Row, labels: Sequence[str], places: Iterable[Place]
) -> Rows:
    """Yield a row of the whole text, if it has a stance, and those of its places."""
    rows = list(job.rows(cells, places))
    if any(map(job.spells, labels)) and not cells.get("actor", "").strip():
        what = f"has no actor at key '{shown(job.names.get('actor', 'actor'))}'"
        raise job.fault(where, what, "name its key: --map actor=KEY")
    rows = [*job.pair(where, cells, labels), *rows]
    if not rows:
        job.skip("text", "without a stance")
    yield from rows


def _place(
    job: Import, where: str, text: str, start: int, end: int, labels: list[str],
    said: str | None = None, *, utf16: bool = False,
) -> Place:  # fmt: skip
    """Return a place in code points; raise if it is outside of the text, or says something else.

    Tools count in code points, or in the UTF-16 units of JavaScript and Java; what a tool says
    stands at the place tells which. White space may differ.
    """
    places = [] if utf16 else [(start, end)]
    if utf16 or said is not None:
        places.append(from_utf16(text, start, end))
    for low, high in places:
        inside = 0 <= low < high <= len(text)
        if inside and (said is None or text[low:high].split() == said.split()):
            return Place(where, low, high, labels)
    what = "in the text" if said is None else f"'{shown(said, 30)}'"
    raise job.fault(where, f"the place {start}:{end} is not {what}")


def from_utf16(text: str, start: int, end: int) -> tuple[int, int]:
    """Return places in UTF-16 units as code points; -1 where there is no character's end.

    >>> from_utf16("\U0001f600 NATO", 3, 7), from_utf16("\U0001f600 NATO", 1, 9)
    ((2, 6), (-1, -1))
    """
    units = [*accumulate((1 + (char > "\uffff") for char in text), initial=0)]
    low, high = (units.index(unit) if unit in units else -1 for unit in (start, end))
    return low, high


def _cells(job: Import, where: str, item: Item, skipped: Sequence[str] = ()) -> Row:
    """Return the values of an object that are texts or numbers, under our names."""
    ours = {theirs: name for name, theirs in job.names.items()}
    cells = {
        ours.get(key, key): scalar(value, key)
        for key, value in item.items()
        if key not in (*skipped, *SOFT) and isinstance(value, (str, int, float))
    }
    if "text" not in cells:
        what = f"has no text at key '{shown(job.names.get('text', 'text'))}'"
        raise job.fault(where, what, "name its key: --map text=KEY")
    return cells


# --- doccano ---------------------------------------------------------------------------------

_SPANS = objects({"start_offset": of(int), "end_offset": of(int), "label": of(str)})
_PARTS = ("start_offset", "end_offset", "label")
_DOCCANO = ("label", "labels", "entities", "relations", "Comments")


def read_doccano(job: Import) -> Rows:
    """Yield the rows of a project's JSON Lines, or of a folder with a file for each coder.

    https://github.com/doccano/doccano, backend/data_export/pipeline. Offsets count UTF-16 units
    (issue 2290 there).
    """
    paths = files_in(job.source, ".jsonl")
    for path in paths:
        for where, item in read_json(of(dict), path, job):
            cells = _cells(job, where, item, _DOCCANO)
            if len(paths) > 1:
                cells.setdefault("coder", path.stem)
            said = item.get("label", item.get("labels", []))
            said = said if isinstance(said, list) else [said]
            labels = [label for label in said if isinstance(label, str)]
            spans = item.get("entities", [label for label in said if not isinstance(label, str)])
            if isinstance(spans, list):  # one is an object, or [3, 7, "favor"]
                is_list = (isinstance(span, list) and len(span) == 3 for span in spans)
                pairs = zip(spans, is_list, strict=True)
                spans = [dict(zip(_PARTS, s, strict=True)) if short else s for s, short in pairs]
            places = [
                _place(job, where, cells["text"], span["start_offset"], span["end_offset"],
                       [span["label"]], utf16=True)
                for span in job.checked(_SPANS, spans, where, "label")
            ]  # fmt: skip
            if item.get("relations"):
                job.skip("list", "of relations")
            yield from _rows(job, where, cells, labels, places)


# --- Label Studio ----------------------------------------------------------------------------

_ANY = of(dict)
_RESULTS = objects({"type": of(str)}, {"id": scalar, "from_name": of(str), "value": _ANY})
_ANNOTATIONS = objects({"result": _RESULTS})
_TASK = table({"data": _ANY}, {"id": scalar, "annotations": _ANNOTATIONS}, anything)
_REGION = table({"start": of(int), "end": of(int)}, others=anything)
_COLUMNS = ("sentiment", "holder", "note")
"""Columns of ours, besides the stance, that a result may bear as its name."""


def read_labelstudio(job: Import) -> Rows:
    """Yield the rows of an export in the format "JSON", one coding per annotation.

    https://labelstud.io/guide/task_format: results that share an `id` are about one region, others
    about the whole text. Versions count in UTF-16 units or in code points (issues 1347 and 1559 of
    HumanSignal/label-studio); the text of a region tells which.
    """
    for where, task in read_json(_TASK, job.source, job):
        cells = _cells(job, where, task["data"], ("stance", *_COLUMNS))
        if "id" in task:
            cells.setdefault("id", task["id"])
        if not task.get("annotations"):
            job.skip("task", "without an annotation")
        for annotation in task.get("annotations", []):
            if annotation.get("was_cancelled") is True:
                job.skip("cancelled annotation")
                continue
            own, who = dict(cells), annotation.get("completed_by")
            if isinstance(who, dict):
                who = who.get("email", who.get("id"))
            if isinstance(who, (str, int)):
                own["coder"] = str(who)
            labels, places = _results(job, where, annotation["result"], own)
            yield from _rows(job, where, own, labels, places)


def _results(
    job: Import, where: str, results: Sequence[Item], cells: Row
) -> tuple[list[str], list[Place]]:
    """Return what the results of an annotation say; those on our columns become cells."""
    labels, places, ours = list[str](), dict[str, Place](), {v: k for k, v in job.names.items()}
    for at, result in enumerate(results):
        kind, value = result["type"], result.get("value", {})
        name = ours.get(result.get("from_name", ""), result.get("from_name", ""))
        words = value.get("text" if kind == "textarea" else kind, [])
        words = words if isinstance(words, list) else [words]
        words = job.checked(items(scalar), words, where, f"result.{at}")
        if kind == "relation":
            job.skip("relation")
        elif "start" in value:
            key = result.get("id", str(at))
            if key not in places:
                job.checked(_REGION, value, where, f"result.{at}")
                said = value["text"] if isinstance(value.get("text"), str) else None
                ends = value["start"], value["end"]
                places[key] = _place(job, where, cells["text"], *ends, [], said)
            places[key].labels.extend(words)
        elif name in _COLUMNS:
            cells[name] = ";".join(words)
        else:
            labels += words
    if tone := cells.get("sentiment", "").strip().lower():
        if tone not in SENTIMENTS:
            raise job.fault(where, f"has a sentiment that is not one of {', '.join(Sentiment)}")
        cells["sentiment"] = tuple(Sentiment)[SENTIMENTS[tone]]
    return labels, list(places.values())


# --- Prodigy ---------------------------------------------------------------------------------

_ITEM = table(
    optional={
        "answer": of(str),
        "meta": _ANY,
        "label": scalar,
        "spans": objects({"start": of(int), "end": of(int)}, {"label": scalar}),
        "accept": items(scalar),
        "options": objects({"id": scalar}, {"text": scalar}),
        "_annotator_id": scalar,
        "_session_id": scalar,
    },
    others=anything,
)
_PRODIGY = (
    *("label", "answer", "priority", "score", "_input_hash", "_task_hash", "_session_id"),
    *("_annotator_id", "_view_id", "_timestamp", "_is_binary"),
)
"""Keys that are no data of the user's."""


def read_prodigy(job: Import) -> Rows:
    """Yield the rows that ``prodigy db-out`` writes (https://prodi.gy/docs/api-interfaces)."""
    for where, task in read_json(_ITEM, job.source, job):
        # `accept` holds the ids of the chosen options, `label` is that of a binary decision.
        if (answer := task.get("answer", "accept")) != "accept":
            job.skip("text", f"with the answer {shown(answer, 20)}")
            continue
        if task.get("relations"):
            job.skip("list", "of relations")
        cells, places = _cells(job, where, {**task.get("meta", {}), **task}, _PRODIGY), []
        if coder := task.get("_annotator_id", task.get("_session_id")):
            cells["coder"] = coder
        for span in task.get("spans", []):
            said = [span["label"]] if "label" in span else []
            places.append(_place(job, where, cells["text"], span["start"], span["end"], said))
        texts = {option["id"]: option.get("text", "") for option in task.get("options", [])}
        chosen = task.get("accept", [task["label"]] if "label" in task else [])
        labels = [one if job.spells(one) else texts.get(one) or one for one in chosen]
        if any(job.spells(label) for place in places for label in place.labels):
            labels = []
        yield from _rows(job, where, cells, labels, places)


# --- brat ------------------------------------------------------------------------------------

_TEXT_BOUND = re.compile(r"(T\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)")
_ATTRIBUTE = re.compile(r"[AM]\S*\t(\S+) (T\S+)(?: (.*))?")
_OTHER = re.compile(r"[AMREN#*]")
_WORDS = {word: n for word, n in STANCES.items() if len(word) > 3 and not word.startswith("n")}
_WORDS |= {word: STANCES[word] for word in ("negative", "neutral")}
"""Spellings that are stances in brat, where PRO, CON, NEG and None are other things."""


def read_brat(job: Import) -> Rows:
    """Yield a row per paragraph, actor and stance of files .ann with their texts .txt.

    https://brat.nlplab.org/standoff.html: ``T1<tab>Type start end<tab>text``, in characters, the
    end exclusive; attributes ``A1<tab>Name T1 Value``. The stance is a type, or an attribute's
    value or name. Old versions count in UTF-16 units (issue 1115 of nlplab/brat). Where folders
    hold files of the same names, ``anna/one.ann`` and ``ben/one.ann``, they are the coders.
    """
    root = job.source if job.source.is_dir() else job.source.parent
    paths = files_in(job.source, ".ann")
    names = [path.relative_to(root).with_suffix("").parts for path in paths]
    is_coded = max(Counter(name[1:] for name in names if name[1:]).values(), default=0) > 1
    for path, name in zip(paths, names, strict=True):
        if path.suffix != ".ann":
            raise job.fault(shown_path(path), "is not an .ann file")
        text = read_text(path.with_suffix(".txt"))
        paragraphs = defaultdict[tuple[int, str], list[Place]](list)
        for place in _standoff(job, shown_path(path), read_text(path), text):
            paragraph, begin = paragraph_around(text, place.start, place.end)
            moved = replace(place, start=place.start - begin, end=place.end - begin)
            paragraphs[begin, paragraph].append(moved)
        own = {"document": "/".join(name[is_coded:])} | ({"coder": name[0]} if is_coded else {})
        for (begin, paragraph), places in sorted(paragraphs.items()):
            cells = {**own, "id": str(begin), "text": paragraph}
            yield from job.rows(cells, places)


def _standoff(job: Import, name: str, lines: str, text: str) -> list[Place]:
    """Return the marked places of a file, with their attributes."""
    places, attributes = dict[str, Place](), list[tuple[str, str, str]]()
    for number, line in enumerate(lines.split("\n"), 1):
        line, where = line.rstrip("\r"), f"{name}:{number}"
        if found := _TEXT_BOUND.fullmatch(line):
            ends = [int(digits[:12]) for digits in re.findall(r"\d+", found[3])]
            said = found[4] if len(ends) == 2 else None  # parts stand with a space between
            place = _place(job, where, text, ends[0], ends[-1], [found[2]], said)
            place.actor = found[4] if said is None else ""  # the place holds other words, too
            places[found[1]] = place
        elif found := _ATTRIBUTE.fullmatch(line):
            attributes.append((where, found[2], (found[3] or "").strip() or found[1]))
        elif _OTHER.match(line):
            job.skip("line", "on a relation, an event, a name in a database or a note")
        elif line.strip():
            raise job.fault(where, f"'{shown(line, 40)}' is not a line of an .ann file")
    for where, key, label in attributes:
        if key not in places:
            raise job.fault(where, f"no line {shown(key, 20)} in this file")
        places[key].labels.append(label)
    return list(places.values())


TOOLS: Mapping[str, Format] = {
    "doccano": Format(read_doccano, "export it again as JSONL", mapped=True),
    "labelstudio": Format(read_labelstudio, "export it again as JSON", mapped=True),
    "prodigy": Format(read_prodigy, "write it again with prodigy db-out", mapped=True),
    "brat": Format(read_brat, "name a folder of .ann and .txt files", (), _WORDS, mapped=True),
}
