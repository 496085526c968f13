"""The lexicon alone answers by the polar words of the sentences that name the actor."""

import numpy as np
import pytest

from stance.evaluation.comparison import lexicon_stances, polarity_sums
from stance.features.pairs import lay_out
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.spans import make_query
from stance.reading.words import Reader

BOOK = ActorBook.default()


@pytest.fixture(scope="module")
def reader():
    return Reader(BOOK, Lexicon.default())


@pytest.mark.parametrize(
    ("text", "actor", "total"),
    [
        ("Poland praised NATO.", "NATO", 1),
        ("Poland condemned the brutal attack of Russia.", "Russia", -3),
        ("Poland did not praise NATO.", "NATO", -1),
        ("Poland praised NATO and condemned Russia.", "NATO", 0),
        ("Poland praised NATO. It condemned Russia.", "NATO", 1),
        ("Poland praised NATO. It condemned Russia.", "Russia", -1),
        ("NATO met. The brutal attack was condemned. NATO left.", "NATO", 0),
        ("NATO was praised. The attack was condemned. NATO was praised.", "NATO", 2),
        ("The brutal attack was condemned.", "NATO", 0),
        ("We praised Acme Corp.", "Acme Corp", 1),
        ("Poland did not only praise NATO.", "NATO", 1),
        ("It didn't just condemn Russia.", "Russia", -1),
        ("He said no. 10 members praised NATO.", "NATO", 1),
        ("They said no, praise for NATO is rare.", "NATO", -1),
    ],
)
def test_worked_examples(reader, text, actor, total):
    query = make_query(BOOK, [text], [actor])
    pairs = lay_out(*query.read(reader), query.actor)
    assert polarity_sums(pairs).tolist() == [total]
    assert lexicon_stances(reader, query).tolist() == [1 + np.sign(total)]


def test_a_language_without_lexicon_has_no_such_baseline():
    reader = Reader(BOOK, Lexicon.default("german"), "german")
    assert lexicon_stances(reader, make_query(BOOK, ["NATO lobt."], ["NATO"])) is None
