"""Repeated texts, which let a model score well without reading, and labels that contradict."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from itertools import combinations, groupby, product

import numpy as np

from stance.check import LABELS, Finding, Severity, Study
from stance.display import count, shown
from stance.reading.keys import SHINGLE
from stance.reading.text import words_of

# Least share of word triples that near-duplicates have in common (Jaccard); `hash_texts` only
# proposes pairs: 56 % of those at the bound, 95 % of those that share 0.8.
NEAR = 0.6
COMPARED = 10  # earlier texts of a bucket with which a text is compared

# Share of a file's texts that may be in another file, and of a corpus's texts that may have a
# near-duplicate in another document, before a study is spoilt.
LEAK, TEMPLATE = 0.01, 0.05

Rows = tuple[int, int]
Pairs = Mapping[tuple[int, int], list[Rows]]


def find_pairs(study: Study) -> Pairs:
    """Find equal or nearly equal texts of two files, and nearly equal ones of one file.

    By files, a pair has the first row of either text in its file.
    """
    firsts = defaultdict[int, dict[int, int]](dict)  # by text and file
    sources = study.corpus.source.tolist()
    for row, text in enumerate(study.text.tolist()):
        firsts[text].setdefault(sources[row], row)
    alike = [pair for rows in firsts.values() for pair in combinations(rows.values(), 2)]
    for one, other in _twins(study):
        alike += product(firsts[one].values(), firsts[other].values())
    pairs = defaultdict[tuple[int, int], list[Rows]](list)
    for one, other in map(sorted, alike):
        pairs[sources[one], sources[other]].append((one, other))
    return pairs


def _twins(study: Study) -> set[Rows]:
    """Return the pairs of texts that are nearly equal."""
    texts, marks, twins = np.unique(study.text), study.corpus.marks, set[Rows]()
    for band in marks.bands[texts].T:
        order = np.lexsort((marks.exact[texts], band)).tolist()
        for _, group in groupby(order, key=band.tolist().__getitem__):
            earlier: deque[tuple[int, set[str]]] = deque(maxlen=COMPARED)
            alike = texts[[*group]].tolist()
            for text in alike if len(alike) > 1 else ():
                triples = _shingles(words_of(study.corpus.texts[text]))
                for other, shingles in earlier:
                    if len(triples & shingles) / len(triples | shingles) >= NEAR:
                        twins.add((min(text, other), max(text, other)))
                earlier.append((text, triples))
    return twins


def _shingles(words: list[str]) -> set[str]:
    whole = {" ".join(words)}
    return {" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)} or whole


def duplicates(study: Study) -> Iterator[Finding]:
    """Find repeated rows, and contradictions."""
    corpus, repeated = study.corpus, 0
    repeats, conflicts = list[Rows](), list[Rows]()
    spans = [tuple(places or ()) for places in corpus.spans]
    groups = defaultdict[object, list[int]](list)
    for row, pair in enumerate(zip(study.text.tolist(), study.actors, spans, strict=True)):
        groups[pair].append(row)
    for first, *others in groups.values():
        if differing := [row for row in others if corpus.stance[row] != corpus.stance[first]]:
            conflicts.append((first, differing[0]))
        elif others:
            repeated += len(others)
            repeats.append((first, others[0]))
    if repeats:
        text = (
            f"{count(repeated, 'row')} with the text, actor and stance of an earlier row: delete "
            "the repetition"
        )
        yield Finding.at("warn", "duplicates", text, study.pairs(repeats))
    if conflicts:
        text = f"{count(len(conflicts), 'text')} with two stances toward one actor: decide on one"
        examples = [_contradiction(study, *pair) for pair in conflicts[:2]]
        yield Finding.at("spoils", "conflicts", text, examples)


def _contradiction(study: Study, *rows: int) -> str:
    one, other = (f"{LABELS[study.corpus.stance[row]]} {study.place(row)}" for row in rows)
    return f"{shown(study.actors[rows[0]], 20)} {one}, {other}"


def near_duplicates(study: Study, pairs: Pairs) -> Iterator[Finding]:
    """Find nearly equal texts of one file that are not of one document."""
    document, within = study.corpus.document, [p for (a, b), p in pairs.items() if a == b]
    apart = [(a, b) for alike in within for a, b in alike if document[a] != document[b]]
    if apart:
        texts = np.unique(study.text[np.array(apart)])
        share = len(texts) / len(np.unique(study.text))
        text = (
            f"{count(len(texts), 'text')} ({share:.1%}) nearly equal to one of another document, "
            "which flatters cross-validation: give both the same document"
        )
        severity: Severity = "spoils" if share > TEMPLATE else "warn"
        yield Finding.at(severity, "near-duplicates", text, study.pairs(apart))


def leaks(study: Study, pairs: Pairs) -> Iterator[Finding]:
    """Find texts that two files share."""
    for files in sorted(files for files in pairs if len({*files}) > 1):
        names = [shown(study.files[file], 40) for file in files]
        sizes = [len({*side}) for side in zip(*pairs[files], strict=True)]
        texts = [len(np.unique(study.text[study.corpus.source == file])) for file in files]
        share = max(size / number for size, number in zip(sizes, texts, strict=True))
        text = (
            f"{count(sizes[1], 'text')} of {names[1]} equal or nearly equal to one in "
            f"{names[0]} ({share:.1%}): never train on one and test on the other"
        )
        severity: Severity = "spoils" if share > LEAK else "warn"
        yield Finding.at(severity, "leaks", text, study.pairs(pairs[files]))
