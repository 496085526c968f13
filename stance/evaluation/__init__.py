"""What a model scores on a corpus, where it is wrong, and what it answers when texts change."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats
from stance.corpus import Corpus, holder_kinds, holder_rows, sentiment_rows
from stance.display import count, shown
from stance.errors import DataError
from stance.evaluation import scores
from stance.evaluation.intervals import right_shares
from stance.evaluation.scores import Answers, Figures, plain
from stance.files import DATA, AtomicGroup
from stance.model import StanceModel, model_of
from stance.reading.actors import ActorBook
from stance.recipe import Recipe, cautions
from stance.records import ANSWERS, NO_ANSWER, Sentiment, Stance
from stance.tables import write_table

WORDS = 6  # words named in `because`
EXAMPLES = 3  # failures that are kept of a test
WRITTEN = "as written"
CHANGES: dict[str, Callable[[str], str]] = {
    "paragraph doubled": lambda text: f"{text} {text}",
    "all capitals": str.upper,
    "no capitals": str.lower,
}


def stance_answers(corpus: Corpus, probabilities: Floats, answered: Bools | bool = True) -> Answers:
    """Return answers to the stance of a corpus's rows."""
    return Answers(tuple(Stance), corpus.stance, probabilities, corpus.document, answered)


def sentiment_answers(corpus: Corpus, chances: Floats, answered: Bools | bool = True) -> Answers:
    """Return answers to the `sentiment_rows` of a corpus."""
    asked = corpus.take(sentiment_rows(corpus))
    return Answers(tuple(Sentiment), asked.sentiment, chances, asked.document, answered)


def report(
    corpus: Corpus, answers: Answers, blind: Answers, tone: Answers | None, *,
    holder: Figures | None = None, leaked: Bools | None = None, notes: Iterable[str] = (),
) -> Figures:  # fmt: skip
    """Score answers to the stance, and to the tone, of a corpus's rows beside their baselines.

    ``blind`` are those of the target-blind control head to the same rows, and ``leaked`` says of
    which rows the text, or one much like it, was in the training data.
    """
    figures = scores.score(answers, corpus.actors)
    rows = count(int(corpus.loose.sum()), "row")
    loose = [f"{rows} {cautions()['loose']}"] if corpus.loose.any() else []
    figures["notes"] = [*notes, *loose, *figures["notes"]]
    conflict = scores.conflict_rows(corpus.marks.columns()[0], corpus.actors, answers.gold)
    figures["conflict"] = scores.conflict_score(answers, blind, conflict)
    figures["baselines"] = scores.baselines(answers, blind)
    if tone is not None:
        figures["sentiment"] = scores.score(tone) | {"baselines": scores.baselines(tone)}
    if leaked is not None:
        figures["leakage"] = scores.leakage(answers, leaked)
    if holder is not None:
        figures["holder"] = holder
    names = [corpus.sources[number].name for number in corpus.source]
    figures["per_corpus"] = scores.score_groups(answers, names)
    if "source" in corpus.extra:
        figures["per_source"] = scores.score_groups(answers, corpus.extra["source"])
    return plain(figures)


def holder_score(corpus: Corpus, book: ActorBook, named: Sequence[str]) -> Figures:
    """Score who was said to take the stances of a corpus's `holder_rows`.

    Accuracy is that of the kind (author, an actor, other); majority, that of always giving the most
    frequent kind; exact, the share of rows where the name of an actor is right, too.
    """
    rows = holder_rows(corpus)
    gold = [book.proper_name(corpus.holder[row] or "") for row in rows.tolist()]
    kinds, answered = holder_kinds(gold), holder_kinds(named)
    right = right_shares(kinds == answered, corpus.document[rows])
    return {
        "n": right.n,
        "accuracy": right.shares[1],
        "interval": right.interval(1) if right.documents > 1 else None,
        "majority": np.bincount(kinds).max() / right.n,
        "exact": (np.array(gold) == np.array(named)).mean(),
    }


def evaluate(model: Any, corpus: Corpus) -> Figures:
    """Score a model on a labelled corpus, beside its baselines.

    An answer that `predict` withholds is withheld here. Rows whose text was in the training data
    are counted as leaked.

    Parameters
    ----------
    model : StanceModel or fitted StanceClassifier
    corpus : Corpus
        Labelled pairs, as `read_corpus` returns them.

    Returns
    -------
    dict
        What ``stance evaluate --json`` prints: shares and scores between 0 and 1, intervals of 95 %
        of whole documents.
    """
    model = model_of(model)
    if not isinstance(corpus, Corpus):
        raise TypeError(f"corpus is a {type(corpus).__name__}; give read_corpus(PATH)")
    notes = model_notes(model.recipe, model.stance.silent, deep=model.deep is not None)
    if soft := len(corpus) - int(corpus.judged.sum()):
        notes.append(f"{count(soft, 'row')} left out that have only soft labels")
    corpus = corpus.take(np.flatnonzero(corpus.judged))
    if soft and not len(corpus):
        raise DataError("no row has a stance to score, only soft labels; fill in 'stance'")
    held = holder_rows(corpus).tolist() if model.holder else []
    judged = [part for _, part in model.judge_many(**corpus.pairs, speakers=bool(held))]
    withheld = np.concatenate([part.withheld for part in judged])
    tone, asked = None, sentiment_rows(corpus)
    if model.sentiment and len(asked):
        chances = np.concatenate([part.sentiment for part in judged if part.sentiment is not None])
        silent = np.concatenate([part.tone_withheld for part in judged])
        tone = sentiment_answers(corpus, chances[asked], ~silent[asked])
    holders = [part.holders[code] for part in judged for code in part.holder.tolist()]
    return report(
        corpus,
        stance_answers(corpus, np.concatenate([part.stance for part in judged]), ~withheld),
        stance_answers(corpus, model.judge_blind(corpus.texts, corpus.months)),
        tone,
        holder=holder_score(corpus, model.book, [holders[row] for row in held]) if held else None,
        leaked=corpus.marks.found_in(model.fingerprints),
        notes=notes,
    ) | ({"deep_reader": model.deep.sha256} if model.deep else {})


def write_mistakes(
    model: StanceModel, corpus: Corpus, path: Path, together: AtomicGroup, *, force: bool
) -> str:
    """Write the wrong rows of a corpus to a table, then those withheld; return a line about it."""
    wrong = list[tuple[bool, float, int, str, str]]()
    for rows, judged in model.judge_many(**corpus.pairs, pushes=True):
        best, top = judged.stance.argmax(axis=1), judged.stance.max(axis=1).tolist()
        reasons = judged.pushes.strongest(best, WORDS) if judged.pushes else []
        given = zip(judged.chosen().tolist(), top, reasons, strict=True)
        for row, (answer, chance, because) in enumerate(given, rows.start):
            if corpus.judged[row] and answer != corpus.stance[row]:
                wrong.append((answer == NO_ANSWER, -chance, row, ANSWERS[answer], because))
    head = "text", "actor", "gold", "predicted", "probability", "because", "corpus", "row"
    with together.part(write_table(path, head, force=force)) as writer:
        for _, chance, row, answer, because in sorted(wrong):
            asked = corpus.texts[row], corpus.actors[row], ANSWERS[corpus.stance[row]]
            place = corpus.sources[corpus.source[row]].name, str(corpus.number[row])
            writer.write((*asked, answer, f"{-chance:.6f}", because, *place))
    silent = sum(withheld for withheld, *_ in wrong)
    rest = f" and {silent:,} withheld" if silent else ""
    return f"wrote {len(wrong) - silent:,} wrong{rest} of {corpus.judged.sum():,} answers to {path}"


def model_notes(recipe: Recipe, silent: Sequence[str] = (), *, deep: bool = False) -> list[str]:
    """Return what to beware of in a model, which never answers the labels that are ``silent``."""
    never = [f"the model never answers {label}: no training row was {label}" for label in silent]
    known = {"prior": recipe.knows_actors, "deep": deep or recipe.deep}
    return [*never, *(cautions()[name] for name, holds in known.items() if holds)]


# --- What a model answers when a text changes ---
#
# After Ribeiro, Wu, Guestrin and Singh (2020), "Beyond Accuracy: Behavioral Testing of NLP Models
# with CheckList". The paragraphs in ``stress.csv`` were written for this purpose: nothing in them
# happened, and no wording was chosen by what a model answers.


def read_cases() -> Iterator[dict[str, str]]:
    """Yield the bundled cases; those of a paragraph, by number, follow it as it was written.

    A label is expected, the "same" as before, or "not LABEL", where that was the answer before.
    """
    text = (DATA / "english" / "stress.csv").read_text("utf-8")
    for case in csv.DictReader(text.splitlines()):
        yield case
        if case["test"] == WRITTEN:
            for test, change in CHANGES.items():
                yield case | {"test": test, "expected": "same", "text": change(case["text"])}


def run_suite(model: StanceModel) -> Figures:
    """Test how a model of English texts behaves when a text changes."""
    if model.recipe.language != "english":
        language = shown(model.recipe.language)
        raise DataError(f"the stress suite is English, the model {language}; give a corpus instead")
    cases = list(read_cases())
    asked = model.judge_many([case["text"] for case in cases], [case["actor"] for case in cases])
    answers = [ANSWERS[number] for _, judged in asked for number in judged.chosen().tolist()]
    written, results = dict[str, str](), defaultdict[str, list[dict[str, str] | None]](list)
    for case, answer in zip(cases, answers, strict=True):
        before = written.setdefault(case["paragraph"], answer)
        expected = before if case["expected"] == "same" else case["expected"]
        negated = (label := expected.removeprefix("not ")) != expected
        if negated and before != label:
            continue  # no stance is there that could go
        asked_of = {name: case[name] for name in ("actor", "text")}
        example = asked_of | {"answer": answer, "expected": expected}
        results[case["test"]].append(example if (answer == label) == negated else None)
    tests = []
    for name, examples in results.items():
        wrong = np.array([example is not None for example in examples])
        interval = right_shares(wrong, np.arange(len(wrong))).interval(1)
        counts = {"n": len(wrong), "failures": wrong.sum(), "rate": wrong.mean()}
        failed = [example for example in examples if example][:EXAMPLES]
        tests.append({"name": name, **counts, "interval": interval, "examples": failed})
    return plain({"tests": tests, "seeds": len(written)})
