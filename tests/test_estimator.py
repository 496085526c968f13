"""The scikit-learn face: clones, cross-validates with groups, and gives the model that is saved."""

import pickle
import sys

import numpy as np
import pandas
import pytest
from command import invoke, write
from conftest import quick_recipe
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError, SkipTestWarning
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from stance import ActorBook, StanceClassifier, evaluate, explain, read_corpus
from stance.errors import DataError, RecipeError
from stance.recipe import read_recipe
from stance.storage import load_model, save_model

VERBS = {
    "against": ("condemned", "denounced"),
    "neutral": ("visited", "telephoned"),
    "favor": ("praised", "thanked"),
}
ROWS = [
    ((f"A mayor in {place} {verb} {actor} for it.", actor), stance, place)
    for place in ("Oslo", "Lima", "Quito", "Accra", "Hanoi", "Dakar")
    for actor in ("NATO", "Russia")
    for stance, verbs in VERBS.items()
    for verb in verbs
]
X, Y, GROUPS = map(list, zip(*ROWS, strict=True))

BLOCKS = {"stem": 1.0, "class": 0.4}


@pytest.fixture
def estimator():
    return StanceClassifier(quick_recipe(), blocks=BLOCKS)


@pytest.fixture(scope="module")
def fitted():
    return StanceClassifier(quick_recipe(), blocks=BLOCKS).fit(X, Y, GROUPS)


def test_a_clone_has_the_same_parameters(estimator):
    copy = clone(estimator.set_params(c=0.5, kind="logistic"))
    assert copy is not estimator
    assert copy.get_params() == estimator.get_params() | {"c": 0.5}
    assert set(copy.get_params()) == {
        *("recipe", "book", "blocks", "min_df", "kind", "c", "neutral_offset", "labels")
    }


def test_nothing_is_checked_before_fit(estimator):
    odd = StanceClassifier(c=-1.0)
    assert odd.c == -1.0
    with pytest.raises(RecipeError, match=r"recipe: 'classifier.c' must be between"):
        odd.fit(X, Y)
    with pytest.raises(ValueError, match="X has no pairs; give pairs"):
        estimator.fit([], [])
    for ask in (lambda: estimator.predict(X), estimator.to_model):
        with pytest.raises(NotFittedError):
            ask()


def test_a_model_of_two_actors_says_that_it_does_not_know_a_third(fitted, tmp_path):
    save_model(fitted, tmp_path / "two.stance")
    assert fitted.predict([("They thanked NATO.", "NATO")]).tolist() == ["favor"]
    about = "rows of this model are about NATO, Russia; label some about"
    with pytest.warns(UserWarning, match=f"{about} China before you trust"):
        fitted.predict([("They thanked China.", "China"), ("They left.", "Beijing")])
    model, text = fitted.to_model(), "They thanked Japan."
    for ask in (lambda: model.judge([text]), lambda: explain(model, text, "Japan")):
        with pytest.warns(UserWarning, match=f"{about} Japan before you trust"):
            ask()
    path = write(tmp_path / "in.csv", "text\nThey denounced China.\nThey thanked Iran.\n")
    said = invoke("predict", path, "-o", tmp_path / "out.csv", "-m", tmp_path / "two.stance").stderr
    assert said.count("label some about China, Iran before you trust its answers about them") == 1


def test_it_predicts_labels_and_probabilities(fitted):
    asked = [("They thanked NATO.", "NATO"), ("They denounced Russia.", "Moscow")]
    assert fitted.predict(asked).tolist() == ["favor", "against"]
    probabilities = fitted.predict_proba(asked)
    assert fitted.classes_.tolist() == ["against", "favor", "neutral"]
    assert probabilities.shape == (2, 3)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert fitted.predict_proba([]).shape == (0, 3)


@pytest.mark.filterwarnings("ignore:nearly all training rows")
def test_pairs_may_say_where_the_actor_is(fitted):
    text = "Oslo praised the bloc and condemned the junta."
    probabilities = fitted.predict_proba([(text, "it", p) for p in ([(13, 21)], [], "13:21")])
    assert not np.array_equal(probabilities[0], probabilities[1])
    assert np.array_equal(probabilities[0], probabilities[2])


def test_grid_search_with_groups(estimator, tmp_path):
    grid = [{"c": np.array([0.2])}, {"kind": ["logistic"]}]
    search = GridSearchCV(estimator, grid, cv=GroupKFold(2), error_score="raise")
    search.fit(X, Y, groups=GROUPS)
    assert search.cv_results_["params"] == [{"c": 0.2}, {"kind": "logistic"}]
    assert search.best_score_ == 1.0
    assert search.predict([("They thanked NATO.", "NATO")]).tolist() == ["favor"]
    save_model(search, tmp_path / "mine.stance")
    assert explain(search, X[0][0], "NATO")[0].actor == "NATO"
    for wrong in (save_model, explain, evaluate):
        with pytest.raises(TypeError, match=r"model is a Pipeline; give .* such as pipeline\[-1\]"):
            wrong(make_pipeline(search), "text")
    for wrong, told in ((("x",), "recipe is a str; give"), ((None, "x"), "str where ActorBook")):
        with pytest.raises(TypeError, match=told):
            StanceClassifier(*wrong).fit(X, Y)
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        estimator.fit(X, np.array(Y)[:, None], GROUPS)


def test_its_model_saves_and_loads(fitted, tmp_path):
    path = tmp_path / "mine.stance"
    save_model(fitted, path)  # or fitted.to_model()
    texts, actors = zip(*X, strict=True)
    loaded = load_model(path).judge(texts, actors)
    order = [["against", "neutral", "favor"].index(label) for label in fitted.classes_]
    assert np.array_equal(loaded.stance[:, order], fitted.predict_proba(X))
    copy = pickle.loads(pickle.dumps(fitted))  # as in a parallel search
    assert np.array_equal(copy.predict_proba(X), fitted.predict_proba(np.array(X, dtype=object)))
    recipe = fitted.to_model().recipe
    assert (recipe.features.blocks, recipe.classifier.c) == (BLOCKS, quick_recipe().classifier.c)


def test_unknown_labels_are_refused(estimator, monkeypatch):
    monkeypatch.delitem(sys.modules, "stance.cli")  # as where nobody uses the command line
    oops = r"stance 'oops' in row 3 is not a label; use .* as labels={'oops': '...'} \(if none, dro"
    number = "as labels={'0': 'against', '1': 'favor', '2': 'neutral'}$"
    for label, said in (("oops", oops), (3, number), (None, "fill it")):
        with pytest.raises(ValueError, match=f"^y:3: .*{said}"):
            estimator.fit(X, [*Y[:3], label, *Y[4:]])


@pytest.mark.parametrize(
    "spelled",
    [
        {"against": "AGAINST", "neutral": "NONE", "favor": "FAVOR"},
        {"against": -1, "neutral": 0, "favor": 1},
    ],
)
def test_labels_come_back_as_they_were_spelled(estimator, spelled):
    labels = [spelled[label] for label in Y]
    estimator.fit(X, labels, GROUPS)
    assert estimator.classes_.tolist() == sorted(spelled.values())
    assert estimator.predict(X).tolist() == labels
    assert estimator.score(X, labels) == 1.0
    assert cross_val_score(estimator, X, labels, cv=2, scoring="neg_log_loss").min() > -0.7


def test_numbers_that_scikit_learn_gives_to_labels_mean_what_the_user_says(estimator):
    estimator.set_params(labels={0: "against", 1: "favor", 2: "neutral"})
    shares = cross_val_predict(estimator, X, Y, cv=2, method="predict_proba")
    assert np.array(sorted({*Y}))[shares.argmax(axis=1)].tolist() == Y
    with pytest.raises(ValueError, match="'7=good' must be SPELLING=LABEL, the label one of"):
        estimator.set_params(labels={7: "good"}).fit(X, Y)
    with pytest.raises(TypeError, match=r"labels is 'x'; give a dict, such as {1: 'against'}"):
        estimator.set_params(labels="x").fit(X, Y)


def frame(**more):
    texts, actors = map(list, zip(*X, strict=True))
    return {"Text": texts, "actor": actors, "document": GROUPS, **more}


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames_of_every_library_say_the_same_as_pairs(fitted, estimator, library):
    module = pytest.importorskip(library, reason="polars would double the size of a test install")
    make = module.table if library == "pyarrow" else module.DataFrame
    own = make(frame())
    estimator.fit(own, make(frame(label=Y))["label"])
    assert np.array_equal(estimator.predict_proba(own), fitted.predict_proba(X))
    scores = cross_val_score(estimator, own, Y, groups=GROUPS, cv=GroupKFold(2))
    assert scores.tolist() == [1.0, 1.0]


def test_dates_of_a_frame_decide_who_is_in_office(fitted):
    texts = ["They thanked Rutte."] * 2
    asked = pandas.DataFrame({"text": texts, "actor": "NATO", "date": ["1 May 2001", "1 May 2025"]})
    before, after = fitted.predict_proba(asked)
    assert not np.array_equal(before, after)
    assert np.array_equal(after, fitted.predict_proba(asked.drop(columns="date"))[1])
    asked["date"] = "03/04/2025"
    with pytest.raises(DataError, match=r"X: '03/04/2025' .* may be 3 April .* March 2025; write"):
        fitted.predict(asked)
    with pytest.warns(UserWarning, match="2 dates in column 'date' cannot be read"):
        fitted.predict(asked.assign(date="gestern"))


def test_a_missing_cell_of_a_frame_is_no_document_and_no_date(estimator):
    own = pandas.DataFrame(frame()).drop(columns="document")
    plain = estimator.fit(own, Y).training_.report
    missing = [None, float("nan"), pandas.NA, ""] * len(Y)
    own = own.assign(document=missing[: len(Y)], date=pandas.NA)
    assert estimator.fit(own, Y).training_.report == plain


def test_what_is_no_pair_is_refused_with_its_place(fitted):
    for wrong, told in (
        ([X[0], "text"], r"X\[1\] is 'text'; give \(text, actor\)"),
        ([1, 2], r"X\[0\] is 1; give \(text, actor\)"),
        (None, r"X is None; give a data frame, or pairs \(text, actor\)"),
        (np.array("NATO"), r"X is array\('NATO'.*\); give a data frame"),
        ([{"text": "a", "actor": "b"}], r"X\[0\] is {'text': 'a', 'actor': 'b'}; give \(text"),
        ({"text": ["a", float("nan")], "actor": ["b", "c"]}, r"X\['text'\]\[1\] is None"),
        ({"text": ["a"], "target": ["b"], 2024: ["c"]}, "X: no column 'actor'; did you mean 'targ"),
        ({"text": ["a"]}, "it has text; X needs the columns text and actor"),
    ):
        with pytest.raises((TypeError, DataError), match=told):
            fitted.predict(pandas.DataFrame(wrong) if isinstance(wrong, dict) else wrong)


def test_check_estimator_passes_with_honest_tags():
    with pytest.warns(SkipTestWarning, match="requires input of type|requires input  of type"):
        found = check_estimator(StanceClassifier(), on_fail=None)
    assert [check["status"] for check in found] == ["passed"] * len(found)


@pytest.mark.parametrize(("labels", "groups"), [(Y[:-1], GROUPS), (Y, GROUPS[:-1])])
def test_there_must_be_a_label_and_a_group_for_every_pair(estimator, labels, groups):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        estimator.fit(X, labels, groups)


def test_paths_may_be_strings(fitted, tmp_path):
    save_model(fitted.to_model(), path := str(tmp_path / "m.stance"))
    assert load_model(path).judge(["NATO won."]).actor == ("NATO",)
    recipe = write(tmp_path / "recipe.toml", "[classifier]\nc = 0.5\n")
    book = write(tmp_path / "book.toml", '["NATO"]\nname = ["NATO"]\n')
    assert read_recipe(str(recipe)).classifier.c == 0.5
    assert ActorBook.read(str(book)).names == ("NATO",)
    table = write(tmp_path / "coded.csv", "text,actor,stance\nNATO won.,NATO,favor\n")
    assert len(read_corpus([str(table)])) == 1


def test_a_stance_of_several_spellings_gets_its_name(estimator):
    labels = ["pro" if at % 2 and label == "favor" else label for at, label in enumerate(Y)]
    assert estimator.fit(X, labels, GROUPS).classes_.tolist() == ["against", "favor", "neutral"]
