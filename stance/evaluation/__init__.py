"""What a model scores on a corpus, where it is wrong, and what it answers when texts change."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stance.arrays import Bools
from stance.corpus import Corpus, holder_rows, sentiment_rows
from stance.display import brief, count, shown
from stance.errors import DataError
from stance.evaluation.answers import (
    Answers,
    Figures,
    plain,
    sentiment_answers,
    stance_answers,
)
from stance.evaluation.intervals import proportion_interval
from stance.evaluation.scores import (
    baselines,
    conflict_rows,
    conflict_score,
    group_scores,
    holder_score,
    leakage,
    score,
)
from stance.files import AtomicGroup
from stance.model import StanceModel
from stance.model.predictions import strongest_words
from stance.reading.keys import linked_groups
from stance.recipe import Recipe
from stance.records import ANSWERS, NO_ANSWER, UNCERTAIN, Stance
from stance.tables import write_table

WORDS = 6  # words named in `because`
LANGUAGE = "english"  # of the stress suite, and so of the models that can be tested
EXAMPLES = 3  # failures that are kept of a test
WRITTEN = "as written"
CHANGES: dict[str, Callable[[str], str]] = {
    "paragraph doubled": lambda text: f"{text} {text}",
    "all capitals": str.upper,
    "no capitals": str.lower,
}


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of an evaluation."""

    figures: Figures

    def __repr__(self) -> str:
        return brief(
            "Report", **{name: self.figures.get(name) for name in ("n", "accuracy", "macro_f1")}
        )

    def to_json(self) -> Figures:
        """Return what ``stance evaluate --json`` prints; optional parts only where there are any.

        Shares and scores are between 0 and 1, intervals of 95 % of whole documents.
        """
        return dict(self.figures)


def report(
    corpus: Corpus,
    answers: Answers,
    blind: Answers,
    majority: str,
    tone: Answers | None,
    tone_majority: str | None,
    *,
    holder: Figures | None = None,
    leaked: Bools | None = None,
    notes: Iterable[str] = (),
) -> Report:
    """Score answers to the stance, and to the tone, of a corpus's rows beside their baselines.

    ``blind`` are those of the target-blind control head to the same rows, majorities are the most
    frequent labels of the training data, and ``leaked`` says of which rows the text, or one much
    like it, was in it.
    """
    figures = score(answers)
    figures["notes"] = [*notes, *_loose(corpus), *figures["notes"]]
    conflict = conflict_rows(linked_groups([corpus.marks.exact]), answers.gold)
    figures["conflict"] = conflict_score(answers, blind, conflict)
    figures["baselines"] = baselines(answers, majority, blind)
    if tone is not None:
        figures["sentiment"] = score(tone)
        if tone_majority:
            figures["sentiment"]["baselines"] = baselines(tone, tone_majority)
    if leaked is not None:
        figures["leakage"] = leakage(answers, leaked)
    if holder is not None:
        figures["holder"] = holder
    names = [corpus.sources[number].name for number in corpus.source]
    figures["per_corpus"] = group_scores(answers, names)
    if "source" in corpus.extra:
        figures["per_source"] = group_scores(answers, corpus.extra["source"])
    return Report(figures)


def evaluate(model: StanceModel, corpus: Corpus) -> Report:
    """Score a model on a labelled corpus, beside its baselines.

    An answer that `predict` withholds is withheld here. Rows whose text was in the training data
    are counted as leaked.

    Parameters
    ----------
    model : StanceModel
    corpus : Corpus
        Labelled pairs, as `read_corpus` returns them.

    Returns
    -------
    Report
        Its ``to_json()`` is what ``stance evaluate --json`` prints: shares and scores between 0
        and 1, intervals of 95 % of whole documents.
    """
    trained_on = Counter[str]()
    for source in model.card["data"]:
        trained_on.update(source["classes"])
    tones = model.card["scores"].get("sentiment", {}).get("per_class", {})
    return report(
        corpus,
        _judge(model, corpus)[0],
        stance_answers(corpus, model.judge_blind(corpus.texts, corpus.months)),
        max(map(str, Stance), key=trained_on.__getitem__),
        _judge_sentiment(model, corpus),
        max(tones, key=lambda tone: tones[tone]["support"], default=None),
        holder=_judge_holders(model, corpus),
        leaked=corpus.marks.found_in(model.fingerprints),
        notes=model_notes(model.recipe, model.stance.silent),
    )


def write_mistakes(
    model: StanceModel, corpus: Corpus, path: Path, together: AtomicGroup, *, force: bool
) -> str:
    """Write the wrong rows of a corpus to a table, then those withheld; return a line about it."""
    answers, because = _judge(model, corpus, WORDS)
    predicted, top = answers.predicted, answers.confidence
    wrong = np.flatnonzero(~answers.right)
    wrong = wrong[np.lexsort((-top[wrong], predicted[wrong] == NO_ANSWER))]
    names = ("gold", "predicted", "probability", "because")
    places = corpus.places()
    opened = write_table(path, ("text", "actor", *names, "corpus", "row"), force=force)
    with together.part(opened) as writer:
        for row in wrong.tolist():
            answer = ANSWERS[predicted[row]], f"{top[row]:.6f}", because[row]
            name, number = places[row]
            cells = corpus.texts[row], corpus.actors[row], ANSWERS[corpus.stance[row]], *answer
            writer.write((*cells, name, str(number)))
    silent = int((predicted == NO_ANSWER).sum())
    rest = f" and {silent:,} withheld" if silent else ""
    return f"wrote {len(wrong) - silent:,} wrong{rest} of {len(corpus):,} answers to {path}"


def model_notes(recipe: Recipe, silent: Sequence[str] = ()) -> Iterator[str]:
    """Yield what to beware of in a model that never answers some labels."""
    for label in silent:
        yield f"the model never answers {label}: no training row was {label}"
    if "name" in recipe.features.blocks or recipe.features.per_actor:
        yield (
            "the model knows which actor is judged: it has learned a prior about actors, the very "
            "thing that a study wants to measure"
        )


def _judge(model: StanceModel, corpus: Corpus, words: int = 0) -> tuple[Answers, list[str]]:
    """Answer the rows of a corpus; with the words that push most to each, if any are asked for."""
    stance, withheld = [np.zeros((0, len(Stance)))], [np.zeros(0, np.bool_)]
    because, pairs = list[str](), (corpus.texts, corpus.actors, corpus.spans)
    for _, judged in model.judge_many(*pairs, months=corpus.months, pushes=words > 0):
        stance.append(judged.stance)
        withheld.append(judged.withheld)
        because += strongest_words(judged.pushes, judged.stance.argmax(axis=1), words)
        del judged  # before the words of the next rows are read
    return stance_answers(corpus, np.concatenate(stance), ~np.concatenate(withheld)), because


def _judge_sentiment(model: StanceModel, corpus: Corpus) -> Answers | None:
    """Judge the paragraphs that have a sentiment label; None where none has, or no head is."""
    rows = sentiment_rows(corpus)
    if model.sentiment is None or not len(rows):
        return None
    part = corpus.take(rows)
    judged = [answers for _, answers in model.judge_many(part.texts, months=part.months)]
    tones = np.concatenate([part.sentiment for part in judged if part.sentiment is not None])
    answered = np.concatenate([~part.tone_withheld for part in judged])
    return sentiment_answers(corpus, rows, tones, answered)


def _loose(corpus: Corpus) -> list[str]:
    note = (
        f"{count(corpus.loose, 'row')} without document: each text counts as one; if some are "
        "from one article or speech, intervals are too narrow and cross-validation scores too "
        "high; add a column document"
    )
    return [note] if corpus.loose else []


def _judge_holders(model: StanceModel, corpus: Corpus) -> Figures | None:
    rows = holder_rows(corpus)
    if model.holder is None or not len(rows):
        return None
    kept = corpus.take(rows)
    holders = model.name_holders(kept.texts, kept.actors, kept.spans, kept.months)
    return holder_score(corpus, model.book, holders)


# --- What a model answers when a text changes ---
#
# After Ribeiro, Wu, Guestrin and Singh (2020), "Beyond Accuracy: Behavioral Testing of NLP Models
# with CheckList". The paragraphs in ``stress.csv`` were written for this purpose: nothing in them
# happened, and no wording was chosen by what a model answers.


class Case(NamedTuple):
    """A question to a model: a paragraph as written or changed, and whom it is asked about."""

    paragraph: str  # number of the paragraph that was changed
    test: str
    actor: str
    expected: str  # a label; "same" as before; or "not LABEL", where that was the answer before
    text: str


def read_cases() -> Iterator[Case]:
    """Yield the bundled cases; those of a paragraph follow it as it was written."""
    path = files("stance").joinpath("data/english/stress.csv")
    for row in csv.DictReader(path.read_text("utf-8").splitlines()):
        yield (case := Case(**row))
        if case.test == WRITTEN:
            for test, change in CHANGES.items():
                yield case._replace(test=test, expected="same", text=change(case.text))


def run_suite(model: StanceModel) -> Figures:
    """Test how a model of English texts behaves when a text changes.

    Returns
    -------
    dict
        tests, each with name, n, failures, rate, its Wilson interval and at most three examples;
        and seeds, the number of paragraphs.
    """
    if model.recipe.language != LANGUAGE:
        raise DataError(
            f"the stress suite is English and the model reads {shown(model.recipe.language)}; "
            "evaluate it on a corpus of its language"
        )
    cases = list(read_cases())
    given = zip(cases, ask(model, [(case.text, case.actor) for case in cases]), strict=True)
    written, results = dict[str, str](), dict[str, list[tuple[bool, dict[str, str]]]]()
    for case, answer in given:
        before = written.setdefault(case.paragraph, answer)
        label = case.expected.removeprefix("not ")
        if label != case.expected and before != label:
            continue  # no stance is there that could go
        right = (answer == (before if label == "same" else label)) == (label == case.expected)
        expected = before if label == "same" else case.expected
        example = {"actor": case.actor, "text": case.text, "answer": answer, "expected": expected}
        results.setdefault(case.test, []).append((right, example))
    tests = [_result(name, tested) for name, tested in results.items()]
    return plain({"tests": tests, "seeds": len(written)})


def ask(model: StanceModel, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return what `predict` would answer to each pair of a text and an actor."""
    texts, actors = zip(*pairs, strict=True)
    return [
        UNCERTAIN if withheld else ANSWERS[best]
        for _, judged in model.judge_many(texts, actors)
        for best, withheld in zip(judged.stance.argmax(axis=1), judged.withheld, strict=True)
    ]


def _result(name: str, tested: Sequence[tuple[bool, dict[str, str]]]) -> dict[str, Any]:
    wrong = np.array([not right for right, _ in tested])
    return {
        "name": name,
        "n": len(tested),
        "failures": wrong.sum(),
        "rate": wrong.mean(),
        "interval": proportion_interval(wrong, np.arange(len(tested))),
        "examples": [example for right, example in tested if not right][:EXAMPLES],
    }
