"""Repeated and nearly equal texts, labels that contradict each other, leaks between files."""

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Ints32
from stance.check.census import LABELS, Finding, Severity, Study, grouped
from stance.display import count, shown
from stance.features.pairs import run_starts
from stance.reading.keys import SHINGLE

# Least share of word triples that near-duplicates have in common (Jaccard); `fingerprint` only
# proposes pairs: 56 % of those at the bound, 95 % of those that share 0.8.
NEAR = 0.6
COMPARED = 10  # earlier texts of a bucket with which a text is compared
EXAMPLES = 3  # places that a message names

# Share of a file's texts that may be in another file, and of a corpus's texts that may have a
# near-duplicate in another document, before a study is spoilt.
LEAK, TEMPLATE = 0.01, 0.05

Pairs = NDArray[Any]  # whole numbers, of shape (n_pairs, 2)


def near_twins(study: Study) -> Pairs:
    """Return pairs of texts that are nearly, but not quite, equal, sorted."""
    size, found = len(study.first), np.zeros(0, np.int64)
    for band in study.bands():
        order = np.argsort(band, kind="stable")
        starts = run_starts(band[order])
        ends = np.append(starts[1:], size)
        shared = np.flatnonzero(ends - starts > 1)
        pairs = array("q")
        for low, high in zip(starts[shared].tolist(), ends[shared].tolist(), strict=True):
            earlier: deque[tuple[int, set[str]]] = deque(maxlen=COMPARED)
            for text in order[low:high].tolist():
                own = _shingles(study.words(text))
                pairs.extend(a * size + text for a, one in earlier if _jaccard(one, own) >= NEAR)
                earlier.append((text, own))
        found = np.union1d(found, np.frombuffer(pairs, np.int64))
    return np.stack(np.divmod(found, max(size, 1)), axis=1)


def _shingles(words: list[str]) -> set[str]:
    whole = {" ".join(words)}
    return {" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)} or whole


def _jaccard(one: set[str], other: set[str]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def duplicates(study: Study, twins: Pairs) -> Iterator[Finding]:
    """Find rows that repeat, and nearly equal texts in different documents."""
    order, starts, sizes = _judgements(study)
    stance = study.stance[order]
    agreed = np.minimum.reduceat(stance, starts) == np.maximum.reduceat(stance, starts)
    repeats = np.flatnonzero(agreed & (sizes > 1))
    if len(repeats):
        number = int((sizes[repeats] - 1).sum())
        first = starts[repeats]
        examples = _examples(study, np.stack([order[first], order[first + 1]], axis=1))
        text = (
            f"{count(number, 'row')} with the text, actor and stance of an earlier row: delete it"
        )
        yield Finding.at("warn", "duplicates", text, examples, rows=number)
    yield from _repeated_texts(study)
    yield from _near_duplicates(study, twins)


def _near_duplicates(study: Study, twins: Pairs) -> Iterator[Finding]:
    tables = (_first_rows(study, file)[twins] for file in range(len(study.files)))
    pairs = np.concatenate([rows[(rows >= 0).all(axis=1)] for rows in tables])
    one = study.document[pairs[:, 0]] == study.document[pairs[:, 1]]
    apart, together = pairs[~one], pairs[one]
    if len(apart):
        texts = len(np.unique(study.text[apart]))
        share = texts / len(study.first)
        examples = _examples(study, apart)
        text = (
            f"{count(texts, 'text')} ({share:.1%}) nearly equal to one of another document, which "
            "flatters cross-validation: give both the same document"
        )
        severity: Severity = "spoils" if share > TEMPLATE else "warn"
        yield Finding.at(severity, "near-duplicates", text, examples, texts=texts, share=share)
    if len(together):
        examples = _examples(study, together)
        text = (
            f"{count(len(together), 'pair')} of nearly equal texts in one document; no split "
            "separates them"
        )
        yield Finding.at("note", "near-duplicates", text, examples, pairs=len(together))


def _repeated_texts(study: Study) -> Iterator[Finding]:
    """Report texts that have several document names."""
    pairs = _disagreeing(study.key("document"), *grouped(study.text, study.source))
    if len(pairs):
        examples = _examples(study, pairs)
        text = (
            f"{count(len(pairs), 'text')} with several document names, which count as one document"
        )
        yield Finding.at("note", "duplicates", text, examples, texts=len(pairs))


def _first_rows(study: Study, file: int) -> Ints32:
    """Return the first row of each text in a file; -1 for texts of other files."""
    rows = np.flatnonzero(study.source == file)[::-1]
    found = np.full(len(study.first), -1, np.int32)
    found[study.text[rows]] = rows  # the last one written is the first row
    return found


def _examples(study: Study, pairs: Pairs, by: int = 0) -> list[str]:
    """Return the places of a few pairs of rows, in the order of the first or second of each."""
    pairs = np.sort(pairs, axis=1)
    order = np.lexsort((pairs[:, 1 - by], pairs[:, by]))[:EXAMPLES]
    return [study.pair(one, other) for one, other in pairs[order].tolist()]


def _judgements(study: Study) -> tuple[Ints32, Ints32, Ints32]:
    """Return the rows, by what actor they judge in what text at what place; see `grouped`."""
    return grouped(study.key("spans"), study.actor, study.text)


def conflicts(study: Study) -> Iterator[Finding]:
    """Find the same text and actor with different labels."""
    pairs = _disagreeing(study.stance, *_judgements(study))
    if len(pairs):
        examples = [
            f"{shown(study.actors[study.actor[a]], 20)} {LABELS[study.stance[a]]} "
            f"{study.place(a)}, {LABELS[study.stance[b]]} {study.place(b)}"
            for a, b in pairs[np.argsort(pairs[:, 0])][:2].tolist()
        ]
        text = f"{count(len(pairs), 'text')} with two stances toward one actor: decide on one"
        figures = {"texts": len(pairs), "examples": examples}
        yield Finding("spoils", "conflicts", f"{text} ({'; '.join(examples)})", figures)
    yield from _tone_conflicts(study)


def _disagreeing(values: NDArray[Any], order: Ints32, starts: Ints32, sizes: Ints32) -> Pairs:
    """Return the first row of each group, and the first whose value differs, where one does."""
    own = values[order]
    other = np.flatnonzero(own != np.repeat(own[starts], sizes))
    found, at = np.unique(np.searchsorted(starts, other, side="right") - 1, return_index=True)
    return np.stack([order[starts[found]], order[other[at]]], axis=1)


def _tone_conflicts(study: Study) -> Iterator[Finding]:
    rows = np.flatnonzero(study.sentiment >= 0).astype(np.int32)
    order, starts, sizes = grouped(study.text[rows])
    pairs = _disagreeing(study.sentiment, rows[order], starts, sizes)
    if len(pairs):
        examples = _examples(study, pairs, by=1)
        text = (
            f"{count(len(pairs), 'text')} with two sentiments; a paragraph has one sentiment, and "
            "the first counts: decide on one"
        )
        yield Finding.at("warn", "conflicts", text, examples, sentiments=len(pairs))


def leaks(study: Study, twins: Pairs) -> Iterator[Finding]:
    """Find texts, and names of documents, that two files share."""
    both_ways = np.concatenate([twins, twins[:, ::-1]])
    for one, other in combinations(range(len(study.files)), 2):
        first, second = (_first_rows(study, file) for file in (one, other))
        shared = np.flatnonzero((first >= 0) & (second >= 0))
        rows = np.stack([first[shared], second[shared]], axis=1)
        near = np.stack([first[both_ways[:, 0]], second[both_ways[:, 1]]], axis=1)
        rows = np.concatenate([rows, near[(near >= 0).all(axis=1)]])
        if len(rows):
            sizes = [int((table >= 0).sum()) for table in (first, second)]
            yield _leak(study, rows, (one, other), sizes)
        yield from _shared_documents(study, one, other)


def _leak(study: Study, rows: Pairs, files: tuple[int, int], sizes: Sequence[int]) -> Finding:
    counts = [len(np.unique(study.text[side])) for side in rows.T]
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
    keys = study.key("document")
    rows = np.flatnonzero(study.source == one)
    mine, first = np.unique(keys[rows], return_index=True)
    both = np.isin(mine, keys[study.source == other])
    names = {study.documents[study.at(row)] for row in rows[first[both]]}
    common = sorted(names - {""})
    if common:
        files = " and ".join(shown(study.files[file], 40) for file in (one, other))
        text = (
            f"{count(len(common), 'document name')} in both {files}, such as "
            f"'{shown(common[0], 30)}': if they are the same documents, keep each in one file"
        )
        figures = {"documents": len(common), "examples": common[:EXAMPLES]}
        yield Finding("warn", "leaks", text, figures)
