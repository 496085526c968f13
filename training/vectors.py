"""Word vectors from texts without labels, and a model that learns with them.

Usage: python training/vectors.py TEXTS... -o vectors.npz [--near 200] [--topic 150]
           [--train CORPORA... --recipe RECIPE --model MODEL]

TEXTS are tables or JSON lines with a column `text`; no label is read. Two kinds of vectors stand
side by side: of the words that stand near a word (positive pointwise mutual information within
six words, cut to its largest singular values), and of the paragraphs that it stands in (latent
semantic analysis). The first say which words are used alike, the second which topics they belong
to. Same texts, same file.
"""

import argparse
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from stance.arrays import Floats32, Ints, Keys
from stance.corpus import read_corpus
from stance.fitting import train
from stance.fitting.counts import Vectors
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.text import normalise
from stance.reading.words import Reader
from stance.recipe import read_recipe
from stance.storage import save_model
from stance.tables import open_table

REACH = 6
"""Words to either side that count as near."""

RARE = 8
"""Occurrences that a stem must have."""

SMOOTH = 0.75
"""Exponent of the frequency of what stands near (Levy et al. 2015)."""

TOPIC_LENGTH = 0.8
"""Length of the second kind of vectors; that of the first is 1."""

BATCH = 1000


def read_texts(paths: Sequence[Path]) -> list[str]:
    """Return the distinct texts of some tables, sorted."""
    texts = set()
    for path in paths:
        if ".jsonl" in path.suffixes:
            opened = gzip.open if path.suffix == ".gz" else open
            with opened(path, "rt", encoding="utf-8") as lines:
                texts |= {normalise(json.loads(line)["text"]) for line in lines}
            continue
        with open_table(path) as table:
            place = table.columns.index("text")
            texts |= {normalise(record.cells[place]) for record in table}
    return sorted(texts)


def read_stems(texts: Sequence[str]) -> Iterator[tuple[Keys, Ints]]:
    """Yield the stem and paragraph of every word; a name of the actor book has the stem 0."""
    reader = Reader(ActorBook.default(), Lexicon.default(), "english")
    for low in range(0, len(texts), BATCH):
        words = reader.words(texts[low : low + BATCH])
        stems = reader.stems["key"].take(words.types["stem"].take(words.type))
        stems[words.mentions] = 0
        yield stems, low + np.repeat(np.arange(len(words.first) - 1), np.diff(words.first))


def near_vectors(stem: Ints, para: Ints, size: int, dimensions: int) -> Floats32:
    """Return a vector per stem from the words near it; ``stem`` is -1 where it is rare."""
    counts = sparse.csr_matrix((size, size), dtype=np.float32)
    for step in range(1, REACH + 1):
        left, right = stem[:-step], stem[step:]
        both = (left >= 0) & (right >= 0) & (para[:-step] == para[step:])
        value = np.full(both.sum(), step**-0.5, np.float32)
        counts += sparse.csr_matrix((value, (left[both], right[both])), counts.shape)
    pairs = (counts + counts.T).tocoo()
    total = np.bincount(pairs.row, pairs.data, size)
    context = total**SMOOTH / (total**SMOOTH).sum()
    information = np.log(pairs.data / (total[pairs.row] * context[pairs.col]))
    kept = information > 0
    where = (pairs.row[kept], pairs.col[kept])
    table = sparse.csr_matrix((information[kept].astype(np.float32), where), counts.shape)
    left, strength, _ = randomized_svd(table, dimensions, n_iter=4, random_state=0)
    return of_length(left * np.sqrt(strength), 1.0)


def topic_vectors(stem: Ints, para: Ints, size: int, dimensions: int) -> Floats32:
    """Return a vector per stem from the paragraphs that it stands in."""
    known = np.flatnonzero(stem >= 0)
    shape = (int(para.max()) + 1, size)
    ones = np.ones(len(known), np.float32)
    counts = sparse.csr_matrix((ones, (para[known], stem[known])), shape)
    counts.data = 1 + np.log(counts.data)
    rarity = np.log((1 + shape[0]) / (1 + np.bincount(counts.indices, minlength=size)))
    counts = counts @ sparse.diags(rarity.astype(np.float32))
    length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    counts = sparse.diags(1 / np.maximum(length, 1e-9)) @ counts
    _, strength, right = randomized_svd(counts.tocsr(), dimensions, n_iter=4, random_state=0)
    return of_length(right.T * np.sqrt(strength), TOPIC_LENGTH)


def of_length(vectors: np.ndarray, length: float) -> Floats32:
    """Bring vectors to a length."""
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Floats32 = (length * vectors / np.maximum(norm, 1e-9)).astype(np.float32)
    return scaled


def main() -> None:
    """Read texts and write vectors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("-o", "--output", required=True, type=Path)
    parser.add_argument("--near", type=int, default=200, help="dimensions of use")
    parser.add_argument("--topic", type=int, default=150, help="dimensions of topic")
    parser.add_argument("--train", nargs="+", type=Path, help="corpora of a model to train")
    parser.add_argument("--recipe", type=Path)
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    texts = read_texts(options.texts)
    keys, para = (np.concatenate(part) for part in zip(*read_stems(texts), strict=True))
    stems, number, counts = np.unique(keys, return_inverse=True, return_counts=True)
    frequent = np.flatnonzero((counts >= RARE) & (stems > 0))
    place = np.full(len(stems), -1)
    place[frequent] = np.arange(len(frequent))
    stem, size = place[number], len(frequent)
    with threadpool_limits(1):
        near = near_vectors(stem, para, size, options.near)
        topic = topic_vectors(stem, para, size, options.topic)
    vectors = Vectors(stems[frequent], np.hstack([near, topic]))
    np.savez(options.output, **vectors._asdict())
    print(f"{len(texts):,} texts, {len(keys):,} words, {size:,} stems: {options.output}")
    if options.train:
        recipe, corpus = read_recipe(options.recipe), read_corpus(options.train)
        training = train(recipe, corpus, ActorBook.default(), vectors=vectors, progress=print)
        save_model(training.model, options.model)


if __name__ == "__main__":
    main()
