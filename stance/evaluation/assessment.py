"""What a model scores on a corpus, alone or beside another, and in cross-validation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Floats, Ints
from stance.corpus import Corpus, holder_rows, sentiment_rows
from stance.display import brief, count, shown
from stance.errors import DataError
from stance.evaluation.agreement import report_agreement
from stance.evaluation.answers import (
    Answers,
    Figures,
    judge_pairs,
    judge_sentiment,
    sentiment_answers,
    stance_answers,
)
from stance.evaluation.comparison import (
    baselines,
    compare,
    conflict_rows,
    conflict_score,
    holder_score,
    leakage,
    lexicon_stances,
)
from stance.evaluation.scores import actor_rows, brief_score, score
from stance.model.judging import StanceModel
from stance.reading.keys import linked_groups
from stance.reading.spans import make_query
from stance.recipe import Recipe
from stance.records import Stance
from stance.tables import read_date


@dataclass(frozen=True, slots=True)
class Material:
    """A model's answers to labelled rows, and what they are held against."""

    answers: Answers
    blind: Answers  # of the target-blind control head, to the same rows
    majority: str  # most frequent stance of the training data
    text_key: NDArray[Any]  # of each row, equal for rows of the same paragraph
    lexicon: Answers | None = None  # of the polarity lexicon alone
    leaked: Bools | None = None  # rows whose text, or one much like it, was in the training data
    copied: Bools | None = None  # those of them whose text itself was; None for all
    sentiment: Answers | None = None  # to the paragraphs that have a sentiment label
    sentiment_majority: str | None = None
    notes: Sequence[str] = ()  # what else a reader must know; they come first


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of an evaluation."""

    stance: Figures  #: as `score` returns it
    conflict: Figures  #: as `conflict_score` does
    baselines: Figures  #: as `baselines` does
    sentiment: Figures | None = None  #: as `score` does, with baselines
    leakage: Figures | None = None  #: as `leakage` does; None where it was not looked for
    holder: Figures | None = None  #: as `holder_score` does; None where no row or no model can tell
    agreement: Figures | None = None  #: of the corpus's coders, with their names; None without any

    def __repr__(self) -> str:
        figures = {name: self.stance.get(name) for name in ("n", "accuracy", "macro_f1")}
        return brief("Report", **figures)

    def to_json(self) -> Figures:
        """Return one object for JSON; optional parts only where there are any."""
        figures = {**self.stance, "conflict": self.conflict, "baselines": self.baselines}
        optional = {"sentiment": self.sentiment, "leakage": self.leakage}
        optional |= {"holder": self.holder, "agreement": self.agreement}
        return figures | {name: part for name, part in optional.items() if part is not None}


def report(material: Material) -> Report:
    """Score a model's answers beside its baselines."""
    answers, tone = material.answers, material.sentiment
    figures = score(answers)
    figures["notes"] = [*material.notes, *figures["notes"]]
    mood = None if tone is None else score(tone)
    if mood and tone and material.sentiment_majority:
        mood["baselines"] = baselines(tone, material.sentiment_majority, {})
    seen, leaked = None, material.leaked
    if leaked is not None:
        copied = leaked if material.copied is None else material.copied
        seen = leakage(answers, leaked, copied)
    rivals = {"target_blind": material.blind}
    if material.lexicon:
        rivals["lexicon"] = material.lexicon
    return Report(
        figures,
        conflict_score(answers, material.blind, conflict_rows(material.text_key, answers.gold)),
        baselines(answers, material.majority, rivals),
        mood,
        seen,
    )


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
    query = make_query(model.book, corpus.texts, corpus.actors, corpus.spans, corpus.months)
    material = Material(
        answers=judge_pairs(model, corpus),
        blind=stance_answers(corpus, model.judge_blind(corpus.texts, corpus.months)),
        majority=_majority(model),
        text_key=_text_key(corpus),
        lexicon=_lexicon_answers(corpus, lexicon_stances(model.reader, query)),
        leaked=corpus.marks.found_in(model.fingerprints),
        copied=corpus.marks.copied_from(model.fingerprints),
        sentiment=judge_sentiment(model, corpus),
        sentiment_majority=_sentiment_majority(model),
        notes=_silent(model.stance.silent),
    )
    found = _corpus_report(material, corpus, model.recipe)
    return replace(found, holder=_judge_holders(model, corpus), agreement=_agreement(corpus))


def _agreement(corpus: Corpus) -> Figures | None:
    """Return how far the corpus's coders agree, which no model can be expected to exceed."""
    if corpus.annotations is None:
        return None
    found = report_agreement(corpus.annotations.codes, tuple(map(str, Stance)), corpus.document)
    return {"coders": list(corpus.annotations.coders), **found.to_json()}


def compare_models(
    a: StanceModel, b: StanceModel, corpus: Corpus, names: tuple[str, str] = ("a", "b")
) -> Figures:
    """Compare two models of the same labels on a labelled corpus, row by row; see `compare`."""
    for one, other in ((a.stance, b.stance), (a.sentiment, b.sentiment)):
        if one and other and one.labels != other.labels:
            raise DataError(
                f"one model answers {', '.join(one.labels)}, the other "
                f"{', '.join(other.labels)}; compare models of the same labels"
            )
    answers = [judge_pairs(model, corpus) for model in (a, b)]
    tone_a, tone_b = (judge_sentiment(model, corpus) for model in (a, b))
    found_a, found_b = (corpus.marks.found_in(model.fingerprints) for model in (a, b))
    found = compare(
        *answers,
        conflict=conflict_rows(_text_key(corpus), corpus.stance),
        seen=(found_a, found_b),
        names=[f"{name}:{row}" for name, row in corpus.places()],
        sentiment=(tone_a, tone_b) if tone_a and tone_b else None,
    )
    marked = [
        f"{mark}: {note}"
        for mark, own in (("A", a), ("B", b))
        for note in (*_silent(own.stance.silent), *_prior(own.recipe))
    ]
    notes = {"notes": [*marked, *_loose(corpus), *found["notes"]]}
    return {"models": dict(zip("ab", names, strict=True)), **found, **notes}


def cross_validation(
    recipe: Recipe,
    corpus: Corpus,
    stance: Floats,
    control: Floats,
    tone: Floats | None,
    lexicon: Ints | None = None,
    named: Bools | None = None,
) -> Report:
    """Score the held-out answers of a training's cross-validation by document.

    ``stance``, ``control`` (target-blind) and ``tone`` (of `sentiment_rows`) are probabilities;
    ``named`` says whether the text names the actor, without which `predict` says `uncertain`.
    """
    answers = stance_answers(corpus, stance, named)
    mood = None if tone is None else sentiment_answers(corpus, sentiment_rows(corpus), tone)
    material = Material(
        answers=answers,
        blind=stance_answers(corpus, control),
        majority=_most_frequent(answers),
        text_key=_text_key(corpus),
        lexicon=_lexicon_answers(corpus, lexicon),
        sentiment=mood,
        sentiment_majority=None if mood is None else _most_frequent(mood),
    )
    return _corpus_report(material, corpus, recipe)


def _most_frequent(answers: Answers) -> str:
    return str(answers.labels[int(np.bincount(answers.gold).argmax())])


def _corpus_report(material: Material, corpus: Corpus, recipe: Recipe) -> Report:
    """Add what the corpus says: notes, and scores per corpus, source, genre and year if known."""
    material = replace(
        material, notes=[*material.notes, *_prior(recipe), *_loose(corpus), *_undated(corpus)]
    )
    found = report(material)
    groups: dict[str, Sequence[str]] = {"corpus": [corpus.sources[i].name for i in corpus.source]}
    groups |= {name: corpus.extra[name] for name in ("source", "genre") if name in corpus.extra}
    if "date" in corpus.extra:
        groups["year"] = [_year(date) for date in corpus.extra["date"]]
    answers, figures = material.answers, dict(found.stance)
    for name, group in groups.items():
        scores = {
            cell: brief_score(answers.take(rows))
            for cell, rows in actor_rows(replace(answers, actor=group))
            if cell
        }
        figures[f"per_{name}"] = dict(sorted(scores.items())) if name == "year" else scores
    return replace(found, stance=figures)


def _prior(recipe: Recipe) -> list[str]:
    note = (
        "the model knows which actor is judged: it has learned a prior about actors, the very "
        "thing that a study wants to measure"
    )
    return [note] if "name" in recipe.features.blocks or recipe.features.per_actor else []


def _silent(labels: Sequence[str]) -> list[str]:
    return [f"the model never answers {label}: no training row was {label}" for label in labels]


def _loose(corpus: Corpus) -> list[str]:
    note = (
        f"{count(corpus.loose, 'row')} without document: each text counts as one; if some are "
        "from one article or speech, intervals are too narrow and cross-validation flatters; add "
        "a column document"
    )
    return [note] if corpus.loose else []


def _undated(corpus: Corpus) -> list[str]:
    dates = [date for date in corpus.extra.get("date", ()) if date.strip() and not _year(date)]
    return dates and [
        f"{count(len(dates), 'row')} with a date that cannot be read, such as '{shown(dates[0])}': "
        "left out of the scores by year; write 2024-03-09"
    ]


def _year(date: str) -> str:
    """Return the year of a date; empty where it cannot be read."""
    found = read_date(date)
    return "" if found is None else str(found.year)


def _judge_holders(model: StanceModel, corpus: Corpus) -> Figures | None:
    rows = holder_rows(corpus)
    if model.holder is None or not len(rows):
        return None
    kept = corpus.take(rows)
    found = model.name_holders(kept.texts, kept.actors, kept.spans, kept.months)
    return holder_score(corpus, model.book, found)


def _lexicon_answers(corpus: Corpus, stances: Ints | None) -> Answers | None:
    return None if stances is None else stance_answers(corpus, np.eye(len(Stance))[stances])


def _majority(model: StanceModel) -> str:
    """Return the most frequent stance label of the training data."""
    sources = [source["classes"] for source in model.card["data"]]
    return max(map(str, Stance), key=lambda label: sum(own.get(label, 0) for own in sources))


def _sentiment_majority(model: StanceModel) -> str | None:
    """Return the most frequent sentiment of the training data; None where none is known."""
    classes = model.card["scores"].get("sentiment", {}).get("per_class", {})
    return max(classes, key=lambda label: classes[label]["support"], default=None)


def _text_key(corpus: Corpus) -> Ints:
    return linked_groups([corpus.marks.exact])
