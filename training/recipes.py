"""What recipes are worth, by cross-validation over documents.

Usage: python training/recipes.py blocks CORPUS... [--recipe FILE] [--actors FILE] [--lexicon FILE]
           [--bare] [--seeds 20 21 22]
       python training/recipes.py topics CORPUS... [--recipe FILE] [--seeds 20 21 22]

``blocks`` prints, per corpus, macro-F1 (mean over seeds of the folds) of the majority label, of
target-blind word TF-IDF, of the blocks added one after the other, and of the full recipe without
each block; beside them accuracy on conflict rows and ECE. ``--bare`` takes away the lexicon of the
recipe's language, and the English book for its own.

``topics`` imitates the shape of SemEval-2016 task 6 (Mohammad et al. 2016): the five most frequent
actors of each corpus, 690 rows of each at most, at most half of them neutral, each actor hidden in
all texts. It prints the mean F1 of favor and against over all topics, and processor seconds: of a
balanced SVM per topic on word 1-3-grams and character 2-5-grams, and of the recipe. No answer is
withheld. Then the same with the labels of every second topic turned: words mean something else for
each topic.
"""

import argparse
import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from time import process_time

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from stance.arrays import Ints
from stance.corpus import Corpus, read_corpus
from stance.evaluation import stance_answers
from stance.evaluation.scores import (
    baselines,
    brief_score,
    conflict_rows,
    document_confusion,
    f1_scores,
)
from stance.fitting.learning import Task, TrainingRun, assign_folds, cross_validate
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.words import Reader
from stance.recipe import Features, Recipe, read_recipe
from stance.records import AGAINST, FAVOR, NEUTRAL, Stance

TOPICS, MOST, HIDDEN = 5, 690, "it"
PRONOUNS = ("He", "His", "I", "It", "She", "They")
BOOK = ActorBook.default()


def training_run(corpus: Corpus, recipe: Recipe, options: argparse.Namespace) -> TrainingRun:
    """Return what the heads of a model of the corpus are learned with."""
    language, bare = recipe.language, options.bare
    book = ActorBook.default("english" if bare else language)
    lexicon = Lexicon.from_tables({}, language) if bare else Lexicon.default(language)
    book = ActorBook.read(options.actors) if options.actors else book
    lexicon = Lexicon.read(options.lexicon, language) if options.lexicon else lexicon
    reader = Reader(book, lexicon, language)
    return TrainingRun(reader, corpus, corpus, recipe, None, 1, lambda _: None)


# --- What each block adds ---


def print_blocks(path: Path, options: argparse.Namespace) -> None:
    """Print the table of one corpus."""
    corpus, recipe = read_corpus([path]), read_recipe(options.recipe)
    run, blocks = training_run(corpus, recipe, options), recipe.features.blocks
    task, blind = run.task("stance")[0], run.task("control")[0]
    right = stance_answers(corpus, np.eye(len(Stance))[corpus.stance])
    majority = 100 * baselines(right)["majority"]["macro_f1"]
    print(f"\n{path.name}: {len(corpus):,} rows, majority macro-F1 {majority:.1f}")
    print(f"{'blocks':<28}{'macro-F1':>10}{'spread':>8}{'conflict':>10}{'ECE':>7}")
    rows: list[tuple[str, Task, Mapping[str, float]]]
    rows = [("target-blind words", blind, {"word": 1.0})]
    for number, block in enumerate(blocks, 1):
        rows.append((f"+ {block}", task, dict(list(blocks.items())[:number])))
    for block in blocks:
        rows.append((f"all but {block}", task, {k: v for k, v in blocks.items() if k != block}))
    for label, lesson, chosen in rows:
        features = Features(chosen, recipe.features.min_df)
        chosen_task = lesson._replace(features=features, classifier=recipe.classifier)
        f1, conflict, ece = block_scores(
            corpus, chosen_task, recipe.validation.folds, options.seeds
        )
        cells = f"{f1.mean():>10.1f}{f1.std():>8.2f}{conflict.mean():>10.1f}{ece.mean():>7.1f}"
        print(f"{label:<28}{cells}", flush=True)


def block_scores(corpus: Corpus, task: Task, folds: int, seeds: list[int]) -> np.ndarray:
    """Return macro-F1, accuracy on conflict rows and ECE in percent, of shape (3, n_seeds)."""
    conflict, scores = conflict_rows(corpus.marks.exact, corpus.actors, corpus.stance), []
    for seed in seeds:
        fold = assign_folds(task.y, task.group, folds, seed)
        answers = stance_answers(corpus, cross_validate(task, fold, seed)[1])
        scored = brief_score(answers)
        accuracy = answers.right[conflict].mean() if conflict.any() else np.nan
        scores.append((scored["macro_f1"], accuracy, scored["ece"]))
    return 100 * np.array(scores).T


# --- Topics that texts seldom name ---


def print_topics(path: Path, options: argparse.Namespace) -> None:
    """Print the scores of one corpus, then of the same with turned labels."""
    recipe = read_recipe(options.recipe or Path(__file__).with_name("fixed-topics.toml"))
    for turn in (False, True):
        corpus = topics(path, turn)
        folds = [assign_folds(corpus.stance, corpus.document, 5, seed) for seed in options.seeds]
        rows = Counter(corpus.actors).most_common()
        print(f"{path.stem}{', turned' * turn}: {', '.join(f'{name} {n}' for name, n in rows)}")
        begun = process_time()
        scores = [mean_f1(corpus, plain(corpus, fold)) for fold in folds]
        report("an SVM per topic", scores, process_time() - begun)
        begun, task = process_time(), training_run(corpus, recipe, options).task("stance")[0]
        held = [
            cross_validate(task, fold, seed)[0].argmax(axis=1)
            for fold, seed in zip(folds, options.seeds, strict=True)
        ]
        report(recipe.name, [mean_f1(corpus, answers) for answers in held], process_time() - begun)


def report(name: str, scores: list[float], seconds: float) -> None:
    """Print mean and spread of the scores."""
    mean, spread = np.mean(scores), np.std(scores)
    print(f"  {name} {mean:.1f} (sd {spread:.1f}), {seconds:.1f} s", flush=True)


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
    part, taken = corpus.take(rows), [names[row] for row in rows]
    texts = tuple(map(hide, part.texts, taken, part.spans))
    turned = np.isin(taken, sorted(kept)[::2])
    stance = np.where(turned & turn, FAVOR - part.stance, part.stance)
    topic = tuple(f"topic {name}" for name in taken)  # or Trump and Obama were the United States
    return dataclasses.replace(
        part, texts=texts, stance=stance, actors=topic, spans=(None,) * len(rows)
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
    answers, texts, actors = np.zeros_like(fold), np.array(corpus.texts), np.array(corpus.actors)
    for actor in np.unique(actors):
        for number in np.unique(fold):
            train = np.flatnonzero((actors == actor) & (fold != number))
            test = np.flatnonzero((actors == actor) & (fold == number))
            if not len(test):
                continue
            sides = []
            for grams in ({"ngram_range": (1, 3)}, {"ngram_range": (2, 5), "analyzer": "char"}):
                words = TfidfVectorizer(sublinear_tf=True, **grams)
                sides.append((words.fit_transform(texts[train]), words.transform(texts[test])))
            left, right = (sparse.hstack(side) for side in zip(*sides, strict=True))
            svm = LinearSVC(class_weight="balanced").fit(left, corpus.stance[train])
            answers[test] = svm.predict(right)
    return answers


def main() -> None:
    """Print a table per corpus."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("blocks", "topics"))
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--recipe", type=Path)
    parser.add_argument("--actors", type=Path)
    parser.add_argument("--lexicon", type=Path)
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--seeds", nargs="+", type=int, default=[20, 21, 22])
    options = parser.parse_args()
    for path in options.corpora:
        {"blocks": print_blocks, "topics": print_topics}[options.what](path, options)


if __name__ == "__main__":
    main()
