"""What a model scores on a corpus, where it is wrong, and what it answers when texts change."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stance.arrays import Bools, Floats
from stance.corpus import Corpus, holder_rows, sentiment_rows
from stance.corpus.rows import holder_kind
from stance.display import count, shown
from stance.errors import DataError
from stance.evaluation import scores
from stance.evaluation.intervals import right_shares
from stance.evaluation.scores import Answers, Figures, plain
from stance.files import DATA, AtomicGroup
from stance.reading.actors import ActorBook
from stance.records import ANSWERS, NO_ANSWER, Sentiment, Stance
from stance.tables import write_table

if TYPE_CHECKING:  # else whoever needs an interval would load the model
    from stance.model import StanceModel
    from stance.recipe import Recipe

WORDS = 6  # words named in `because`
LOOSE = (
    "without document: each text counts as one; if some are from one article or speech, intervals "
    "are too narrow and cross-validation scores too high; add a column document"
)
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


def sentiment_answers(
    corpus: Corpus, probabilities: Floats, answered: Bools | bool = True
) -> Answers:
    """Return answers to the `sentiment_rows` of a corpus."""
    asked = corpus.take(sentiment_rows(corpus))
    return Answers(tuple(Sentiment), asked.sentiment, probabilities, asked.document, answered)


def report(
    corpus: Corpus,
    answers: Answers,
    blind: Answers,
    tone: Answers | None,
    *,
    majority: str | None = None,
    tone_majority: str | None = None,
    holder: Figures | None = None,
    leaked: Bools | None = None,
    notes: Iterable[str] = (),
) -> Figures:
    """Score answers to the stance, and to the tone, of a corpus's rows beside their baselines.

    ``blind`` are those of the target-blind control head to the same rows, majorities are the most
    frequent labels of the training data (of these rows if not given), and ``leaked`` says of which
    rows the text, or one much like it, was in it.
    """
    figures = scores.score(answers, corpus.actors)
    loose = [f"{count(corpus.loose, 'row')} {LOOSE}"] if corpus.loose else []
    figures["notes"] = [*notes, *loose, *figures["notes"]]
    conflict = scores.conflict_rows(corpus.marks.columns()[0], corpus.actors, answers.gold)
    figures["conflict"] = scores.conflict_score(answers, blind, conflict)
    figures["baselines"] = scores.baselines(answers, majority, blind)
    if tone is not None:
        majorities = {"baselines": scores.baselines(tone, tone_majority)}
        figures["sentiment"] = scores.score(tone) | majorities
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
    kinds, answered = (np.array(list(map(holder_kind, names))) for names in (gold, named))
    right = right_shares(kinds == answered, corpus.document[rows])
    return {
        "n": right.n,
        "accuracy": right.shares[1],
        "interval": right.interval(1) if right.documents > 1 else None,
        "majority": np.bincount(kinds).max() / right.n,
        "exact": (np.array(gold) == np.array(named)).mean(),
    }


def evaluate(model: "StanceModel", corpus: Corpus) -> Figures:
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
    dict
        What ``stance evaluate --json`` prints: shares and scores between 0 and 1, intervals of 95 %
        of whole documents.
    """
    if not isinstance(corpus, Corpus):
        raise TypeError(f"corpus is a {type(corpus).__name__}; give read_corpus(PATH)")
    classes = model.card["scores"].get("per_class", {})
    tones = model.card["scores"].get("sentiment", {}).get("per_class", {})
    rows = holder_rows(corpus).tolist() if model.holder else []
    answers, named, _ = _judge(model, corpus, speakers=bool(rows))
    holders = [named[row] for row in rows]
    return report(
        corpus,
        answers,
        stance_answers(corpus, model.judge_blind(corpus.texts, corpus.months)),
        _judge_sentiment(model, corpus),
        majority=max(classes, key=lambda label: classes[label]["support"], default=None),
        tone_majority=max(tones, key=lambda label: tones[label]["support"], default=None),
        holder=holder_score(corpus, model.book, holders) if rows else None,
        leaked=corpus.marks.found_in(model.fingerprints),
        notes=model_notes(model.recipe, model.stance.silent),
    )


def write_mistakes(
    model: "StanceModel", corpus: Corpus, path: Path, together: AtomicGroup, *, force: bool
) -> str:
    """Write the wrong rows of a corpus to a table, then those withheld; return a line about it."""
    answers, _, because = _judge(model, corpus, words=WORDS)
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


def model_notes(recipe: "Recipe", silent: Sequence[str] = ()) -> Iterator[str]:
    """Yield what to beware of in a model, which never answers the labels that are ``silent``."""
    from stance.recipe import PRIOR  # which is loaded by now

    for label in silent:
        yield f"the model never answers {label}: no training row was {label}"
    if recipe.knows_actors:
        yield PRIOR


def _judge(
    model: "StanceModel", corpus: Corpus, *, words: int = 0, speakers: bool = False
) -> tuple[Answers, list[str], list[str]]:
    """Answer the rows of a corpus; with holders, and as many of the words that push most to each.

    Stances that are neutral or withheld have a holder only if ``speakers`` are asked for.
    """
    stance, withheld = [np.zeros((0, len(Stance)))], [np.zeros(0, np.bool_)]
    holders, because = list[str](), list[str]()
    pairs, months = (corpus.texts, corpus.actors, corpus.spans), corpus.months
    many = model.judge_many(*pairs, months=months, pushes=words > 0, speakers=speakers)
    for _, judged in many:
        stance.append(judged.stance)
        withheld.append(judged.withheld)
        holders += [judged.holders[code] for code in judged.holder.tolist()]
        if judged.pushes:
            because += judged.pushes.strongest(judged.stance.argmax(axis=1), words)
        del judged  # before the words of the next rows are read
    answers = stance_answers(corpus, np.concatenate(stance), ~np.concatenate(withheld))
    return answers, holders, because


def _judge_sentiment(model: "StanceModel", corpus: Corpus) -> Answers | None:
    """Judge the paragraphs that have a sentiment label; None where none has, or no head is."""
    rows = sentiment_rows(corpus)
    if model.sentiment is None or not len(rows):
        return None
    asked = corpus.take(rows)
    judged = [part for _, part in model.judge_many(asked.texts, months=asked.months)]
    tones = np.concatenate([part.sentiment for part in judged if part.sentiment is not None])
    answered = np.concatenate([~part.tone_withheld for part in judged])
    return sentiment_answers(corpus, tones, answered)


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
    text = (DATA / "english" / "stress.csv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines()):
        yield (case := Case(**row))
        if case.test == WRITTEN:
            for test, change in CHANGES.items():
                yield case._replace(test=test, expected="same", text=change(case.text))


def run_suite(model: "StanceModel") -> Figures:
    """Test how a model of English texts behaves when a text changes.

    Returns
    -------
    dict
        tests, each with name, n, failures, rate, its Wilson interval and at most three examples;
        and seeds, the number of paragraphs.
    """
    if model.recipe.language != "english":
        raise DataError(
            f"the stress suite is English and the model reads {shown(model.recipe.language)}; "
            "evaluate it on a corpus of its language"
        )
    cases = list(read_cases())
    asked = model.judge_many([case.text for case in cases], [case.actor for case in cases])
    answers = [ANSWERS[number] for _, judged in asked for number in judged.chosen().tolist()]
    written, results = dict[str, str](), defaultdict[str, list[dict[str, str] | None]](list)
    for case, answer in zip(cases, answers, strict=True):
        before = written.setdefault(case.paragraph, answer)
        expected = before if case.expected == "same" else case.expected
        label = expected.removeprefix("not ")
        negated = label != expected
        if negated and before != label:
            continue  # no stance is there that could go
        example = {"actor": case.actor, "text": case.text, "answer": answer, "expected": expected}
        results[case.test].append(example if (answer == label) == negated else None)
    tests = []
    for name, examples in results.items():
        wrong = np.array([example is not None for example in examples])
        interval = right_shares(wrong, np.arange(len(wrong))).interval(1)
        counts = {"n": len(wrong), "failures": wrong.sum(), "rate": wrong.mean()}
        failed = [example for example in examples if example][:EXAMPLES]
        tests.append({"name": name, **counts, "interval": interval, "examples": failed})
    return plain({"tests": tests, "seeds": len(written)})
