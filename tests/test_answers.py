"""Printed probabilities sum to one and agree with the printed label, in either layout."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stance.errors import DataError
from stance.records import UNCERTAIN, Stance
from stance.runs import answers
from stance.runs.answers import OutputColumns
from stance.runs.rows import MILLION, EncodedRows, Rows, choose, decimals, millionths, words
from stance.tables import Format, Record, Records, encode_rows

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
def test_millionths_sum_to_a_million(rows):
    exact = probabilities(rows)
    rounded = millionths(exact).T
    assert (rounded.sum(axis=1) == MILLION).all()
    assert (rounded >= 0).all()
    assert (np.abs(rounded - exact * MILLION) <= 1 + 1e-6).all()


TEXT_ALONE = OutputColumns(("text",), 0)


def printed_rows(exact, sure):
    """Return label and numbers of each row as strings."""
    parts = millionths(exact)
    columns = [words(choose(parts, ~sure), (*Stance, UNCERTAIN)), *map(decimals, parts)]
    return list(zip(*(np.char.decode(column).tolist() for column in columns), strict=True))


@given(st.lists(st.integers(0, MILLION), max_size=50))
@example([0, 1, 999_999, 1_000_000])
def test_millionths_are_written_with_six_decimals(parts):
    written = decimals(np.array(parts, np.int64)).tolist()
    assert written == [f"{part / MILLION:.6f}".encode() for part in parts]


@given(SHARES)
@example([[1, 1, 1], [0, 1, 1], [1e-12, 1, 1 + 1e-12]])
def test_the_printed_label_has_the_largest_printed_probability(rows):
    exact = probabilities(rows)
    printed = printed_rows(exact, np.ones(len(rows), np.bool_))
    for (label, *numbers), parts in zip(printed, millionths(exact).T.tolist(), strict=True):
        assert [round(float(number) * MILLION) for number in numbers] == parts
        assert all(len(number) == 8 for number in numbers)
        assert sum(round(float(number) * MILLION) for number in numbers) == MILLION
        assert float(numbers[list(Stance).index(label)]) == max(map(float, numbers))


def test_what_is_not_sure_is_uncertain():
    printed = printed_rows(np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]]), np.array([False, True]))
    assert printed == [
        (UNCERTAIN, "0.200000", "0.300000", "0.500000"),
        ("against", "1.000000", "0.000000", "0.000000"),
    ]


def test_no_rows():
    assert printed_rows(np.zeros((0, 3)), np.zeros(0, np.bool_)) == []


CELL = st.text(st.sampled_from('aé北,;"\n\r =+-@\t1'), max_size=6)


@st.composite
def joint_rows(draw):
    """Draw rows of which some begin with the same cells."""
    heads = draw(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5))
    times = draw(st.lists(st.integers(1, 3), min_size=len(heads), max_size=len(heads)))
    owner = np.repeat(np.arange(len(heads)), times)
    column = st.lists(CELL, min_size=len(owner), max_size=len(owner))
    columns = [
        np.array([cell.encode() for cell in cells]) if narrow else cells
        for cells, narrow in draw(
            st.lists(st.tuples(column, st.booleans()), min_size=1, max_size=3)
        )
    ]
    return Rows(list(zip(*heads, strict=True)), owner, columns)


@given(joint_rows(), st.sampled_from(",;\t§"), st.sampled_from(["csv", "jsonl"]), st.booleans())
def test_rows_are_the_same_bytes_whole_and_from_columns(rows, delimiter, kind, safe):
    names = tuple(f"c{number}" for number in range(2 + len(rows.columns)))
    form = Format(names, kind, delimiter, excel_safe=safe and kind == "csv")
    found = rows.encode(form).blocks(rows.input_cells, delimiter)
    assert b"".join(found) == form.encode(list(rows))
    assert len(rows) == len(list(rows))


BEGUN = st.lists(
    st.tuples(CELL, CELL, st.lists(st.binary(max_size=5), min_size=1, max_size=3)), min_size=1
)
"""Two cells with which rows begin, and how each of them ends."""


@given(BEGUN)
def test_encoded_rows_are_each_records_cells_with_each_of_its_ends(begun):
    ends = [[end.replace(b"\n", b"").replace(b"\r", b"") + b"\n" for end in e] for *_, e in begun]
    first, second, _ = zip(*begun, strict=True)
    whole = b"".join(itertools.chain(*ends))
    found = EncodedRows(whole, list(map(len, ends))).blocks([first, second], ",")
    starts = [encode_rows([(a, b, "")], delimiter=",")[:-1] for a, b, _ in begun]
    assert b"".join(found) == b"".join(
        start + end for start, own in zip(starts, ends, strict=True) for end in own
    )
    assert list(EncodedRows(whole).blocks([["any"]], ",")) == [whole]


def test_rows_with_long_cells_are_not_joined():
    blocks = list(EncodedRows(b"end\n" * 10, [5, 5]).blocks([["a" * 3_000_000, "b"]], ","))
    assert max(map(len, blocks)) == 3_000_001
    assert b"".join(blocks).count(b"a,end\n") == 5


def test_half_a_character_is_no_text():
    with pytest.raises(DataError, match="half a character"):
        list(EncodedRows(b"end\n", [1]).blocks([["\ud800"]], ","))


def answer_rows(model, layout, asked, name):
    """Return the output's rows, as the writer puts them together."""
    rows, tally = answers.answer_rows(model, layout, asked, name)
    return list(rows), tally


def records(*rows):
    return Records.of(Record(number, number + 1, row) for number, row in enumerate(rows, 1))


LONG = (
    *("row", "actor", "mentions", "stance", "stance_against", "stance_neutral", "stance_favor"),
    *("holder", "sentiment", "sentiment_negative", "sentiment_neutral", "sentiment_positive"),
)


def test_the_long_layout(model):
    layout = OutputColumns(("id", "text"), text=1)
    assert layout.added() == LONG
    texts = [
        ("007", "Russia condemned NATO, and Moscow's envoy left."),
        ("NA", "Nothing."),
        ("1e5", "NATO qwxzj."),
    ]
    rows, tally = answer_rows(model, layout, records(*texts), "mine.csv")
    assert [tuple(row[:5]) for row in rows] == [
        (*texts[0], "1", "Russia", "2"),
        (*texts[0], "1", "NATO", "1"),
        (*texts[1], "2", "", "0"),
        (*texts[2], "3", "NATO", "1"),
    ]
    assert all(len(row) == 2 + len(LONG) for row in rows)
    assert rows[2][5:9] == ("", "", "", "")
    assert rows[3][5] == UNCERTAIN
    assert rows[0][5] in list(Stance)
    assert rows[0][9:] == rows[1][9:]  # one sentiment per paragraph
    assert (tally.rows, tally.named, tally.unknown) == (3, 2, 1)
    assert tally.answers["NATO", UNCERTAIN] == 1
    assert sum(tally.answers.values()) == 3


def test_the_answers_printed_are_the_model_s(model, corpus):
    texts = list(dict.fromkeys(corpus.texts))[:40]
    rows, _ = answer_rows(model, TEXT_ALONE, records(*((t,) for t in texts)), "t")
    judged = model.judge(texts)
    printed = np.array([[float(cell) for cell in row[5:8]] for row in rows if row[2]])
    assert np.abs(printed - judged.stance).max() <= 1e-6


def test_with_an_actor_column_exactly_that_actor_is_judged(model):
    layout = OutputColumns(("actor", "text"), text=1, actor=0)
    assert layout.added() == tuple(name for name in LONG if name != "actor")
    asked = [(" NATO ", "NATO praised Russia."), ("Japan", "NATO praised Russia.")]
    rows, tally = answer_rows(model, layout, records(*asked), "mine.csv")
    assert [tuple(row[:4]) for row in rows] == [(*asked[0], "1", "1"), (*asked[1], "2", "0")]
    assert rows[1][4] == UNCERTAIN  # it is not named, so nothing is said of it
    assert tally.unknown == 1


def test_the_tally_counts_the_answers_of_the_rows(model):
    texts = ["NATO praised Russia.", "Russia condemned NATO, and NATO Japan.", "Nothing.", "NATO"]
    free, tally = answer_rows(model, TEXT_ALONE, records(*((t,) for t in texts)), "t")
    assert tally.answers == Counter((row[2], row[4]) for row in free if row[2])
    assert sum(tally.answers.values()) == 6
    actors = ["NATO", "", "the law", " NATO "]
    layout = OutputColumns(("text", "actor"), 0, actor=1)
    given, tally = answer_rows(model, layout, records(*zip(texts, actors, strict=True)), "mine.csv")
    assert tally.answers == Counter((row[1].strip(), row[4]) for row in given if row[1])
    assert tally.answers["the law", UNCERTAIN] == 1
    assert sum(tally.answers.values()) == 3


def test_leaders_count_only_in_office_where_rows_have_dates(model):
    layout = OutputColumns(("date", "text"), text=1, date=0)
    dated = [(date, "Trump met Rutte.") for date in ("2018-03-09", "2022-03", "", "2025", "May")]
    rows, _ = answer_rows(model, layout, records(*dated), "t")
    named = [[row[3] for row in rows if row[2] == str(number)] for number in range(1, 6)]
    both = ["United States", "NATO"]
    assert named == [["United States"], [""], both, both, both]
    asked = OutputColumns(("date", "text", "actor"), text=1, actor=2, date=0)
    given = [(*row, "United States") for row in dated]
    rows, _ = answer_rows(model, asked, records(*given), "t")
    assert [row[4] for row in rows] == ["1", "0", "1", "1", "1"]


def test_places_are_used_where_the_input_has_them(model):
    layout = OutputColumns(("text", "actor", "spans"), text=0, actor=1, spans=2)
    asked = [("They praised it.", "the bloc", "13:15"), ("They praised it.", "the bloc", "")]
    rows, _ = answer_rows(model, layout, records(*asked), "mine.csv")
    assert [row[4] for row in rows] == ["1", "0"]
    with pytest.raises(DataError, match=r"^mine.csv:2: spans '99:100' is not a place in the text"):
        answer_rows(model, layout, records(("It.", "NATO", "99:100")), "mine.csv")


def test_the_wide_layout(model):
    layout = OutputColumns(("text",), text=0, wide=True, actors=model.book.names)
    added = layout.added()
    assert added[:1] == ("row",)
    assert added[1:6] == tuple(
        f"{model.book.names[0]}{end}" for end in ("", "_against", "_neutral", "_favor", "_holder")
    )
    assert added[-4:] == LONG[-4:]
    rows, tally = answer_rows(
        model, layout, records(("Russia condemned NATO.",), ("Nothing.",)), "mine.csv"
    )
    assert len(rows) == 2
    first, second = (dict(zip(("text", *added), row, strict=True)) for row in rows)
    assert first["row"] == "1"
    assert {a for a in model.book.names if first[a]} == {"NATO", "Russia"}
    assert not any(second[actor] for actor in model.book.names)
    assert tally.named == 1
    long, _ = answer_rows(model, TEXT_ALONE, records(("Russia condemned NATO.",)), "t")
    found = {row[2]: row[4:8] for row in long}
    for actor, answer in found.items():
        keys = (actor, *(f"{actor}_{label}" for label in Stance))
        assert tuple(first[key] for key in keys) == tuple(answer)


@pytest.mark.parametrize("name", [n for n in LONG if n != "actor"])
def test_a_column_that_would_be_written_twice_is_refused(name):
    with pytest.raises(DataError, match=rf"mine.csv: column '{name}' would be .* --prefix"):
        OutputColumns(("text", name), text=0).check("mine.csv")
    OutputColumns(("text", name), text=0, prefix="my_").check("mine.csv")


def test_an_actor_of_the_book_may_collide_in_the_wide_layout():
    layout = OutputColumns(("text", "NATO_favor"), text=0, wide=True, actors=("NATO",))
    with pytest.raises(DataError, match="column 'NATO_favor' would be written twice"):
        layout.check("mine.csv")


def test_the_prefix_stands_before_every_new_column():
    layout = OutputColumns(("text", "row"), text=0, prefix="x_")
    assert layout.added() == tuple("x_" + name for name in LONG)
    clash = OutputColumns(("text", "x_row"), text=0, prefix="x_")
    with pytest.raises(DataError, match="column 'x_row' would be written twice"):
        clash.check("mine.csv")


def test_without_a_sentiment_head_its_cells_are_empty(model):
    from dataclasses import replace

    rows, _ = answer_rows(
        replace(model, sentiment=None),
        TEXT_ALONE,
        records(("NATO met.",)),
        "mine.csv",
    )
    assert rows[0][-4:] == ("", "", "", "")
