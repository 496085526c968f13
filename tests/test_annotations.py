"""Several coders' rows on one pair are separate codings of one row, never duplicates."""

from collections import Counter

import numpy as np
from command import invoke
from hypothesis import given
from hypothesis import strategies as st

from stance import read_corpus
from stance.corpus import Row, merge_coders

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
    path.write_text(text)
    return read_corpus([path])


def test_rows_of_several_coders_are_one_row_of_their_majority(tmp_path):
    corpus = corpus_of(tmp_path / "mine.csv")
    assert corpus.texts == ("NATO won", "NATO lost", "NATO met", "NATO sat", "NATO won")
    assert corpus.stance.tolist() == [2, 0, 1, 0, 1]
    assert np.allclose(corpus.soft[[0, 1, 2]], [[1 / 3, 0, 2 / 3], [1, 0, 0], [0.5, 0, 0.5]])
    assert corpus.places() == [("mine", row) for row in (1, 4, 6, 10, 11)]
    assert corpus.sources[0].rows == 5
    note = corpus.notes[-1]
    assert "11 rows hold the labels of 3 coders (column coder) on 5 pairs of text and actor" in note
    assert "1 pair settled by 'adjudicated'; 1 tie between labels counted as neutral" in note


def test_annotations_keep_what_each_coder_said(tmp_path):
    corpus = corpus_of(tmp_path / "mine.csv")
    found = corpus.annotations
    assert found.coders == ("anna", "ben", "cleo")
    assert found.codes.tolist() == [[2, 0, 2, 2, 1], [0, 0, 0, 1, -1], [2, -1, -1, -1, -1]]
    assert corpus.take(np.array([1])).annotations.codes.tolist() == [[0], [0], [-1]]


def test_one_coder_leaves_a_corpus_as_it_is(tmp_path):
    rows = "text,actor,stance,coder\nNATO won,NATO,favor,anna\nNATO won,NATO,favor,anna\n"
    corpus = corpus_of(tmp_path / "mine.csv", rows)
    assert (len(corpus), corpus.annotations, corpus.soft) == (2, None, None)


def test_check_measures_agreement_and_finds_no_duplicates(tmp_path):
    (tmp_path / "mine.csv").write_text(ROWS)
    said = invoke("check", tmp_path / "mine.csv").stdout
    assert "coders: anna, ben and cleo" in said
    assert "an earlier row" not in said
    twice = ROWS + "NATO lost,NATO,against,anna,b\n"
    (tmp_path / "mine.csv").write_text(twice)
    said = " ".join(invoke("check", tmp_path / "mine.csv").stdout.split())
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
    merged, annotations, _ = merge_coders(rows)
    times = Counter(zip(pairs, coders, strict=True))
    repeated = sum(max(n for (p, c), n in times.items() if p == pair and c) for pair in
                   {p for p, c in times if c})  # fmt: skip
    assert len(merged) == repeated + coders.count("")
    if annotations:
        named = Counter(coder for coder in coders if coder)
        codes = annotations.codes
        assert (codes >= 0).sum(axis=1).tolist() == [named[c] for c in annotations.coders]
