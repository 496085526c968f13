"""Texts that stand in a corpus more than once, labels that contradict each other, leaks."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.display import count, shown
from stance.findings import LABELS, Finding
from stance.fingerprints import SHINGLE
from stance.study import Study

NEAR = 0.6
"""Part of their word triples that near-duplicates share at least (Jaccard); `fingerprint` only
proposes pairs, and finds all but 1 - (1 - 0.6**4)**6 = 57 % of those at the bound, 95 % at 0.8."""

COMPARED = 10
"""Earlier texts of a bucket with which a text is compared."""

LEAK, TEMPLATE = 0.01, 0.05
"""Part of a file's texts that may stand in another file, and of a corpus's texts that may have a
near-duplicate in another document, before a study is spoilt."""

EXAMPLES = 3
"""Places that a message names."""


@dataclass(frozen=True, slots=True)
class Twins:
    """Pairs of nearly equal texts; the numbers are texts of a study."""

    pairs: tuple[tuple[int, int], ...]


def near_twins(study: Study) -> Twins:
    """Return the pairs of nearly, but not quite, equal texts."""
    shingles = [_shingles(words) for words in study.words]
    bands = study.corpus.marks.bands[study.first]
    found: set[tuple[int, int]] = set()
    for band in bands.T.tolist():
        buckets: defaultdict[int, list[int]] = defaultdict(list)
        for text, value in enumerate(band):
            for earlier in buckets[value][-COMPARED:]:
                if _jaccard(shingles[earlier], shingles[text]) >= NEAR:
                    found.add((earlier, text))
            buckets[value].append(text)
    return Twins(tuple(sorted(found)))


def _shingles(words: list[str]) -> set[str]:
    whole = {" ".join(words)}
    return {" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)} or whole


def _jaccard(one: set[str], other: set[str]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def duplicates(study: Study, twins: Twins) -> Iterator[Finding]:
    """Find rows that repeat, and nearly equal texts in different documents."""
    keys = _judgements(study)
    repeats = [
        rows
        for rows in keys.values()
        if len(rows) > 1 and len({int(study.corpus.stance[row]) for row in rows}) == 1
    ]
    if repeats:
        number = sum(len(rows) - 1 for rows in repeats)
        examples = [study.pair(*rows[:2]) for rows in repeats[:EXAMPLES]]
        yield Finding(
            "warn",
            "duplicates",
            f"{count(number, 'row')} repeat text and actor of an earlier one and count double: "
            f"delete them ({', '.join(examples)})",
            {"rows": number, "examples": examples},
        )
    yield from _near_duplicates(study, twins)


def _near_duplicates(study: Study, twins: Twins) -> Iterator[Finding]:
    document, source = study.corpus.document[study.first], study.corpus.source[study.first]
    inside = [(a, b) for a, b in twins.pairs if source[a] == source[b]]
    apart = [(a, b) for a, b in inside if document[a] != document[b]]
    together = len(inside) - len(apart)
    if apart:
        texts = len({text for pair in apart for text in pair})
        share = texts / len(study.first)
        examples = _examples(study, apart)
        yield Finding(
            "spoils" if share > TEMPLATE else "warn",
            "near-duplicates",
            f"{count(texts, 'text')} ({share:.1%}) nearly equal one of another document, so that "
            f"cross-validation flatters: give them one document ({', '.join(examples)})",
            {"texts": texts, "share": round(share, 6), "examples": examples},
        )
    if together:
        examples = _examples(study, [pair for pair in inside if pair not in set(apart)])
        yield Finding(
            "note",
            "near-duplicates",
            f"{count(together, 'pair')} of nearly equal texts within documents; no split parts "
            f"them ({', '.join(examples)})",
            {"pairs": together, "examples": examples},
        )


def _examples(study: Study, pairs: list[tuple[int, int]]) -> list[str]:
    rows = [sorted((int(study.first[a]), int(study.first[b]))) for a, b in pairs]
    return [study.pair(*pair) for pair in sorted(rows)[:EXAMPLES]]


def _judgements(study: Study) -> dict[tuple[Any, ...], list[int]]:
    """Return the rows that judge one actor in one text at one place."""
    found: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row, (text, actor) in enumerate(zip(study.text, study.actor, strict=True)):
        found[int(text), int(actor), tuple(study.corpus.spans[row] or ())].append(row)
    return found


def conflicts(study: Study) -> Iterator[Finding]:
    """Find the same text and actor with different labels."""
    stance = study.corpus.stance
    found = []
    for rows in _judgements(study).values():
        other = [row for row in rows if stance[row] != stance[rows[0]]]
        if other:
            found.append((rows[0], other[0]))
    if found:
        examples = [
            f"{shown(study.actors[study.actor[a]], 20)} {LABELS[stance[a]]} {study.place(a)}, "
            f"{LABELS[stance[b]]} {study.place(b)}"
            for a, b in found[:2]
        ]
        yield Finding(
            "spoils",
            "conflicts",
            f"{count(len(found), 'text')} with two stances toward one actor: decide on one "
            f"({'; '.join(examples)})",
            {"texts": len(found), "examples": examples},
        )
    yield from _tone_conflicts(study)


def _tone_conflicts(study: Study) -> Iterator[Finding]:
    tone: dict[int, int] = {}
    found: dict[int, tuple[int, int]] = {}
    for row in np.flatnonzero(study.corpus.sentiment >= 0).tolist():
        text = int(study.text[row])
        first = tone.setdefault(text, row)
        if study.corpus.sentiment[first] != study.corpus.sentiment[row]:
            found.setdefault(text, (first, row))
    if found:
        examples = [study.pair(*rows) for rows in list(found.values())[:EXAMPLES]]
        yield Finding(
            "warn",
            "conflicts",
            f"{count(len(found), 'text')} with two sentiments; sentiment is of the paragraph, and "
            f"the first counts: decide on one ({', '.join(examples)})",
            {"sentiments": len(found), "examples": examples},
        )


def leaks(study: Study, twins: Twins) -> Iterator[Finding]:
    """Find texts, and names of documents, that two files share."""
    source = study.corpus.source
    texts = [np.unique(study.text[source == file]) for file in range(len(study.files))]
    first: dict[tuple[int, int], int] = {}
    for row, key in enumerate(zip(source.tolist(), study.text.tolist(), strict=True)):
        first.setdefault(key, row)
    for one, other in combinations(range(len(study.files)), 2):
        shared = [(int(t), int(t)) for t in np.intersect1d(texts[one], texts[other])]
        both_ways = [*twins.pairs, *(pair[::-1] for pair in twins.pairs)]
        shared += [(a, b) for a, b in both_ways if (one, a) in first and (other, b) in first]
        if shared:
            rows = [(first[one, a], first[other, b]) for a, b in shared]
            yield _leak(study, rows, (one, other), (len(texts[one]), len(texts[other])))
        yield from _shared_documents(study, one, other)


def _leak(
    study: Study, rows: list[tuple[int, int]], files: tuple[int, int], sizes: tuple[int, int]
) -> Finding:
    counts = [len({int(study.text[pair[side]]) for pair in rows}) for side in (0, 1)]
    share = max(number / size for number, size in zip(counts, sizes, strict=True))
    examples = [study.pair(*pair) for pair in sorted(rows)[:EXAMPLES]]
    names = [shown(study.files[file], 40) for file in files]
    return Finding(
        "spoils" if share > LEAK else "warn",
        "leaks",
        f"{count(counts[1], 'text')} of {names[1]} stand, or nearly so, in {names[0]} "
        f"({share:.1%}): train on one and test on the other only without them "
        f"({', '.join(examples)})",
        {"files": names, "texts": counts, "share": round(share, 6), "examples": examples},
    )


def _shared_documents(study: Study, one: int, other: int) -> Iterator[Finding]:
    names = np.array(study.columns["document"], object)
    sides: list[set[str]] = [
        set(names[_rows_of(study, file)].tolist()) - {""} for file in (one, other)
    ]
    common = sorted(sides[0] & sides[1])
    if common:
        files = " and ".join(shown(study.files[file], 40) for file in (one, other))
        yield Finding(
            "warn",
            "leaks",
            f"{count(len(common), 'document name')} in both {files}, such as "
            f"{shown(common[0], 30)!r}: if they are the same documents, keep each in one file",
            {"documents": len(common), "examples": common[:EXAMPLES]},
        )


def _rows_of(study: Study, file: int) -> NDArray[np.int64]:
    return np.flatnonzero(study.corpus.source == file)
