"""Words of like use learn from each other; what they learn ends up in their own weights."""

import numpy as np
from scipy import sparse

from stance.features.blocks import stem_features
from stance.fitting.counts import BlockCounts, Vectors, score_rows
from stance.fitting.learning import Task, fit_head
from stance.recipe import Classifier, Features
from stance.records import Stance

PRAISE, LAUD, BLAME, TABLE = stems = np.arange(1, 5, dtype=np.uint64)
VECTORS = Vectors(stems, np.array([[1, 0], [1, 0], [-1, 0], [0, 1]], np.float32))


def learned(vectors):
    """Learn from rows of one word each: praise is favor, blame against, table and laud neutral."""
    keys = stem_features("stem", stems)
    order = np.argsort(keys)
    words = np.array([0] * 40 + [2] * 40 + [3] * 40 + [1])
    found = np.eye(4)[words][:, order]
    matrix = sparse.csr_matrix(found)
    features = Features({"stem": 1.0}, min_df=1, vectors={"stem": 1.0})
    y = np.array([2] * 40 + [0] * 40 + [1] * 41)
    task = Task(
        counts={"stem": BlockCounts(keys[order], matrix, matrix)},
        features=features,
        classifier=Classifier("logistic", 1.0),
        labels=tuple(Stance),
        targeted=True,
        y=y,
        group=np.arange(121),
        weight=np.ones(121),
        shares=np.eye(3)[y],
        vectors=vectors,
    )
    head = fit_head(task, np.arange(121), seed=1)
    return score_rows(head, task.counts, np.array([0, 40, 80, 120]))


def test_a_rare_word_leans_to_words_of_like_use():
    alone, together = learned(None)[3], learned(VECTORS)[3]
    assert together[2] - together[0] > alone[2] - alone[0] + 0.5
