"""Members and a manifest that agree with each other are still checked for what they say."""

import contextlib
import io
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_model import (
    Bomb,
    Change,
    loads_or_refuses,
    members_of,
    npy_header,
    refused,
    small_model,
    spoiled,
    zipped,
)

from stance.errors import ModelError
from stance.reading.keys import MULTIPLIER, join_keys
from stance.screens.model import card_lines
from stance.storage import dump_model, load_model, read_manifest
from stance.storage._members import check_array, decode_terms, encode_array

KEYS = "heads/stance/stem.keys.npy"
COEF = "heads/stance/stem.coef.npy"
TERMS = "heads/stance/stem.terms.txt"


@pytest.fixture(scope="module")
def good() -> bytes:
    return dump_model(small_model())


# --- Arrays and terms ----------------------------------------------------------------------------


def test_pickle_in_an_array_is_not_run(
    tmp_path: Path, good: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sink = io.BytesIO()
    np.save(sink, np.array([Bomb()], object), allow_pickle=True)
    refused(tmp_path, spoiled(good, {KEYS: sink.getvalue()}), "holds Python objects, .* run code")
    assert not Path("exploded").exists()


def _array(good: bytes, name: str) -> Any:
    return np.load(io.BytesIO(members_of(good)[name]))


def _changed(name: str, change: Callable[[Any], Any]) -> Callable[[bytes], dict[str, bytes]]:
    def make(good: bytes) -> dict[str, bytes]:
        sink = io.BytesIO()
        np.save(sink, change(_array(good, name)))
        return {name: sink.getvalue()}

    return make


def _valued(name: str, value: float) -> Callable[[bytes], dict[str, bytes]]:
    def change(array: Any) -> Any:
        array.flat[1] = value
        return array

    return _changed(name, change)


IDF, INTERCEPT = "heads/stance/stem.idf.npy", "heads/control/intercept.npy"

BAD_CONTENTS: dict[str, tuple[Callable[[bytes], dict[str, bytes]], str]] = {
    "big-endian": (_changed(KEYS, lambda a: a.astype(">u8")), "is not the uint64 of shape"),
    "other type": (_changed(COEF, lambda a: a.astype(np.int32)), "is not the float32 of shape"),
    "fortran": (_changed(COEF, np.asfortranarray), "is not the float32 of shape"),
    "other shape": (_changed(COEF, lambda a: a.T.copy()), "is not the float32 of shape"),
    "structured": (
        lambda g: {KEYS: npy_header("(1,)", "[('a', '<u8')]") + bytes(999)},
        "is not the",
    ),
    "expression": (lambda g: {KEYS: npy_header("(__import__('os'),)") + bytes(999)}, "is not the"),
    "version 2": (lambda g: {KEYS: b"\x93NUMPY\2\0" + bytes(999)}, "as an array does"),
    "spare values": (lambda g: {KEYS: encode_array(_array(g, KEYS)) + b"\0"}, "bytes of values"),
    "unsorted": (_changed(KEYS, lambda a: a[::-1].copy()), "not sorted without repetition"),
    "repeated": (_changed(KEYS, np.zeros_like), "not sorted without repetition"),
    "nan": (_valued(COEF, np.nan), "not a usable number"),
    "inf": (_valued(IDF, np.inf), "not a usable number"),
    "overflow": (_valued(INTERCEPT, -1e300), "not a usable number"),
    "too few terms": (lambda g: {TERMS: b"one\ntwo\n"}, "2 whole lines, not"),
    "no last line end": (lambda g: {TERMS: members_of(g)[TERMS][:-1]}, "whole lines, not"),
    "latin-1": (lambda g: {TERMS: b"\xe9" + members_of(g)[TERMS]}, "is not UTF-8 at byte 0"),
    "escape": (lambda g: {TERMS: b"\x1b[2J" + members_of(g)[TERMS]}, "control character"),
}


@pytest.mark.parametrize("kind", BAD_CONTENTS)
def test_member_that_its_hash_vouches_for_is_still_checked(
    tmp_path: Path, good: bytes, kind: str
) -> None:
    make, reason = BAD_CONTENTS[kind]
    refused(tmp_path, spoiled(good, make(good)), reason)


TERM_LISTS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=5))


@given(TERM_LISTS)
@example(["a\x85b"])
@example(["", "\u2028"])
@example(["…", "²", "\u2030"])
def test_terms_are_refused_just_if_one_has_a_control_character(terms: list[str]) -> None:
    data = bytearray("".join(f"{term}\n" for term in terms).encode())
    if {"Cc", "Zl", "Zp"} & {unicodedata.category(char) for char in "".join(terms)}:
        with pytest.raises(ModelError, match="'x' has a control character in"):
            decode_terms(data, len(terms), "x")
    else:
        found = decode_terms(data, len(terms), "x")
        assert (len(found), list(found)) == (len(terms), terms)


def test_keys_that_would_all_collide_are_refused() -> None:
    numbers = np.arange(5000, dtype=np.uint64)
    check_array(np.unique(join_keys(1, numbers)), "x.keys.npy")
    check_array(numbers, "x.keys.npy")
    inverse = np.uint64(pow(int(MULTIPLIER), -1, 2**64))
    for spread in (1, 2**48):  # all in one slot, and several in each of many neighbours
        with pytest.raises(ModelError, match="keys that collide"):
            check_array(np.sort(numbers * np.uint64(spread) * inverse), "x.keys.npy")


# --- The manifest --------------------------------------------------------------------------------

BAD_JSON = {
    "no json": (b"{", "is not valid JSON"),
    "not utf-8": (b'{"format": "\xff"}', "is not valid JSON"),
    "a list": (b"[]", "not that of a model"),
    "no format": (b"{}", "not that of a model"),
    "nan": (b'{"seed": NaN}', "NaN is not a number"),
    "too large": (b'{"seed": 1e999}', "a number is too large"),
    "digits": (b'{"seed": ' + b"9" * 5000 + b"}", "a number is too large"),
    "twice": (b'{"seed": 1, "seed": 2}', "a key occurs twice"),
    "surrogate": (b'{"seed": "\\ud800"}', "not valid JSON .*ud800"),
    "escape": (b'{"seed\\u001b[31m": 1}', r"a control character in 'seed\\x1b"),
}


@pytest.mark.parametrize("kind", BAD_JSON)
def test_manifest_that_is_no_json(tmp_path: Path, good: bytes, kind: str) -> None:
    data, reason = BAD_JSON[kind]
    refused(tmp_path, zipped(members_of(good) | {"manifest.json": data}), reason)


def test_manifest_of_values_without_end_is_refused_before_it_takes_memory(
    tmp_path: Path, good: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stance.storage._manifest.MOST_VALUES", 1000)
    data = b'{"seed": [' + b"0," * 1001 + b"0]}"
    refused(tmp_path, zipped(members_of(good) | {"manifest.json": data}), "more than 1,000 values")


def _set(*where: str | int, to: object) -> Change:
    def change(manifest: Any) -> None:
        *path, last = where
        for key in path:
            manifest = manifest[key]
        manifest[last] = to

    return change


BLOCK = ("heads", "stance", "blocks", 0)
KEYS_ENTRY = ("members", KEYS)

BAD_MANIFESTS: dict[str, tuple[Change, str]] = {
    "newer": (_set("schema", to=2), "was written by a newer stance .schema 2.; upgrade stance"),
    "older": (_set("schema", to=0), "schema = 0, not 1"),
    "true": (_set("schema", to=True), "schema = True, not a whole number"),
    "no seed": (lambda m: m.pop("seed"), "lacks 'seed'"),
    "no limits": (lambda m: m.pop("limits"), "lacks 'limits'"),
    "scores": (_set("scores", to=[]), "scores = .., not a table"),
    "scores without interval": (_set("scores", to={"macro_f1": 0.5}), "lacks 'scores.macro_f1_int"),
    "score": (_set("scores", "macro_f1", to="0.5"), "scores.macro_f1 = '0.5', not a number"),
    "baseline": (_set("scores", "baselines", "majority", to=0.5), "majority = 0.5, not a table"),
    "actor's score": (_set("scores", "per_actor", to={"NATO": 1}), "NATO = 1, not a table"),
    "unknown feeling": (
        _set("scores", "sentiment", to={"per_class": {"glad": {"support": 1}}}),
        "unknown key 'scores.sentiment.per_class.glad'",
    ),
    "limits as a number": (_set("limits", to=5), "limits = 5, not a list"),
    "limits of numbers": (_set("limits", to=[5]), "limits.0 = 5, not a string"),
    "unknown class": (
        _set("data", 0, "classes", "glad", to=1),
        "unknown key 'data.0.classes.glad'",
    ),
    "version as a number": (_set("versions", "scipy", to=1), "versions.scipy = 1, not a string"),
    "version": (_set("versions", "numpy", to=2), "versions.numpy = 2, not a string"),
    "data": (_set("data", 0, to="x"), "data.0 = 'x', not a table"),
    "data hash": (_set("data", 0, "sha256", to="xy" * 32), "not 64 hexadecimal digits"),
    "rows": (_set("data", 0, "rows", to=-1), "data.0.rows = -1, not between"),
    "classes": (_set("data", 0, "classes", "favor", to="1"), "classes.favor = '1'"),
    "labels": (_set("labels", "stance", to=["a", "b", "c"]), "not those of stance and sentiment"),
    "head labels": (_set("heads", "stance", "labels", to=["favor"]), "not against, neutral, favor"),
    "language": (_set("language", to="german"), "language = 'german', not that of its recipe"),
    "no head": (lambda m: m["heads"].pop("control"), "lacks 'heads.control'"),
    "head": (_set("heads", "evil", to={}), "unknown key 'heads.evil'"),
    "head key": (_set("heads", "stance", "code", to="x"), "unknown key 'heads.stance.code'"),
    "targeted": (_set("heads", "control", "targeted", to=True), "control.targeted = True"),
    "own": (_set("heads", "stance", "own", to=1), "own = 1, not true or false"),
    "cold": (_set("heads", "stance", "temperature", to=0), "temperature = 0, not between"),
    "negative": (_set("heads", "control", "temperature", to=-1.5), "temperature = -1.5, not"),
    "temperatures": (_set("temperature", to=2), "temperature = 2, not that of its stance head"),
    "block": (_set(*BLOCK, "name", to="../x"), r"blocks.0.name = '\.\./x', not another one of"),
    "blocks": (_set(*BLOCK, "name", to="cross"), "name = 'cross', not another one of"),
    "no table": (_set(*BLOCK, to=7), "blocks.0 = 7, not a table"),
    "weight": (_set(*BLOCK, "weight", to=1e9), "weight = 1000000000.0, not between"),
    "features": (_set(*BLOCK, "features", to=10**9), "features = 1000000000, not between"),
    "sizes": (_set(*BLOCK, "features", to=1), r"keys.npy.shape = \[\d+\], not \[1\]"),
    "hidden name": (
        lambda m: m["recipe"]["features"]["blocks"].update(name=1),
        "blocks of its rec",
    ),
    "member hash": (_set(*KEYS_ENTRY, "sha256", to="AB" * 32), "not 64 hexadecimal digits"),
    "wrong hash": (_set(*KEYS_ENTRY, "sha256", to="ab" * 32), "not have the sha256"),
    "member size": (_set(*KEYS_ENTRY, "bytes", to=10**10), "bytes = 10000000000, not between"),
    "object": (_set(*KEYS_ENTRY, "dtype", to="object"), "keys.npy.dtype = 'object', not uint64"),
    "minus": (
        _set("members", "data/exact.npy", "shape", to=[-4]),
        r"exact.npy.shape = \[-4\], not \[0\]",
    ),
    "both minus": (
        lambda m: [
            _set("members", "data/exact.npy", "shape", to=[-4])(m),
            _set("members", "data/bands.npy", "shape", to=[-4, 6])(m),
        ],
        r"exact.npy.shape = \[-4\], not \[0\]",
    ),
    "scalar": (_set("members", "data/exact.npy", "shape", to=[]), r"shape = \[\], not \[0\]"),
    "member": (
        lambda m: m["members"].update({"x.npy": m["members"][KEYS]}),
        "unknown key 'members.x.npy'",
    ),
    "term dtype": (_set("members", TERMS, "dtype", to="float32"), "terms.txt.dtype'"),
    "recipe": (_set("recipe", "classifer", to={}), "its recipe: unknown key 'classifer'"),
    "recipe range": (
        _set("recipe", "classifier", "c", to=-1),
        "its recipe: 'classifier.c' must be",
    ),
    "stemmer": (
        lambda m: (_set("language", to="xx")(m), _set("recipe", "language", to="xx")(m)),
        "unknown language 'xx'",
    ),
    "book": (_set("book", "NATO", "regex", to=["(a+)+$"]), "its actor book: .*unknown key 'regex'"),
    "empty book": (_set("book", to={}), "its actor book: no actor in it"),
    "alias": (
        _set("book", "NATO", "name", to=["Russia"]),
        "its actor book: .*'Russia' belongs to|not one of its al",
    ),
    "alias type": (_set("book", "NATO", "name", to=[1]), "must be a list of strings"),
    "polarity": (_set("lexicon", "crit", "polarity", to="evil"), "polarity = 'evil', not one of"),
    "words": (_set("lexicon", "crit", "words", to=[["x"]]), "words = .*not short strings"),
    "no words": (lambda m: m["lexicon"]["crit"].pop("words"), "lacks 'lexicon.crit.words'"),
    "long word": (_set("lexicon", "crit", "phrases", to=["x" * 201]), "not short strings"),
    "lexicon key": (_set("lexicon", "crit", "code", to=[]), "unknown key 'lexicon.crit.code'"),
    "function": (_set("lexicon", "function", "evil", to=[]), "unknown key 'lexicon.function.evil'"),
    "category": (_set("lexicon", "crit", to=[]), "lexicon.crit = .., not a table"),
    "many words": (
        _set("lexicon", "crit", "words", to=["x"] * 100_001),
        "entries; at most 100,000",
    ),
    "categories": (
        lambda m: m["lexicon"].update({f"c{i}": m["lexicon"]["crit"] for i in range(99)}),
        "categories; at most 100",
    ),
}


@pytest.mark.parametrize("kind", BAD_MANIFESTS)
def test_manifest_against_the_schema(tmp_path: Path, good: bytes, kind: str) -> None:
    change, reason = BAD_MANIFESTS[kind]
    refused(tmp_path, spoiled(good, None, change), reason)


def test_extra_keys_of_the_card_are_kept(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "a.stance"
    path.write_bytes(spoiled(good, None, _set("licence", to="CC0")))
    assert load_model(path).card["licence"] == "CC0"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_value_anywhere_in_the_manifest(
    tmp_path_factory: pytest.TempPathFactory, good: bytes, data: st.DataObject
) -> None:
    members = members_of(good)
    manifest = json.loads(members["manifest.json"])
    node, key = manifest, data.draw(st.sampled_from(sorted(manifest)))
    while isinstance(node[key], (dict, list)) and node[key] and data.draw(st.booleans()):
        node = node[key]
        keys = sorted(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
    node[key] = data.draw(_JSON)
    content = json.dumps(manifest).encode()
    path = tmp_path_factory.getbasetemp() / "json.stance"
    loads_or_refuses(path, zipped(members | {"manifest.json": content}, ZIP_STORED))
    with contextlib.suppress(ModelError):
        assert list(card_lines(read_manifest(path)))  # what is read can be shown
