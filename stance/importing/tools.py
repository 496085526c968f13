"""Exports of annotation tools: doccano, Label Studio, Prodigy and brat.

A label is about a whole text and the actor in one of its keys, as `stance label` exports pairs, or
it marks the words that name the actor; a relation leads from the holder to the actor.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from stance.display import shown, shown_path
from stance.importing.sources import (
    Format,
    Import,
    Item,
    Place,
    Row,
    Rows,
    Scalar,
    checked,
    files_in,
    paragraph_around,
    read_json,
    read_text,
)
from stance.label_values import SENTIMENTS, SOFT, STANCES
from stance.records import Sentiment

Places = Mapping[str, Place]
"""Marked places of a text by their ids."""
Relation = tuple[str, str, str, list[str]]
"""File and line, the ids of the holder's place and of the actor's, and labels."""


def _related(job: Import, text: str, places: Places, relations: Iterable[Relation]) -> list[Place]:
    """Return some places, and those where relations end, whose holders are where they begin."""
    found = list(places.values())
    for where, source, target, labels in relations:
        if missing := {source, target} - places.keys():
            what = f"a relation names '{shown(min(missing), 20)}', which is not a place"
            raise job.fault(where, what)
        holder = text[places[source].start : places[source].end]
        found.append(replace(places[target], where=where, labels=labels, holder=holder))
    return found


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
    """Return a place as code points; raise if it lies outside, or the text there is another."""
    ends = located(text, start, end, said, utf16=utf16)
    if ends is None:
        what = "cuts a character in two" if said is None else f"is not '{shown(said, 30)}'"
        if not 0 <= start < end <= len(text):
            what = f"lies outside the {len(text):,} characters of the text"
        raise job.fault(where, f"the place {start}:{end} {what}")
    return Place(where, *ends, labels)


def located(
    text: str, start: int, end: int, said: str | None, *, utf16: bool = False
) -> tuple[int, int] | None:
    """Return a place in code points; None if there is none such, or the text there is another.

    Tools count in code points, or in the UTF-16 units of JavaScript and Java; what a tool says
    stands at the place tells which. White space may differ.

    >>> located("\U0001f600 NATO", 3, 7, "NATO"), located("NATO met", 0, 4, None)
    ((2, 6), (0, 4))
    """
    places = [] if utf16 else [(start, end)]
    if (utf16 or said is not None) and 0 <= start < end:
        units = text.encode("utf-16-le", "surrogatepass")
        before, there = units[: 2 * start], units[2 * start : 2 * end]
        low = len(before.decode("utf-16-le", "replace"))
        high = low + len(there.decode("utf-16-le", "replace"))
        uncut = text[low:high].encode("utf-16-le", "surrogatepass") == there
        places += [(low, high)] * (uncut and 2 * end <= len(units))
    for low, high in places:
        inside = 0 <= low < high <= len(text)
        if inside and (said is None or text[low:high].split() == said.split()):
            return low, high
    return None


def _cells(job: Import, where: str, item: Item, skipped: Sequence[str] = ()) -> Row:
    """Return the values of an object that are texts or numbers, under our names."""
    ours = {theirs: name for name, theirs in job.names.items()}
    cells = {
        ours.get(key, key): checked(Scalar, value, ValueError)
        for key, value in item.items()
        if key not in (*skipped, *SOFT) and isinstance(value, (str, int, float))
    }
    if "text" not in cells:
        what = f"has no text at key '{shown(job.names.get('text', 'text'))}'"
        raise job.fault(where, what, "name its key: --map text=KEY")
    return cells


# --- doccano ---------------------------------------------------------------------------------

_SPAN = {"id?": Scalar, "start_offset": int, "end_offset": int, "label": str}
_LINK = {"from_id": Scalar, "to_id": Scalar, "type": str}
_DOCCANO = ("label", "labels", "entities", "relations", "Comments")


def read_doccano(job: Import) -> Rows:
    """Yield the rows of a project's JSON Lines, or of a folder with a file for each coder.

    https://github.com/doccano/doccano, backend/data_export/pipeline. Offsets count UTF-16 units
    (issue 2290 there).
    """
    paths = files_in(job.source, ".jsonl")
    for path in paths:
        for where, item in read_json({"*": object}, path, job):
            cells, places = _cells(job, where, item, _DOCCANO), dict[str, Place]()
            if len(paths) > 1:
                cells.setdefault("coder", path.stem)
            said = item.get("label", item.get("labels", []))
            said = said if isinstance(said, list) else [said]
            labels = [label for label in said if isinstance(label, str)]
            spans = item.get("entities", [label for label in said if not isinstance(label, str)])
            fault = partial(job.fault, where)
            for at, span in enumerate(checked([object], spans, fault, "entities")):
                if isinstance(span, list) and len(span) == 3:
                    span = dict(zip(("start_offset", "end_offset", "label"), span, strict=True))
                span = checked(_SPAN, span, fault, f"label[{at}]")
                ends = span["start_offset"], span["end_offset"]
                place = _place(job, where, cells["text"], *ends, [span["label"]], utf16=True)
                places[span.get("id", str(at))] = place
            links = checked([_LINK], item.get("relations", []), fault, "relations")
            relations = [(where, link["from_id"], link["to_id"], [link["type"]]) for link in links]
            found = _related(job, cells["text"], places, relations)
            yield from _rows(job, where, cells, labels, found)


# --- Label Studio ----------------------------------------------------------------------------

_RESULT = {
    **{"type": str, "id?": Scalar, "from_name?": str, "value?": {"*": object}},
    **{"from_id?": Scalar, "to_id?": Scalar, "labels?": [str]},
}
_ANNOTATION = {"result": [_RESULT], "completed_by?": object, "was_cancelled?": object}
_TASK = {"id?": Scalar, "data": {"*": object}, "annotations?": [_ANNOTATION]}
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
            else:
                own = {**cells, **_coder(annotation.get("completed_by"))}
                labels, places = _results(job, where, annotation["result"], own)
                yield from _rows(job, where, own, labels, places)


def _coder(who: object) -> Row:
    if isinstance(who, dict):
        who = next(filter(None, map(who.get, ("email", "username", "id"))), None)
    return {"coder": str(who)} if isinstance(who, (str, int)) else {}


def _results(
    job: Import, where: str, results: Sequence[Item], cells: Row
) -> tuple[list[str], list[Place]]:
    """Return what the results of an annotation say; those on our columns become cells."""
    labels, relations, places = list[str](), list[Relation](), dict[str, Place]()
    regions = defaultdict[str, list[Item]](list)
    fault, ours = partial(job.fault, where), {own: name for name, own in job.names.items()}
    said = defaultdict[str, list[str]](list)
    for at, result in enumerate(results):
        kind, value, key = result["type"], result.get("value", {}), f"result[{at}]"
        words = value.get("text" if kind == "textarea" else kind, [])
        words = checked([Scalar], words if isinstance(words, list) else [words], fault, key)
        name = ours.get(result.get("from_name", ""), result.get("from_name", ""))
        if kind == "relation":
            ends = checked({"from_id": Scalar, "to_id": Scalar}, result, fault, key)
            relations.append((where, ends["from_id"], ends["to_id"], result.get("labels", [])))
        elif "start" in value:
            key = result.get("id", key)
            regions[key].append(value)
            said[key] += words
        elif name == "sentiment":
            number = SENTIMENTS.get(" ".join(words).strip().lower())
            if number is None:
                raise fault(f"{key} has a sentiment that is not one of {', '.join(Sentiment)}")
            cells[name] = tuple(Sentiment)[number]
        elif name in _COLUMNS:
            cells[name] = ";".join(words)
        else:
            labels += words
    for key, values in regions.items():
        ends = checked({"start": int, "end": int}, values[0], fault, key)
        known = next((v["text"] for v in values if isinstance(v.get("text"), str)), None)
        place = ends["start"], ends["end"]
        places[key] = _place(job, where, cells["text"], *place, said[key], known)
    return labels, _related(job, cells["text"], places, relations)


# --- Prodigy ---------------------------------------------------------------------------------

_ITEM = {
    **{"answer?": str, "meta?": {"*": object}, "relations?": [object], "label?": Scalar},
    **{"spans?": [{"start": int, "end": int, "label?": Scalar}], "accept?": [Scalar]},
    **{"options?": [{"id": Scalar, "text?": Scalar}]},
    **{"_annotator_id?": Scalar, "_session_id?": Scalar},
}
_PRODIGY = (
    *("label", "answer", "priority", "score", "_input_hash", "_task_hash", "_session_id"),
    *("_annotator_id", "_view_id", "_timestamp", "_is_binary"),
)
"""Keys that are no data of the user's."""


def read_prodigy(job: Import) -> Rows:
    """Yield the rows that ``prodigy db-out`` writes (https://prodi.gy/docs/api-interfaces)."""
    for where, item in read_json({"*": object}, job.source, job):
        # `accept` holds the ids of the chosen options, `label` is that of a binary decision.
        task, places = checked(_ITEM, item, partial(job.fault, where)), list[Place]()
        if (answer := task.get("answer", "accept")) != "accept":
            job.skip("text", f"with the answer {shown(answer, 20)}")
            continue
        if task.get("relations"):
            job.skip("list", "of relations")
        cells = _cells(job, where, {**task.get("meta", {}), **item}, _PRODIGY)
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
_ATTRIBUTE = re.compile(r"[AM]\S*\t(\S+) ([TER]\S+)(?: (.*))?")
_RELATION = re.compile(r"R\S*\t(\S+) \S+?:(T\S+) \S+?:(T\S+)\s*")
_OTHER = re.compile(r"[EN#*]")
_WORDS = {word: n for word, n in STANCES.items() if len(word) > 3 and not word.startswith("n")}
_WORDS |= {word: STANCES[word] for word in ("negative", "neutral")}
"""Spellings that are stances in brat, where PRO, CON, NEG and None are other things."""


def read_brat(job: Import) -> Rows:
    """Yield a row per paragraph, actor and stance of files .ann with their texts .txt.

    https://brat.nlplab.org/standoff.html: ``T1<tab>Type start end<tab>text``, in characters, the
    end exclusive; attributes ``A1<tab>Name T1 Value``; relations ``R1<tab>Type Arg1:T1 Arg2:T2``.
    The stance is a type, an attribute's value or name, or the type of a relation. Old versions
    count in UTF-16 units (issue 1115 of nlplab/brat). Where folders hold files of the same names,
    ``anna/one.ann`` and ``ben/one.ann``, they are the coders.
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
    """Return the marked places of a file, with their attributes and relations."""
    places, relations = dict[str, Place](), list[Relation]()
    attributes = list[tuple[str, str, str]]()
    for number, line in enumerate(lines.removeprefix("\ufeff").split("\n"), 1):
        line, where = line.rstrip("\r"), f"{name}:{number}"
        if found := _TEXT_BOUND.fullmatch(line):
            ends = [int(digits[:12]) for digits in re.findall(r"\d+", found[3])]
            said = found[4] if len(ends) == 2 else None  # parts stand with a space between
            place = _place(job, where, text, ends[0], ends[-1], [found[2]], said)
            place.actor = found[4] if said is None else ""  # the place holds other words, too
            places[found[1]] = place
        elif found := _ATTRIBUTE.fullmatch(line):
            attributes.append((where, found[2], (found[3] or "").strip() or found[1]))
        elif found := _RELATION.fullmatch(line):
            relations.append((where, found[2], found[3], [found[1]]))
        elif _OTHER.match(line):
            job.skip("line", "on an event, a name in a database or a note")
        elif line.strip():
            raise job.fault(where, f"'{shown(line, 40)}' is not a line of an .ann file")
    for where, key, label in attributes:
        if key.startswith("T") and key not in places:
            raise job.fault(where, f"no line {shown(key, 20)} in this file")
        if key in places:
            places[key].labels.append(label)
    return _related(job, text, places, relations)


TOOLS: Mapping[str, Format] = {
    "doccano": Format(read_doccano, "export it again as JSONL", mapped=True),
    "labelstudio": Format(read_labelstudio, "export it again as JSON", mapped=True),
    "prodigy": Format(read_prodigy, "write it again with prodigy db-out", mapped=True),
    "brat": Format(read_brat, "name a folder of .ann and .txt files", (), _WORDS, mapped=True),
}
