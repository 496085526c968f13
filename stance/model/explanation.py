"""Why an answer was given, word by word."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stance.arrays import Floats
from stance.errors import ActorError
from stance.features import Pairs
from stance.features.occurrences import Occurrences
from stance.model import StanceModel, model_of
from stance.model.heads import BlockWeights, Columns
from stance.reading.frames import describe, frames_read

DEEP = "the deep reader"
"""What it adds is called where an answer is explained, with all features of the block `deep`."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What a word, or a feature of the whole paragraph, adds to the score of each label."""

    text: str  #: the word as it stands, or the name of the feature
    start: int  #: in the normalised text; -1 for a feature of the whole paragraph
    end: int
    push: tuple[float, ...]  #: in the order of the labels
    terms: tuple[str, ...] = ()  #: features that the word takes part in, the strongest first


@dataclass(frozen=True, slots=True)
class Explanation:
    """One answer and its reasons."""

    actor: str
    text: str  #: the normalised paragraph
    labels: tuple[str, ...]
    intercept: tuple[float, ...]
    words: tuple[Reason, ...]  #: reasons that stand at a word, in reading order
    features: tuple[Reason, ...]  #: of the whole paragraph, or of a judgement; strongest first
    scores: tuple[float, ...]  #: intercept plus the pushes of all reasons
    #: softmax of the scores; divided by the temperature, if no deep reader is mixed in
    probabilities: tuple[float, ...]
    mentions: int
    withheld: bool  #: whether `predict` says `uncertain` in place of the answer
    foreign: bool  #: whether the language is one that the model was not trained on
    holder: str = ""  #: whose stance it is; empty if it is neutral, withheld or nobody can tell
    holder_probability: float | None = None  #: of its kind: author, actor or other


def explain(model: Any, text: str, actor: str | Sequence[str] | None = None) -> list[Explanation]:
    """Explain the stance of a paragraph toward one actor, or toward each that it names.

    Actors are given by name or alias; one that is not in the book is looked for by name and
    surname. Raises an `ActorError` if none is given and the text names none of the book.

    The ``intercept`` of an explanation and the ``push`` of all its ``words`` and ``features`` add
    up to its ``scores``.

    Examples
    --------
    >>> import stance
    >>> (why,) = stance.explain(stance.load_model(), "Rome thanked Poland.", "Poland")
    >>> why.actor, [word.text for word in why.words][:2]
    ('Poland', ['Rome', 'thanked'])
    """
    model = model_of(model)
    if actor is None:
        names = [*dict.fromkeys(mention.actor for mention in model.book.find(text))]
    else:
        names = [*filter(None, map(str.strip, [actor] if isinstance(actor, str) else actor))]
    if not names:
        what = "the text names no actor of the book" if actor is None else "the actor is empty"
        advice = "name one with --actor, or add its aliases to a book of your own (--actors)"
        raise ActorError(f"{what}; {advice}")
    return [_explain(model, text, name) for name in names]


def _explain(model: StanceModel, text: str, actor: str) -> Explanation:
    answer, intercept = model.judge([text], [actor], pushes=True), model.stance.intercept
    pairs = answer.pushes.pairs  # type: ignore[union-attr] # they were asked for
    words, features = _reasons(model, pairs, actor)
    pushes = [tuple(intercept.tolist()), *(reason.push for reason in (*words, *features))]
    scores = np.sum(pushes, axis=0)
    if model.deep and not np.allclose(model.stance.probabilities(scores[None]), answer.stance):
        # What words push counts in part, and the deep reader adds the rest.
        part = float(model.deep.mixtures["stance"].linear / model.stance.temperature)
        intercept, scores = part * intercept, part * scores
        words, features = (
            tuple(replace(r, push=tuple(part * value for value in r.push)) for r in reasons)
            for reasons in (words, features)
        )
        rest = np.log(answer.stance[0]) - scores
        rest -= rest.mean()
        features, scores = (Reason(DEEP, -1, -1, tuple(rest.tolist())), *features), scores + rest
    holder = answer.holders[answer.holder[0]]
    return Explanation(
        actor=actor, text=pairs.words.texts[0], labels=model.stance.labels,
        intercept=tuple(intercept.tolist()), words=words, features=features,
        scores=tuple(scores.tolist()), probabilities=tuple(answer.stance[0].tolist()),
        mentions=int(answer.mentions[0]), withheld=bool(answer.withheld[0]),
        foreign=bool(answer.foreign[0]), holder=holder,
        holder_probability=float(answer.holder_probability[0]) if holder else None,
    )  # fmt: skip


def _reasons(model: StanceModel, pairs: Pairs, actor: str) -> list[tuple[Reason, ...]]:
    """Return the reasons that stand at words, and those that do not, the strongest first."""
    words, text, head = pairs.words, pairs.words.texts[0], model.stance
    push = np.zeros((len(words.type), len(head.labels)))
    terms = [defaultdict[str, float](float) for _ in words.type]
    whole = defaultdict[str, Floats](lambda: np.zeros(len(head.labels)))
    judgements = defaultdict[int, dict[str, None]](dict)  # who judges whom, by the cue of a frame
    for frame in frames_read(words):
        judgements[frame.cue][describe(frame, words, (*model.book.names, actor))] = None

    def add(block: BlockWeights, one: Occurrences, _: Columns, weights: Floats) -> None:
        one, weights = one.flat(), np.broadcast_to(weights, one.number.shape).ravel()
        rows = one.number if one.vocabulary is None else block.index.find(one.keys(None))
        known = np.flatnonzero(rows >= 0)
        columns = (column[known].tolist() for column in (rows, one.word, weights))
        for number, word, weight in zip(*columns, strict=True):
            share = block.idf[number] * block.coef[number].astype(np.float64) * weight
            term = block.terms[number] if block.terms else block.name
            framed = block.name in ("frame", "long_frame")
            if framed or block.name == "deep":
                term = "; ".join(judgements[word]) if framed else DEEP
            if word < 0 or framed:
                whole[term] += share
            else:
                push[word] += share
                terms[word][term] += float(np.abs(share).max())

    head.scores(model.reader, pairs, add)
    places = words.start.tolist(), words.end.tolist(), push, terms
    at_words = tuple(
        Reason(text[start:end], start, end, tuple(values.tolist()), _strongest_first(of_word))
        for start, end, values, of_word in zip(*places, strict=True)
    )
    strength = {term: float(np.abs(share).max()) for term, share in whole.items()}
    others = _strongest_first(strength)
    return [at_words, tuple(Reason(t, -1, -1, tuple(whole[t].tolist())) for t in others)]


def _strongest_first(strength: dict[str, float]) -> tuple[str, ...]:
    return tuple(sorted(strength, key=lambda term: -strength[term]))
