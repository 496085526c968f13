"""Public data sets: JSON, text beside annotations, and tables in which a row may be several."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path
from typing import Any

from stance.display import shown_path
from stance.importing.sources import Import, Place, Row, Rows, paragraph_around, read_table, scalar
from stance.records import Stance

_ANNOTATIONS = "**/*subtask-1-annotations.txt"  # beside those of two other subtasks
_ARTICLES = ("raw-documents", "subtask-1-documents")
_LONGEST_DECISIONS = 2000  # characters; many more could crash the parser
_WORD = re.compile(r"\[TGT\]|\w+|\S")
_HOLDERS = {"none": "", "not in the list": "other", "author": "author"}


def read_newsmtsc(job: Import) -> Rows:
    """Yield a row per target of a sentence; its ``to`` is exclusive.

    https://github.com/fhamborg/NewsMTSC, where the first three parts of an id name the article.
    """
    for sentence in job.json(job.source):
        text, article = sentence["sentence_normalized"], sentence["primary_gid"].split("_")[:3]
        for target in sentence["targets"]:
            cells = {"id": scalar(target["Input.gid"]), "document": "_".join(article)}
            cells |= {"actor": target["mention"], "text": text}
            cells["spans"] = f"{target['from']}:{target['to']}"
            yield from job.rows(cells, [f"{target['polarity']:g}"])


def read_ruopinionne(job: Import) -> Rows:
    """Yield a row per opinion's target, stance and holder.

    https://github.com/dialogue-evaluation/RuOpinionNE-2024, codalab/evaluation.py: `Source` and
    `Target` are a list of texts and one of places ``start:end``; nobody is [["NULL"], ["0:0"]].
    """
    for sentence in job.json(job.source):
        text, number, places = sentence["text"], scalar(sentence["sent_id"]), list[Place]()
        for opinion in sentence["opinions"]:
            holder, _ = _named(opinion["Source"])
            actor, ends = _named(opinion["Target"])
            for place in ends:
                start, end = map(int, place.split(":"))
                places.append(Place(start, end, [scalar(opinion["Polarity"])], actor, holder))
            if not ends:
                job.skip("opinion", "toward nobody who is named")
        yield from job.rows({"id": number, "document": number, "text": text}, (), places)


def _named(parts: list[list[str]]) -> tuple[str, list[str]]:
    """Return who is named, "author" or nobody, and at which places."""
    names, places = parts
    if (name := " ".join(names)).upper() == "AUTHOR":
        return "author", []
    return ("", []) if "NULL" in (name, places[0]) else (name, places)


def read_semeval2025(job: Import) -> Rows:
    """Yield a row per entity, role and paragraph of an article.

    https://propaganda.math.unipd.it/semeval2025task10: lines of article, mention, start, end, main
    role and finer roles, between tabs; the end is inclusive, or else the mention tells. The role
    Innocent is no stance: a victim may be pitied or merely reported.
    """
    if "innocent" not in job.known:
        job.notes.insert(
            0, "Innocent is left out unless --labels Innocent=favor says what it means"
        )
    for path in job.files(_ANNOTATIONS):
        folders = (path.parent / inner for inner in _ARTICLES)
        articles = {text.name: text for folder in folders for text in folder.glob("*.txt")}
        for number, line in enumerate(job.text(path).splitlines(), 1):
            job.where = f"{shown_path(path)}:{number}"
            if line.strip():
                yield from _framed(job, line.split("\t"), articles)


def _framed(job: Import, cells: list[str], articles: Mapping[str, Path]) -> Rows:
    article, mention, start, last, role, *finer = cells
    text = job.text(articles[article])
    low, high = int(start), int(last)
    named = ((end, text[low:end]) for end in (high, high + 1))  # exclusive or inclusive
    ends = [end for end, part in named if part == part.rstrip() and part.split() == mention.split()]
    if not ends:
        job.skip("mention", "not at the place given")
        return
    paragraph, begin = paragraph_around(text, low, ends[0])
    row = {"id": f"{article}:{low}", "document": article, "actor": mention, "text": paragraph}
    row["spans"] = f"{low - begin}:{ends[0] - begin}"
    row["roles"] = ";".join(filter(None, map(str.strip, finer)))
    yield from job.rows(row, [role.strip()])


def read_seesaw(job: Import) -> Rows:
    """Yield a row per triplet of a sentence and annotator (https://github.com/launchnlp/SEESAW).

    `annotations` and `articles` have files of the same names, `meta` one per story.
    """
    if not (job.source / "annotations").is_dir():
        raise job.fault("has no folder annotations")
    for path in job.files("annotations/**/*.json"):
        article = next(job.json(job.source / "articles" / path.name), {})
        texts = {scalar(sentence["id"]): sentence["text"] for sentence in article["text"]}
        meta = job.source / "meta" / f"{path.stem.rpartition('_DOCUMENT_')[0]}.json"
        split = str(next(job.json(meta), {}).get("Split", "")) if meta.is_file() else ""
        for number, triplets in next(job.json(path), {})["sentence-level stances"].items():
            cells = {"document": path.stem, "id": f"{path.stem}-{number}", "text": texts[number]}
            rows = [*_triplets(job, triplets, {**cells, "split": split})]
            pairs, votes = [(row["actor"], row.get("holder")) for row in rows], Counter[Any]()
            for pair, row in zip(pairs, rows, strict=True):
                votes[pair] += 1 if row["stance"] == Stance.FAVOR else -1
            job.skip("tie", "between coders", [*votes.values()].count(0))
            yield from (row for pair, row in zip(pairs, rows, strict=True) if votes[pair])


def _triplets(job: Import, triplets: Iterable[Any], cells: Row) -> Rows:
    for triplet in triplets:
        if triplet["object"].lower() in ("none", "not in the list"):
            job.skip("stance", "toward an actor not in the list")
            continue
        holder = _HOLDERS.get(triplet["subject"].lower(), triplet["subject"])
        for coder in triplet["annotators"]:
            coding = {"actor": triplet["object"], "holder": holder, "coder": coder}
            yield from job.rows({**cells, **coding}, [triplet["sentiment"]])


# --- Tables ----------------------------------------------------------------------------------


def read_semeval2016(job: Import) -> Rows:
    """Yield the rows of a file of SemEval-2016: tabs and no quotes, or a table with quotes.

    The files of the task are in Windows-1252; copies in UTF-8 are told by their bytes.
    """
    job.options["encoding"] = job.options.get("encoding") or "cp1252"
    with suppress(OSError), job.source.open("rb") as file:  # `open_table` says why
        if b"\t" in file.readline():
            job.options["quoting"] = "none"
    return read_table(job)


def _paragraphs(job: Import, article: Row) -> Rows:
    """Yield the labelled paragraphs of an article of PerSenT, a line each; its actor is masked."""
    texts = [text.strip() for text in article["text"].split("\n")]
    masks = article.get("masked", "").split("\n")
    for number in range(len(job.format.columns)):
        label = article.get(f"stance {number}", "")
        if label.strip() and not "".join(texts[number : number + 1]):
            job.skip("label", "of a paragraph that is not there")
        elif label.strip():
            text, fits = texts[number], len(masks) == len(texts)
            row = {"id": f"{article['document']}-{number}", "document": article["document"]}
            row |= {"actor": article["actor"], "stance": label, "text": text}
            yield row | {"spans": masked_spans(text, masks[number]) if fits else ""}


def masked_spans(text: str, masked: str) -> str:
    """Return where a text has what its copy calls ``[TGT]``; nothing if the two do not fit.

    >>> masked_spans("Ann Lee won. She smiled.", " [TGT]  won.  [TGT]  smiled.")
    '0:7;13:16'
    """
    words, masks, spans = list(_WORD.finditer(text)), _WORD.findall(masked), list[str]()
    matcher = SequenceMatcher(None, [word[0] for word in words], masks, autojunk=False)
    for kind, start, end, low, high in matcher.get_opcodes():
        if kind != "equal":
            if start == end or {*masks[low:high]} != {"[TGT]"}:
                return ""
            spans.append(f"{words[start].start()}:{words[end - 1].end()}")
    return ";".join(spans)


def _entities(job: Import, headline: Row) -> Rows:
    """Yield a row per entity of SEntFiN, from ``{'Gold': 'positive'}``, which is not run."""
    labels = ast.literal_eval(headline.pop("decisions").strip()[:_LONGEST_DECISIONS])
    for actor, label in labels.items():
        yield {**headline, "actor": actor, "stance": label.strip()}


read_persent = partial(read_table, split=_paragraphs)
read_sentfin = partial(read_table, split=_entities)
