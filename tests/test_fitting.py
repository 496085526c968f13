"""Training is honest about documents, the same every time, and works with every recipe."""

import dataclasses

import numpy as np
import pytest
from command import write_rows
from conftest import quick_recipe
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stance.corpus import read_corpus
from stance.errors import DataError
from stance.evaluation import evaluate
from stance.features import lay_out
from stance.features.occurrences import name_keys
from stance.fitting import train
from stance.fitting.counts import count_features, score_rows
from stance.fitting.learning import Task, assign_folds, class_weights, fit_head, fit_temperature
from stance.model.explanation import explain
from stance.model.heads import softmax
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.words import Reader, make_query
from stance.recipe import Classifier, Features
from stance.records import Stance
from stance.storage import dump_model, load_model, save_model

BOOK = ActorBook.default()

WORDS = {
    "against": ("condemned", "denounced", "blamed"),
    "neutral": ("visited", "telephoned", "met"),
    "favor": ("praised", "thanked", "applauded"),
}
PLACES = ("Oslo", "Lima", "Quito", "Accra", "Hanoi", "Dakar")
ACTORS = ("NATO", "Russia", "China", "Iran")

COLUMNS = ("text", "actor", "stance", "sentiment", "document")


def made_up():
    """Rows of 24 documents in which the verb decides."""
    tone = {"against": "negative", "neutral": "neutral", "favor": "positive"}
    return [
        (f"A mayor in {place} {verb} {actor} on day {n} for it.", actor, stance, tone[stance], n)
        for n, (place, actor) in enumerate((p, a) for p in PLACES for a in ACTORS)
        for stance, verbs in WORDS.items()
        for verb in verbs[n % 2 :: 2]
    ]


def write(path, rows, columns=COLUMNS):
    return read_corpus([write_rows(path, rows, columns)])


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write(tmp_path_factory.mktemp("small") / "small.csv", made_up())


@pytest.fixture(scope="module")
def trained(small):
    return train(quick_recipe(), small, BOOK)


# --- Splits ---


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 8)), min_size=12, max_size=60),
    st.integers(2, 4),
    st.integers(0, 5),
)
def test_no_group_is_in_two_folds_and_each_fold_has_rows(rows, folds, seed):
    y, group = (np.array(column) for column in zip(*rows, strict=True))
    assume(len(np.unique(group)) > 1)
    fold = assign_folds(y, group, folds, seed)
    for number in np.unique(group):
        assert len(np.unique(fold[group == number])) == 1
    assert np.array_equal(fold, assign_folds(y, group, folds, seed))
    assert set(fold.tolist()) <= set(range(folds))


# --- Determinism ---


def test_training_again_with_other_jobs_gives_the_same_bytes(small, trained):
    again = train(quick_recipe(), small, ActorBook.default(), jobs=2)
    assert dump_model(again.model) == dump_model(trained.model)


# --- What cannot be learned from ---


@pytest.mark.parametrize(
    ("kept", "changes", "match"),
    [
        (lambda row: row[2] != "against", {}, "no against among the 72 stance labels"),
        (lambda row: row[2] != "favor", {}, "no favor among the 72 stance labels"),
        (lambda row: row[4] == 3, {}, "against is labelled in one document only"),
        (bool, {"corpora": {"min": 2.0}}, "weighs corpora min, but the corpora given are mine"),
        (bool, {"corpora": {"mine": 0.0}}, "every row has weight 0; give a corpus a weight"),
        (
            bool,
            {"features": Features(min_df=1000)},
            r"no feature in 1000 documents \(min_df\); label",
        ),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused(tmp_path, kept, changes, match):
    corpus = write(tmp_path / "mine.csv", [row for row in made_up() if kept(row)])
    with pytest.raises(DataError, match=match):
        train(dataclasses.replace(quick_recipe(), **changes), corpus, BOOK)


def test_a_text_that_makes_one_of_many_documents_is_named(tmp_path):
    rows = [("We met.", "NATO", label, "", n) for n, label in enumerate(["favor", "against"] * 6)]
    corpus = write(tmp_path / "mine.csv", rows)
    said = "12 documents count as one, as they share 'We met.'; leave such rows out"
    assert said in corpus.notes[-1]
    with pytest.raises(DataError, match=r"in one document only; .* documents that share a text as"):
        train(quick_recipe(), corpus, BOOK)


@pytest.mark.parametrize("documents", [0, 1])
def test_a_sentiment_of_one_document_or_none_is_not_learned(tmp_path, documents):
    rows = [(*row[:3], row[3] if row[4] < documents else "", row[4]) for row in made_up()]
    corpus, notes = write(tmp_path / "mine.csv", rows), []
    model = train(quick_recipe(), corpus, BOOK, progress=notes.append).model
    assert model.sentiment is None
    assert model.judge(["They praised NATO."]).sentiment is None
    thin = "sentiment is not learned: negative, neutral, positive is in fewer than two documents"
    assert (thin in notes) == bool(documents)


def test_other_languages_train_without_a_lexicon(small, tmp_path):
    model = train(dataclasses.replace(quick_recipe(), language="german"), small, BOOK).model
    (tmp_path / "mine.stance").write_bytes(dump_model(model))
    again = load_model(tmp_path / "mine.stance").judge(small.texts[:5])
    assert np.array_equal(again.stance, model.judge(small.texts[:5]).stance)
    assert not again.withheld.any()


# --- Weights, temperature, scores ---


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1),
    st.lists(st.floats(0.1, 10), min_size=3, max_size=3),
)
def test_balancing_keeps_the_weight_of_a_source(rows, share):
    y, source = (np.array(column) for column in zip(*rows, strict=True))
    weight = class_weights(y, source, np.array(share)[source], Classifier())
    for number in np.unique(source):
        rows_of = source == number
        assert weight[rows_of].sum() == pytest.approx(share[number] * rows_of.sum())


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_a_known_temperature_is_recovered(temperature):
    random = np.random.default_rng(5)
    logits = random.normal(scale=1.5, size=(20_000, 3))
    y = (softmax(logits).cumsum(axis=1) < random.random((20_000, 1))).sum(axis=1)
    assert fit_temperature(logits * temperature, y) == pytest.approx(temperature, rel=0.05)


def test_right_answers_to_few_rows_are_not_certain(small, trained):
    assert trained.report["macro_f1"] == 1
    later = trained.model.probabilities(small.texts, small.actors)
    assert max(trained.stance.probabilities.max(), later.max()) < 1 - 1 / len(small)


@pytest.mark.parametrize(
    ("blocks", "own", "kind", "offset"),
    [
        ({"stem": 1.0, "cross": 0.6, "class": 0.4, "relation": 0.4, "mention": 0.4}, 0, "svc", 0),
        ({"stem": 0.7, "char": 0.6, "name": 0.4}, 1, "logistic", 0.3),
    ],
)
def test_training_scores_are_the_model_s_scores(small, blocks, own, kind, offset):
    features = Features(blocks, per_actor="separate" if own else False)
    classifier = Classifier(kind=kind, neutral_offset=offset)
    reader = Reader(BOOK, Lexicon.default())
    query = make_query(BOOK, small.texts, small.actors, small.spans)
    counts, _ = count_features(reader, query, features)
    rows = np.arange(0, len(small))
    ones = np.ones(len(small))
    shares = np.eye(3)[small.stance]
    labelled = tuple(Stance), True, small.stance, small.document, ones, shares
    task = Task(counts, features, classifier, *labelled)
    head = fit_head(task, rows[::2], seed=1)
    words, para = query.read(reader)
    named = name_keys(query.names) if own else None
    expected, _ = head.scores(reader, lay_out(words, para, query.actor, named))
    scores = score_rows(head, counts, rows)
    assert np.abs(scores - scores[:, :1] - expected).max() < 1e-6  # sums have 32 bits
    assert np.array_equal(score_rows(head, counts, rows[3:9]), score_rows(head, counts, rows)[3:9])


def test_the_neutral_offset_moves_neutral_alone(small, trained):
    moved = dataclasses.replace(quick_recipe(), classifier=Classifier(neutral_offset=0.7))
    found = train(moved, small, BOOK).model.stance.intercept - trained.model.stance.intercept
    assert found == pytest.approx([0, 0.7, 0])


# --- Recipes ---


@pytest.mark.parametrize(
    ("features", "classifier"),
    [
        (Features(), Classifier(kind="logistic", c=2.0)),
        (Features({"word": 1.0, "name": 1.0}, 1, "separate"), Classifier()),
        (Features({"stem": 1.0, "char": 0.6}), Classifier()),
        (Features({"stem": 1.0, "name": 0.4}), Classifier()),
        (Features({"word": 1.0}), Classifier(balanced=False)),
        (Features({"mention": 1.0}), Classifier()),
    ],
    ids=["logistic", "separate", "char", "name", "word", "mention"],
)
def test_every_kind_of_recipe_trains_and_predicts(small, features, classifier):
    recipe = dataclasses.replace(quick_recipe(), features=features, classifier=classifier)
    found = train(recipe, small, BOOK)
    model = found.model
    assert [block.name for block in model.stance.blocks] == list(features.blocks)
    assert all(len(set(b.terms)) == len(b.terms) for b in model.stance.blocks)
    assert all(term for b in model.stance.blocks for term in b.terms)
    judged = model.judge(["A mayor in Ulm praised NATO.", "They condemned Russia on day 3."])
    assert judged.actor == ("NATO", "Russia")
    assert np.isfinite(judged.stance).all()
    assert np.allclose(judged.stance.sum(axis=1), 1)


# --- Two classes, soft labels ---


def test_a_model_of_two_classes_never_answers_neutral(tmp_path, small):
    rows = [row for row in made_up() if row[2] != "neutral"]
    two = write(tmp_path / "mine.csv", rows)
    found = train(quick_recipe(), two, BOOK)
    silent = "the model never answers neutral: no training row was neutral"
    assert silent in found.report["notes"]
    assert found.model.card["limits"][-1] == "It never answers neutral."
    save_model(found.model, path := tmp_path / "m.stance")
    model = load_model(path)
    assert model.stance.silent == model.control.silent == ("neutral",)
    assert not found.stance.probabilities[:, 1].any()
    assert not model.probabilities(small.texts, small.actors)[:, 1].any()
    assert not model.judge_blind(small.texts)[:, 1].any()
    figures = evaluate(model, small)
    assert figures["confusion"][1][1] == figures["per_class"]["neutral"]["f1"] == 0
    assert silent in figures["notes"]
    own = found.report
    f1 = [own["per_class"][label]["f1"] for label in ("against", "favor")]
    assert own["macro_f1"] == pytest.approx(np.mean(f1), abs=1e-6)


def soften(corpus, share):
    """Give each label a share, and the rest to favor."""
    soft = share * np.eye(3)[corpus.stance]
    soft[:, 2] += 1 - share
    return dataclasses.replace(corpus, soft=soft)


def test_certain_soft_labels_teach_what_hard_ones_do(small, trained):
    soft = train(quick_recipe(), soften(small, 1.0), BOOK)
    assert dump_model(soft.model) == dump_model(trained.model)


def test_rows_with_soft_labels_alone_are_learned_from_and_not_scored(small):
    taught = np.arange(len(small)) % 3 == 2
    soft = np.where(taught[:, None], [0.1, 0.1, 0.8], np.eye(3)[small.stance])
    mixed = dataclasses.replace(small, soft=soft, judged=~taught)
    more = train(quick_recipe(), mixed, BOOK)
    plain = train(quick_recipe(), small.take(np.flatnonzero(~taught)), BOOK)
    scores = evaluate(plain.model, mixed)
    assert f"{taught.sum()} rows left out that have only soft labels" in scores["notes"]
    assert scores["n"] == more.report["n"] == len(more.stance.probabilities) == (~taught).sum()
    assert more.model.card["data"][0]["rows"] == len(small)
    favor = [
        each.model.probabilities(small.texts, small.actors, small.spans)[:, 2].mean()
        for each in (plain, more)
    ]
    assert favor[1] > favor[0] + 0.1


def test_soft_labels_move_the_answers(small, trained):
    soft = train(quick_recipe(), soften(small, 0.6), BOOK)
    shift = soft.model.stance.intercept - trained.model.stance.intercept
    assert shift[2] > max(shift[:2])
    assert len(soft.stance.probabilities) == len(small)


# --- Topics that texts do not name ---


WORDS_OF_TOPICS = {"against": "burden", "neutral": "committee", "favor": "progress"}


@pytest.fixture(scope="module")
def topics(tmp_path_factory):
    """A model of two topics outside the actor book, for which words mean opposite things."""
    turned = WORDS_OF_TOPICS | {"against": "progress", "favor": "burden"}
    rows = [
        (f"In {place} they spoke of {word} on day {day}.", topic, stance, "", f"{place}{day}")
        for place in PLACES
        for day in range(2)
        for topic, words in (("Windmills", WORDS_OF_TOPICS), ("Tolls", turned))
        for stance, word in words.items()
    ]
    recipe = quick_recipe()
    features = Features({"stem": 1.0, "name": 0.4}, per_actor="separate")
    corpus = write(tmp_path_factory.mktemp("topics") / "topics.csv", rows)
    return train(dataclasses.replace(recipe, features=features), corpus, BOOK), corpus


@pytest.mark.filterwarnings("ignore:nearly all training rows")
def test_a_learned_topic_is_answered_though_the_text_never_names_it(topics):
    model, text = topics[0].model, "They spoke of progress."
    terms = [term for block in model.stance.blocks for term in block.terms]
    assert {"stem progress @ Tolls", "stem progress @ Windmills"} <= set(terms)
    assert all(" @ " in term for term in terms)
    judged = model.judge([text] * 3, ["Windmills", "Tolls", "Ferries"])
    assert judged.stance.argmax(axis=1)[:2].tolist() == [2, 0]
    assert not judged.mentions.any()
    assert judged.withheld.tolist() == [False, False, True]
    assert model.judge(["Xyzzy."], ["Tolls"]).withheld.all()
    (why,) = explain(model, text, "Tolls")
    assert not why.withheld
    assert why.probabilities == pytest.approx(judged.stance[1], abs=1e-9)


def test_leaders_of_one_state_are_topics_of_their_own(topics):
    training, corpus = topics
    leaders = {"Windmills": "Donald Trump", "Tolls": "Barack Obama"}
    named = dataclasses.replace(corpus, actors=tuple(leaders[topic] for topic in corpus.actors))
    model = train(training.model.recipe, named, BOOK).model
    assert model.reference.actors.keys() == {*leaders.values()}
    judged = model.judge(["They spoke of progress."] * 2, [*leaders.values()])
    assert judged.stance.argmax(axis=1).tolist() == [2, 0]
