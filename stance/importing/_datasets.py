"""Public data sets in JSON, or in folders of articles and annotations."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from stance.display import shown, shown_path
from stance.errors import DataError
from stance.importing._reading import (
    Node,
    Notes,
    Request,
    files_in,
    json_items,
    json_object,
    read_text,
)
from stance.importing._rows import Mark, Row, make_row, marked_rows, paragraph_around
from stance.records import Stance

_POLARITY = {2.0: Stance.AGAINST, 4.0: Stance.NEUTRAL, 6.0: Stance.FAVOR}
_SIGNS = {"NEG": Stance.AGAINST, "POS": Stance.FAVOR, "NEU": Stance.NEUTRAL}


# --- NewsMTSC and MAD-TSC --------------------------------------------------------------------


def read_newsmtsc(request: Request, notes: Notes) -> Iterator[Row]:
    """Yield a row per target; its ``to`` is exclusive, whatever the set's readme says.

    https://github.com/fhamborg/NewsMTSC, README ("Format").
    """
    for sentence in json_items(request.source, request.advice):
        # The first three parts of the id name the article.
        document = "_".join(sentence["primary_gid"].text().split("_")[:3])
        for target in sentence["targets"].items():
            row = _target(sentence, target, [target])
            yield make_row(target.where, {"id": row["id"], "document": document, **row})


def read_madtsc(request: Request, notes: Notes) -> Iterator[Row]:
    """Yield a row per target, with its further mentions; no article is named.

    https://github.com/EvanDufraisse/MAD_TSC, README and src/tscbench/data/load/absa.py
    ("newsmtsc format", `further_mentions`).
    """
    for sentence in json_items(request.source, request.advice):
        for target in sentence["targets"].items():
            more = target.get("further_mentions")
            places = [target, *(more.items() if more else [])]
            yield make_row(target.where, _target(sentence, target, places))


def _target(sentence: Node, target: Node, mentions: list[Node]) -> Row:
    text = sentence["sentence_normalized"].text()
    places = [(m["from"].whole(), m["to"].whole()) for m in mentions]
    for mention, (start, end) in zip(mentions, places, strict=True):
        if not 0 <= start < end <= len(text):
            raise mention.fault(f"is {start}:{end}, which lies outside the sentence")
    polarity = target["polarity"]
    stance = _POLARITY.get(polarity.number())
    if stance is None:
        raise polarity.fault(f"is {polarity.value}, not 2, 4 or 6")
    return {
        "id": target["Input.gid"].scalar(),
        "actor": target["mention"].text(),
        "spans": ";".join(f"{start}:{end}" for start, end in sorted(set(places))),
        "stance": stance,
        "text": text,
    }


# --- RuOpinionNE -----------------------------------------------------------------------------


def read_ruopinionne(request: Request, notes: Notes) -> Iterator[Row]:
    """Yield a row per opinion's target, stance and holder.

    https://github.com/dialogue-evaluation/RuOpinionNE-2024, README and codalab/evaluation.py:
    `Source`, `Target` and `Polar_expression` are two lists, of texts and of places ``start:end``;
    a source at ``NULL`` is the author or nobody who is named.
    """
    for sentence in json_items(request.source, request.advice):
        text, opinions = sentence["text"].text(), sentence["opinions"].items()
        marks = []
        for opinion in opinions:
            words, places = _parts(opinion["Target"])
            polarity = opinion["Polarity"]
            stance = _SIGNS.get(polarity.text())
            if stance is None:
                raise polarity.fault(f"is '{shown(polarity.text())}', not POS or NEG")
            holder = _source(opinion["Source"])
            for place in places:
                start, end = _place(place, text)
                marks.append(Mark(start, end, stance, " ".join(words), holder))
        if not opinions:
            notes.left_out["sentence without an opinion"] += 1
        number = sentence["sent_id"].scalar()
        yield from marked_rows(sentence.where, text, marks, {"id": number, "document": number})


def _parts(said: Node) -> tuple[list[str], list[Node]]:
    parts = said.items()
    if len(parts) != 2 or not parts[1].items():
        raise said.fault("is not two lists, of texts and of places")
    return [word.text() for word in parts[0].items()], parts[1].items()


def _place(place: Node, text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,9}):(\d{1,9})", place.text())
    if not found or not int(found[1]) < int(found[2]) <= len(text):
        raise place.fault(f"is '{shown(place.text())}', which is not a place in the text")
    return int(found[1]), int(found[2])


def _source(said: Node) -> str:
    words, places = _parts(said)
    if places[0].text() != "NULL":
        return " ".join(words)
    return "author" if words and words[0].upper() == "AUTHOR" else ""


# --- SemEval-2025 task 10, subtask 1 ----------------------------------------------------------

_ROLES = {"protagonist": Stance.FAVOR, "antagonist": Stance.AGAINST}
_ARTICLES = ("raw-documents", "subtask-1-documents")


def read_semeval2025(request: Request, notes: Notes) -> Iterator[Row]:
    """Yield a row per entity, role and paragraph of an article.

    https://propaganda.math.unipd.it/semeval2025task10 ("Subtask 1: Entity Framing"): lines of
    article, mention, start, end, main role and finer roles, between tabs, without a header; the
    end is inclusive ("BBC 1860 1862"), and one that is not is told by the mention. The articles are
    files in `raw-documents` beside the file of annotations. The role Innocent is no stance: a
    victim may be pitied or merely reported.
    """
    for path in _annotation_files(request.source):
        name, articles = shown_path(path), dict[str, str]()
        for number, line in enumerate(read_text(path).removeprefix("\ufeff").splitlines(), 1):
            if line.strip():
                where = f"{name}:{number}"
                row = _framed(line.split("\t"), where, path.parent, articles, request, notes)
                if row:
                    yield row


def _annotation_files(source: Path) -> list[Path]:
    found = files_in(source, ".txt")
    if not source.is_dir():
        return found
    named = [path for path in found if "annotations" in path.name.lower()]
    if not named:
        what = "has no file *annotations*.txt; name the folder of a language, such as EN"
        raise DataError(f"{shown_path(source)}: {what}")
    return named


def _framed(
    cells: list[str],
    where: str,
    folder: Path,
    articles: dict[str, str],
    request: Request,
    notes: Notes,
) -> Row | None:
    if len(cells) < 5 or not (cells[2].isdecimal() and cells[3].isdecimal()):
        what = "not article, mention, start, end and main role between tabs"
        raise DataError(f"{where}: {what}; the parts for testing have no roles; {request.advice}")
    article, mention, role = cells[0], cells[1], cells[4].strip()
    stance = request.stance(role) or _ROLES.get(role.lower())
    if article not in articles:
        articles[article] = read_text(_article(article, where, folder))
    text, low, last = articles[article], int(cells[2][:9]), int(cells[3][:9])
    if not low <= last < len(text):
        what = f"{low}:{last} lies outside the {len(text):,} characters of {shown(article)}"
        raise DataError(f"{where}: {what}; {request.advice}")
    if stance is None:
        notes.labels[role] += 1
        return None
    ends = [end for end in (last + 1, last) if text[low:end].split() == mention.split()]
    if not ends:
        notes.left_out["mention that is not at its place"] += 1
        return None
    high = ends[0]
    paragraph, begin = paragraph_around(text, low, high)
    row = {
        "id": f"{article}:{low}",
        "document": article,
        "actor": mention,
        "spans": f"{low - begin}:{high - begin}",
        "stance": stance,
        "text": paragraph,
        "roles": ";".join(cell.strip() for cell in cells[5:] if cell.strip()),
    }
    return make_row(where, row)


def _article(name: str, where: str, folder: Path) -> Path:
    if name in (".", "..") or Path(name).name != name or "\0" in name:
        raise DataError(f"{where}: '{shown(name)}' is not the name of an article's file")
    places = [folder / inner / name for inner in _ARTICLES]
    found = None
    with suppress(OSError):  # a name too long for any file
        found = next((path for path in places if path.is_file()), None)
    if found is None:
        what = f"no article {shown(name)} in {_ARTICLES[0]} beside this file"
        raise DataError(f"{where}: {what}; keep the folders as they were downloaded")
    return found


# --- SEESAW ----------------------------------------------------------------------------------

_HOLDERS = {"none": "", "not in the list": "other", "author": "author"}
_NOBODY = ("none", "not in the list")


def read_seesaw(request: Request, notes: Notes) -> Iterator[Row]:
    """Yield a row per triplet (who, sentiment, toward whom) of a sentence, and annotator.

    https://github.com/launchnlp/SEESAW, SEESAW/README.md and data/script/step_0_data_conversion.py:
    `annotations` has a file per article ("sentence-level stances" by sentence), `articles` one of
    the same name with the sentences, `meta` one per story with the part it belongs to (`Split`).
    """
    for path in _annotated(request.source):
        article = json_object(path.parent.parent / "articles" / path.name, request.advice)
        texts = {line["id"].scalar(): line["text"].text() for line in article["text"].items()}
        meta = path.parent.parent / "meta" / f"{path.stem.rpartition('_DOCUMENT_')[0]}.json"
        part = json_object(meta, request.advice).get("Split") if meta.is_file() else None
        cells = {"document": path.stem} | ({"split": part.text()} if part else {})
        stances = json_object(path, request.advice)["sentence-level stances"].fields()
        for number, triplets in stances.items():
            if number not in texts:
                raise triplets.fault("names a sentence that the article does not have")
            own = {**cells, "id": f"{path.stem}-{number}", "text": texts[number]}
            for triplet in triplets.items():
                yield from _triplet(triplet, own, notes)


def _annotated(source: Path) -> list[Path]:
    """Return the files of annotations, in a folder of that name beside `articles`."""
    above = len(source.parent.parts) if source.is_dir() else 0  # of other people's naming
    inside = ((path, path.parts[above:-1]) for path in files_in(source, ".json"))
    found = [path for path, folders in inside if "annotations" in folders]
    if not found:
        if not source.exists():
            read_text(source)  # raises
        what = "has no folder annotations; name the folder that holds articles and annotations"
        raise DataError(f"{shown_path(source)}: {what}")
    return found


def _triplet(triplet: Node, cells: Row, notes: Notes) -> Iterator[Row]:
    holder, sign = triplet["subject"].text(), triplet["sentiment"]
    actor, stance = triplet["object"].text(), _SIGNS.get(sign.text())
    if stance is None:
        raise sign.fault(f"is '{shown(sign.text())}', not POS, NEG or NEU")
    if actor.lower() in _NOBODY:
        notes.left_out["stance toward an actor that is not in the list"] += 1
        return
    holder = _HOLDERS.get(holder.lower(), holder)
    for coder in triplet["annotators"].items():
        own = {"actor": actor, "stance": stance, "holder": holder, "coder": coder.text()}
        yield make_row(triplet.where, {**cells, **own})


# --- BASIL -----------------------------------------------------------------------------------


def read_basil(request: Request, notes: Notes) -> Iterator[Row]:
    """Yield a row per target, polarity and speaker of the biased spans of a sentence.

    https://github.com/marshallwhiteorg/emnlp19-media-bias, README, create_html_utils.py: an
    annotation's id is ``p`` and the number of the sentence in `body-paragraphs`, or ``title``;
    its start and end are those of the biased words, not of the target.
    """
    for path in _annotated(request.source):
        article = json_object(_beside(path), request.advice)
        lines = [
            line.text() for part in article["body-paragraphs"].items() for line in part.items()
        ]
        named = {name: article.get(name) for name in ("date", "source")}
        cells = {name: node.scalar() for name, node in named.items() if node}
        cells["document"] = path.name.removesuffix("_ann.json")
        seen = set[tuple[str, ...]]()
        for span in json_object(path, request.advice)["phrase-level-annotations"].items():
            row = _biased(span, article, lines)
            key = tuple(row.values())
            if key in seen:  # more words of the sentence with the same bias
                continue
            seen.add(key)
            yield make_row(span.where, {**cells, **row})


def _beside(path: Path) -> Path:
    """Return the article of a file of annotations: ``articles/2010/a.json`` of a year's."""
    at = len(path.parts) - 1 - path.parts[::-1].index("annotations")
    year = path.parts[at + 1 : -1][-1:]  # not "resolved", which may stand before it
    name = path.name.replace("_ann.json", ".json")
    return Path(*path.parts[:at], "articles", *year, name)


def _biased(span: Node, article: Node, lines: list[str]) -> Row:
    place, sign = span["id"].text(), span["polarity"]
    stance = _SIGNS.get(sign.text().upper())
    if stance is None:
        raise sign.fault(f"is '{shown(sign.text())}', not pos, neg or neu")
    if place == "title":
        text = article["title"].text()
    elif re.fullmatch(r"p\d{1,6}", place) and int(place[1:]) < len(lines):
        text = lines[int(place[1:])].strip()
    else:
        raise span["id"].fault(f"is '{shown(place)}', which is not a sentence of the article")
    speaker = span["speaker"].text() if span["quote"].text() == "yes" else "author"
    return {
        "id": place,
        "actor": span["target"].text().replace("_", " "),
        "stance": stance,
        "holder": "other" if speaker.startswith("other_") else speaker.replace("_", " "),
        "text": text,
    }
