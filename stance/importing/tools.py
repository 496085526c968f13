"""Exports of annotation tools: doccano, Label Studio, Prodigy and brat.

A label is about a whole text and the actor in one of its keys, as `stance label` exports pairs, or
it marks the words that name the actor.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from stance.corpus.rows import SOFT
from stance.display import shown, shown_path
from stance.importing.sources import Import, Item, Place, Row, Rows, paragraph_around, scalar


def _place(
    job: Import, text: str, ends: tuple[int, int], labels: list[str],
    marked: str | None = None, *, utf16: bool = False,
) -> Place:  # fmt: skip
    """Return a place in code points; raise if it is outside of the text, or says something else.

    Tools count in code points, or in the UTF-16 units of JavaScript and Java; what a tool says
    stands at the place tells which. White space may differ.
    """
    if not all(isinstance(end, int) for end in ends):  # such as an XPath
        what = f"the place '{shown(f'{ends[0]}:{ends[1]}', 40)}' does not count characters"
        raise job.fault(what, "export offsets in characters, as Label Studio's globalOffsets")
    places = [] if utf16 else [ends]
    if utf16 or marked is not None:
        units = [*accumulate((1 + (char > "\uffff") for char in text), initial=0)]
        low, high = (units.index(unit) if unit in units else -1 for unit in ends)
        places.append((low, high))
    for start, end in places:
        inside = 0 <= start < end <= len(text)
        if inside and (marked is None or text[start:end].split() == marked.split()):
            return Place(start, end, labels)
    what = "in the text" if marked is None else f"'{shown(marked, 30)}'"
    raise job.fault(f"the place {ends[0]}:{ends[1]} is not {what}")


def _cells(job: Import, item: Item) -> Row:
    """Return the values of an object that are texts or numbers, under our names."""
    ours = {theirs: name for name, theirs in job.names.items()}
    skipped = (*job.format.skipped, *SOFT)
    plain = ((key, value) for key, value in item.items() if isinstance(value, (str, int, float)))
    cells = {ours.get(key, key): scalar(value) for key, value in plain if key not in skipped}
    if item.get("relations"):
        job.skip("list", "of relations")
    if "text" not in cells:
        what = f"has no text at key '{shown(job.names.get('text', 'text'))}'"
        raise job.fault(what, "name its key: --map text=KEY")
    return cells


# --- doccano ---------------------------------------------------------------------------------


def read_doccano(job: Import) -> Rows:
    """Yield the rows of a project's JSON Lines, or of a folder with a file for each coder.

    https://github.com/doccano/doccano, backend/data_export/pipeline. Offsets count UTF-16 units
    (issue 2290 there). A span is an object, or a list such as [3, 7, "favor"].
    """
    paths = job.files("**/*.jsonl")
    for path in paths:
        for item in job.json(path):
            cells = _cells(job, item)
            if len(paths) > 1:
                cells.setdefault("coder", path.stem)
            given = item.get("label", item.get("labels", item.get("cats", [])))
            given = given if isinstance(given, list) else [given]
            labels = [label for label in given if isinstance(label, str)]
            places = []
            for span in item.get("entities", [one for one in given if not isinstance(one, str)]):
                if not isinstance(span, list):
                    span = [span["start_offset"], span["end_offset"], span["label"]]
                start, end, label = span
                places.append(_place(job, cells["text"], (start, end), [label], utf16=True))
            yield from job.rows(cells, labels, places)


# --- Label Studio ----------------------------------------------------------------------------

_COLUMNS = ("sentiment", "holder", "note")  # of ours, besides the stance, that name a result


def read_labelstudio(job: Import) -> Rows:
    """Yield the rows of an export in the format "JSON", one coding per annotation.

    https://labelstud.io/guide/task_format: results that share an `id` are about one region, others
    about the whole text. Versions count in UTF-16 units or in code points (issues 1347 and 1559 of
    HumanSignal/label-studio); the text of a region tells which.
    """
    for task in job.json(job.source):
        cells = _cells(job, task["data"])
        if "id" in task:
            cells.setdefault("id", scalar(task["id"]))
        if not task.get("annotations"):
            job.skip("task", "without an annotation")
        for annotation in task.get("annotations", []):
            if annotation.get("was_cancelled") is True:
                job.skip("cancelled annotation")
                continue
            coding, who = dict(cells), annotation.get("completed_by")
            if isinstance(who, dict):
                who = who.get("email", who.get("id"))
            if isinstance(who, (str, int)):
                coding["coder"] = str(who)
            yield from job.rows(coding, *_results(job, annotation["result"], coding))


def _results(job: Import, results: Sequence[Item], cells: Row) -> tuple[list[str], list[Place]]:
    """Return what the results of an annotation say; those on our columns become cells."""
    labels, places, ours = list[str](), dict[str, Place](), {v: k for k, v in job.names.items()}
    for pos, result in enumerate(results):
        kind, value = result["type"], result.get("value", {})
        name = ours.get(result.get("from_name", ""), result.get("from_name", ""))
        words = value.get("text" if kind == "textarea" else kind, [])
        words = words if isinstance(words, list) else [words]
        words = [scalar(word) for word in words if not isinstance(word, list | dict)]
        is_other = name not in _COLUMNS and name != "stance" and "stance" in job.names
        if kind == "relation":
            job.skip("relation")
        elif "start" in value:
            key = result.get("id", pos)
            if key not in places:
                marked = value["text"] if isinstance(value.get("text"), str) else None
                offsets = value.get("globalOffsets", value)  # of HTML, where start is an XPath
                ends = offsets["start"], offsets["end"]
                places[key] = _place(job, cells["text"], ends, [], marked)
            if name == "holder":
                places[key].holder = ";".join(words)
            elif name in _COLUMNS:
                job.skip("result", f"{name} of a place")
            else:
                places[key].labels.extend([] if is_other else words)
        elif is_other:
            job.skip("result", "of another question")
        elif name in _COLUMNS:
            cells[name] = ";".join(words)
        else:
            labels += words
    return labels, list(places.values())


# --- Prodigy ---------------------------------------------------------------------------------


def read_prodigy(job: Import) -> Rows:
    """Yield the rows that ``prodigy db-out`` writes (https://prodi.gy/docs/api-interfaces)."""
    for task in job.json(job.source):
        # `accept` holds the ids of the chosen options, `label` is that of a binary decision.
        if (answer := task.get("answer", "accept")) != "accept":
            job.skip("text", f"with the answer {shown(answer, 20)}")
            continue
        cells, places = _cells(job, {**task.get("meta", {}), **task}), []
        if coder := task.get("_annotator_id", task.get("_session_id")):
            cells["coder"] = scalar(coder)
        for span in task.get("spans", []):
            marked = [scalar(span["label"])] if "label" in span else []
            places.append(_place(job, cells["text"], (span["start"], span["end"]), marked))
        texts = {scalar(o["id"]): scalar(o.get("text", "")) for o in task.get("options", [])}
        chosen = task.get("accept", [task["label"]] if "label" in task else [])
        labels = [one if job.spells(one) else texts.get(one) or one for one in map(scalar, chosen)]
        if any(job.spells(label) for place in places for label in place.labels):
            labels = []
        yield from job.rows(cells, labels, places)


# --- brat ------------------------------------------------------------------------------------

_TEXT_BOUND = re.compile(r"(T\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)")
_ATTRIBUTE = re.compile(r"[AM]\S*\t(\S+) (T\S+)(?: (.*))?")
_OTHER = re.compile(r"[AMREN#*]")


def read_brat(job: Import) -> Rows:
    """Yield a row per paragraph, actor and stance of files .ann with their texts .txt.

    https://brat.nlplab.org/standoff.html: ``T1<tab>Type start end<tab>text``, in characters, the
    end exclusive; attributes ``A1<tab>Name T1 Value``. The stance is a type, or an attribute's
    value or name. Old versions count in UTF-16 units (issue 1115 of nlplab/brat). Where folders
    hold files of the same names, ``anna/one.ann`` and ``ben/one.ann``, they are the coders.
    """
    root = job.source if job.source.is_dir() else job.source.parent
    paths = job.files("**/*.ann")
    names = [path.relative_to(root).with_suffix("").parts for path in paths]
    is_coded = max(Counter(name[1:] for name in names if name[1:]).values(), default=0) > 1
    for path, name in zip(paths, names, strict=True):
        if path.suffix != ".ann":
            raise job.fault("is not an .ann file")
        text = job.text(path.with_suffix(".txt"))
        paragraphs = defaultdict[tuple[int, str], list[Place]](list)
        for place in _standoff(job, path, text):
            paragraph, begin = paragraph_around(text, place.start, place.end)
            moved = replace(place, start=place.start - begin, end=place.end - begin)
            paragraphs[begin, paragraph].append(moved)
        job.where = shown_path(path)
        fixed = {"document": "/".join(name[is_coded:])} | ({"coder": name[0]} if is_coded else {})
        for (begin, paragraph), places in sorted(paragraphs.items(), key=lambda item: item[0]):
            yield from job.rows({**fixed, "id": str(begin), "text": paragraph}, (), places)


def _standoff(job: Import, path: Path, text: str) -> list[Place]:
    """Return the marked places of a file, with their attributes."""
    places, attributes = dict[str, Place](), list[tuple[str, str, str]]()
    for number, line in enumerate(job.text(path).split("\n"), 1):
        line, job.where = line.rstrip("\r"), f"{shown_path(path)}:{number}"
        if match := _TEXT_BOUND.fullmatch(line):
            ends = [int(digits[:12]) for digits in re.findall(r"\d+", match[3])]
            kinds = [] if "stance" in job.names else [match[2]]
            marked = match[4] if len(ends) == 2 else None  # parts stand with a space between
            place = _place(job, text, (ends[0], ends[-1]), kinds, marked)
            place.actor = match[4] if marked is None else ""  # the place holds other words, too
            places[match[1]] = place
        elif match := _ATTRIBUTE.fullmatch(line):
            if match[1] != job.names.get("stance", match[1]):
                job.skip("attribute", "of another name")
                continue
            attributes.append((job.where, match[2], (match[3] or "").strip() or match[1]))
        elif _OTHER.match(line):
            job.skip("line", "on a relation, an event, a name in a database or a note")
        elif line.strip():
            raise job.fault(f"'{shown(line, 40)}' is not a line of an .ann file")
    for where, key, label in attributes:
        job.where = where
        places[key].labels.append(label)
    return list(places.values())
