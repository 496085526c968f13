"""Few fixed topics that texts seldom name: a recipe beside an SVM of words and characters.

Usage: python training/topics.py CORPUS... [--recipe FILE...] [--seeds 20 21 22]

Imitates the shape of SemEval-2016 task 6 (Mohammad et al. 2016): the five most frequent actors of
each corpus, 690 rows of each at most, at most half of them neutral, each actor hidden in all texts.
Prints the mean F1 of favor and against over all topics, by grouped cross-validation, and processor
seconds: of a balanced SVM per topic on word 1-3-grams and character 2-5-grams, and of the recipes.
No answer is withheld. Then the same with the labels of every second topic turned: words mean
something else for each topic.
"""

import argparse
import dataclasses
from collections import Counter
from itertools import product
from pathlib import Path
from time import process_time

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from stance.arrays import Ints
from stance.corpus import Corpus, read_corpus
from stance.evaluation.answers import document_confusion, f1_scores
from stance.fitting.counts import count_features
from stance.fitting.learning import Task, assign_folds, class_weights, cross_validate
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.spans import make_query
from stance.reading.words import Reader
from stance.recipe import HeadRecipe, Recipe, read_recipe
from stance.records import AGAINST, FAVOR, NEUTRAL, Stance

TOPICS, MOST, HIDDEN = 5, 690, "it"
PRONOUNS = ("He", "His", "I", "It", "She", "They")
BOOK = ActorBook.default()


def topics(path: Path, turn: bool) -> Corpus:
    """Return the rows of the most frequent actors, texts without their names."""
    corpus = read_corpus([path])
    # "Mr. Trump" is "Trump".
    names = [name if name in BOOK.names else name.split()[-1] for name in corpus.actors]
    proper = Counter(name for name in names if name[0].isupper() and name not in PRONOUNS)
    kept = {name for name, _ in proper.most_common(TOPICS)}
    rows = np.random.default_rng(20).permutation([r for r, n in enumerate(names) if n in kept])
    plain = rows[corpus.stance[rows] == NEUTRAL]
    rows = rows[~np.isin(rows, plain[(len(rows) - len(plain)) // 2 :])]
    rows = np.concatenate([[r for r in rows if names[r] == name][:MOST] for name in sorted(kept)])
    found, taken = corpus.take(rows), [names[row] for row in rows]
    texts = tuple(map(hide, found.texts, taken, found.spans))
    turned = np.isin(taken, sorted(kept)[::2])
    stance = np.where(turned & turn, FAVOR - found.stance, found.stance)
    topic = tuple(f"topic {name}" for name in taken)  # or Trump and Obama were the United States
    return dataclasses.replace(
        found, texts=texts, stance=stance, actors=topic, spans=(None,) * len(rows)
    )


def hide(text: str, name: str, spans: list[tuple[int, int]] | None) -> str:
    """Return a text without the actor's names."""
    places = {(m.start, m.end) for m in BOOK.find(text) if m.actor == name} | {*(spans or ())}
    for start, end in sorted(places, reverse=True):
        text = text[:start] + HIDDEN + text[end:]
    return text.replace(name, HIDDEN)


def mean_f1(corpus: Corpus, answered: Ints) -> float:
    """Return the mean F1 of favor and against in percent."""
    confusion = document_confusion(corpus.stance, answered, corpus.document, len(Stance))
    return float(100 * f1_scores(confusion.sum(axis=0))[[AGAINST, FAVOR]].mean())


def plain(corpus: Corpus, fold: Ints) -> Ints:
    """Return held-out answers of an SVM per topic."""
    found, texts, actors = np.zeros_like(fold), np.array(corpus.texts), np.array(corpus.actors)
    for actor in np.unique(actors):
        for number in np.unique(fold):
            train = np.flatnonzero((actors == actor) & (fold != number))
            test = np.flatnonzero((actors == actor) & (fold == number))
            if not len(test):
                continue
            sides = []
            for grams in ({"ngram_range": (1, 3)}, {"ngram_range": (2, 5), "analyzer": "char"}):
                own = TfidfVectorizer(sublinear_tf=True, **grams)
                sides.append((own.fit_transform(texts[train]), own.transform(texts[test])))
            left, right = (sparse.hstack(side) for side in zip(*sides, strict=True))
            svm = LinearSVC(class_weight="balanced").fit(left, corpus.stance[train])
            found[test] = svm.predict(right)
    return found


def ours(corpus: Corpus, recipe: Recipe, folds: list[Ints], seeds: list[int]) -> list[Ints]:
    """Return held-out answers of a recipe, by split; every actor has been learned."""
    reader = Reader(BOOK, Lexicon.default(recipe.language), recipe.language)
    topic, source, share = None, corpus.source, np.ones(1)
    if recipe.features.per_actor:
        topic = np.unique(corpus.actors, return_inverse=True)[1]
        source, share = topic, np.ones(TOPICS)
    query = make_query(BOOK, corpus.texts, corpus.actors)
    task = Task(
        counts=count_features(reader, query, recipe.features)[0],
        recipe=HeadRecipe(recipe.features, recipe.classifier),
        labels=tuple(Stance),
        targeted=True,
        y=corpus.stance,
        group=corpus.document,
        weight=class_weights(corpus.stance, source, share, recipe.classifier),
        topic=topic,
    )
    pairs = zip(folds, seeds, strict=True)
    return [cross_validate(task, fold, seed).scores.argmax(axis=1) for fold, seed in pairs]


def main() -> None:
    """Print a line per corpus."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument(
        "--recipe", type=Path, nargs="+", default=[Path(__file__).with_name("fixed-topics.toml")]
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[20, 21, 22])
    given = parser.parse_args()
    for path, turn in product(given.corpora, (False, True)):
        corpus = topics(path, turn)
        folds = [assign_folds(corpus.stance, corpus.document, 5, seed) for seed in given.seeds]
        rows = Counter(corpus.actors).most_common()
        print(f"{path.stem}{', turned' * turn}: {', '.join(f'{name} {n}' for name, n in rows)}")
        begun = process_time()
        score = [mean_f1(corpus, plain(corpus, fold)) for fold in folds]
        report("an SVM per topic", score, process_time() - begun)
        for file in given.recipe:
            recipe, begun = read_recipe(file), process_time()
            score = [mean_f1(corpus, own) for own in ours(corpus, recipe, folds, given.seeds)]
            report(recipe.name, score, process_time() - begun)


def report(name: str, scores: list[float], seconds: float) -> None:
    """Print mean and spread of the scores."""
    said = f"{np.mean(scores):.1f} (sd {np.std(scores):.1f}), {seconds:.1f} s"
    print(f"  {name} {said}", flush=True)


if __name__ == "__main__":
    main()
