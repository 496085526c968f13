"""Why a paragraph got its answer: the exact contribution of every word to the scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stance.arrays import Floats
from stance.errors import ActorError, DataError
from stance.features.pairs import Pairs, lay_out
from stance.model.heads import Head
from stance.model.judging import StanceModel, withheld
from stance.reading.spans import make_query
from stance.reading.text import normalise_all
from stance.reading.words import NOBODY


@dataclass(frozen=True, slots=True)
class Reason:
    """What a word or a feature of the whole paragraph adds to the score of each label.

    Attributes
    ----------
    text : str
        The word as it stands, or the name of the feature.
    start, end : int
        Place in the normalised text; both -1 for a feature of the whole paragraph.
    push : tuple of float
        Added to the scores, in the order of the labels.
    terms : tuple of str
        Features of the model that the word takes part in, the strongest first.
    """

    text: str
    start: int
    end: int
    push: tuple[float, ...]
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """One answer and its reasons.

    Attributes
    ----------
    actor : str
        Empty where the sentiment of the paragraph is explained.
    text : str
        The normalised paragraph.
    labels : tuple of str
    intercept : tuple of float
    words, features : tuple of Reason
        Reasons that stand at a word, in reading order, and those of the whole paragraph, the
        strongest first.
    scores : tuple of float
        Intercept plus the pushes of all reasons.
    probabilities : tuple of float
        Softmax of the scores divided by the temperature.
    mentions : int
    known : bool
        False where no word is known to the model.
    foreign : bool
        True where the paragraph is in a language that the model was not trained on.
    """

    actor: str
    text: str
    labels: tuple[str, ...]
    intercept: tuple[float, ...]
    words: tuple[Reason, ...]
    features: tuple[Reason, ...]
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    mentions: int
    known: bool
    foreign: bool

    @property
    def withheld(self) -> bool:
        """Whether `predict` says `uncertain` in place of the answer."""
        return bool(withheld(self.known, self.foreign, self.mentions > 0 or not self.actor))


def explain(
    model: StanceModel,
    text: str,
    actor: str | None = None,
    spans: Sequence[tuple[int, int]] | None = None,
) -> list[Explanation]:
    """Explain the stance of a paragraph toward one actor, or toward each that it names.

    Parameters
    ----------
    model : StanceModel
    text : str
    actor : str, optional
        Name or alias; an actor that is not in the book is looked for by its literal name.
    spans : sequence of (int, int), optional
        Character offsets of the given actor in the text as written, end-exclusive; without them
        it is looked for.

    Raises
    ------
    ActorError
        If no actor is given and the text names none of the book, or the name is empty.
    """
    if actor is None:
        found = model.judge([text]).actor
        if not found:
            raise ActorError(
                "the text names no actor of the book; name one with --actor, or add its aliases "
                "to a book of your own (--actors)"
            )
        return [_explain(model, text, name, None) for name in found]
    if not actor.strip():
        raise ActorError("the actor's name is empty; name one, or none for all that the text names")
    return [_explain(model, text, actor, spans)]


def explain_sentiment(model: StanceModel, text: str) -> Explanation:
    """Explain the sentiment of a paragraph.

    Raises
    ------
    DataError
        If the model judges no sentiment.
    """
    if model.sentiment is None:
        raise DataError(
            "the model judges no sentiment, for its corpus had no labels of it; train it with a "
            "column sentiment"
        )
    plain = normalise_all([text])
    whole = lay_out(model.reader.words(plain), np.zeros(1, np.int64), np.full(1, NOBODY))
    return _reasons(model, model.sentiment, whole, "", plain[0])


def _explain(
    model: StanceModel, text: str, actor: str, spans: Sequence[tuple[int, int]] | None
) -> Explanation:
    query = make_query(model.book, [text], [actor], [spans])
    words = model.reader.words(query.texts, query.spans)
    pairs = lay_out(words, query.para, query.actor)
    return _reasons(model, model.stance, pairs, actor, query.texts[0])


def _reasons(model: StanceModel, head: Head, pairs: Pairs, actor: str, text: str) -> Explanation:
    words, features = _pushes(model, head, pairs, text)
    pushes = [_floats(head.intercept), *(reason.push for reason in (*words, *features))]
    # Of `Head.scores`, which are less that of the first label, come the probabilities.
    scores, known = head.scores(model.reader, pairs)
    acquaintance = model.vocabulary.read(model.reader, pairs.words)
    return Explanation(
        actor=actor,
        text=text,
        labels=head.labels,
        intercept=_floats(head.intercept),
        words=words,
        features=features,
        scores=_floats(np.sum(pushes, axis=0)),
        probabilities=_floats(head.probabilities(scores)[0]),
        mentions=len(pairs.mention),
        known=bool(known[0]),
        foreign=bool(acquaintance.foreign(model.reference)[0]),
    )


def _pushes(
    model: StanceModel, head: Head, pairs: Pairs, text: str
) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """Return the reasons that stand at a word, and those of the whole paragraph."""
    words = pairs.words
    size = len(words.form)
    push = np.zeros((size, len(head.labels)))
    terms: list[dict[str, float]] = [{} for _ in range(size)]
    whole: dict[str, Floats] = {}
    for scorer in head.scorers:
        found = scorer.occurrences(model.reader, pairs)
        scale = float(scorer.scale(found.sums(pairs.count)[:, -1])[0])
        for at in np.flatnonzero(found.column >= 0):
            share = found.values[at, :-1] * scale
            term = scorer.block.terms[found.column[at]] if scorer.block.terms else scorer.block.name
            word = int(found.word[at])
            if word < 0:
                whole[term] = whole.get(term, np.zeros(len(share))) + share
            else:
                push[word] += share
                terms[word][term] = terms[word].get(term, 0.0) + float(np.abs(share).max())
    at_words = tuple(
        Reason(
            text[words.start[i] : words.end[i]],
            int(words.start[i]),
            int(words.end[i]),
            _floats(push[i]),
            tuple(sorted(terms[i], key=lambda term: -terms[i][term])),
        )
        for i in range(size)
    )
    of_all = tuple(
        Reason(term, -1, -1, _floats(share))
        for term, share in sorted(whole.items(), key=lambda pair: -np.abs(pair[1]).max())
    )
    return at_words, of_all


def _floats(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
