"""No text from data adds an element, an attribute or a request to a page."""

import csv

import pytest
from naughty import naughty, readable
from pages import read_page, report_page

from stance.corpus import Source
from stance.display import ranged
from stance.evaluation import evaluate
from stance.reports import evaluation_page

FILE = ("mine.stance", "0" * 64)
STRINGS = naughty()
TOGETHER = 12
"""Strings in one page: as many as there are actors with paragraphs and over time."""

GROUPS = [STRINGS[low : low + TOGETHER] for low in range(0, len(STRINGS), TOGETHER)]

ANSWERS = (
    *("row", "actor", "mentions", "stance", "stance_against", "stance_neutral", "stance_favor"),
    *("sentiment", "sentiment_negative", "sentiment_neutral", "sentiment_positive", "because"),
)


# --- Predictions ---


def distinct(strings):
    """Return strings fit for cells, none empty, none twice, so that each names one actor."""
    cells = (readable(text).strip() or f"empty {at}" for at, text in enumerate(strings))
    found = dict.fromkeys(cells)
    return [*found, *(f"filler {at}" for at in range(len(strings) - len(found)))]


def predictions(path, strings, columns=("source", "date")):
    """Write answers in which each string stands in every cell that a report shows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["text", "document", *columns, *ANSWERS])
        for row, text in enumerate((each for each in strings for _ in range(10)), 1):
            date = f"20{10 + row % 5}-01-02" if row % 5 else text
            out.writerow([
                *(f"{text[:1900]} {text[:99]}", text, text, date, row, text, 1, "against"),
                *("0.9", "0.05", "0.05", "neutral", "0", "1", "0", f"{text}(+0.42)"),
            ])  # fmt: skip
    return path


def harmless(count):
    return [f"word{number:02}" for number in range(count)]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The elements of a page over harmless strings."""
    path = predictions(tmp_path_factory.mktemp("plain") / "a.csv", harmless(TOGETHER))
    return elements(report_page(path))


def elements(page):
    """Return the elements with the names of their attributes.

    Without marks, which depend on what words there are, and lines of charts, whose number depends
    on how long names are.
    """
    return [tag for tag in page.tags if tag[0] not in ("mark", "text")]


def test_no_string_in_any_cell_adds_an_element(tmp_path, plain):
    for strings in GROUPS:
        strings = [*strings, *harmless(TOGETHER - len(strings))]
        path = predictions(tmp_path / "answers.csv", distinct(strings))
        assert elements(report_page(path)) == plain


def test_no_name_of_a_file_or_a_column_adds_an_element(tmp_path, plain):
    for text in STRINGS[::17]:
        by, over = readable(text).strip() or "x", (readable(text).strip() or "y")[::-1] + " on"
        path = predictions(tmp_path / "answers.csv", harmless(TOGETHER), (by, over))
        assert elements(report_page(path, by=by, over=over)) == plain


# --- Evaluation ---


def part(name):
    return {"n": 9, "macro_f1": 0.5, "interval": [0.4, 0.6], "trusted": True, "ece": 0.1}


def figures(words):
    """Return an evaluation in which each word stands wherever a text may."""
    labels = words[:3]
    scores = {
        "n": 90, "accuracy": 0.5, "macro_f1": 0.5, "macro_f1_interval": [0.4, 0.6],
        "accuracy_interval": [0.4, 0.6], "trusted": True,
        "per_class": {
            label: {"precision": 0.5, "recall": 0.5, "f1": 0.5, "f1_interval": None, "support": 30}
            for label in labels
        },
        "confusion": [[10, 10, 10]] * 3, "labels": labels,
        "ece": 0.1, "uncertain": 0.1, "documents": 30,
        "answered": {"n": 81, "accuracy": 0.6, "macro_f1": 0.6, "macro_f1_interval": [0.5, 0.7]},
        "withheld": dict.fromkeys(labels, 3),
        "notes": list(words),
        "confidence": 0.45,
        "conflict": {"n": 3, "accuracy": 0.3, "interval": None, "target_blind_accuracy": 0.2},
        "baselines": {
            "majority": {"macro_f1": 0.2, "accuracy": 0.4},
            "target_blind": {
                "macro_f1": 0.4, "macro_f1_interval": [0.3, 0.5], "accuracy": 0.4,
                "difference": {"macro_f1": 0.1, "macro_f1_interval": [0.0, 0.2]},
            },
        },
        "leakage": {
            "rows": 3, "share": 0.03, "macro_f1_without": 0.4, "macro_f1_without_interval": None,
        },
    }  # fmt: skip
    for key in ("per_actor", "per_corpus", "per_source"):
        scores[key] = {word: part(word) for word in words}
    scores["sentiment"] = {**scores, "notes": [words[0]], "baselines": {}}
    return scores


def card(words):
    return {
        "data": [{"name": word, "rows": 9, "sha256": word} for word in words],
        "versions": {word: word for word in words},
    }


def full_page(words):
    sources = [Source(word, word, 9) for word in words]
    return evaluation_page(figures(words), card(words), sources, model=(words[0], words[1]))


def printed(row, key):
    low, high = (row.get(f"{key}_{end}") for end in ("low", "high"))
    return f"{row[key]} [{low}, {high}]" if low else row[key]


def page_of(scores):
    return read_page(evaluation_page(scores, card([]), [], FILE))


def test_no_string_in_an_evaluation_or_a_card_adds_an_element():
    plain = elements(read_page(full_page(harmless(TOGETHER))))
    for strings in GROUPS:
        words = [*strings, *harmless(TOGETHER - len(strings))]
        assert elements(read_page(full_page(words))) == plain


def test_rows_seen_in_training_are_told_before_any_figure():
    scores = figures(harmless(3))
    page = page_of(scores)
    assert "Evaluation of mine.stance" in page.text
    told = "But 3 rows (3.0 %), or rows much like them, were in the model's training data"
    assert f"{told}; on all others macro-F1 is 40.0" in page.text
    assert page.text.index("Read this first") < page.text.index("Compared with baselines")
    scores["leakage"] |= {"rows": 90, "share": 1.0, "macro_f1_without": None}
    page = page_of(scores)
    assert "But all of these rows, or rows much like them, were in the model's" in page.text
    assert "–" not in page.text.partition("Read this first")[0].partition("macro-F1 of")[0]


def test_withheld_answers_stand_beside_the_others():
    scores = figures(harmless(3))
    page = page_of(scores)
    assert "macro-F1 of answered rows60.095 % interval 50.0 – 70.0" in page.text
    assert "rows90in 30 documents" in page.text
    assert "10.0 % of the answers were withheld as uncertain" in page.text
    assert [*page.rows("confusion")[0].values()][1:] == ["10 (30 %)"] * 3 + ["3 (9 %)"]


@pytest.mark.parametrize(
    ("interval", "confidence", "gain", "promise"),
    [
        ([0.05, 0.2], 0.9, "is shown to be better than", "it promises too much"),
        (
            [0.0, 0.2],
            0.5,
            "is not shown to be better than",
            "it is not shown to promise too much or too little",
        ),
        ([-0.2, -0.05], 0.3, "is shown to be worse than", "it promises too little"),
    ],
)
def test_the_gain_over_words_alone_and_what_it_promises_are_said_in_words(
    interval, confidence, gain, promise
):
    scores = figures(harmless(3)) | {"uncertain": 0.0, "confidence": confidence}
    scores["baselines"]["target_blind"]["difference"]["macro_f1_interval"] = interval
    page = page_of(scores)
    assert f"reach 40.0, and the model {gain} these" in page.text
    assert f"The model {gain} this baseline." in page.text
    assert f"50.0 [40.0, 60.0] % of them are right: {promise}." in page.text


def test_a_group_of_few_documents_is_marked():
    scores = figures(harmless(3))
    scores["per_source"]["word01"]["trusted"] = False
    assert [row[""] for row in page_of(scores).rows("per-source")] == ["", "few", ""]
    assert "gains in points. “few” marks those from too few documents" in page_of(scores).text


def test_an_evaluation_shows_the_scores_of_its_json(model, corpus):
    scores = evaluate(model, corpus)
    page = read_page(evaluation_page(scores, model.card, corpus.sources, FILE))
    for row, counts in zip(page.rows("confusion"), scores["confusion"], strict=True):
        shares = [f"{n} ({100 * n / sum(counts):.0f} %)" for n in counts]
        assert [*row.values()][1:] == shares
    actors = {row["actor"]: row for row in page.rows("per-actor")}
    for name, score in scores["per_actor"].items():
        assert int(actors[name]["n"]) == score["n"]
        assert printed(actors[name], "macro-F1") == ranged(score["macro_f1"], score["interval"])
    for row in page.rows("classes-scores"):
        score = scores["per_class"][row["class"]]
        assert printed(row, "F1") == ranged(score["f1"], score["f1_interval"])
    baselines = {row["scores of"]: printed(row, "macro-F1") for row in page.rows("baselines")}
    blind, majority = (scores["baselines"][key] for key in ("target_blind", "majority"))
    assert baselines["all rows"] == ranged(scores["macro_f1"], scores["macro_f1_interval"])
    assert baselines["target-blind"] == ranged(blind["macro_f1"], blind["macro_f1_interval"])
    assert baselines["majority label"] == ranged(majority["macro_f1"], None)
