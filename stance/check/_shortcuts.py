"""Words, actors and genres that give a label away, whatever a text says."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby
from operator import add
from typing import Any

import numpy as np
from scipy.special import bdtrc

from stance.arrays import Floats, Ints
from stance.check._study import GIVERS, LABELLED, LABELS, Finding, Study, WordCounts
from stance.display import count, shown
from stance.evaluation.significance import benjamini_hochberg
from stance.records import NEUTRAL

FEWEST = WordCounts.MOST  # documents in which a word must stand to be tested
PRECISION, RATE = 0.9, 0.05  # least precision of a shortcut, and the false discovery rate
LISTED = 10  # words that a message names
COUNT = len(LABELS)
_AT_ONCE = 1000  # documents, or values of documents

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


def _shortcuts(study: Study) -> list[Shortcut]:
    """Return the words that alone predict a label, the most significant first.

    The document is the unit, by the share of its rows with the word that have the label, in a
    one-sided binomial test against the label's share in documents.
    """
    words, trials, hits = _uses(study)
    if not words:
        return []
    chances = _label_shares(study)
    whole = np.floor(hits + 1e-9).astype(np.int64)
    p = np.stack([bdtrc(whole[c] - 1.0, trials, chances[c]) for c in range(COUNT)])
    adjusted = benjamini_hochberg(p.ravel()).reshape(p.shape)
    precision = hits / trials
    good = np.argwhere((precision >= PRECISION) & (adjusted <= RATE))
    aliases = _alias_words(study)
    found = []
    for label, at in good.tolist():
        word, share, p_value = words[at], precision[label, at], adjusted[label, at]
        figures = float(share), int(trials[at]), float(p_value)
        found.append(Shortcut(word, LABELS[label], *figures, word in aliases))
    return sorted(found, key=lambda s: (s.adjusted, -s.documents, s.word))


def _uses(study: Study) -> tuple[list[str], Ints, Floats]:
    """Return words that stand in `FEWEST` documents or more, and how these are labelled.

    By word, how many documents have it; by label and word, the sum of their shares of the rows with
    the word. Words of few texts take no memory.
    """
    number: dict[str, int] = {}
    trials, hits = array("q"), [array("d") for _ in range(COUNT)]
    for labels in _by_document(study, study.often.reached):
        for word, counts in labels.items():
            if (at := number.setdefault(word, len(number))) == len(trials):
                trials.append(0)
                for own in hits:
                    own.append(0.0)
            trials[at] += 1
            for label, share in _shares(counts):
                hits[label][at] += share
    documents = np.array(trials, np.int64)
    tested = np.flatnonzero(documents >= FEWEST)
    words = list(number)
    shares = np.array([np.array(own)[tested] for own in hits])
    return [words[at] for at in tested.tolist()], documents[tested], shares


@lru_cache
def _shares(counts: tuple[int, ...]) -> list[tuple[int, float]]:
    """Return the labels of some rows, and which share of the rows each has."""
    return [(label, rows / sum(counts)) for label, rows in enumerate(counts) if rows]


def _by_document(study: Study, kept: Callable[[str], bool]) -> Iterator[dict[str, tuple[int, ...]]]:
    """Yield how many rows of each label have each of some words, document by document."""
    query = f"SELECT document, text, {LABELLED} FROM rows GROUP BY document, text"
    for _, texts in groupby(study.select(query), key=lambda text: text[0]):
        labels: dict[str, tuple[int, ...]] = {}
        for _, text, *found in texts:
            counts = tuple(found)
            for word in filter(kept, set(study.words(text))):
                before = labels.get(word)
                labels[word] = tuple(map(add, before, counts)) if before else counts
        yield labels


def _label_shares(study: Study) -> Floats:
    """Return the mean over documents of the share of their rows with each label."""
    shares = np.zeros(COUNT)
    found = study.base.execute("SELECT * FROM documents")
    while block := found.fetchmany(_AT_ONCE):
        rows = np.array(block)
        shares = np.vstack([shares, rows / rows.sum(axis=1, keepdims=True)]).sum(axis=0)
    return shares / study.documents


def _alias_words(study: Study) -> set[str]:
    aliases = [names for actor in study.book.actors for names in actor.aliases.values()]
    met = (study.actors[actor] for (actor,) in study.select("SELECT value FROM actors"))
    return {name.lower() for name in chain(met, *aliases) if " " not in name}


def shortcuts(study: Study) -> Iterator[Finding]:
    """Find words that alone predict a label."""
    found = _shortcuts(study)
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
    return [own / max(1, every) for own, (*_, every) in zip(carriers, study.classes, strict=True)]


def givers(study: Study) -> Iterator[Finding]:
    """Find actors, genres and sources whose rows nearly all have one label other than neutral."""
    for name in GIVERS:
        if name == "actor" or study.number(f"SELECT max(value) > '' FROM {name}s"):
            yield from _one_sided(study, name)
            yield from _predictor(study, name)


def _one_sided(study: Study, name: str) -> Iterator[Finding]:
    found = list[tuple[int, str, int, int]]()
    for value, *counts in study.select(f"SELECT * FROM {name}s"):
        rows, most = sum(counts), max(counts)
        if rows >= ROWS and most / rows > MOSTLY and (label := counts.index(most)) != NEUTRAL:
            found.append((-rows, study.value(name, value), label, most))
    if found:
        cases = [
            f"{shown(value, 24)} {most / -rows:.0%} {LABELS[label]} of {-rows:,}"
            for rows, value, label, most in sorted(found)
        ]
        text = (
            f"{count(len(found), name)} with nearly always the same label, so the name alone "
            f"predicts it: add rows with other labels ({'; '.join(cases[:5])})"
        )
        yield Finding("warn", "giveaways", text, {"column": name, "values": cases})


def _predictor(study: Study, name: str) -> Iterator[Finding]:
    """Report a column that alone predicts the labels of documents it has not seen."""
    everywhere, right = np.array([rows for _, rows, _ in study.classes]), 0
    labels = ", ".join(f"{table}.{label}" for table in ("own", "every") for label in LABELS)
    found = study.base.execute(
        f"SELECT {labels} FROM (SELECT {name} AS value, {LABELLED} "
        f"FROM rows GROUP BY document, value) AS own JOIN {name}s AS every USING (value)"
    )
    while block := found.fetchmany(_AT_ONCE):
        counts = np.array(block)
        own, others = counts[:, :COUNT], counts[:, COUNT:] - counts[:, :COUNT]
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
