"""What a model has learned: the features that push most toward each class, and the actor's share.

The push of a feature is its coefficient times its inverse document frequency times the weight of
its block, less the mean over the classes: how far one occurrence moves the score of a class
against the others, before the occurrences of a paragraph are brought to unit length together.
"""

from dataclasses import dataclass

import numpy as np

from stance.arrays import Floats
from stance.model.heads import BlockWeights, Head
from stance.model.judging import StanceModel
from stance.model.reasons import net_push

MOST = 10
"""Features that are named per class and block."""

COPY = " @ "
"""Stands in the name of a feature that exists for one actor alone, before the actor."""


@dataclass(frozen=True, slots=True)
class Term:
    """A feature and its push toward a class, see above."""

    term: str
    push: float


@dataclass(frozen=True, slots=True)
class BlockWords:
    """The strongest features of a block.

    Attributes
    ----------
    name : str
    weight : float
    features : int
    words : mapping of str to tuple of Term
        By class, the strongest first; only what pushes toward the class.
    """

    name: str
    weight: float
    features: int
    words: dict[str, tuple[Term, ...]]


@dataclass(frozen=True, slots=True)
class NameShare:
    """How much the actor's own name contributes to a stance.

    Attributes
    ----------
    used : bool
        Whether any feature tells the model which actor is judged.
    weight : float
        Weight of the block `name` among the weights of all blocks, between 0 and 1.
    copies : float
        Share of the features that are copies for one actor, by their absolute coefficients;
        between 0 and 1.
    push : mapping of str to float
        What the name of an actor adds to the score of favor less that of against, exactly; the
        strongest first. For actors whose name is a feature.
    """

    used: bool
    weight: float
    copies: float
    push: dict[str, float]


@dataclass(frozen=True, slots=True)
class Learned:
    """What the heads of a model have learned.

    Attributes
    ----------
    heads : mapping of str to tuple of BlockWords
        Of stance and, where there is one, sentiment.
    name : NameShare
    """

    heads: dict[str, tuple[BlockWords, ...]]
    name: NameShare


def learned(model: StanceModel, most: int = MOST) -> Learned:
    """Return the strongest features of each class and block, and what the actor's name adds.

    Parameters
    ----------
    model : StanceModel
    most : int
        Features per class and block.
    """
    heads = {"stance": model.stance, "sentiment": model.sentiment}
    return Learned(
        {
            name: tuple(_block_words(head, block, most) for block in head.blocks)
            for name, head in heads.items()
            if head is not None
        },
        _name_share(model.stance),
    )


def _block_words(head: Head, block: BlockWeights, most: int) -> BlockWords:
    push = _push(block)
    words = {}
    for number, label in enumerate(head.labels):
        own = push[:, number]
        order = np.argsort(-own, kind="stable")[:most]
        words[str(label)] = tuple(
            Term(block.terms[at], float(own[at])) for at in order if own[at] > 0 and block.terms
        )
    return BlockWords(block.name, block.weight, len(block.keys), words)


def _push(block: BlockWeights) -> Floats:
    raw = block.weight * block.idf.astype(np.float64)[:, None] * block.coef
    centred: Floats = raw - raw.mean(axis=1, keepdims=True)
    return centred


def _name_share(head: Head) -> NameShare:
    total = sum(block.weight for block in head.blocks)
    names = [block for block in head.blocks if block.name == "name"]
    push = {}
    for block in names:
        # The block has one feature per pair, so that unit length leaves it its weight.
        lean = block.weight * net_push(block.coef.astype(np.float64))
        order = np.argsort(-np.abs(lean), kind="stable")
        push = {_actor(block.terms[at]): float(lean[at]) for at in order if block.terms}
    size = {block.name: np.abs(_push(block)).sum(axis=1) for block in head.blocks}
    copied = sum(
        float(size[block.name][[COPY in term for term in block.terms]].sum())
        for block in head.blocks
        if head.own and block.terms
    )
    whole = sum(float(values.sum()) for values in size.values())
    return NameShare(
        used=bool(names) or head.own,
        weight=sum(block.weight for block in names) / total if total else 0.0,
        copies=copied / whole if whole else 0.0,
        push=push,
    )


def _actor(term: str) -> str:
    return term.removeprefix("name ")
