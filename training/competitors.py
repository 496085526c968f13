"""Other ways through the same table, each in the fastest honest form that its users have.

Usage: python training/competitors.py NAME MODEL SOURCE TARGET

All but the bare copy are trained on the same labels and give one label with its probability per
paragraph, beside the columns of the input; none knows an actor. `train` of each writes its model to
a file, and `load` returns a function that reads `source` and writes `target` once; both raise
`ImportError` where its package is missing. As a program, this loads a model and runs once.
"""

import csv
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:  # or a program of others would wait for our imports
    from stance.corpus import Corpus
    from stance.model.judging import StanceModel

Run = Callable[[], object]

Answer = tuple[str, float]
"""A label and its probability."""

LABELS = ("against", "neutral", "favor")
CHUNK = 1000
"""Rows that are predicted at a time, as ours are."""

ORACLE_ROWS = 200
"""Rows that the slow oracle reads; its time is scaled up."""


@dataclass(frozen=True, slots=True)
class Competitor:
    """How a model is made of a corpus, and how one from a file is run."""

    train: Callable[["Corpus", Path], None]
    load: Callable[[Path, Path, Path], Run]  # of model, source and target


def _no_model(corpus: "Corpus", path: Path) -> None:
    pass


def copy_run(path: Path, source: Path, target: Path) -> Run:
    """Read and write the table with the csv module alone."""

    def run() -> None:
        with source.open(newline="", encoding="utf-8") as lines, _writable(target) as out:
            csv.writer(out).writerows(csv.reader(lines))

    return run


def plain_train(corpus: "Corpus", path: Path) -> None:
    """TfidfVectorizer (1-2-grams) and LogisticRegression."""
    import_module("pandas")
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2)
    pipe = make_pipeline(words, LogisticRegression(max_iter=1000))
    path.write_bytes(pickle.dumps(pipe.fit(corpus.texts, corpus.stance)))


def plain_load(path: Path, source: Path, target: Path) -> Run:
    """Predict chunks of pandas."""
    pd = import_module("pandas")
    pipe = pickle.loads(path.read_bytes())

    def run() -> None:
        header = True
        for chunk in pd.read_csv(source, chunksize=CHUNK, dtype=str, keep_default_na=False):
            shares = pipe.predict_proba(chunk["text"])
            chunk["label"] = [LABELS[number] for number in shares.argmax(axis=1)]
            chunk["probability"] = shares.max(axis=1).round(6)
            chunk.to_csv(target, mode="w" if header else "a", header=header, index=False)
            header = False

    return run


def fasttext_train(corpus: "Corpus", path: Path, *, dim: int, bucket: int) -> None:
    """FastText with word bigrams.

    Parameters
    ----------
    dim, bucket : int
        Length of a vector, and places for bigrams. The library's own are 100 and 2,000,000, which
        take 800 MB; its users' tutorial for small corpora has 50 and 200,000.
    """
    fasttext = import_module("fasttext")
    examples = path.with_suffix(".fasttext")
    with _writable(examples) as file:
        for text, label in zip(corpus.texts, corpus.stance, strict=True):
            file.write(f"__label__{label} {_lowered(text)}\n")
    options = {"wordNgrams": 2, "lr": 0.5, "epoch": 25, "thread": 1, "verbose": 0}
    _trained(fasttext, str(examples), dim=dim, bucket=bucket, **options).save_model(str(path))


def fasttext_load(path: Path, source: Path, target: Path) -> Run:
    """Predict lists of rows."""
    model = import_module("fasttext").load_model(str(path))

    def predict(texts: Sequence[str]) -> Iterator[Answer]:
        labels, shares = model.predict([_lowered(text) for text in texts])
        for label, share in zip(labels, shares, strict=True):
            yield LABELS[int(label[0].removeprefix("__label__"))], share[0]

    return lambda: _answer_rows(predict, source, target)


def _trained(fasttext: Any, examples: str, **options: Any) -> Any:
    """Train; again where that ends in "Encountered NaN", as it does now and then by chance."""
    for _ in range(3):
        with suppress(RuntimeError):
            return fasttext.train_supervised(examples, **options)
    return fasttext.train_supervised(examples, **options)


def vowpal_load(path: Path, source: Path, target: Path) -> Run:
    """Vowpal Wabbit from file to file, with two files of its own between."""
    workspace = import_module("vowpalwabbit").Workspace
    examples, answers = (target.with_suffix(f".vw-{name}") for name in ("in", "out"))

    def run() -> None:
        with source.open(newline="", encoding="utf-8") as lines, _writable(examples) as file:
            reader = csv.reader(lines)
            at = next(reader).index("text")
            file.writelines(f"{_example(row[at])}\n" for row in reader)
        arguments = f"-t -i {path} -d {examples} -p {answers} --probabilities --quiet"
        workspace(arguments).finish()
        with (
            source.open(newline="", encoding="utf-8") as lines,
            answers.open() as found,
            _writable(target) as out,
        ):
            reader, writer = csv.reader(lines), csv.writer(out)
            _head(reader, writer)
            for row, answer in zip(reader, found, strict=True):
                label, share = _likeliest([float(n.partition(":")[2]) for n in answer.split()])
                writer.writerow([*row, label, f"{share:.6f}"])

    return run


def vowpal_call_load(path: Path, source: Path, target: Path) -> Run:
    """Vowpal Wabbit by a call of its Python package per row, as most of its users have it."""
    learner = import_module("vowpalwabbit").Workspace(f"-t -i {path} --probabilities --quiet")

    def predict(texts: Sequence[str]) -> Iterator[Answer]:
        for text in texts:
            yield _likeliest(learner.predict(_example(text)))

    return lambda: _answer_rows(predict, source, target)


def vowpal_train(corpus: "Corpus", path: Path) -> None:
    """Vowpal Wabbit with bigrams, ten times over the corpus."""
    learner = import_module("vowpalwabbit").Workspace(
        "--oaa 3 --ngram 2 --loss_function logistic --probabilities -b 20 --quiet"
    )
    for _ in range(10):
        for text, label in zip(corpus.texts, corpus.stance, strict=True):
            learner.learn(f"{int(label) + 1} {_example(text)}")
    learner.save(str(path))
    learner.finish()


def _likeliest(shares: Sequence[float]) -> Answer:
    top = max(shares)
    return LABELS[shares.index(top)], top


def _answer_rows(
    predict: Callable[[Sequence[str]], Iterator[Answer]], source: Path, target: Path
) -> None:
    """Read the table in chunks, and write a label and its probability beside each row."""
    with source.open(newline="", encoding="utf-8") as lines, _writable(target) as out:
        reader, writer = csv.reader(lines), csv.writer(out)
        at = _head(reader, writer)
        while rows := list(islice(reader, CHUNK)):
            found = predict([row[at] for row in rows])
            writer.writerows(
                [*row, label, f"{share:.6f}"]
                for row, (label, share) in zip(rows, found, strict=True)
            )


def oracle_run(model: "StanceModel", source: Path) -> Run:
    """Judge the first rows with the readable version of the tests; nothing is written."""
    tests = Path(__file__).parent.parent / "tests"
    sys.path.insert(0, str(tests))
    oracle = import_module("oracle")
    with source.open(newline="", encoding="utf-8") as lines:
        texts = [row["text"] for row in islice(csv.DictReader(lines), ORACLE_ROWS)]
    slow = oracle.Oracle(model.book.actors, model.lexicon.source, model.recipe.language)

    def run() -> None:
        for text in texts:
            for actor in dict.fromkeys(mention.actor for mention in model.book.find(text)):
                slow.probabilities(model.stance, slow.pair(text, actor))
            if model.sentiment is not None:
                slow.probabilities(model.sentiment, slow.pair(text, None))

    return run


def _writable(path: Path) -> TextIO:
    return path.open("w", newline="", encoding="utf-8")


def _head(reader: Iterator[list[str]], writer: Any) -> int:
    """Hand on the header with two more columns, and return the place of the text."""
    header = next(reader)
    writer.writerow([*header, "label", "probability"])
    return header.index("text")


def _lowered(text: str) -> str:
    return text.lower().replace("\n", " ")


def _example(text: str) -> str:
    """Return a text as Vowpal Wabbit reads it, without its two signs."""
    return "|w " + _lowered(text).replace("|", " ").replace(":", " ")


COMPETITORS = {
    "csv alone": Competitor(_no_model, copy_run),
    "scikit-learn": Competitor(plain_train, plain_load),
    "fastText 50": Competitor(partial(fasttext_train, dim=50, bucket=200_000), fasttext_load),
    "fastText 100": Competitor(partial(fasttext_train, dim=100, bucket=2_000_000), fasttext_load),
    "VW files": Competitor(vowpal_train, vowpal_load),
    "VW calls": Competitor(vowpal_train, vowpal_call_load),
}

if __name__ == "__main__":
    COMPETITORS[sys.argv[1]].load(*map(Path, sys.argv[2:]))()
