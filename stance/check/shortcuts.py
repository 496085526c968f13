"""What lets a model score well without reading: repeated texts, leaks, words that give labels away.

A pair of files has pairs of texts: their first rows in these files, and the texts themselves.
"""

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import Any

import numpy as np

from stance.arrays import Ints
from stance.check import LABELS, Finding, Severity, Study
from stance.display import count, shown
from stance.evaluation.intervals import benjamini_hochberg
from stance.reading.keys import SHINGLE
from stance.reading.text import words_of
from stance.records import NEUTRAL

# Least share of word triples that near-duplicates have in common (Jaccard); `hash_texts` only
# proposes pairs: 56 % of those at the bound, 95 % of those that share 0.8.
NEAR = 0.6
COMPARED = 10  # earlier texts of a bucket with which a text is compared

# Share of a file's texts that may be in another file, and of a corpus's texts that may have a
# near-duplicate in another document, before a study is spoilt.
LEAK, TEMPLATE = 0.01, 0.05

FEWEST = 10  # documents in which a word must stand to be tested
PRECISION, RATE = 0.9, 0.05  # least precision of a shortcut, and the false discovery rate
LISTED = 10  # words that a message names

# A word of this precision in so many documents is strong; if more than this share of a label's
# documents carry a strong word, a model learns the word and not the stance.
STRONG, SUPPORT, CARRIED = 0.98, 20, 0.05

# An actor, genre or source is reported if it has so many rows, more than this share with one label.
ROWS, MOSTLY = 20, 0.9

Pairs = Mapping[tuple[int, int], list[tuple[int, int, int, int]]]


def find_pairs(study: Study) -> Pairs:
    """Find equal or nearly equal texts of two files, and nearly equal ones of one file."""
    firsts = defaultdict[int, dict[int, int]](dict)  # by text and file: the first row
    for row, text in enumerate(study.text.tolist()):
        firsts[text].setdefault(int(study.corpus.source[row]), row)
    twins = _twins(study)
    several = ((text, text) for text, rows in firsts.items() if len(rows) > 1)
    pairs = defaultdict[tuple[int, int], list[tuple[int, int, int, int]]](list)
    for one, other in chain(twins, ((other, one) for one, other in twins), several):
        for file, row in firsts[one].items():
            for file_2, row_2 in firsts[other].items():
                if file < file_2 or (file == file_2 and one < other):
                    pairs[file, file_2].append((min(row, row_2), max(row, row_2), one, other))
    return pairs


def _twins(study: Study) -> set[tuple[int, int]]:
    """Return the pairs of texts that are nearly equal."""
    texts, marks, twins = np.array([*study.lengths]), study.corpus.marks, set[tuple[int, int]]()
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


def _groups(keys: Iterable[Hashable]) -> list[list[int]]:
    """Return the rows of each key that two rows or more have."""
    rows = defaultdict[Hashable, list[int]](list)
    for row, key in enumerate(keys):
        rows[key].append(row)
    return [group for group in rows.values() if len(group) > 1]


def _differing(rows: Sequence[int], values: Sequence[Any]) -> tuple[int, int] | None:
    """Return the first of some rows, and the first whose value differs from its value."""
    other = next((row for row in rows if values[row] != values[rows[0]]), None)
    return None if other is None else (rows[0], other)


def duplicates(study: Study, pairs: Pairs) -> Iterator[Finding]:
    """Find repeated rows, nearly equal texts in different documents, and contradictions."""
    corpus, texts, rows = study.corpus, study.text.tolist(), 0
    stances = corpus.stance.tolist()
    repeats, conflicts = list[tuple[int, int]](), list[tuple[int, int]]()
    spans = [tuple(places or ()) for places in corpus.spans]
    for group in _groups(zip(texts, study.actors, spans, strict=True)):
        if differing := _differing(group, stances):
            conflicts.append(differing)
        else:
            rows += len(group) - 1
            repeats.append((group[0], group[1]))
    if rows:
        text = f"{count(rows, 'row')} with the text, actor and stance of an earlier row: delete it"
        yield Finding.at("warn", "duplicates", text, study.pairs(repeats), rows=rows)
    yield from _near_duplicates(study, pairs)
    if conflicts:
        text = f"{count(len(conflicts), 'text')} with two stances toward one actor: decide on one"
        examples = [_contradiction(study, *pair) for pair in sorted(conflicts)[:2]]
        figures = {"texts": len(conflicts), "examples": examples}
        yield Finding("spoils", "conflicts", f"{text} ({'; '.join(examples)})", figures)


def _near_duplicates(study: Study, pairs: Pairs) -> Iterator[Finding]:
    """Find nearly equal texts of one file that are not of one document."""
    document = study.corpus.document
    apart = [
        pair
        for files, similar in pairs.items()
        for pair in (similar if len({*files}) == 1 else ())
        if document[pair[2]] != document[pair[3]]
    ]
    if apart:
        texts = {text for pair in apart for text in pair[2:]}
        share = len(texts) / len(study.lengths)
        text = (
            f"{count(len(texts), 'text')} ({share:.1%}) nearly equal to one of another document, "
            "which flatters cross-validation: give both the same document"
        )
        severity: Severity = "spoils" if share > TEMPLATE else "warn"
        examples = study.pairs(pair[:2] for pair in apart)
        figures = {"texts": len(texts), "share": share}
        yield Finding.at(severity, "near-duplicates", text, examples, **figures)


def _contradiction(study: Study, *rows: int) -> str:
    one, other = (f"{LABELS[study.corpus.stance[row]]} {study.place(row)}" for row in rows)
    return f"{shown(study.actors[rows[0]], 20)} {one}, {other}"


def leaks(study: Study, pairs: Pairs) -> Iterator[Finding]:
    """Find texts that two files share."""
    sources = study.corpus.source.tolist()
    texts = np.bincount([file for file, _ in {*zip(sources, study.text.tolist(), strict=True)}])
    for files in sorted(files for files in pairs if len({*files}) > 1):
        names = [shown(study.files[file], 40) for file in files]
        sizes = [len({pair[side] for pair in pairs[files]}) for side in (2, 3)]
        share = float(max(np.array(sizes) / texts[[*files]]))
        text = (
            f"{count(sizes[1], 'text')} of {names[1]} equal or nearly equal to one in "
            f"{names[0]} ({share:.1%}): never train on one and test on the other"
        )
        severity: Severity = "spoils" if share > LEAK else "warn"
        examples = study.pairs((row, row_2) for row, row_2, _, _ in pairs[files])
        yield Finding.at(severity, "leaks", text, examples, files=names, texts=sizes, share=share)


def shortcuts(study: Study) -> Iterator[Finding]:
    """Find words that alone predict a label.

    The document is the unit, by the share of its rows with the word that have the label, in a
    one-sided binomial test against the label's share in documents.
    """
    from scipy.special import bdtrc

    documents = np.array([*study.counts(study.corpus.document.tolist()).values()])
    chances = (documents / documents.sum(axis=1, keepdims=True)).mean(axis=0)
    by_text = study.counts(study.text.tolist())
    uses = {}
    for word, texts in study.words.items():
        if len(texts) >= FEWEST and len(rows := _by_document(study, by_text, texts)) >= FEWEST:
            uses[word] = len(rows), (rows / rows.sum(axis=1, keepdims=True)).sum(axis=0)
    if not uses:
        return
    trials, hits = (np.array(part) for part in zip(*uses.values(), strict=True))
    p = bdtrc(np.floor(hits + 1e-9) - 1, trials[:, None], chances)
    adjusted = benjamini_hochberg(p.ravel()).reshape(p.shape)
    precision = hits / trials[:, None]
    words, shortcuts = [*uses], list[dict[str, Any]]()
    good = np.argwhere((precision >= PRECISION) & (adjusted <= RATE)).tolist()
    good.sort(key=lambda cell: (adjusted[*cell], -trials[cell[0]], words[cell[0]]))
    for place, label in good:
        named = {"word": words[place], "label": LABELS[label]}
        figures = {
            "precision": round(float(precision[place, label]), 6),
            "documents": int(trials[place]),
        }
        shortcuts.append(named | figures | {"adjusted": float(f"{adjusted[place, label]:.3g}")})
    if shortcuts:
        sizes = (documents > 0).sum(axis=0)
        yield _report(shortcuts, *_carried(study, by_text, shortcuts, sizes))


def _by_document(study: Study, by_text: Mapping[int, list[int]], texts: Sequence[int]) -> Ints:
    """Return the rows of each label that some texts have, by document."""
    _, place = np.unique(study.corpus.document[texts], return_inverse=True)
    rows = np.zeros((int(place.max()) + 1, len(LABELS)), np.int64)
    np.add.at(rows, place.reshape(-1), np.array([by_text[text] for text in texts]))
    return rows


def _carried(
    study: Study, by_text: Mapping[int, list[int]], shortcuts: list[dict[str, Any]], documents: Ints
) -> tuple[float, str]:
    """Return the largest share of a label's documents that have a strong word in a row of it."""
    carriers: dict[str, set[int]] = {label: set() for label in LABELS}
    for word in shortcuts:
        if word["precision"] >= STRONG and word["documents"] >= SUPPORT:
            label = LABELS.index(word["label"])
            carriers[word["label"]].update(
                int(study.corpus.document[text])
                for text in study.words[word["word"]]
                if by_text[text][label]
            )
    shares = [len(carriers[label]) / max(1, n) for label, n in zip(LABELS, documents, strict=True)]
    return max(zip(shares, LABELS, strict=True), key=lambda part: (part[0], LABELS.index(part[1])))


def _report(shortcuts: list[dict[str, Any]], share: float, label: str) -> Finding:
    listed = ", ".join(
        f"{shown(w['word'], 20)} -> {w['label']} ({w['precision']:.0%} of {w['documents']})"
        for w in shortcuts[:LISTED]
    )
    spoils = share > CARRIED
    carry = f"; {share:.0%} of {label} documents carry a strong one" if spoils else ""
    text = (
        f"{count(len(shortcuts), 'word')} alone predicting a label{carry}: a template or a "
        f"one-sided topic? add paragraphs with these words and other labels ({listed})"
    )
    figures = {"words": shortcuts, "carried": round(float(share), 6)}
    return Finding("spoils" if spoils else "warn", "shortcuts", text, figures)


def one_sided(study: Study) -> Iterator[Finding]:
    """Find actors, genres and sources whose rows nearly all have one label other than neutral."""
    columns = {"actor": study.actors, **{n: study.column(n) for n in ("genre", "source")}}
    for name, cells in columns.items():
        cases = list[tuple[int, str, str, int]]()
        for value, rows in study.counts(cells).items() if any(cells) else ():
            total, most = sum(rows), max(rows)
            label = rows.index(most)
            if total >= ROWS and most / total > MOSTLY and label != NEUTRAL:
                cases.append((-total, value, LABELS[label], most))
        if cases:
            values = [
                f"{shown(value, 24)} {most / -rows:.0%} {label} of {-rows:,}"
                for rows, value, label, most in sorted(cases)
            ]
            text = (
                f"{count(len(cases), name)} with nearly always the same label, so the name alone "
                f"predicts it: add rows with other labels ({'; '.join(values[:5])})"
            )
            yield Finding("warn", "giveaways", text, {"column": name, "values": values})
