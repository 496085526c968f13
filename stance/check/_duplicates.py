"""Repeated and nearly equal texts, labels that contradict each other, leaks between files."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from stance.check.census import LABELS, Finding, Severity, Study
from stance.display import count, shown
from stance.reading.keys import SHINGLE

# Least share of word triples that near-duplicates have in common (Jaccard); `fingerprint` only
# proposes pairs: 56 % of those at the bound, 95 % of those that share 0.8.
NEAR = 0.6
COMPARED = 10  # earlier texts of a bucket with which a text is compared
EXAMPLES = 3  # places that a message names

# Share of a file's texts that may be in another file, and of a corpus's texts that may have a
# near-duplicate in another document, before a study is spoilt.
LEAK, TEMPLATE = 0.01, 0.05

Pair = tuple[int, int]


def near_twins(study: Study) -> list[Pair]:
    """Return pairs of texts that are nearly, but not quite, equal."""
    shingles = [_shingles(words) for words in study.words]
    bands = study.corpus.marks.bands[study.first]
    found: set[Pair] = set()
    for band in bands.T.tolist():
        buckets: defaultdict[int, list[int]] = defaultdict(list)
        for text, value in enumerate(band):
            for earlier in buckets[value][-COMPARED:]:
                if _jaccard(shingles[earlier], shingles[text]) >= NEAR:
                    found.add((earlier, text))
            buckets[value].append(text)
    return sorted(found)


def _shingles(words: list[str]) -> set[str]:
    whole = {" ".join(words)}
    return {" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)} or whole


def _jaccard(one: set[str], other: set[str]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def duplicates(study: Study, twins: list[Pair]) -> Iterator[Finding]:
    """Find rows that repeat, and nearly equal texts in different documents."""
    several = [rows for rows in _judgements(study).values() if len(rows) > 1]
    repeats = [rows for rows in several if len(np.unique(study.corpus.stance[rows])) == 1]
    if repeats:
        number = sum(len(rows) - 1 for rows in repeats)
        examples = [study.pair(*rows[:2]) for rows in repeats[:EXAMPLES]]
        text = (
            f"{count(number, 'row')} with the text, actor and stance of an earlier row: delete it"
        )
        yield Finding.at("warn", "duplicates", text, examples, rows=number)
    yield from _repeated_texts(study)
    yield from _near_duplicates(study, twins)


def _near_duplicates(study: Study, twins: list[Pair]) -> Iterator[Finding]:
    apart: list[Pair] = []
    together: list[Pair] = []
    for first in _first_rows(study):
        for a, b in ((first[a], first[b]) for a, b in twins if a in first and b in first):
            one = study.corpus.document[a] == study.corpus.document[b]
            (together if one else apart).append((a, b))
    if apart:
        texts = len({int(study.text[row]) for pair in apart for row in pair})
        share = texts / len(study.first)
        examples = _examples(study, apart)
        text = (
            f"{count(texts, 'text')} ({share:.1%}) nearly equal to one of another document, which "
            "makes cross-validation flatter: give both one document"
        )
        severity: Severity = "spoils" if share > TEMPLATE else "warn"
        yield Finding.at(severity, "near-duplicates", text, examples, texts=texts, share=share)
    if together:
        examples = _examples(study, together)
        text = (
            f"{count(len(together), 'pair')} of nearly equal texts in one document; no split "
            "separates them"
        )
        yield Finding.at("note", "near-duplicates", text, examples, pairs=len(together))


def _repeated_texts(study: Study) -> Iterator[Finding]:
    """Report texts that have several document names."""
    names: defaultdict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    cells = study.columns["document"]
    for row, key in enumerate(zip(study.corpus.source.tolist(), study.text.tolist(), strict=True)):
        names[key].setdefault(cells[row], row)
    found = [tuple(rows.values())[:2] for rows in names.values() if len(rows) > 1]
    if found:
        examples = [study.pair(*rows) for rows in found[:EXAMPLES]]
        text = (
            f"{count(len(found), 'text')} with several document names, which count as one document"
        )
        yield Finding.at("note", "duplicates", text, examples, texts=len(found))


def _first_rows(study: Study) -> list[dict[int, int]]:
    first: list[dict[int, int]] = [{} for _ in study.files]
    for row, (file, text) in enumerate(zip(study.corpus.source, study.text, strict=True)):
        first[file].setdefault(int(text), row)
    return first


def _examples(study: Study, rows: list[Pair]) -> list[str]:
    ordered = sorted((min(pair), max(pair)) for pair in rows)
    return [study.pair(*pair) for pair in ordered[:EXAMPLES]]


def _judgements(study: Study) -> dict[tuple[Any, ...], list[int]]:
    """Return the rows that judge one actor in one text at one place."""
    found: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row, (text, actor) in enumerate(zip(study.text, study.actor, strict=True)):
        found[int(text), int(actor), tuple(study.corpus.spans[row] or ())].append(row)
    return found


def conflicts(study: Study) -> Iterator[Finding]:
    """Find the same text and actor with different labels."""
    stance = study.corpus.stance
    found = [
        (rows[0], other[0])
        for rows in _judgements(study).values()
        if (other := [row for row in rows if stance[row] != stance[rows[0]]])
    ]
    if found:
        examples = [
            f"{shown(study.actors[study.actor[a]], 20)} {LABELS[stance[a]]} {study.place(a)}, "
            f"{LABELS[stance[b]]} {study.place(b)}"
            for a, b in found[:2]
        ]
        text = f"{count(len(found), 'text')} with two stances toward one actor: decide on one"
        figures = {"texts": len(found), "examples": examples}
        yield Finding("spoils", "conflicts", f"{text} ({'; '.join(examples)})", figures)
    yield from _tone_conflicts(study)


def _tone_conflicts(study: Study) -> Iterator[Finding]:
    tone = study.corpus.sentiment
    first: dict[int, int] = {}  # row of each text
    found: dict[int, Pair] = {}
    for row in np.flatnonzero(tone >= 0).tolist():
        number = int(study.text[row])
        earlier = first.setdefault(number, row)
        if tone[earlier] != tone[row]:
            found.setdefault(number, (earlier, row))
    if found:
        examples = [study.pair(*rows) for rows in list(found.values())[:EXAMPLES]]
        text = (
            f"{count(len(found), 'text')} with two sentiments; a paragraph has one sentiment, and "
            "the first counts: decide on one"
        )
        yield Finding.at("warn", "conflicts", text, examples, sentiments=len(found))


def leaks(study: Study, twins: list[Pair]) -> Iterator[Finding]:
    """Find texts, and names of documents, that two files share."""
    first = _first_rows(study)
    both_ways = [*twins, *(pair[::-1] for pair in twins)]
    for one, other in combinations(range(len(study.files)), 2):
        shared = [(text, text) for text in first[one] if text in first[other]]
        shared += [(a, b) for a, b in both_ways if a in first[one] and b in first[other]]
        if shared:
            rows = [(first[one][a], first[other][b]) for a, b in shared]
            yield _leak(study, rows, (one, other), (len(first[one]), len(first[other])))
        yield from _shared_documents(study, one, other)


def _leak(study: Study, rows: list[Pair], files: Pair, sizes: Pair) -> Finding:
    counts = [len({int(study.text[pair[side]]) for pair in rows}) for side in (0, 1)]
    share = max(number / size for number, size in zip(counts, sizes, strict=True))
    examples = _examples(study, rows)
    names = [shown(study.files[file], 40) for file in files]
    text = (
        f"{count(counts[1], 'text')} of {names[1]} equal or nearly equal to one in {names[0]} "
        f"({share:.1%}): never train on one and test on the other"
    )
    severity: Severity = "spoils" if share > LEAK else "warn"
    return Finding.at(severity, "leaks", text, examples, files=names, texts=counts, share=share)


def _shared_documents(study: Study, one: int, other: int) -> Iterator[Finding]:
    names = np.array(study.columns["document"], object)
    sides = [set(names[study.corpus.source == file].tolist()) - {""} for file in (one, other)]
    common = sorted(sides[0] & sides[1])
    if common:
        files = " and ".join(shown(study.files[file], 40) for file in (one, other))
        text = (
            f"{count(len(common), 'document name')} in both {files}, such as "
            f"'{shown(common[0], 30)}': if they are the same documents, keep each in one file"
        )
        figures = {"documents": len(common), "examples": common[:EXAMPLES]}
        yield Finding("warn", "leaks", text, figures)
