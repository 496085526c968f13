"""Printed probabilities sum to one and agree with the printed label, in either config."""

import csv
from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from stance.records import UNCERTAIN, Stance
from stance.runs.answers import (
    MILLION,
    RunConfig,
    choose,
    compute,
    decimals,
    encode_tails,
    millionths,
    words,
)
from stance.tables import Format, Record, Records

TEXT_ALONE = RunConfig(("text",), 0)
SHARES = st.lists(
    st.lists(st.floats(0, 1e6), min_size=3, max_size=3).filter(lambda row: sum(row) > 1e-9),
    min_size=1,
    max_size=8,
)


def probabilities(rows):
    table = np.array(rows)
    return table / table.sum(axis=1, keepdims=True)


@given(SHARES)
@example([[1, 1, 1], [1, 0, 0], [1, 1, 0], [1e-9, 1, 1e6]])
@example([[0.1, 0.2, 0.7], [1 / 7, 2 / 7, 4 / 7]])
@example([[1, 1, 1], [0, 1, 1], [1e-12, 1, 1 + 1e-12]])
def test_printed_probabilities_sum_to_one_and_the_printed_label_has_the_largest(rows):
    exact = probabilities(rows)
    parts = millionths(exact)
    assert (np.abs(parts.T - exact * MILLION) <= 1 + 1e-6).all()
    best = choose(parts, np.zeros(len(rows), np.bool_))
    columns = [words(best, (*Stance, UNCERTAIN)), *map(decimals, parts)]
    for label, *numbers in zip(
        *(np.char.decode(column).tolist() for column in columns), strict=True
    ):
        assert all(len(number) == 8 for number in numbers)
        assert sum(int(number.replace(".", "")) for number in numbers) == MILLION
        assert float(numbers[list(Stance).index(label)]) == max(map(float, numbers))


CELL = st.text(st.sampled_from('aé北,;"\n\r =+-@\t1'), max_size=6)


@st.composite
def joint_rows(draw):
    """Draw rows of which some begin with the same cells: those cells, and what follows."""
    heads = draw(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5))
    times = draw(st.lists(st.integers(1, 3), min_size=len(heads), max_size=len(heads)))
    column = st.lists(CELL, min_size=sum(times), max_size=sum(times))
    columns = [
        np.array([cell.encode() for cell in cells]) if narrow else cells
        for cells, narrow in draw(
            st.lists(st.tuples(column, st.booleans()), min_size=1, max_size=3)
        )
    ]
    return heads, times, columns


@given(joint_rows(), st.sampled_from(",;\t§"), st.sampled_from(["csv", "jsonl"]), st.booleans())
def test_rows_are_the_same_bytes_whole_and_joined(drawn, delimiter, kind, safe):
    heads, times, columns = drawn
    names = tuple(f"c{number}" for number in range(2 + len(columns)))
    form = Format(names, kind, delimiter, excel_safe=safe and kind == "csv")
    cells = [[c.decode() if isinstance(c, bytes) else c for c in col] for col in columns]
    owners = np.repeat(np.arange(len(heads)), times).tolist()
    whole = [(*heads[owner], *tail) for owner, *tail in zip(owners, *cells, strict=True)]
    joined = form.join([*zip(*heads, strict=True)], times, encode_tails(columns, form))
    assert joined == form.encode(whole)


def answer_rows(model, config, asked):
    """Return the output's rows, and their counts."""
    part = compute(model, config, asked)
    return list(csv.reader(config.rows(asked, part).decode().splitlines())), part.tally


def records(*rows):
    return Records.of(Record(number, number + 1, row) for number, row in enumerate(rows, 1))


def test_the_answers_printed_are_the_model_s(model, corpus):
    texts = list(dict.fromkeys(corpus.texts))[:40]
    rows, _ = answer_rows(model, TEXT_ALONE, records(*((t,) for t in texts)))
    judged = model.judge(texts)
    printed = np.array([[float(cell) for cell in row[5:8]] for row in rows if row[2]])
    assert np.abs(printed - judged.stance).max() <= 1e-6


def test_the_tally_counts_the_answers_of_the_rows(model):
    texts = ["NATO praised Russia.", "Russia condemned NATO, and NATO Japan.", "Nothing.", "NATO"]
    free, tally = answer_rows(model, TEXT_ALONE, records(*((t,) for t in texts)))
    assert tally.answers == Counter((row[2], row[4]) for row in free if row[2])
    assert sum(tally.answers.values()) == 6
    actors = ["NATO", "", "the law", " NATO "]
    config = RunConfig(("text", "actor"), 0, actor=1)
    given, tally = answer_rows(model, config, records(*zip(texts, actors, strict=True)))
    assert tally.answers == Counter((row[1].strip(), row[4]) for row in given if row[1])
    assert tally.answers["the law", UNCERTAIN] == 1
    assert sum(tally.answers.values()) == 3


def test_without_a_sentiment_head_its_cells_are_empty(model):
    rows, _ = answer_rows(replace(model, sentiment=None), TEXT_ALONE, records(("NATO met.",)))
    assert rows[0][-4:] == ["", "", "", ""]
