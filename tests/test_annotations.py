"""Several coders' rows on one pair are codings of one row; agreement is that of the papers."""

from collections import Counter

import numpy as np
import pytest
from command import invoke, write
from hypothesis import given
from hypothesis import strategies as st

from stance import read_corpus
from stance.check import measure_agreement
from stance.corpus import merge_coders
from stance.corpus.rows import MISSING, Row

ROWS = """text,actor,stance,coder,document
NATO won,NATO,favor,anna,a
NATO won,NATO,against,ben,a
NATO won,NATO,favor,cleo,a
NATO lost,NATO,against,anna,b
NATO lost,NATO,against,ben,b
NATO met,NATO,favor,anna,c
NATO met,NATO,against,ben,c
NATO sat,NATO,favor,anna,d
NATO sat,NATO,neutral,ben,d
NATO sat,NATO,against,adjudicated,d
NATO won,Russia,neutral,anna,a
"""


def corpus_of(path, text=ROWS):
    return read_corpus([write(path, text)])


def test_rows_of_several_coders_are_one_row_and_what_each_said_is_kept(tmp_path):
    corpus = corpus_of(tmp_path / "mine.csv")
    assert corpus.texts == ("NATO won", "NATO lost", "NATO met", "NATO sat", "NATO won")
    assert corpus.stance.tolist() == [2, 0, 1, 0, 1]
    assert np.allclose(corpus.soft[[0, 1, 2]], [[1 / 3, 0, 2 / 3], [1, 0, 0], [0.5, 0, 0.5]])
    assert corpus.number.tolist() == [1, 4, 6, 10, 11]
    assert corpus.sources[0].rows == 5
    note = corpus.notes[-1]
    assert "11 rows hold the labels of 3 coders (column coder) on 5 pairs of text and actor" in note
    assert "1 pair settled by 'adjudicated'; 1 tie between labels counted as neutral" in note
    assert corpus.coders == ("anna", "ben", "cleo")
    assert corpus.codes.T.tolist() == [[2, 0, 2, 2, 1], [0, 0, 0, 1, -1], [2, -1, -1, -1, -1]]
    assert corpus.take(np.array([1])).codes.tolist() == [[0, 0, -1]]


@pytest.mark.parametrize("last", ["", "N lied,N,against,,,,,adjudicated\n"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_tone_holder_and_document_do_not_depend_on_the_order_of_coders(order, last, tmp_path):
    rows = [f"N lied,N,against,{cells}\n" for cells in (
        "positive,other,,,anna", "negative,author,d,2024-01-01,ben", "negative,author,,,cleo",
    )]  # fmt: skip
    header = "text,actor,stance,sentiment,holder,document,date,coder\n"
    corpus = corpus_of(tmp_path / "a.csv", header + "".join(rows[n] for n in order) + last)
    assert (corpus.sentiment.tolist(), corpus.holder) == ([0], ("author",))
    assert (corpus.loose.tolist(), corpus.extra) == ([False], {"date": ("2024-01-01",)})


def test_one_coder_leaves_a_corpus_as_it_is(tmp_path):
    rows = "text,actor,stance,coder\nNATO won,NATO,favor,anna\nNATO won,NATO,favor,anna\n"
    corpus = corpus_of(tmp_path / "mine.csv", rows)
    assert (len(corpus), corpus.coders, corpus.soft) == (2, (), None)


def test_check_measures_agreement_and_finds_no_duplicates(tmp_path):
    path = write(tmp_path / "mine.csv", ROWS)
    said = " ".join(invoke("check", path).stdout.split())
    assert "alpha of anna, ben, cleo is " in said
    assert "an earlier row" not in said
    write(path, ROWS + "NATO lost,NATO,against,anna,b\n")
    said = " ".join(invoke("check", path).stdout.split())
    assert "an earlier row: delete the repetition (mine.csv:4 = mine.csv:12)" in said


CODINGS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["", "a", "b", "c"]), st.integers(0, 2)),
    min_size=1,
    max_size=30,
)


@given(CODINGS)
def test_no_coding_is_lost_or_counted_twice(codings):
    pairs, coders, _ = zip(*codings, strict=True)
    rows = [Row(str(pair), "NATO", said, at, coder=coder)
            for at, (pair, coder, said) in enumerate(codings)]  # fmt: skip
    merged, names, codes, _ = merge_coders(rows)
    times = Counter(zip(pairs, coders, strict=True))
    repeated = sum(max(n for (p, c), n in times.items() if p == pair and c) for pair in
                   {p for p, c in times if c})  # fmt: skip
    assert len(merged) == repeated + coders.count("")
    if names:
        named = Counter(coder for coder in coders if coder)
        assert (codes >= 0).sum(axis=0).tolist() == [named[name] for name in names]


# --- Agreement ---


def alpha_of(codes, labels):
    return measure_agreement(codes.T, labels, np.arange(codes.shape[1]))["alpha"]["value"]


def coded(*rows):
    """Codes from strings, one per coder; a dot is a missing code."""
    letters = sorted(set("".join(rows)) - {"."})
    codes = [[MISSING if c == "." else letters.index(c) for c in row] for row in rows]
    return np.array(codes), len(letters)


@pytest.mark.parametrize(
    ("rows", "alpha"),
    [
        (("0100000010", "1110010000"), 0.095),  # section A: Meg and Owen
        (("aabbdcccedda", "babbbccceddd"), 0.692),  # section B: Ben and Gerry
        (("123321412...", "1233224125.3", ".3332342251.", "12332441251."), 0.743),  # section C
    ],
)
def test_alpha_of_krippendorff_2011(rows, alpha):
    assert alpha_of(*coded(*rows)) == pytest.approx(alpha, abs=5e-4)


def slow_alpha(codes):
    """Coincidences counted pair by pair: observed and expected disagreement."""
    units = [[c for c in unit if c != MISSING] for unit in codes.T.tolist()]
    units = [unit for unit in units if len(unit) > 1]
    every = [c for unit in units for c in unit]
    differing = sum(
        (a != b) / (len(unit) - 1)
        for unit in units
        for i, a in enumerate(unit)
        for j, b in enumerate(unit)
        if i != j
    )
    expected = sum(a != b for a in every for b in every)
    return 1 - (len(every) - 1) * differing / expected if expected else None


@st.composite
def codings(draw):
    size, coders = draw(st.integers(1, 12)), draw(st.integers(2, 4))
    cells = st.lists(st.integers(MISSING, 2), min_size=size, max_size=size)
    return np.array(draw(st.lists(cells, min_size=coders, max_size=coders)))


@given(codings())
def test_alpha_equals_a_slow_count(codes):
    assert alpha_of(codes, 3) == pytest.approx(slow_alpha(codes), abs=1e-6)


def test_one_label_only_has_no_alpha():
    found = measure_agreement(np.ones((20, 2), np.int64), 3, np.arange(20))
    assert (found["alpha"]["value"], found["percent"]["value"]) == (None, 1.0)
    assert found["alpha"] == {"value": None, "interval": None}


def random_coding(seed, units=300, right=0.8):
    rng = np.random.default_rng(seed)
    first = rng.integers(3, size=units)
    second = np.where(rng.random(units) < right, first, rng.integers(3, size=units))
    return np.stack([first, second], axis=1)


def test_documents_are_resampled_not_units():
    # Every unit ten times in its document: ten times the rows tell nothing new.
    codes = random_coding(2, 60)
    once = measure_agreement(codes, 3, np.arange(60))
    tenfold = measure_agreement(np.repeat(codes, 10, axis=0), 3, np.repeat(np.arange(60), 10))
    assert tenfold["percent"] == once["percent"]
    widths = [np.ptp(figures["alpha"]["interval"]) for figures in (tenfold, once)]
    assert widths[0] == pytest.approx(widths[1], rel=0.05)


def test_few_documents_and_perfect_agreement_have_no_interval():
    codes = random_coding(3, 40)
    assert measure_agreement(codes, 3, np.arange(40) % 4)["alpha"]["interval"] is None
    assert measure_agreement(codes, 3, np.arange(40) % 5)["alpha"]["interval"] is not None
    same = measure_agreement(codes[:, [0, 0]], 3, np.arange(40))
    assert same["alpha"] == {"value": 1.0, "interval": None}
