"""An evaluation's figures are those of the answers that `predict` prints."""

import dataclasses

import numpy as np
import pytest
from command import FOREIGN, STARTER, invoke, read_rows, succeeds, write_rows
from conftest import quick_recipe
from pages import report_on
from sklearn import metrics

from stance.corpus import read_corpus
from stance.evaluation import evaluate
from stance.fitting import train
from stance.reading.actors import ActorBook
from stance.recipe import Features
from stance.records import Sentiment, Stance
from stance.screens import card_facts, evaluation_lines
from stance.storage import read_manifest, save_model

LABELS, TONES = list(map(str, Stance)), list(map(str, Sentiment))
COLUMNS = ("text", "actor", "stance", "sentiment", "document", "source", "genre", "date")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A table that the model has not seen, with an unnamed actor and a foreign paragraph."""
    rows = read_rows(STARTER / "starter_test.csv")[:300]
    place = {document: n for n, document in enumerate(dict.fromkeys(r["document"] for r in rows))}
    table = [
        (
            *(row[name] for name in COLUMNS[:5]),
            ("Daily", "Weekly", "")[place[row["document"]] % 3],
            ("news", "opinion")[place[row["document"]] % 2],
            f"20{20 + place[row['document']] % 2}-05-01",
        )
        for row in rows
    ]
    more = [
        ("Rain fell on the coast again.", "NATO", "neutral", "neutral", "x", "", "news", ""),
        (f"{FOREIGN['German']} (NATO)", "NATO", "against", "negative", "y", "", "news", ""),
    ]
    return write_rows(tmp_path_factory.mktemp("labelled") / "mine.csv", [*table, *more], COLUMNS)


@pytest.fixture(scope="module")
def figures(labelled, model):
    return evaluate(model, read_corpus([labelled]))


@pytest.fixture(scope="module")
def printed(labelled, model_path, tmp_path_factory):
    """Gold rows and what `predict` says of them."""
    gold = read_rows(labelled)
    folder = tmp_path_factory.mktemp("printed")
    asked = write_rows(folder / "in.csv", gold, ("text", "actor", "date"))
    succeeds("predict", asked, "-o", folder / "out.csv", "--model", model_path)
    return gold, read_rows(folder / "out.csv")


def numbers(rows, column, labels):
    """Return the number of each row's label, -1 where it is uncertain."""
    return np.array([["uncertain", *labels].index(row[column]) - 1 for row in rows])


def test_the_scores_are_those_of_what_predict_prints(figures, printed):
    gold, found = (numbers(rows, "stance", LABELS) for rows in printed)
    shares = np.array([[float(row[f"stance_{label}"]) for label in LABELS] for row in printed[1]])
    likely, near = shares.argmax(axis=1), {"abs": 2e-6}
    assert figures["n"] == len(gold)
    assert figures["accuracy"] == pytest.approx(metrics.accuracy_score(gold, found), **near)
    macro = metrics.f1_score(gold, found, labels=[0, 1, 2], average="macro")
    assert figures["macro_f1"] == pytest.approx(macro, **near)
    matrix = metrics.confusion_matrix(gold, found, labels=[0, 1, 2])
    assert figures["confusion"] == matrix.tolist()
    given = found >= 0
    answered = figures["answered"]
    # One row names its actor only by a leader who was not in office on the table's dates.
    assert answered["n"] == given.sum() == len(gold) - 3
    assert answered["accuracy"] == pytest.approx((gold == found)[given].mean(), **near)
    macro = metrics.f1_score(gold[given], found[given], average="macro")
    assert answered["macro_f1"] == pytest.approx(macro, **near)
    surplus, bins = (likely == gold) - shares.max(axis=1), np.ceil(15 * shares.max(axis=1))
    error = sum(abs(surplus[bins == number].sum()) for number in range(1, 16)) / len(gold)
    assert figures["ece"] == pytest.approx(error, abs=1e-5)
    texts = [row["text"] for row in printed[0]]
    kinds = {text: {g for t, g in zip(texts, gold, strict=True) if t == text} for text in texts}
    conflict = np.array([len(kinds[text]) > 1 for text in texts])
    assert figures["conflict"]["n"] == conflict.sum() > 0
    assert figures["conflict"]["accuracy"] == pytest.approx(
        (found == gold)[conflict].mean(), **near
    )


def test_the_sentiment_of_each_paragraph_counts_once(figures, printed):
    rows = {row["text"]: (row, found) for row, found in zip(*printed, strict=True)}
    gold, found = (numbers(part, "sentiment", TONES) for part in zip(*rows.values(), strict=True))
    tone = figures["sentiment"]
    assert tone["n"] == len(gold)
    macro = metrics.f1_score(gold, found, labels=[0, 1, 2], average="macro")
    assert tone["macro_f1"] == pytest.approx(macro, abs=2e-6)
    assert 0 < tone["baselines"]["majority"]["macro_f1"] < macro


def test_sources_are_scored_as_their_rows_alone_would_be(figures, printed):
    gold, found = (numbers(rows, "stance", LABELS) for rows in printed)
    cells = [row["source"] for row in printed[0]]
    parts = figures["per_source"]
    assert set(parts) == set(cells) - {""}
    for name, part in parts.items():
        rows = np.flatnonzero(np.array(cells) == name)
        macro = metrics.f1_score(gold[rows], found[rows], labels=[0, 1, 2], average="macro")
        assert part["n"] == len(rows)
        assert part["macro_f1"] == pytest.approx(macro, abs=2e-6)
        low, high = part["interval"]
        assert low < macro < high


def test_training_texts_are_found_word_for_word_and_much_alike(model, corpus, tmp_path):
    long = [n for n, text in enumerate(corpus.texts) if len(text.split()) > 60]
    rows = [(corpus.texts[n], corpus.actors[n], LABELS[corpus.stance[n]]) for n in long[::40]]
    altered = [
        (" ".join(["Yesterday", *text.split()[1:-2], "today."]), *rest) for text, *rest in rows
    ]
    spaced = [
        (f"  \u201c{text.upper()}\u201d ".replace(" ", "\u00a0 "), *rest) for text, *rest in rows
    ]
    new = [
        (f"Minister number {n} welcomed NATO at the port of town {n * 7}.", "NATO", "favor")
        for n in range(6)
    ]
    every = [*rows, *spaced, *altered, *new]
    cells = [(*row, "", str(number), "", "", "") for number, row in enumerate(every)]
    path = write_rows(tmp_path / "seen.csv", cells, COLUMNS)
    found = evaluate(model, read_corpus([path]))["leakage"]
    assert found["rows"] == len(every) - len(new)
    assert found["macro_f1_without"] is not None


LOOSE = "rows without document: equal and nearly equal texts count as one; if some are"
PRIOR = "the model knows which actor is judged: it has learned a prior about actors"


def test_texts_that_name_no_document_are_told_of(model, corpus, tmp_path):
    rows = zip(corpus.texts[:40], corpus.actors[:40], corpus.stance[:40], strict=True)
    cells = [(text, actor, LABELS[stance]) for text, actor, stance in rows]
    loose = read_corpus([write_rows(tmp_path / "loose.csv", cells, COLUMNS[:3])])
    assert evaluate(model, loose)["notes"][0].startswith(f"40 {LOOSE}")
    assert evaluate(model, loose.take(np.arange(9)))["notes"][0].startswith(f"9 {LOOSE}")
    assert not any(LOOSE in note for note in evaluate(model, corpus)["notes"])


@pytest.mark.parametrize(("block", "own"), [("name", False), ("stem", "separate")])
def test_a_model_that_knows_the_actor_says_so_loudly(corpus, tmp_path, block, own):
    features = Features({"stem": 1.0, block: 1.0}, per_actor=own)
    recipe = dataclasses.replace(quick_recipe(), features=features)
    training = train(recipe, corpus, ActorBook.default())
    assert training.report["notes"][0].startswith(PRIOR)
    lines = evaluation_lines(evaluate(training.model, corpus))
    assert any(line.startswith("note: the model knows which actor is judged") for line in lines)
    save_model(training.model, path := tmp_path / "prior.stance")
    assert dict(card_facts(read_manifest(path)))["WARNING"].startswith(PRIOR)
    table = write_rows(tmp_path / "texts.csv", [[text] for text in corpus.texts[:80]], ["text"])
    invoke("predict", table, "-m", path, "-o", tmp_path / "answers.csv")
    page, _ = report_on(tmp_path / "answers.csv", "-m", path)
    assert "<li>The model knows which actor is judged" in page.html
