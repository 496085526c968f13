"""A labelled table is read as its coders meant it, or refused with the row that is wrong."""

import csv
from pathlib import Path

import numpy as np
import pytest

from stance.corpus import bundled_corpus, read_corpus, sentiment_rows
from stance.errors import DataError, UsageError
from stance.label_values import MISSING, parse_labels

LONG = (
    "The foreign ministry said on Tuesday that the alliance would send two more battalions to "
    "the border in spring, a decision that officials in the capital welcomed and that the "
    "opposition called late, costly and badly explained to the people who live there."
)


def write(path, rows, columns=("text", "actor", "stance")):
    with path.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows([columns, *rows])
    return path


def read(tmp_path, rows, columns=("text", "actor", "stance"), name="mine.csv"):
    return read_corpus([write(tmp_path / name, rows, columns)])


def with_labels(tmp_path, labels, column="stance"):
    if column == "stance":
        rows = [(f"text {i}", "NATO", label) for i, label in enumerate(labels)]
        return read(tmp_path, rows)
    rows = [(f"text {i}", "NATO", "neutral", label) for i, label in enumerate(labels)]
    return read(tmp_path, rows, ("text", "actor", "stance", "sentiment"))


def label_notes(corpus):
    return [note.partition("labels read as ")[2] for note in corpus.notes if "labels" in note]


@pytest.mark.parametrize(
    ("labels", "numbers", "told"),
    [
        (["against", "neutral", "favor"], [0, 1, 2], []),
        (
            ["FAVOR", "AGAINST", "NONE"],
            [2, 0, 1],
            ["AGAINST -> against, FAVOR -> favor, NONE -> neutral"],
        ),
        (
            ["positive", "negative", "neutral"],
            [2, 0, 1],
            ["negative -> against, positive -> favor"],
        ),
        (["-1", "0", "1"], [0, 1, 2], ["-1 -> against, 0 -> neutral, 1 -> favor"]),
        (["+1", "-1.0", "0.00"], [2, 0, 1], ["+1 -> favor, -1.0 -> against, 0.00 -> neutral"]),
        (["6", "4", "2"], [2, 1, 0], ["2 -> against, 4 -> neutral, 6 -> favor"]),
        (["6.0", "4.0"], [2, 1], ["4.0 -> neutral, 6.0 -> favor"]),
        ([" Favour ", "pro"], [2, 2], [" Favour  -> favor, pro -> favor"]),
    ],
)
def test_usual_spellings_are_read_and_told(tmp_path, labels, numbers, told):
    corpus = with_labels(tmp_path, labels)
    assert corpus.stance.tolist() == numbers
    assert label_notes(corpus) == told


@pytest.mark.parametrize(
    ("labels", "numbers", "told"),
    [
        (["negative", "neutral", "positive", ""], [0, 1, 2, MISSING], []),
        (["-1", "1", " "], [0, 2, MISSING], ["-1 -> negative, 1 -> positive"]),
        (["POS", "neg"], [2, 0], ["POS -> positive, neg -> negative"]),
    ],
)
def test_sentiment_has_its_own_labels(tmp_path, labels, numbers, told):
    corpus = with_labels(tmp_path, labels, "sentiment")
    assert corpus.sentiment.tolist() == numbers
    assert label_notes(corpus) == told


def test_the_mapping_names_the_file_and_the_column(tmp_path):
    corpus = with_labels(tmp_path, ["FAVOR", "favor"])
    assert f"{tmp_path}/mine.csv: stance labels read as FAVOR -> favor" in corpus.notes


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (
            ["favor", "maybe"],
            r"'maybe' in row 2 is not a label; use against, .* such as --labels 'maybe=neutral'$",
        ),
        (
            ["favor", ""],
            r"mine.csv:3: stance '' in row 2 is not a label; use against, neutral, favor$",
        ),
        (["3"], r"mine.csv:2: stance '3' in row 1 is not a label"),
        (["0.5"], r"'0.5' in row 1"),
        (["\x1b[31mred"], r"'\\x1b\[31mred' in row 1"),
        (["x" * 500], r"'x{60}…' in row 1"),
    ],
)
def test_an_unknown_label_names_its_row(tmp_path, labels, match):
    with pytest.raises(DataError, match=match):
        with_labels(tmp_path, labels)


@pytest.mark.parametrize("labels", [["-1", "4"], ["6", "1"], ["0", "1", "2"]])
def test_a_column_keeps_to_one_scale(tmp_path, labels):
    with pytest.raises(DataError, match=f"'{labels[-1]}' in row {len(labels)} mixes two scales"):
        with_labels(tmp_path, labels)


def test_an_unknown_sentiment_names_its_row(tmp_path):
    with pytest.raises(DataError, match="sentiment 'favor' in row 1 is not a label; use negative"):
        with_labels(tmp_path, ["favor"], "sentiment")


def test_scales_may_differ_between_files(tmp_path):
    one = write(tmp_path / "one.csv", [("a", "NATO", "-1")])
    two = write(tmp_path / "two.csv", [("b", "NATO", "6")])
    assert read_corpus([one, two]).stance.tolist() == [0, 2]


def test_rows_of_several_actors_share_their_text(tmp_path):
    rows = [("NATO met Russia", actor, "favor") for actor in ("NATO", "text", "Russia")]
    corpus = write(tmp_path / "mine.csv", [*rows, ("It left", "NATO", "favor")])
    found = read_corpus([corpus])
    assert found.texts == ("NATO met Russia",) * 3 + ("It left",)
    assert found.texts[0] is found.texts[2]
    assert found.actors == ("NATO", "text", "Russia", "NATO")


def test_places_are_read_and_checked(tmp_path):
    columns = ("text", "actor", "stance", "spans")
    corpus = read(tmp_path, [("NATO met", "NATO", "0", "0:4"), ("It", "NATO", "0", "")], columns)
    assert corpus.spans == ([(0, 4)], None)
    with pytest.raises(DataError, match=r"mine.csv:2: spans '0:99' is not a place in the text"):
        read(tmp_path, [("NATO met", "NATO", "0", "0:99")], columns)


def test_texts_come_as_they_are_written(tmp_path):
    texts = [' "two\nlines" \u2019', "007", "NA"]
    corpus = read(tmp_path, [(text, " NATO ", "0") for text in texts])
    assert list(corpus.texts) == texts
    assert set(corpus.actors) == {"NATO"}


def groups(corpus):
    documents = corpus.document.tolist()
    return [documents.index(number) for number in documents]


def test_rows_of_a_document_stay_together(tmp_path):
    columns = ("text", "actor", "stance", "document")
    rows = [("a", "NATO", "0", "d1"), ("b", "NATO", "0", "d2"), ("c", "Russia", "favor", "d1")]
    assert groups(read(tmp_path, rows, columns)) == [0, 1, 0]


def test_equal_texts_join_their_documents(tmp_path):
    columns = ("text", "actor", "stance", "document")
    rows = [("Same.", "NATO", "0", "1"), ("b", "NATO", "0", "2"), ("same", "NATO", "0", "2")]
    assert groups(read(tmp_path, rows, columns)) == [0, 0, 0]


def test_near_duplicates_are_grouped_without_documents(tmp_path):
    texts = [LONG, "Rain again.", LONG.replace("Tuesday", "Wednesday"), LONG.upper()]
    assert groups(read(tmp_path, [(text, "NATO", "0") for text in texts])) == [0, 1, 0, 0]


def test_rows_without_a_document_are_grouped_by_their_text(tmp_path):
    columns = ("text", "actor", "stance", "document")
    rows = [
        *((LONG, "NATO", "0", "d"), (LONG.replace("Tuesday", "Monday"), "NATO", "0", "")),
        *(("Rain.", "NATO", "0", ""), ("Snow.", "NATO", "0", "")),
    ]
    assert groups(read(tmp_path, rows, columns)) == [0, 0, 2, 3]


def test_documents_of_two_files_are_not_the_same(tmp_path):
    columns = ("text", "actor", "stance", "document")
    one = write(tmp_path / "one.v2.csv", [("a", "NATO", "0", "7")], columns)
    two = write(tmp_path / "two.csv", [("b", "NATO", "0", "7"), ("A!", "NATO", "0", "8")], columns)
    corpus = read_corpus([one, two])
    assert groups(corpus) == [0, 1, 0]
    assert corpus.source.tolist() == [0, 1, 1]
    assert [(s.name, s.rows) for s in corpus.sources] == [("one", 1), ("two", 2)]


def test_other_columns_are_kept_where_a_file_has_them(tmp_path):
    columns = ("text", "actor", "stance", "id", "date")
    one = write(tmp_path / "one.csv", [("a", "NATO", "0", "007", "2024-01-01")], columns)
    two = write(tmp_path / "two.csv", [("b", "NATO", "0", "8")], columns[:4])
    assert read_corpus([one]).extra == {"id": ("007",), "date": ("2024-01-01",)}
    assert read_corpus([one, two]).extra == {"id": ("007", "8"), "date": ("2024-01-01", "")}


@pytest.mark.parametrize("missing", ["text", "actor", "stance"])
def test_a_missing_column_is_named(tmp_path, missing):
    columns = [name for name in ("text", "actor", "stance", "id") if name != missing]
    with pytest.raises(DataError, match=rf"mine.csv: no column '{missing}'"):
        read(tmp_path, [("0", "0", "0")], columns)


def test_a_misspelt_column_gets_a_hint(tmp_path):
    with pytest.raises(DataError, match="did you mean --stance-column 'Label'"):
        read(tmp_path, [("a", "NATO", "0")], ("text", "actor", "Label"))


def test_an_empty_actor_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"mine.csv:3: the actor is empty; name the actor"):
        read(tmp_path, [("a", "NATO", "0"), ("b", "  ", "0")])


def test_a_corpus_without_rows_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"mine.csv: no rows below the header"):
        read(tmp_path, [])
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(DataError, match=r"empty.csv: .*empty"):
        read_corpus([tmp_path / "empty.csv"])
    with pytest.raises(DataError, match=r"none.csv"):
        read_corpus([tmp_path / "none.csv"])


def test_one_sentiment_label_per_paragraph(tmp_path):
    columns = ("text", "actor", "stance", "sentiment")
    rows = [
        *(("One text", "NATO", "0", ""), ("One text", "Russia", "0", "positive")),
        *(("one text!", "China", "0", "positive"), ("Other", "NATO", "0", "negative")),
    ]
    assert sentiment_rows(read(tmp_path, rows, columns)).tolist() == [1, 3]


def test_the_starter_corpus_comes_with_the_package():
    path = bundled_corpus()
    assert isinstance(path, Path)
    corpus = read_corpus([path])
    assert label_notes(corpus) == []
    assert set(corpus.stance.tolist()) == {0, 1, 2}
    assert set(corpus.sentiment.tolist()) == {0, 1, 2}


# --- Parts of a corpus ---


def test_some_rows_are_a_corpus_of_their_own(tmp_path):
    columns = ("text", "actor", "stance", "sentiment", "document", "spans", "date")
    rows = [
        (f"NATO met, {n}.", "NATO", "favor", "neutral", f"d{n // 2}", "0:4", f"202{n}")
        for n in range(6)
    ]
    whole = read(tmp_path, rows, columns)
    part = whole.take(np.array([4, 1]))
    alone = read(tmp_path, [rows[4], rows[1]], columns, "part.csv")
    assert len(part) == 2
    for name in ("texts", "actors", "spans", "extra"):
        assert getattr(part, name) == getattr(alone, name)
    for name in ("stance", "sentiment", "source"):
        assert getattr(part, name).tolist() == getattr(alone, name).tolist()
    assert part.marks.exact.tolist() == alone.marks.exact.tolist()
    assert part.document.tolist() == [whole.document[4], whole.document[1]]


def test_what_the_reading_of_records_noted_is_told(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("text,actor,stance,Document\nNATO won,NATO,favor,1\n\nNATO lost,NATO,favor,1")
    notes = "\n".join(read_corpus([path]).notes)
    assert "1 empty line skipped" in notes
    assert "the last line has no line end" in notes
    assert f"{path}: column 'Document' is read as 'document'" in notes


# --- Own spellings, holders, false matches, soft labels ---


SOFT = ("stance_against", "stance_neutral", "stance_favor")


@pytest.mark.parametrize("column", ["stance", "sentiment"])
def test_zero_and_one_are_not_guessed(tmp_path, column):
    advice = "--labels 0=against,1=favor" if column == "stance" else "write negative, neutral"
    with pytest.raises(DataError, match=f"{column} has no numbers but 0 and 1; .*{advice}"):
        with_labels(tmp_path, ["0", "1", "1.0"], column)


def test_own_spellings_are_mapped_and_told(tmp_path):
    rows = [("a", "NATO", "0"), ("b", "NATO", "1.0"), ("c", "NATO", "Meh"), ("d", "NATO", "pro")]
    path = write(tmp_path / "mine.csv", rows)
    corpus = read_corpus([path], labels=parse_labels("0=against, 1=FAVOR,meh=neutral"))
    assert corpus.stance.tolist() == [0, 2, 1, 2]
    assert label_notes(corpus) == ["0 -> against, 1.0 -> favor, Meh -> neutral, pro -> favor"]


@pytest.mark.parametrize("option", ["0:against", "0=bad", "=favor", "0=against,1"])
def test_a_mapping_that_is_none_is_refused(option):
    with pytest.raises(UsageError, match="must be SPELLING=LABEL, the label one of against"):
        parse_labels(option)


def test_holders_and_false_matches_are_read(tmp_path):
    columns = ("text", "actor", "stance", "holder", "false_match")
    rows = [
        *(("a", "NATO", "favor", "Author", "0"), ("b", "NATO", "", "", "1")),
        *(("c", "NATO", "against", " Russia ", ""), ("d", "NATO", "favor", "other", "true")),
    ]
    corpus = read(tmp_path, rows, columns)
    assert corpus.holder == ("author", None, "Russia", "other")
    assert corpus.false_match.tolist() == [False, True, False, True]
    assert corpus.stance.tolist() == [2, 1, 0, 2]
    taken = corpus.take(np.array([3, 1]))
    assert taken.holder == ("other", None)
    assert taken.false_match.tolist() == [True, True]


@pytest.mark.parametrize(
    ("column", "cell", "match"),
    [
        ("holder", "a\tb", "holder 'a.*' is not author, other or an actor's name"),
        ("false_match", "maybe", "false_match 'maybe' is not 1 or 0"),
    ],
)
def test_an_odd_mark_is_refused_with_its_line(tmp_path, column, cell, match):
    rows = [("a", "NATO", "favor", ""), ("b", "NATO", "favor", cell)]
    with pytest.raises(DataError, match=f"mine.csv:3: {match}"):
        read(tmp_path, rows, ("text", "actor", "stance", column))


def test_soft_labels_stand_in_place_of_stance_or_beside_it(tmp_path):
    rows = [
        *(("a", "NATO", "", "0.2", "0.2", "0.6"), ("b", "NATO", "against", "0.3", ".3", "0.4005")),
        ("c", "NATO", "neutral", "", "", ""),
    ]
    corpus = read(tmp_path, rows, ("text", "actor", "stance", *SOFT))
    assert corpus.stance.tolist() == [2, 0, 1]
    assert corpus.soft == pytest.approx(
        np.array([[0.2, 0.2, 0.6], [0.3, 0.3, 0.4], [0, 1, 0]]), abs=1e-3
    )
    assert corpus.soft.sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert corpus.take(np.array([2])).soft.tolist() == [[0, 1, 0]]
    assert any("2 rows with soft labels" in note for note in corpus.notes)
    without = read(tmp_path, [(*row[:2], *row[3:]) for row in rows[:2]], ("text", "actor", *SOFT))
    assert without.stance.tolist() == [2, 2]


def test_a_corpus_without_soft_labels_has_none(tmp_path):
    assert with_labels(tmp_path, ["favor"]).soft is None


@pytest.mark.parametrize("cells", [("0.5", "0.4", "0.2"), ("1", "", "0"), ("nan", "0", "1"), "-+2"])
def test_soft_labels_that_are_no_probabilities_are_refused(tmp_path, cells):
    with pytest.raises(DataError, match=r"mine.csv:2: .* are not probabilities that sum to 1"):
        read(tmp_path, [("a", "NATO", "favor", *cells)], ("text", "actor", "stance", *SOFT))


# --- Names of columns, and dates ---


def test_columns_may_have_names_of_their_own(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("Body,Target,Label,Speech,When\nNATO won,NATO,favor,s1,22/10/2023\n")
    names = {"text": "body", "actor": "Target", "stance": "Label", "document": "Speech"}
    corpus = read_corpus([path], columns={**names, "date": "When"})
    assert (corpus.texts, corpus.actors, corpus.loose) == (("NATO won",), ("NATO",), 0)
    assert corpus.months.tolist() == [2023 * 12 + 9]
    assert any("column 'Body' is read as 'body'" in note for note in corpus.notes)
    with pytest.raises(DataError, match="no column 'When2'; did you mean --date-column 'When'"):
        read_corpus([path], columns={**names, "date": "When2"})


def test_dates_with_two_readings_need_a_format(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("text,actor,stance,date\nNATO won,NATO,favor,03/04/2023\n")
    with pytest.raises(DataError, match=r"'03/04/2023' \(line 2\) .* may be 3 April"):
        read_corpus([path])
    corpus = read_corpus([path], date_format="%d/%m/%Y")
    assert (corpus.extra["date"], corpus.months.tolist()) == (("2023-04-03",), [2023 * 12 + 3])


def test_rows_without_text_are_told(tmp_path):
    rows = [("NATO met.", "NATO", "neutral"), ("", "NATO", "favor"), (" \u00a0 ", "US", "against")]
    corpus = read(tmp_path, rows)
    assert len(corpus) == 3
    why = "2 rows without text (first: line 3): nothing can be learned there; delete such rows"
    assert any(note.endswith(f"mine.csv: {why}") for note in corpus.notes)
    assert not any("without text" in note for note in read(tmp_path, rows[:1]).notes)
