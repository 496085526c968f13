"""Exports of annotation tools that keep labels beside the text: brat and INCEpTION."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from stance.display import shown, shown_path
from stance.errors import DataError
from stance.importing._reading import Notes, Request, files_in, read_text
from stance.importing._rows import Mark, Row, from_utf16, located, marked_rows, paragraph_around


@dataclass(slots=True)
class _Span:
    """A place in a document, and what is said of it."""

    where: str
    start: int
    end: int
    labels: list[str] = field(default_factory=list)
    actor: str = ""
    holder: str = ""


@dataclass(frozen=True, slots=True)
class _Document:
    """A text that one coder labelled."""

    path: Path
    text: str
    rows: list[Row]  # without document and coder


def _coded(documents: Sequence[_Document], source: Path, notes: Notes) -> Iterator[Row]:
    """Yield the rows with their documents, and coders where files differ in one name alone.

    ``anna/one.ann`` and ``ben/one.ann`` with the same text are two codings of ``one``, as are
    ``one/anna.tsv`` and ``one/ben.tsv``.
    """
    root = source if source.is_dir() else source.parent
    names = [each.path.relative_to(root).with_suffix("").parts for each in documents]
    alike: defaultdict[tuple[str, int], list[tuple[str, ...]]] = defaultdict(list)
    for each, name in zip(documents, names, strict=True):
        alike[each.text, len(name)].append(name)
    differing = set[tuple[int, ...]]()  # places in which names of one text differ
    for group in alike.values():
        parts = enumerate(zip(*group, strict=True))
        differing.add(tuple(at for at, column in parts if len(set(column)) > 1))
    differing.discard(())
    places = next(iter(differing)) if len(differing) == 1 else ()
    at = places[0] if len(places) == 1 else None
    if differing and at is None:
        what = "the same text stands in files whose names differ in more than one part: their rows"
        notes.lines.append(f"{what} count as different documents; import one folder of coders")
    if at is not None:
        pairs = zip(documents, names, strict=True)
        coders = sorted({name[at] for each, name in pairs if each.rows and len(name) > at})
        listed = ", ".join(shown(coder, 30) for coder in coders[:8])
        notes.lines.append(f"coders by the names of files or folders: {listed}")
    for each, name in zip(documents, names, strict=True):
        coder = name[at] if at is not None and len(name) > at else ""
        rest = [part for place, part in enumerate(name) if place != at or not coder]
        own = {"document": "/".join(rest)} | ({"coder": coder} if coder else {})
        yield from ({**row, **own} for row in each.rows)


def _rows(spans: Sequence[_Span], text: str, request: Request, notes: Notes) -> Iterator[Row]:
    """Yield the rows of a document: its paragraphs that hold a stance toward an actor."""
    paragraphs: defaultdict[tuple[int, str], list[tuple[_Span, Mark]]] = defaultdict(list)
    for span in spans:
        stances = dict.fromkeys(filter(None, map(request.stance, span.labels)))
        if not stances:
            notes.labels.update(span.labels)
        if len(stances) > 1:
            what = f"two stances of one place, {' and '.join(stances)}; keep one"
            raise DataError(f"{span.where}: {what}")
        for stance in stances:
            paragraph, begin = paragraph_around(text, span.start, span.end)
            mark = Mark(span.start - begin, span.end - begin, stance, span.actor, span.holder)
            paragraphs[begin, paragraph].append((span, mark))
    for (begin, paragraph), found in sorted(paragraphs.items(), key=lambda pair: pair[0][0]):
        marks = [mark for _, mark in found]
        yield from marked_rows(found[0][0].where, paragraph, marks, {"id": str(begin)})


# --- brat ------------------------------------------------------------------------------------

_TEXT_BOUND = re.compile(r"(T\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)")
_ATTRIBUTE = re.compile(r"[AM]\S*\t(\S+) ([TER]\S+)(?: (.*))?")
_RELATION = re.compile(r"R\S*\t(\S+) \S+?:(T\S+) \S+?:(T\S+)\s*")
_OTHER = re.compile(r"[EN#*]")


def read_brat(request: Request, notes: Notes) -> Iterator[Row]:
    """Yield a row per paragraph, actor and stance of files .ann with their texts .txt.

    https://brat.nlplab.org/standoff.html: ``T1<tab>Type start end<tab>text``, in characters, the
    end exclusive; attributes ``A1<tab>Name T1 Value``; relations ``R1<tab>Type Arg1:T1 Arg2:T2``.
    The stance is a type, an attribute's value or name, or the type of a relation that leads from
    the holder to the actor. After a character beyond the Basic Multilingual Plane, old versions
    count in UTF-16 units (issue 1115 of nlplab/brat); the text in the line tells which.
    """
    documents = []
    for path in files_in(request.source, ".ann"):
        if path.suffix != ".ann":
            raise DataError(f"{shown_path(path)}: is not an .ann file; {request.advice}")
        lines = read_text(path)
        text = read_text(path.with_suffix(".txt"))
        spans = _standoff(lines, shown_path(path), text, request, notes)
        documents.append(_Document(path, text, list(_rows(spans, text, request, notes))))
    yield from _coded(documents, request.source, notes)


def _standoff(lines: str, name: str, text: str, request: Request, notes: Notes) -> Sequence[_Span]:
    spans: dict[str, _Span] = {}
    later: list[tuple[str, re.Match[str]]] = []
    for number, line in enumerate(lines.removeprefix("\ufeff").split("\n"), 1):
        line, where = line.rstrip("\r"), f"{name}:{number}"
        if found := _TEXT_BOUND.fullmatch(line):
            start, end = _ends(found, text, where)
            parted = found[4] if ";" in found[3] else ""  # whose place holds other words, too
            spans[found[1]] = _Span(where, start, end, [found[2]], parted)
        elif found := _ATTRIBUTE.fullmatch(line) or _RELATION.fullmatch(line):
            later.append((where, found))
        elif _OTHER.match(line):
            notes.left_out["line on an event, a name in a database or a note"] += 1
        elif line.strip():
            what = f"'{shown(line, 40)}' is not a line of an .ann file"
            raise DataError(f"{where}: {what}; {request.advice}")
    added = [span for where, found in later for span in _said(where, found, spans, text, request)]
    return [*spans.values(), *added]


def _ends(found: re.Match[str], text: str, where: str) -> tuple[int, int]:
    numbers = [int(number[:12]) for number in re.findall(r"\d+", found[3])]
    said = found[4] if len(numbers) == 2 else None  # parts stand with a space between
    place = located(text, numbers[0], numbers[-1], said)
    if place is None:
        inside = 0 <= numbers[0] < numbers[-1] <= len(text)
        what = f"where the text is not '{shown(found[4], 30)}'"
        what = what if inside else f"outside the {len(text):,} characters of the text"
        advice = "keep the .txt as it was annotated"
        raise DataError(
            f"{where}: {shown(found[1], 30)} is at {numbers[0]} {numbers[-1]}, {what}; {advice}"
        )
    return place


def _said(
    where: str, found: re.Match[str], spans: Mapping[str, _Span], text: str, request: Request
) -> Iterator[_Span]:
    """Add an attribute to its span; yield the span of a relation that is a stance."""
    ends = found.groups()[1:] if found.re is _RELATION else (found[2],)
    missing = [end for end in ends if end.startswith("T") and end not in spans]
    if missing:
        raise DataError(f"{where}: no line {shown(missing[0], 20)} in this file; {request.advice}")
    if found.re is _ATTRIBUTE:
        if found[2] in spans:
            value = (found[3] or "").strip()
            spans[found[2]].labels.append(value or found[1])
        return
    holder, actor = spans[found[2]], spans[found[3]]
    yield replace(actor, where=where, labels=[found[1]], holder=text[holder.start : holder.end])


# --- INCEpTION -------------------------------------------------------------------------------

_FORMAT = "#FORMAT=WebAnno TSV 3"
_ESCAPED = re.compile(r"\\(->|.)", re.DOTALL)
_CONTROL = {"t": "\t", "n": "\n", "r": "\r"}
_STACKED = re.compile(r"(?<!\\)\|")
_NUMBERED = re.compile(r"(.*)\[(\d+)\]", re.DOTALL)
_TOKEN = re.compile(r"\d+-\d+(?:\.\d+)?")
_ACTORS = ("actor", "target", "entity")


@dataclass(slots=True)
class _Sentence:
    where: str
    text: str = ""
    start: int | None = None  # in UTF-16 units of the document
    spans: dict[tuple[str, ...], _Span] = field(default_factory=dict)
    features: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)


def read_inception(request: Request, notes: Notes) -> Iterator[Row]:
    """Yield a row per sentence, actor and stance of files in WebAnno TSV 3.

    https://inception-project.github.io/ user guide, "WebAnno TSV 3.3 File format": layers in the
    header, ``#Text=`` before each sentence, a line per token with its ends in UTF-16 units and a
    column per feature; values that share ``[n]`` are one annotation over several tokens. The
    stance is the value of any feature; features called actor, target or entity, and holder, name
    these, or else the actor is what the text says.
    """
    documents = []
    for path in files_in(request.source, ".tsv"):
        name = shown_path(path)
        sentences = list(_sentences(read_text(path), name, request))
        rows = []
        for number, sentence in enumerate(sentences, 1):
            spans = list(_spans(sentence, request))
            found = list(_rows(spans, sentence.text, request, notes))
            rows += [{**row, "id": f"{number}-{row['id']}"} for row in found]
        text = "\n".join(sentence.text for sentence in sentences)
        documents.append(_Document(path, text, rows))
    yield from _coded(documents, request.source, notes)


def _sentences(data: str, name: str, request: Request) -> Iterator[_Sentence]:
    lines = data.removeprefix("\ufeff").split("\n")
    if not lines[0].startswith(_FORMAT):
        what = f"does not begin with {_FORMAT}"
        raise DataError(f"{name}:1: {what}; export it as WebAnno TSV v3.3")
    columns: list[tuple[str, str]] = []  # layer and feature; layers of spans have a name
    sentence, open_ = _Sentence(f"{name}:1"), False
    for number, line in enumerate(lines, 1):
        line, where = line.rstrip("\r"), f"{name}:{number}"
        if line.startswith(("#T_SP=", "#T_CH=", "#T_RL=")):
            columns += _header(line)
        elif line.startswith("#Text="):
            if open_ and sentence.start is not None:
                yield sentence
                open_ = False
            text = _plain(line.removeprefix("#Text="))
            if not open_:
                sentence, open_ = _Sentence(where, text), True
            else:
                sentence.text += "\n" + text
        elif line.strip() and not line.startswith("#"):
            if not open_:
                raise DataError(f"{where}: a token before #Text=; {request.advice}")
            _token(line.split("\t"), where, sentence, columns, request)
    if open_:
        yield sentence


def _header(line: str) -> list[tuple[str, str]]:
    kind, _, rest = line.partition("=")
    layer, *features = rest.split("|")
    features = [feature for feature in features if feature] or [""]
    if kind == "#T_RL" and len(features) == 1:
        features = ["", *features]
    return [(layer if kind == "#T_SP" else "", feature) for feature in features]


def _token(
    cells: list[str],
    where: str,
    sentence: _Sentence,
    columns: Sequence[tuple[str, str]],
    request: Request,
) -> None:
    ends = re.fullmatch(r"(\d{1,9})-(\d{1,9})", cells[1]) if len(cells) > 2 else None
    if not ends or not _TOKEN.fullmatch(cells[0]) or int(ends[1]) >= int(ends[2]):
        what = "not the number, the ends and the text of a token between tabs"
        raise DataError(f"{where}: {what}; {request.advice}")
    low, high = int(ends[1]), int(ends[2])
    if sentence.start is None:
        sentence.start = low
    start = from_utf16(sentence.text, low - sentence.start)
    end = from_utf16(sentence.text, high - sentence.start)
    if start is None or end is None or sentence.text[start:end] != _plain(cells[2]):
        what = f"'{shown(_plain(cells[2]), 30)}' is not at {low}-{high} of the sentence"
        raise DataError(f"{where}: {what}; {request.advice}")
    for (layer, feature), cell in zip(columns, cells[3:], strict=False):
        if not layer or cell in ("_", ""):
            continue
        for value in _STACKED.split(cell):
            found = _NUMBERED.fullmatch(value)
            key = (layer, found[2]) if found else (layer, "", cells[0])
            span = sentence.spans.setdefault(key, _Span(where, start, end))
            span.start, span.end = min(span.start, start), max(span.end, end)
            said = _plain(found[1] if found else value)
            if said and (found[1] if found else value) != "*":
                sentence.features.setdefault(key, {})[feature] = said


def _plain(value: str) -> str:
    r"""Take the escapes out of a text.

    >>> _plain(r"a\_b \-> c\tn")
    'a_b -> c\tn'
    """
    return _ESCAPED.sub(lambda found: _CONTROL.get(found[1], found[1]), value)


def _spans(sentence: _Sentence, request: Request) -> Iterator[_Span]:
    names = (request.name("actor"), *_ACTORS)
    for key, span in sentence.spans.items():
        said = dict(sentence.features.get(key, {}))
        holder = said.pop(request.name("holder"), "")
        actors = [said.pop(name) for name in dict.fromkeys(names) if name in said]
        yield replace(span, labels=list(said.values()), actor=next(iter(actors), ""), holder=holder)
