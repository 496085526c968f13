"""Words, actors and genres that give a label away, whatever a text says."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any
from zlib import crc32

import numpy as np
from scipy.special import bdtrc

from stance.arrays import Floats, Ints, Ints8, Ints32
from stance.check.census import LABELS, Finding, Names, Study, grouped
from stance.display import count, shown
from stance.evaluation.comparison import benjamini_hochberg
from stance.reading.keys import numbered
from stance.records import NEUTRAL

FEWEST = 10  # documents in which a word must stand to be tested
PRECISION, RATE = 0.9, 0.05  # least precision of a shortcut, and the false discovery rate
LISTED = 10  # words that a message names
COUNT = len(LABELS)

# A word of this precision in so many documents is strong; if more than this share of a label's
# documents carry a strong word, a model learns the word and not the stance.
STRONG, SUPPORT, CARRIED = 0.98, 20, 0.05

# A column's value is reported if it has so many rows, more than this share of them with one label;
# so is a column that alone predicts this much better than the most frequent label does.
ROWS, MOSTLY, GAIN = 20, 0.9, 0.1


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A word that predicts a label."""

    word: str
    label: str
    precision: float  # mean over the word's documents of the share of its rows with the label
    documents: int
    adjusted: float  # p-value after Benjamini and Hochberg
    alias: bool  # whether the word names an actor

    def to_json(self) -> dict[str, Any]:
        """Return the figures as a JSON object."""
        figures = {"precision": round(self.precision, 6), "documents": self.documents}
        words = {"word": self.word, "label": self.label, "alias": self.alias}
        return words | figures | {"adjusted": float(f"{self.adjusted:.3g}")}


@dataclass(frozen=True, slots=True)
class _Uses:
    """Words that stand in `FEWEST` documents or more, and how their documents are labelled."""

    words: list[str]
    trials: Ints  # documents with each word
    hits: Floats  # of shape (n_labels, n_words): their shares of the rows with the word, added up


def _shortcuts(study: Study, uses: _Uses) -> list[Shortcut]:
    """Return the words that alone predict a label, the most significant first.

    The document is the unit, by the share of its rows with the word that have the label, in a
    one-sided binomial test against the label's share in documents.
    """
    if not uses.words:
        return []
    trials, hits = uses.trials, uses.hits
    chances = _label_shares(study)
    whole = np.floor(hits + 1e-9).astype(np.int64)
    p = np.stack([bdtrc(whole[c] - 1.0, trials, chances[c]) for c in range(COUNT)])
    adjusted = benjamini_hochberg(p.ravel()).reshape(p.shape)
    precision = hits / trials
    good = np.argwhere((precision >= PRECISION) & (adjusted <= RATE))
    aliases = _alias_words(study)
    found = []
    for label, at in good.tolist():
        word, share, p_value = uses.words[at], precision[label, at], adjusted[label, at]
        figures = float(share), int(trials[at]), float(p_value)
        found.append(Shortcut(word, LABELS[label], *figures, word in aliases))
    return sorted(found, key=lambda s: (s.adjusted, -s.documents, s.word))


_BUCKETS = 1 << 22  # counters that tell rare words from others, in place of the words themselves


def _uses(study: Study) -> _Uses:
    """Count words by document, in memory that does not grow with the number of rare words."""
    texts = np.zeros(_BUCKETS, np.uint8)  # with any word of each bucket, at most `FEWEST`
    for text in range(len(study.first)):
        found = np.array([_bucket(word) for word in set(study.words(text))], np.int64)
        texts[found] += texts[found] < FEWEST
    number: dict[str, int] = {}
    trials, hits = array("q"), [array("d") for _ in range(COUNT)]
    for labels in _by_document(study, lambda word: texts[_bucket(word)] >= FEWEST):
        for word, counts in labels.items():
            if (at := number.setdefault(word, len(number))) == len(trials):
                trials.append(0)
                for own in hits:
                    own.append(0.0)
            trials[at] += 1
            for own, rows in zip(hits, counts, strict=True):
                own[at] += rows / sum(counts)
    documents = np.array(trials, np.int64)
    tested = np.flatnonzero(documents >= FEWEST)
    words = list(number)
    shares = np.array([np.array(own)[tested] for own in hits])
    return _Uses([words[at] for at in tested.tolist()], documents[tested], shares)


def _bucket(word: str) -> int:
    return crc32(word.encode("utf-8", "surrogatepass")) % _BUCKETS


def _by_document(
    study: Study, kept: Callable[[str], bool | np.bool_]
) -> Iterator[dict[str, list[int]]]:
    """Yield how many rows of each label have each of some words, document by document."""
    order, starts, sizes = grouped(study.document)
    for low, size in zip(map(int, starts), map(int, sizes), strict=True):
        labels: dict[str, list[int]] = {}
        words: set[str] = set()
        before = -1
        for row in order[low : low + size].tolist():
            if study.text[row] != before:
                before = study.text[row]
                words = set(filter(kept, study.words(before)))
            for word in words:
                labels.setdefault(word, [0] * COUNT)[study.stance[row]] += 1
        yield labels


def _label_shares(study: Study) -> Floats:
    rows = _table(numbered(study.document)[0], study.stance)
    shares: Floats = (rows / rows.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def _table(value: Ints32, label: Ints8) -> Ints:
    """Count the labels of each value, of shape (n_values, n_labels)."""
    size = (int(value.max()) + 1) * COUNT
    table: Ints = np.bincount(value * COUNT + label, minlength=size).reshape(-1, COUNT)
    return table


def _alias_words(study: Study) -> set[str]:
    aliases = [names for actor in study.book.actors for names in actor.aliases.values()]
    return {name.lower() for name in chain(study.actors, *aliases) if " " not in name}


def shortcuts(study: Study) -> Iterator[Finding]:
    """Find words that alone predict a label."""
    uses = _uses(study)
    found = _shortcuts(study, uses)
    if not found:
        return
    carried, label = max(zip(_carried(study, found), range(COUNT), strict=True))
    spoils = carried > CARRIED
    listed = ", ".join(
        f"{shown(s.word, 20)} -> {s.label} ({s.precision:.0%} of {s.documents})"
        for s in found[:LISTED]
    )
    carry = f"; {carried:.0%} of {LABELS[label]} documents carry a strong one" if spoils else ""
    text = (
        f"{count(len(found), 'word')} alone predicting a label{carry}: a template or a one-sided "
        f"topic? add paragraphs with these words and other labels ({listed})"
    )
    figures = {"words": [s.to_json() for s in found], "carried": round(carried, 6)}
    yield Finding("spoils" if spoils else "warn", "shortcuts", text, figures)
    if aliases := [s for s in found if s.alias]:
        names = ", ".join(f"{shown(s.word, 20)} -> {s.label}" for s in aliases[:LISTED])
        text = f"the actor gives the label away ({names}): add paragraphs that take other stances"
        yield Finding("warn", "shortcuts", text, {"aliases": [s.word for s in aliases]})


def _carried(study: Study, found: Sequence[Shortcut]) -> list[float]:
    """Return the share of each label's documents that have a strong word in a row of it."""
    strong = {
        s.word: LABELS.index(s.label)
        for s in found
        if s.precision >= STRONG and s.documents >= SUPPORT
    }
    carriers = [0] * COUNT
    for labels in _by_document(study, strong.__contains__) if strong else ():
        for label in {strong[word] for word, rows in labels.items() if rows[strong[word]]}:
            carriers[label] += 1
    documents = (study.count_documents(study.stance == label) for label in range(COUNT))
    return [own / max(1, every) for own, every in zip(carriers, documents, strict=True)]


def givers(study: Study) -> Iterator[Finding]:
    """Find actors, genres and sources whose rows nearly all have one label other than neutral."""
    columns = {"actor": Names(study.actor, study.actors)}
    columns |= {name: study.columns[name] for name in ("genre", "source")}
    for name, column in columns.items():
        met = sorted(np.unique(column.number).tolist(), key=column.names.__getitem__)
        if any(values := [column.names[number] for number in met]):
            rank = np.zeros(len(column.names), np.int32)
            rank[met] = np.arange(len(met))
            value = rank[column.number]
            yield from _one_sided(name, values, _table(value, study.stance))
            yield from _predictor(study, name, value)


def _one_sided(name: str, values: list[str], table: Ints) -> Iterator[Finding]:
    rows, most = table.sum(axis=1), table.argmax(axis=1)
    share = table.max(axis=1) / rows
    found = np.flatnonzero((rows >= ROWS) & (share > MOSTLY) & (most != NEUTRAL))
    if len(found):
        cases = [
            f"{shown(values[i], 24)} {share[i]:.0%} {LABELS[most[i]]} of {rows[i]:,}"
            for i in found[np.argsort(-rows[found])].tolist()
        ]
        text = (
            f"{count(len(found), name)} with nearly always the same label, so the name alone "
            f"predicts it: add rows with other labels ({'; '.join(cases[:5])})"
        )
        yield Finding("warn", "giveaways", text, {"column": name, "values": cases})


_AT_ONCE = 10_000  # documents


def _predictor(study: Study, name: str, value: Ints32) -> Iterator[Finding]:
    """Report a column that alone predicts the labels of documents it has not seen."""
    table = _table(value, study.stance)
    everywhere, right = table.sum(axis=0), 0
    order, starts, _ = grouped(study.document)
    for low, high in pairwise([*starts[::_AT_ONCE].tolist(), len(study)]):
        rows = order[low:high]
        pair, first = numbered(value[rows] * np.int64(len(study)) + study.document[rows])
        own = _table(pair, study.stance[rows])
        others = table[value[rows[first]]] - own
        guess = (others + everywhere / (2 * everywhere.sum())).argmax(axis=1)  # ties: most frequent
        right += int(own[np.arange(len(own)), guess].sum())
    share = right / len(study)
    majority = float(everywhere.max() / everywhere.sum())
    if share - majority > GAIN:
        yield Finding(
            "warn",
            "giveaways",
            f"the {name} alone predicts {share:.0%} of the labels, the most frequent label "
            f"{majority:.0%}: read a model's scores beside that",
            {"column": name, "accuracy": round(share, 6), "majority": round(majority, 6)},
        )
