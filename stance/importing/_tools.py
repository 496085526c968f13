"""Exports of annotation tools in JSON: doccano, Label Studio and Prodigy.

A label is about a whole text and the actor in one of its keys, as `stance label` exports pairs, or
it marks the words that name the actor.
"""

from collections.abc import Iterator, Mapping

from stance.display import shown
from stance.importing._reading import Node, Notes, Request, files_in, json_items
from stance.importing._rows import Mark, Row, from_utf16, located, make_row, marked_rows
from stance.label_values import SENTIMENTS, SOFT
from stance.records import Sentiment, Stance

_FALSE_MATCH = "false_match"
_LABELLED = ("stance", "sentiment", _FALSE_MATCH, "holder", "note", "coder")
"""Columns of ours that a result of Label Studio may bear as its name."""


def _cells(node: Node, request: Request, skipped: tuple[str, ...] = ()) -> Row:
    """Return the text, the actor and the other plain values of an item, under our names."""
    found = _plain(node, request, skipped)
    if "text" not in found:
        key = request.name("text")
        raise node.fault(f"has no text at key '{shown(key)}'", "name its key: --map text=KEY")
    return {name: cell for name, cell in found.items() if name not in SOFT}  # a model's


def _plain(node: Node, request: Request, skipped: tuple[str, ...] = ()) -> Row:
    """Return the values of an object that are texts or numbers, under our names."""
    return {
        request.ours(key): each.scalar()
        for key, each in node.fields().items()
        if key not in skipped and not isinstance(each.value, (dict, list))
    }


def _pair(node: Node, cells: Row, request: Request) -> Row:
    if not cells.get("actor", "").strip():
        key = request.name("actor")
        what = f"has no actor at key '{shown(key)}' for the stance"
        raise node.fault(what, "name its key: --map actor=KEY")
    return make_row(node.where, cells)


def _stance_of(node: Node, labels: list[str], request: Request, notes: Notes) -> Stance | None:
    """Return the stance among some labels; raise if there are two, note them if there is none."""
    found = dict.fromkeys(filter(None, map(request.stance, labels)))
    if not found:
        notes.labels.update(labels)
    if len(found) > 1:
        raise node.fault(f"has two stances, {' and '.join(found)}", "keep one")
    return next(iter(found), None)


def _texts(node: Node) -> list[str]:
    """Return a text, or those in a list."""
    return (
        [each.scalar() for each in node.items()]
        if isinstance(node.value, list)
        else [node.scalar()]
    )


# --- doccano ---------------------------------------------------------------------------------

_LABELS = ("label", "labels", "entities", "relations", "Comments")


def read_doccano(request: Request, notes: Notes) -> Iterator[Row]:
    """Yield the rows of a project's JSON Lines, or of a folder with a file for each coder.

    https://github.com/doccano/doccano, backend/data_export/pipeline: `label` is a list of labels
    (text classification) or of ``[start, end, label]`` (sequence labelling); with relations it is
    `entities` and `relations`. A project whose members do not share their labels is exported as
    a file per member, named after them. Offsets count UTF-16 units (issue 2290 of doccano/doccano),
    unless the project counts grapheme clusters, which nothing in the file says.
    """
    paths = files_in(request.source, ".jsonl")
    for path in paths:
        for item in json_items(path, request.advice):
            cells = _cells(item, request, _LABELS)
            if len(paths) > 1:
                cells.setdefault("coder", path.stem)
            yield from _doccano_item(item, cells, request, notes)


def _doccano_item(item: Node, cells: Row, request: Request, notes: Notes) -> Iterator[Row]:
    said = item.get("label") or item.get("labels")
    entities = item.get("entities")
    values = said.items() if said and isinstance(said.value, list) else []
    if entities is not None or (values and isinstance(values[0].value, (list, dict))):
        spans = entities.items() if entities is not None else values
        marks, named = [], dict[str, Mark]()
        for span in spans:
            start, end, label = _doccano_span(span)
            place = _place(span, cells["text"], start, end, utf16=True)
            stance = _stance_of(span, [label], request, notes)
            mark = Mark(*place, stance or Stance.NEUTRAL)
            marks += [mark] if stance else []
            if entities is not None:
                named[span["id"].scalar()] = mark
        relations = item.get("relations")
        for relation in relations.items() if relations else ():
            said_ = [relation["type"].text()]
            marks += _relation(relation, said_, named, cells["text"], request, notes)
        if not marks:
            notes.left_out["text without a stance"] += 1
        yield from marked_rows(item.where, cells["text"], marks, cells)
        return
    labels = _texts(said) if said else []
    false = _FALSE_MATCH in labels
    stance = _stance_of(item, [one for one in labels if one != _FALSE_MATCH], request, notes)
    if stance is None:
        notes.left_out["text without a stance"] += 1
        return
    if false:
        cells[_FALSE_MATCH] = "1"
    yield _pair(item, {**cells, "stance": stance}, request)


def _doccano_span(span: Node) -> tuple[Node, Node, str]:
    if isinstance(span.value, list):
        parts = span.items()
        if len(parts) != 3:
            raise span.fault("is not start, end and label")
        return parts[0], parts[1], parts[2].text()
    return span["start_offset"], span["end_offset"], span["label"].text()


def _relation(
    relation: Node,
    labels: list[str],
    named: Mapping[str, Mark],
    text: str,
    request: Request,
    notes: Notes,
) -> list[Mark]:
    """Return the stance that a relation says: of the words where it begins, toward its end."""
    stance = _stance_of(relation, labels, request, notes)
    ends = []
    for key in ("from_id", "to_id"):
        mark = named.get(relation[key].scalar())
        if mark is None:
            raise relation[key].fault("is not the id of a marked place")
        ends.append(mark)
    holder = text[ends[0].start : ends[0].end]
    return [Mark(ends[1].start, ends[1].end, stance, holder=holder)] if stance else []


def _place(
    node: Node, text: str, start: Node, end: Node, said: str | None = None, *, utf16: bool = False
) -> tuple[int, int]:
    """Return a place in code points, as it is or, if so, in UTF-16 units."""
    low, high = start.whole(), end.whole()
    if utf16:
        ends = from_utf16(text, low), from_utf16(text, high)
        place = None if None in ends else located(text, ends[0] or 0, ends[1] or 0, said)
    else:
        place = located(text, low, high, said)
    if place is None:
        other = "" if said is None else f", where the text is not '{shown(said, 30)}'"
        inside = 0 <= low < high <= len(text)
        what = (
            other or ", which cuts a character in two"
            if inside
            else f" outside its {len(text):,} characters"
        )
        raise node.fault(f"is at {low}:{high}{what}")
    return place


# --- Label Studio ----------------------------------------------------------------------------


def read_labelstudio(request: Request, notes: Notes) -> Iterator[Row]:
    """Yield the rows of an export in the format "JSON", one coding per annotation.

    https://labelstud.io/guide/task_format: a task has `data` and `annotations`; results that
    share an `id` are about one region, with `start` and `end`, the others about the whole text;
    a relation leads from one region to another.
    Versions count in UTF-16 units or in code points (issues 1347 and 1559 of
    HumanSignal/label-studio); the text of a region tells which.
    """
    for task in json_items(request.source, request.advice):
        cells = _cells(task["data"], request, _LABELLED)
        annotations = task.get("annotations") or task.get("completions")
        given = annotations.items() if annotations else []
        if not given:
            notes.left_out["task without an annotation"] += 1
        for annotation in given:
            if (dropped := annotation.get("was_cancelled")) and dropped.value is True:
                notes.left_out["annotation that was cancelled"] += 1
                continue
            yield from _annotation(annotation, cells, request, notes)


def _annotation(node: Node, data: Row, request: Request, notes: Notes) -> Iterator[Row]:
    cells, labels = dict(data), list[str]()
    if coder := _completed_by(node):
        cells["coder"] = coder
    regions, relations = dict[str, list[Node]](), list[Node]()
    for result in node["result"].items():
        if result["type"].text() == "relation":
            relations.append(result)
        elif result["value"].get("start") is not None:
            at = result.get("id")
            regions.setdefault(at.scalar() if at else result.key, []).append(result)
        else:
            name, said = request.ours(result["from_name"].text()), _values(result)
            if name in _LABELLED and name != "stance":
                cells[name] = _tone(result, said) if name == "sentiment" else ";".join(said)
            else:
                labels += said
    marks = _marks(regions, relations, cells["text"], request, notes)
    stance = _stance_of(node, labels, request, notes)
    if stance is not None:
        yield _pair(node, {**cells, "stance": stance}, request)
    elif not marks:
        notes.left_out["annotation without a stance"] += 1
    yield from marked_rows(node.where, cells["text"], marks, cells)


def _marks(
    regions: Mapping[str, list[Node]],
    relations: list[Node],
    text: str,
    request: Request,
    notes: Notes,
) -> list[Mark]:
    """Return what the results about each region, and relations between regions, say."""
    marks, named = list[Mark](), dict[str, Mark]()
    for key, results in regions.items():
        said = [label for result in results for label in _values(result)]
        values = [result["value"] for result in results]
        words = [word.value for value in values if (word := value.get("text"))]
        known = next((word for word in words if isinstance(word, str)), None)
        place = _place(values[0], text, values[0]["start"], values[0]["end"], known)
        stance = _stance_of(values[0], said, request, notes)
        named[key] = Mark(*place, stance or Stance.NEUTRAL)
        marks += [named[key]] if stance else []
    for relation in relations:
        labels = relation.get("labels")
        said = _texts(labels) if labels else []
        marks += _relation(relation, said, named, text, request, notes)
    return marks


def _values(result: Node) -> list[str]:
    """Return what a result says: the list at the key of its type, such as choices or labels."""
    kind = result["type"].text()
    found = result["value"].get("text" if kind == "textarea" else kind)
    return _texts(found) if found else []


def _tone(result: Node, said: list[str]) -> str:
    number = SENTIMENTS.get(said[0].strip().lower()) if said else None
    if number is None:
        raise result.fault(f"has a sentiment that is not one of {', '.join(Sentiment)}")
    return tuple(Sentiment)[number]


def _completed_by(node: Node) -> str:
    who = node.get("completed_by")
    if who is None:
        return ""
    if not isinstance(who.value, dict):
        return who.scalar()
    named = who.get("email") or who.get("username") or who["id"]
    return named.scalar()


# --- Prodigy ---------------------------------------------------------------------------------


_PRODIGY = (
    *("label", "answer", "priority", "score", "_input_hash", "_task_hash", "_session_id"),
    *("_annotator_id", "_view_id", "_timestamp", "_is_binary"),
)
"""Keys that are no data of the user's."""


def read_prodigy(request: Request, notes: Notes) -> Iterator[Row]:
    """Yield the rows of JSON Lines that ``prodigy db-out`` writes.

    https://prodi.gy/docs/api-interfaces: `spans` have start, end (in code points) and label;
    `accept` holds the ids of the chosen `options`; `label` is that of a binary decision; `answer`
    is accept, reject or ignore; `_annotator_id` or `_session_id` names the coder.
    """
    for item in json_items(request.source, request.advice):
        answer = item.get("answer")
        if answer is not None and answer.text() != "accept":
            notes.left_out[f"text with the answer {shown(answer.text(), 20)}"] += 1
            continue
        yield from _prodigy_item(item, request, notes)


def _prodigy_item(item: Node, request: Request, notes: Notes) -> Iterator[Row]:
    meta = item.get("meta")
    cells = {**(_plain(meta, request) if meta else {}), **_cells(item, request, _PRODIGY)}
    coder = item.get("_annotator_id") or item.get("_session_id")
    if coder:
        cells["coder"] = coder.scalar()
    marks = []
    if item.get("relations"):
        notes.left_out["text's relations"] += 1
    spans = item.get("spans")
    for span in spans.items() if spans else ():
        place = _place(span, cells["text"], span["start"], span["end"])
        label = span.get("label")
        stance = _stance_of(span, [label.scalar()] if label else [], request, notes)
        marks += [Mark(*place, stance)] if stance else []
    if marks:
        yield from marked_rows(item.where, cells["text"], marks, cells)
        return
    stance = _stance_of(item, _chosen(item, request), request, notes)
    if stance is None:
        notes.left_out["text without a stance"] += 1
        return
    yield _pair(item, {**cells, "stance": stance}, request)


def _chosen(item: Node, request: Request) -> list[str]:
    """Return the text of each option chosen, where an id alone is no stance, or the label."""
    accepted, options = item.get("accept"), item.get("options")
    if accepted is None:
        label = item.get("label")
        return [label.scalar()] if label else []
    texts: dict[str, str] = {}
    for option in options.items() if options else ():
        text = option.get("text")
        texts[option["id"].scalar()] = text.scalar() if text else option["id"].scalar()
    return [one if request.stance(one) else texts.get(one, one) for one in _texts(accepted)]
