"""Frames of judgement: who judges whom."""

import csv
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.reading.clauses import phrases_of
from stance.reading.constructions import constructions_of, occurrences
from stance.reading.cues import cues_of
from stance.reading.frames import describe, frames_of
from stance.reading.lexicon import bundled
from stance.reading.words import Reader

with (Path(__file__).parent / "frames.csv").open(encoding="utf-8", newline="") as _file:
    CASES = {row["text"]: row for row in csv.DictReader(_file)}
"""Sentences, their frames in words, and whether these are praise (1), blame (-1) or neither."""


def frames(reader: Reader, texts: Sequence[str]) -> list[tuple[str, str]]:
    """Return the frames of each text in words, and their polarities."""
    words = reader.words(texts)
    described, polarities = [list[str]() for _ in texts], [list[str]() for _ in texts]
    for frame in frames_of(words, reader):
        described[words.para[frame.cue]].append(describe(frame, words, reader.book.names))
        polarities[words.para[frame.cue]].append(str(frame.polarity))
    return list(zip(map("; ".join, described), map(" ".join, polarities), strict=True))


@pytest.mark.parametrize("text", CASES)
def test_a_frame_says_who_judges_whom_and_how(reader: Reader, text: str) -> None:
    assert frames(reader, [text]) == [(CASES[text]["frames"], CASES[text]["polarity"])]


_WORDS = sorted({word for text in CASES for word in re.findall(r"[\w']+|[^\w\s]", text)})


@given(st.lists(st.sampled_from(_WORDS), max_size=24).map(" ".join))
def test_any_row_of_words_is_read(reader: Reader, text: str) -> None:
    for frame in frames_of(reader.words([text, text]), reader):
        assert frame.agent != frame.patient or frame.agent < 0
        assert frame.polarity in (-1, 0, 1)


def test_a_construction_stands_only_where_its_sign_is(reader: Reader) -> None:
    """Else a frame depends on which sentences are near."""
    forms = constructions_of("english")
    bare = [form._replace(sign="") for form in forms]
    every = np.ones(len(CASES), np.bool_)
    phrases = phrases_of(reader.words([*CASES]), reader, cues_of("english"), every)
    with_signs, without = (
        [(form.name, hit.span()) for form, hit in occurrences(phrases.tags, some)]
        for some in (forms, bare)
    )
    assert with_signs == without


def test_no_list_of_the_language_names_a_word_or_phrase_twice() -> None:
    tables = tomllib.loads(bundled("english", "frames.toml") or "")
    for table, lists in tables.items():
        for name, text in lists.items():
            parts = map(str.split, text.split(";")) if ";" in text else text.split()
            entries = [" ".join(part) if isinstance(part, list) else part for part in parts]
            assert [n for n, c in Counter(filter(None, entries)).items() if c > 1] == [], (
                table + name
            )


EDGES = (  # what ends one text may begin a construction, with what begins the next
    'To Peru, "they lie."',
    "Peru received praise",
    "From Chile came lies.",
    "Peru lied to my",
    "Deep distrust of China grew.",
    "Peru betrayed us and refused",
    "Long live Senegal.",
    "Iceland is a small country with a large conscience",
    "Myanmar's government postponed the vote to January.",
    "The liars of Chile left.",
    "Chile betrayed us, referring",
    "Peru's record is ordinary",
    "Peru betrayed the former",
)


def test_frames_do_not_depend_on_the_other_texts(reader: Reader) -> None:
    """A batch gives each paragraph what it gets alone."""
    alone = [(case["frames"], case["polarity"]) for case in CASES.values()]
    assert frames(reader, [*CASES]) == alone
    assert frames(reader, EDGES) == [frames(reader, [text])[0] for text in EDGES]
