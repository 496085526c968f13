"""The machines of large corpora: those of LinearSVC, learned on the counts themselves."""

import csv
import dataclasses
import warnings
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn.svm import LinearSVC

from stance import arrays
from stance.corpus import bundled_corpus, read_corpus
from stance.errors import DataError
from stance.fitting import designs, folds, heldout, learning, machines, train
from stance.fitting.counts import count_features
from stance.fitting.designs import Frequency, Part, make_part
from stance.fitting.learning import fit_head
from stance.fitting.machines import fit_machines
from stance.fitting.task import Task
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.spans import make_query
from stance.reading.words import Reader
from stance.recipe import Classifier, Features, HeadRecipe, Recipe, Validation

ROWS, FEATURES = 300, 40


def made_up(seed):
    rng = np.random.default_rng(seed)
    x = sparse.random(ROWS, FEATURES, 0.2, format="csr", dtype=np.float32, random_state=seed)
    y = (x @ rng.normal(size=(FEATURES, 3)) + rng.normal(size=(ROWS, 3)) / 4).argmax(axis=1)
    return x, y, rng.uniform(0.5, 2, ROWS)


@pytest.mark.parametrize("seed", [1, 2])
def test_machines_are_those_of_linear_svc(seed):
    x, y, cost = made_up(seed)
    rows = np.flatnonzero(np.arange(ROWS) % 4)  # the others are not learned from
    stretch = np.linspace(0.5, 1.5, FEATURES, dtype=np.float32)
    stretch[3] = 0  # a feature that these rows lack
    lengths = np.linspace(1, 2, ROWS, dtype=np.float32)
    parts = [Part(x[:, own], stretch[own], lengths) for own in (slice(0, 10), slice(10, FEATURES))]
    costs = np.eye(3)[y] * (cost * np.isin(np.arange(ROWS), rows))[:, None]
    found = fit_machines(parts, costs, np.ones((FEATURES + 1, 3), np.float32), 1e-6)
    x = (sparse.diags(lengths) @ x @ sparse.diags(stretch)).tocsr()
    svc = LinearSVC(C=1, tol=1e-8, max_iter=100_000)
    svc.fit(x[rows], y[rows], sample_weight=cost[rows])
    assert x @ found[:-1] + found[-1] == pytest.approx(svc.decision_function(x), abs=2e-3)
    assert not found[3].any()


def test_a_soft_label_is_learned_once_per_label_that_it_may_be():
    x, y, cost = made_up(3)
    shares = np.eye(3)[y] * 0.7 + 0.1
    part = Part(x, np.ones(FEATURES, np.float32), np.ones(ROWS, np.float32))
    start = np.zeros((FEATURES + 1, 3), np.float32)
    found = fit_machines([part], shares * cost[:, None], start, 1e-6)
    row, label = np.nonzero(shares)
    svc = LinearSVC(C=1, tol=1e-8, max_iter=100_000)
    svc.fit(x[row], label, sample_weight=cost[row] * shares[row, label])
    assert x @ found[:-1] + found[-1] == pytest.approx(svc.decision_function(x), abs=2e-3)


@pytest.mark.parametrize("enough", [0.1, 0.01, 0.001])
def test_a_search_leaves_about_the_error_that_is_asked_for(enough):
    corpus = read_corpus([bundled_corpus()]).take(np.arange(900))
    reader = Reader(ActorBook.default(), Lexicon.default())
    query = make_query(reader.book, corpus.texts, corpus.actors, corpus.spans)
    counts = count_features(reader, query, Features({"stem": 1.0, "class": 0.4}), kind=np.float32)
    every = np.ones(900, np.float32)
    parts = [
        make_part(own, 1.0, Frequency.of(own, every, corpus.document), 2) for own in counts.values()
    ]
    start = np.zeros((sum(len(part.idf) for part in parts) + 1, 3), np.float32)
    costs = np.eye(3)[corpus.stance]
    found, exact = (fit_machines(parts, costs, start, e) for e in (enough, 1e-6))
    error, left = np.split(found - exact, np.cumsum([len(part.idf) for part in parts])), 0.0
    for part, own in zip(parts, error, strict=False):  # the last of these is of the intercepts
        left = left + part.scale[:, None] * (part.sums @ (part.idf[:, None] * own))
    assert np.sqrt(((left + error[-1]) ** 2).mean(axis=0)).max() < 2 * enough


def test_frequencies_of_what_is_left_are_those_counted_anew():
    corpus = read_corpus([bundled_corpus()]).take(np.arange(60))
    reader = Reader(ActorBook.default(), Lexicon.default())
    query = make_query(reader.book, corpus.texts, corpus.actors, corpus.spans)
    (counts,) = count_features(reader, query, Features({"stem": 1.0})).values()
    every, kept = np.ones(60, np.float32), (corpus.document % 3 > 0).astype(np.float32)
    whole, left, other = (
        Frequency.of(counts, own, corpus.document) for own in (every, kept, every - kept)
    )
    found = whole.without(other)
    assert found.all_documents == left.all_documents < whole.all_documents
    assert np.array_equal(found.idf(2), left.idf(2))
    assert np.array_equal(found.documents, left.documents)


def test_a_search_that_does_not_end_is_told(monkeypatch):
    x, y, cost = made_up(4)
    monkeypatch.setattr(machines, "_STEPS", 2)
    part = Part(x, np.ones(FEATURES, np.float32), np.ones(ROWS, np.float32))
    start = np.zeros((FEATURES + 1, 3), np.float32)
    with pytest.warns(RuntimeWarning, match="ended after 2 steps; lower c"):
        fit_machines([part], np.eye(3)[y] * cost[:, None] * 1e4, start, 1e-6)


def test_a_search_of_scikit_learn_that_does_not_end_is_told_alike(monkeypatch):
    x, y, cost = made_up(4)
    monkeypatch.setattr(machines, "_SWEEPS", 2)
    with pytest.warns(RuntimeWarning, match="ended after 2 steps; lower c") as told:
        machines.fit_machine(x, [], np.eye(3)[y], cost, 100.0, (0, 1e-9))
    assert len(told) == 1


def test_what_other_processes_warn_of_is_told_here_once(monkeypatch):
    def warn(*_):
        warnings.warn("the search ended", RuntimeWarning, stacklevel=1)

    monkeypatch.setattr(heldout, "_score_cut", warn)
    cuts = [SimpleNamespace(train=[1])] * 4
    with (
        joblib.parallel_config("sequential"),
        pytest.warns(RuntimeWarning, match="^the search ended$") as told,
    ):
        heldout.score_cuts(SimpleNamespace(large=False), cuts, jobs=2)
    assert len(told) == 1


@pytest.mark.filterwarnings("ignore:the search for a machine ended")
@pytest.mark.parametrize("c", [20.0, 10_000.0])
def test_no_fold_knows_its_held_out_rows_however_hard_the_search(monkeypatch, c):
    # A search that begins at the model of all rows would remember them.
    corpus = read_corpus([bundled_corpus()]).take(np.arange(700))
    recipe = Recipe(
        features=Features({"stem": 1.0, "mention": 0.4}),
        classifier=Classifier(c=c),
        validation=Validation(folds=3, repeats=1, draws=100, learning_curve=False),
    )
    small = train(recipe, corpus, ActorBook.default())
    monkeypatch.setattr(folds, "LARGE", 500)
    large = train(recipe, corpus, ActorBook.default())
    assert large.report.stance["macro_f1"] < small.report.stance["macro_f1"] + 0.03


@pytest.mark.filterwarnings("ignore")
def test_errors_that_cost_too_much_to_learn_from_are_refused(monkeypatch):
    corpus = read_corpus([bundled_corpus()]).take(np.arange(700))
    recipe = Recipe(features=Features({"stem": 1.0}), classifier=Classifier(c=1e36))
    monkeypatch.setattr(folds, "LARGE", 500)
    with pytest.raises(DataError, match="errors cost too much to learn from; lower c"):
        train(recipe, corpus, ActorBook.default())


@pytest.mark.parametrize("block", ["stem", "cross", "relation", "word"])
def test_features_share_a_column_only_if_they_occur_alike(block):
    corpus = read_corpus([bundled_corpus()]).take(np.arange(300))
    reader = Reader(ActorBook.default(), Lexicon.default())
    query = make_query(reader.book, corpus.texts, corpus.actors, corpus.spans)
    features = Features({block: 1.0})
    whole, merged = (count_features(reader, query, features, merge=m)[block] for m in (0, 1))
    assert np.array_equal(whole.keys, merged.keys)
    assert merged.sums.has_canonical_format
    for one, other in ((whole.sums, merged.sums), (whole.squares, merged.squares)):
        assert (one != other[:, merged.column]).nnz == 0
    both = sparse.vstack([whole.sums, whole.squares]).toarray()
    different = np.unique(both, axis=1).shape[1]
    assert merged.sums.shape[1] == different
    assert (different < len(whole.keys)) == (block != "stem")  # whose weights tell them apart
    assert (merged.stretch**2).round().sum() == len(whole.keys)


def test_features_that_share_a_column_are_learned_as_if_each_had_its_own(monkeypatch):
    monkeypatch.setattr(folds, "LARGE", 400)
    corpus = read_corpus([bundled_corpus()]).take(np.arange(500))
    reader = Reader(ActorBook.default(), Lexicon.default())
    query = make_query(reader.book, corpus.texts, corpus.actors, corpus.spans)
    features, found = Features({"cross": 1.0, "mention": 0.4}), []
    for merge in (False, True):
        task = Task(
            counts=count_features(reader, query, features, kind=np.float32, merge=merge),
            recipe=HeadRecipe(features, Classifier()),
            labels=("against", "neutral", "favor"),
            targeted=True,
            y=corpus.stance,
            group=corpus.document,
            weight=np.ones(500),
        )
        near = learning.Near.of(task)
        head = fit_head(task, np.arange(500), 0, 1e-6, near)
        near = dataclasses.replace(near, model=head)
        part = fit_head(task, np.arange(400), 0, 1e-6, near)
        found.append((head, learning.score_rows(part, task.counts, np.arange(400, 500))))
    (one, scores), (other, as_merged) = found
    for block, same in zip(one.blocks, other.blocks, strict=True):
        assert np.array_equal(block.keys, same.keys)
        assert block.idf == pytest.approx(same.idf, rel=1e-6)
        assert block.coef == pytest.approx(same.coef, abs=1e-3)
    assert scores == pytest.approx(as_merged, abs=1e-3)


def test_pieces_change_neither_counts_nor_frequencies(monkeypatch):
    corpus = read_corpus([bundled_corpus()]).take(np.arange(60))
    reader = Reader(ActorBook.default(), Lexicon.default())
    query = make_query(reader.book, corpus.texts, corpus.actors, corpus.spans)
    features = Features({"stem": 1.0, "relation": 0.4}, min_df=3)
    member = (corpus.document % 3 != 0).astype(np.float32)

    def measured():
        counts = count_features(reader, query, features)
        idf = [Frequency.of(own, member, corpus.document).idf(3) for own in counts.values()]
        return counts, idf

    whole, whole_idf = measured()
    monkeypatch.setattr(arrays, "AT_A_TIME", 50)
    monkeypatch.setattr(designs, "_ROWS", 7)
    found, found_idf = measured()
    for name, one in whole.items():
        other = found[name]
        assert np.array_equal(one.keys, other.keys)
        assert (one.sums != other.sums).nnz == (one.squares != other.squares).nnz == 0
        df = np.bincount(one.sums.nonzero()[1], minlength=len(one.keys))
        assert df.min() >= 3
    for one, other in zip(whole_idf, found_idf, strict=True):
        assert np.array_equal(one, other)
        assert (one > 0).any()
        assert (one == 0).any()


def test_what_a_search_does_not_need_is_left_out_of_it_alone(monkeypatch):
    corpus = read_corpus([bundled_corpus()]).take(np.arange(400))
    recipe = Recipe(
        features=Features({"stem": 1.0, "mention": 0.4}),
        validation=Validation(folds=3, repeats=1, draws=100),
    )
    monkeypatch.setattr(folds, "LARGE", 300)
    monkeypatch.setattr(heldout, "HELD_OUT_ENOUGH", learning.HELD_OUT_ENOUGH / 3)
    found = []
    for share in (0.0, 1.0):
        monkeypatch.setattr(learning, "SPARSE", share)
        found.append(train(recipe, corpus, ActorBook.default()))
    one, other = found
    assert one.stance.scores == pytest.approx(other.stance.scores, abs=0.01)
    curves = [each.prospects.learning_curve["points"] for each in found]
    scores = [np.array([point["macro_f1"] for point in curve]) for curve in curves]
    assert scores[0] == pytest.approx(scores[1], abs=0.02)
    for block, same in zip(one.model.stance.blocks, other.model.stance.blocks, strict=True):
        assert np.array_equal(block.keys, same.keys)


def test_a_large_corpus_gives_the_answers_of_a_small_one(monkeypatch):
    corpus = read_corpus([bundled_corpus()]).take(np.arange(700))
    recipe = Recipe(
        features=Features({"stem": 1.0, "mention": 0.4}),
        classifier=Classifier(neutral_offset=0.1),
        validation=Validation(folds=3, repeats=2, draws=100),
    )
    small = train(recipe, corpus, ActorBook.default())
    monkeypatch.setattr(folds, "LARGE", 500)
    # Of so few rows, one in a hundred is undecided.
    monkeypatch.setattr(heldout, "HELD_OUT_ENOUGH", learning.HELD_OUT_ENOUGH / 3)
    large = train(recipe, corpus, ActorBook.default())
    for name in ("stance", "control", "sentiment"):
        one, other = getattr(small, name), getattr(large, name)
        assert np.sqrt(((one.scores - other.scores) ** 2).mean()) < 0.005
        assert one.scores == pytest.approx(other.scores, abs=0.03)
        assert (one.scores.argmax(axis=1) == other.scores.argmax(axis=1)).mean() > 0.999
    assert len(small.prospects.repeats["seeds"]) == 2
    assert len(large.prospects.repeats["seeds"]) == 1
    assert [p["share"] for p in large.prospects.learning_curve["points"]] == [0.1, 0.4, 1.0]


@pytest.mark.parametrize("large", [1_000, 100])
def test_a_fold_whose_rows_all_weigh_nothing_is_an_error(tmp_path, monkeypatch, large):
    corpus = read_corpus([bundled_corpus()]).take(np.arange(120))
    names = ("against", "neutral", "favor")
    for file, rows in (("heavy", range(40)), ("light", range(40, 120))):
        lines = [
            (corpus.texts[i], corpus.actors[i], names[corpus.stance[i]], file if i < 40 else f"{i}")
            for i in rows
        ]
        with (tmp_path / f"{file}.csv").open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([("text", "actor", "stance", "document"), *lines])
    both = read_corpus([tmp_path / "heavy.csv", tmp_path / "light.csv"])
    recipe = Recipe(
        features=Features({"stem": 1.0}, min_df=2),
        validation=Validation(folds=3, repeats=1, draws=100, learning_curve=False),
        corpora={"light": 0.0},
    )
    monkeypatch.setattr(folds, "LARGE", large)
    with pytest.raises(DataError, match="every row has weight 0"):
        train(recipe, both, ActorBook.default())
