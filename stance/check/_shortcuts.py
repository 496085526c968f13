"""Words, actors and genres that give a label away, whatever a text says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from scipy.special import bdtrc

from stance.arrays import Floats, Ints
from stance.check.census import LABELS, Finding, Study
from stance.display import count, shown
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
    """Words in documents: each entry of the arrays is one word in one document."""

    words: list[str]
    word: Ints
    document: Ints
    parts: Floats  # share of the document's rows with the word that have each label


def _shortcuts(study: Study, uses: _Uses) -> list[Shortcut]:
    """Return the words that alone predict a label, the most significant first.

    The document is the unit, by the share of its rows with the word that have the label, in a
    one-sided binomial test against the label's share in documents.
    """
    from scipy.stats import false_discovery_control  # takes half a second to import

    size = len(uses.words)
    trials = np.bincount(uses.word, minlength=size).astype(np.int64)
    tested = np.flatnonzero(trials >= FEWEST)
    if not len(tested):
        return []
    hits = np.stack([np.bincount(uses.word, part, size) for part in uses.parts.T])[:, tested]
    trials = trials[tested]
    chances = _label_shares(study)
    whole = np.floor(hits + 1e-9).astype(np.int64)
    p = np.stack([bdtrc(whole[c] - 1.0, trials, chances[c]) for c in range(COUNT)])
    adjusted = false_discovery_control(p, axis=None).reshape(p.shape)
    precision = hits / trials
    good = np.argwhere((precision >= PRECISION) & (adjusted <= RATE))
    aliases = _alias_words(study)
    found = []
    for label, at in good.tolist():
        word, share, p_value = uses.words[tested[at]], precision[label, at], adjusted[label, at]
        figures = float(share), int(trials[at]), float(p_value)
        found.append(Shortcut(word, LABELS[label], *figures, word in aliases))
    return sorted(found, key=lambda s: (s.adjusted, -s.documents, s.word))


def _uses(study: Study) -> _Uses:
    number: dict[str, int] = {}
    unique = map(dict.fromkeys, study.words)
    ids = [np.array([number.setdefault(w, len(number)) for w in ws], np.int64) for ws in unique]
    lengths = np.array([len(ids[text]) for text in study.text])
    word = np.concatenate([ids[text] for text in study.text])
    row = np.repeat(np.arange(len(study.text)), lengths)
    documents = int(study.corpus.document.max()) + 1
    pair, place = np.unique(word * documents + study.corpus.document[row], return_inverse=True)
    cell = place.reshape(-1) * COUNT + study.corpus.stance[row]
    rows = np.bincount(cell, minlength=len(pair) * COUNT).reshape(len(pair), COUNT)
    parts = rows / rows.sum(axis=1, keepdims=True)
    return _Uses(list(number), pair // documents, pair % documents, parts)


def _label_shares(study: Study) -> Floats:
    _, place = np.unique(study.corpus.document, return_inverse=True)
    rows = _table(place.reshape(-1), study.corpus.stance)
    shares: Floats = (rows / rows.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def _table(value: Ints, label: Ints) -> Ints:
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
    carried, label = max((_carried(study, uses, found, label), label) for label in range(COUNT))
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


def _carried(study: Study, uses: _Uses, found: Sequence[Shortcut], label: int) -> float:
    """Return the share of a label's documents that have a strong word in a row of that label."""
    strong_ones = [s for s in found if s.precision >= STRONG and s.documents >= SUPPORT]
    words = {s.word for s in strong_ones if s.label == LABELS[label]}
    strong = np.array([word in words for word in uses.words])
    carriers = np.unique(uses.document[strong[uses.word] & (uses.parts[:, label] > 0)])
    return len(carriers) / max(1, study.documents(np.flatnonzero(study.corpus.stance == label)))


def givers(study: Study) -> Iterator[Finding]:
    """Find actors, genres and sources whose rows nearly all have one label other than neutral."""
    columns = {"actor": tuple(study.actors[number] for number in study.actor)}
    columns |= {name: study.corpus.extra.get(name, ()) for name in ("genre", "source")}
    for name, cells in columns.items():
        if not cells:
            continue
        values, value = np.unique(np.array(cells, object), return_inverse=True)
        value = value.reshape(-1).astype(np.int64)
        yield from _one_sided(name, values.tolist(), _table(value, study.corpus.stance))
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


def _predictor(study: Study, name: str, value: Ints) -> Iterator[Finding]:
    """Report a column that alone predicts the labels of documents it has not seen."""
    stance, document = study.corpus.stance, study.corpus.document
    table = _table(value, stance)
    _, place = np.unique(value * (document.max() + 1) + document, return_inverse=True)
    others = table[value] - _table(place.reshape(-1), stance)[place.reshape(-1)]
    everywhere = table.sum(axis=0)
    guess = (others + everywhere / (2 * everywhere.sum())).argmax(axis=1)  # ties: most frequent
    right, majority = float((guess == stance).mean()), float(everywhere.max() / everywhere.sum())
    if right - majority > GAIN:
        yield Finding(
            "warn",
            "giveaways",
            f"the {name} alone predicts {right:.0%} of the labels, the most frequent label "
            f"{majority:.0%}: read a model's scores beside that",
            {"column": name, "accuracy": round(right, 6), "majority": round(majority, 6)},
        )
