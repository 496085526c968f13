"""A labelled table is read as its coders meant it, or refused with the row that is wrong."""

import numpy as np
import pytest
from command import fails, write, write_rows

from stance.corpus import read_corpus
from stance.corpus.rows import MISSING, parse_labels
from stance.errors import DataError, UsageError

BASE = ("text", "actor", "stance")
SOFT = ("stance_against", "stance_neutral", "stance_favor")
LONG = (
    "The foreign ministry said on Tuesday that the alliance would send two more battalions to "
    "the border in spring, a decision that officials in the capital welcomed and that the "
    "opposition called late, costly and badly explained to the people who live there."
)


@pytest.fixture
def read(tmp_path):
    """Read rows of a file mine.csv."""

    def read(rows, columns=BASE, name="mine.csv", **form):
        return read_corpus([write_rows(tmp_path / name, rows, columns)], **form)

    return read


@pytest.fixture
def labelled(read):
    """Read rows with these labels of stance or sentiment."""

    def labelled(labels, column="stance"):
        own = [] if column == "stance" else ["neutral"]
        columns = BASE if column == "stance" else (*BASE, column)
        return read([(f"text {i}", "NATO", *own, label) for i, label in enumerate(labels)], columns)

    return labelled


def label_notes(corpus):
    return [note.partition("labels read as ")[2] for note in corpus.notes if "labels" in note]


# --- Labels ---


@pytest.mark.parametrize(
    ("column", "labels", "numbers", "told"),
    [
        ("stance", "against neutral favor", [0, 1, 2], ""),
        ("stance", "positive negative", [2, 0], "negative -> against, positive -> favor"),
        ("stance", "-1 0 1", [0, 1, 2], "-1 -> against, 0 -> neutral, 1 -> favor"),
        ("stance", "6.0 4 2", [2, 1, 0], "2 -> against, 4 -> neutral, 6.0 -> favor"),
        ("stance", " Favour |pro", [2, 2], " Favour  -> favor, pro -> favor"),
        ("sentiment", "negative|neutral|positive|", [0, 1, 2, MISSING], ""),
        ("sentiment", "-1|1| ", [0, 2, MISSING], "-1 -> negative, 1 -> positive"),
    ],
)
def test_usual_spellings_are_read_and_told(labelled, column, labels, numbers, told):
    corpus = labelled(labels.split("|" if "|" in labels else " "), column)
    assert getattr(corpus, column).tolist() == numbers
    assert label_notes(corpus) == [told] * bool(told)
    assert all(f"mine.csv: {column} labels" in n for n in corpus.notes if "labels" in n)


@pytest.mark.parametrize(
    ("column", "labels", "match"),
    [
        ("stance", ["favor", "maybe"], r"'maybe' in row 2 is not a label; use .*maybe=\.\.\.' \("),
        ("stance", ["favor", ""], r"mine.csv:3: stance '' in row 2 is not a label; fill it in, or"),
        ("stance", ["\x1b[31mred"], r"'\\x1b\[31mred' in row 1"),
        ("stance", ["-1", "4"], "'4' in row 2 is not a label; .* --labels 0=against,1=neutral,2"),
        (
            "stance",
            ["1.0", "2.0"],
            "'2.0' in row 2 .* --labels 0=against,1=neutral,2=favor .scikit",
        ),
        ("stance", ["(PRO)."], r"--labels '\(pro\)\.=favor'$"),
        ("stance", ["0", "1", "1.0"], "stance has only the numbers 0 and 1; .*--labels 0=against"),
        ("sentiment", ["0", "1"], "sentiment has only the numbers 0 and 1; write negative"),
    ],
)
def test_an_unknown_label_names_its_row(labelled, column, labels, match):
    with pytest.raises(DataError, match=match):
        labelled(labels, column)


def test_own_spellings_are_mapped_and_scales_may_differ_between_files(read, tmp_path):
    rows = [("a", "NATO", "0"), ("b", "NATO", "1.0"), ("c", "NATO", "Meh"), ("d", "NATO", "pro")]
    corpus = read(rows, labels=parse_labels("0=against, 1=FAVOR,meh=neutral"))
    assert corpus.stance.tolist() == [0, 2, 1, 2]
    assert label_notes(corpus) == ["0 -> against, 1.0 -> favor, Meh -> neutral, pro -> favor"]
    numbered = [("a", "NATO", "0"), ("b", "NATO", "5")]
    assert read(numbered, labels={0: "favor", 5: "pro"}).stance.all()
    with pytest.raises(DataError, match="no corpus is named"):
        read_corpus([])
    with pytest.raises(TypeError, match="unexpected keyword argument 'label'"):
        read([("a", "NATO", "0")], label={"0": "favor"})
    with pytest.raises(UsageError, match="must be SPELLING=LABEL, the label one of against"):
        parse_labels("0=against,1")
    with pytest.raises(DataError, match="'4' in row 2 is not a label"):  # not of another scale
        read([("a", "NATO", "1"), ("b", "NATO", "4")], labels=parse_labels("1=against,5=favor"))
    paths = [write_rows(tmp_path / f"{n}.csv", [(n, "NATO", n)], BASE) for n in ("-1", "6")]
    assert read_corpus(paths).stance.tolist() == [0, 2]


def test_holders_false_matches_and_soft_labels_are_read(read):
    columns = (*BASE, "holder", "false_match", *SOFT)
    rows = [
        ("a", "NATO", "", "Author", "0", "0.2", "0.2", "0.6"),
        ("b", "NATO", "", "", "1", "", "", ""),
        ("c", "NATO", "against", " Russia ", "", "0.3", ".3", "0.4005"),
        ("d", "NATO", "favor", "other", "false", "", "", ""),
    ]
    corpus = read(rows, columns)
    assert corpus.holder == ("author", None, "Russia", "other")
    assert corpus.stance.tolist() == [2, 1, 0, 2]
    assert corpus.judged.tolist() == [False, True, True, True]
    soft = [[0.2, 0.2, 0.6], [0, 1, 0], [0.3, 0.3, 0.4], [0, 0, 1]]
    assert corpus.soft == pytest.approx(np.array(soft), abs=1e-3)
    assert corpus.soft.sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert any("2 rows with soft labels" in note for note in corpus.notes)
    assert read([("a", "NATO", ".2", ".2", ".6")], ("text", "actor", *SOFT)).stance.tolist() == [2]
    assert read([("a", "NATO", "favor")]).soft is None


# --- Texts, places and documents ---


def test_texts_come_as_they_are_written(read):
    texts = [' "two\nlines" \u2019', "007", "NA", "NATO met Russia"]
    corpus = read([(text, actor, "0") for text in texts for actor in (" NATO ", "text")])
    assert list(corpus.texts[::2]) == list(corpus.texts[1::2]) == texts
    assert corpus.actors == ("NATO", "text") * 4


def groups(corpus):
    documents = corpus.document.tolist()
    return [documents.index(number) for number in documents]


@pytest.mark.parametrize(
    ("texts", "documents", "grouped"),
    [
        (["a", "...", "", "c"], ["d1", "d2", "d3", "d1"], [0, 1, 2, 0]),
        (["Same.", "b", "same"], ["1", "2", "2"], [0, 0, 0]),  # equal texts join documents
        ([LONG, "Rain.", LONG.replace("Tuesday", "Friday"), LONG.upper()], None, [0, 1, 0, 0]),
        (["Rain.", f"BRUSSELS, 3 May. {LONG}", LONG.replace(",", " –")], None, [0, 1, 1]),
        ([LONG, LONG.replace("Tuesday", "Friday"), "Rain.", "Snow."], ["d", "", "", ""],
         [0, 0, 2, 3]),
    ],
)  # fmt: skip
def test_rows_of_a_document_stay_together(read, texts, documents, grouped):
    columns = (*BASE, "document") if documents else BASE
    cells = zip(texts, documents, strict=True) if documents else ((text,) for text in texts)
    corpus = read([(text, "NATO", "0", *rest) for text, *rest in cells], columns)
    assert groups(corpus) == grouped
    assert corpus.loose.tolist() == [not name for name in documents or [""] * len(texts)]


def test_documents_of_one_name_are_one_in_all_files(tmp_path):
    columns = (*BASE, "document", "id", "date")
    rows = [("a", "NATO", "0", "7", "007", "2024-01-01")]
    one = write_rows(tmp_path / "one.v2.csv", rows, columns)
    others = [("b", "NATO", "0", "7", "8"), ("A!", "NATO", "0", "8", "9")]
    corpus = read_corpus([one, write_rows(tmp_path / "two.csv", others, columns[:5])])
    assert groups(corpus) == [0, 0, 0]
    told = "1 document (such as '7') in more than one file: each counts"
    assert corpus.notes[-1].startswith(told)
    assert corpus.source.tolist() == [0, 1, 1]
    assert [(s.name, s.rows) for s in corpus.sources] == [("one", 1), ("two", 2)]
    assert corpus.extra == {"id": ("007", "8", "9"), "date": ("2024-01-01", "", "")}


def test_a_file_that_is_named_twice_is_refused_whatever_its_path(tmp_path):
    one = write_rows(tmp_path / "one.csv", [("a", "NATO", "0")], BASE)
    with pytest.raises(DataError, match=r"one\.csv: is named twice; name each file once"):
        read_corpus([one, tmp_path / ".." / tmp_path.name / "one.csv"])


def test_some_rows_are_a_corpus_of_their_own(read):
    columns = (*BASE, "sentiment", "document", "spans", "date", "holder", "false_match", *SOFT)
    rows = [
        (f"NATO met, {n}.", "NATO", "favor", "neutral", f"d{n // 2}", "0:4", f"202{n}",
         ("author", "other")[n % 2], 0, ".2", ".2", ".6")
        for n in range(6)
    ]  # fmt: skip
    whole = read(rows, columns)
    part, alone = whole.take(np.array([4, 1])), read([rows[4], rows[1]], columns, "part.csv")
    assert len(part) == 2
    for name in ("texts", "actors", "spans", "extra", "holder"):
        assert getattr(part, name) == getattr(alone, name)
    for name in ("stance", "sentiment", "source", "soft", "judged"):
        assert getattr(part, name).tolist() == getattr(alone, name).tolist()
    assert part.marks.exact.tolist() == alone.marks.exact.tolist()
    assert part.document.tolist() == [whole.document[4], whole.document[1]]


# --- What is noted, and what is refused ---


def test_what_the_reading_of_records_noted_is_told(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("text,actor,stance,Document\nNATO won,NATO,favor,1\n\n \u00a0 ,NATO,favor,1")
    notes = "\n".join(read_corpus([path]).notes)
    assert "1 empty line skipped" in notes
    assert "the last line has no line end" in notes
    assert f"{path}: column 'Document' is read as 'document'" in notes
    why = "1 row without text (first: row 2); delete"
    assert why in notes


def test_dates_may_have_a_format(tmp_path):
    rows = "text,actor,stance,date\nNATO won,NATO,favor,03/04/2023\n"
    path = write(tmp_path / "mine.csv", rows)
    with pytest.raises(DataError, match=r"'03/04/2023' \(line 2\) .* may be 3 April"):
        read_corpus([path])
    corpus = read_corpus([path], date_format="%d/%m/%Y")
    assert (corpus.extra["date"], corpus.months.tolist()) == (("2023-04-03",), [2023 * 12 + 3])


@pytest.mark.parametrize(
    ("table", "match"),
    [
        ("actor,stance,id\nNATO,0,1\n", "mine.csv: no column 'text'"),
        ("text,actor,Label\na,NATO,0\n", "--map stance='Label'"),
        ("text,actor,stance\na,NATO,0\nb,  ,0\n", "mine.csv:3: the actor is empty; name the actor"),
        ("text,actor,stance\n", "mine.csv: no rows below the header"),
        ("text,actor,stance,spans\nNATO met,NATO,0,0:99\n", "mine.csv:2: spans '0:99' is not a"),
        ("text,actor,stance,holder\na,NATO,0,a\x7fb\n", "mine.csv:2: holder 'a\\x7fb' is not aut"),
        ("text,actor,stance,false_match\na,NATO,0,maybe\n", "false_match 'maybe' is not 1 or 0"),
        ("text,actor,stance,false_match\na,NATO,1,1.0\n", "is 1, but the stance is favor; a fa"),
        (f"text,actor,{','.join(SOFT)}\na,NATO,.5,.5,.5\n", "correct them, or remove the row"),
        *(
            (
                f"text,actor,stance,{','.join(SOFT)}\na,NATO,favor,{cells}\n",
                "that sum to 1; correct them, or leave",
            )
            for cells in (".5,.4,.2", "1,,0", "nan,0,1", "-,+,2")
        ),
    ],
)
def test_a_table_that_is_no_corpus_is_refused_in_one_line(tmp_path, table, match):
    assert match in fails(1, "check", write(tmp_path / "mine.csv", table))
