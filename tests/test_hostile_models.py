"""A file that is no whole model is refused in one line, whatever is in it; nothing in it is run."""

import json
import os
import pickle
import random
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from command import invoke, one_line
from hypothesis import given, settings
from hypothesis import strategies as st
from small_model import (
    Bomb,
    loads_or_refuses,
    members_of,
    npy,
    npy_header,
    refused,
    small_model,
    spoiled,
    zipped,
)

from stance.errors import ModelError
from stance.storage import dump_model, load_model, read_manifest

GOOD = dump_model(small_model())
MEMBERS, LAST = members_of(GOOD), GOOD.rindex(b"PK\1\2")  # the last entry of its directory
KEYS, COEF = "heads/stance/stem.keys.npy", "heads/stance/stem.coef.npy"
IDF, INTERCEPT = "heads/stance/stem.idf.npy", "heads/control/intercept.npy"
TERMS = "heads/stance/stem.terms.txt"


def array(name):
    return np.frombuffer(MEMBERS[name][128:], "<u8" if name == KEYS else "<f4").copy()


def with_manifest(data):
    return zipped(MEMBERS | {"manifest.json": data})


def declaring(size):
    """Return a zip whose last member claims to unpack to so many bytes."""
    return GOOD[: LAST + 24] + struct.pack("<L", size) + GOOD[LAST + 28 :]


def huge(manifest):
    for name, shape in ((KEYS, [10_000_000]), (COEF, [10_000_000, 3]), (IDF, [10_000_000])):
        manifest["members"][name]["shape"] = shape
    manifest["heads"]["stance"]["blocks"][0]["features"] = 10_000_000


def member(name, mode=0):
    """Return the model with one more member."""
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return zipped({**MEMBERS, info: b""})


def valued(name, value, dtype=None):
    """Return the model with one value of an array changed, and vouched for by the manifest."""
    values = np.frombuffer(MEMBERS[name][128:], dtype or "<f4").copy()
    values[1] = value
    return spoiled(GOOD, {name: MEMBERS[name][:128] + values.tobytes()})


def altered(name, data):
    return spoiled(GOOD, {name: data})


OTHER = "not a zip file, so not a model; name a model that"
CUT = "is cut off, or has other bytes after.*; copy or download it again"
UNNAMED = "'.*' is missing, or not as the manifest says"
TOO_LARGE = "its members unpack to more bytes than any model holds"
SHAPED = "is not the .* of shape .* of the manifest"

FILES = {
    # other files
    "empty": (b"", "is empty"),
    "text": ("text,actor\nŁódź".encode(), OTHER),
    **{f"pickle {number}": (pickle.dumps(Bomb(), number), OTHER) for number in (2, 3, 4, 5)},
    "zlib": (zlib.compress(pickle.dumps(Bomb())), OTHER),
    "empty zip": (zipped({}), "is a zip but not a model: it has no 'manifest.json'"),
    "extension": (zipped({"manifest.json": b'{"name": "x"}'}), "does not describe a model"),
    # the zip
    **{f"cut at {size}": (GOOD[:size], CUT) for size in (5, 30, 100, 2000, -1, -22, -23)},
    "bytes after": (GOOD + b"garbage", CUT),
    "zip64": (GOOD[:-22] + b"PK\6\7" + bytes(16) + GOOD[-22:], CUT),
    "comment": (GOOD[:-2] + b"\3\0abc", CUT),
    "too many": (zipped({f"a{n}": b"" for n in range(250)} | MEMBERS), "250|members, but a model"),
    "encrypted": (GOOD[: LAST + 8] + b"\1" + GOOD[LAST + 9 :], "cannot be unpacked"),
    "climbs": (member("../../evil.npy"), UNNAMED),
    "control": (member("a\x1b[31m\n.npy"), r"'a\\x1b\[31m\\n.npy' is missing, or"),
    "link": (member("heads/x.npy", 0o120777), UNNAMED),
    "changed": (
        zipped(MEMBERS | {KEYS: MEMBERS[KEYS][:-1] + bytes([MEMBERS[KEYS][-1] ^ 1])}),
        "does not have the sha256",
    ),
    "shortened": (zipped(MEMBERS | {KEYS: b"x"}), UNNAMED),
    # arrays and terms that the manifest vouches for
    "objects": (altered(KEYS, npy(np.array([Bomb()], object), pickled=True)), SHAPED),
    "big-endian": (altered(KEYS, npy(array(KEYS).astype(">u8"))), SHAPED),
    "other shape": (altered(COEF, npy(array(COEF))), SHAPED),
    "expression": (altered(KEYS, npy_header("(__import__('os'),)") + bytes(999)), SHAPED),
    "unsorted": (altered(KEYS, npy(array(KEYS)[::-1])), "not sorted without repetition"),
    "nan": (valued(COEF, np.nan), "not a usable number"),
    "overflow": (valued(INTERCEPT, -1e300, "<f8"), "not a usable number"),
    "too few terms": (altered(TERMS, b"one\ntwo\n"), "whole lines"),
    "latin-1": (altered(TERMS, b"\xe9" + MEMBERS[TERMS]), "is not UTF-8 at byte 0"),
    # the JSON of the manifest
    "no json": (with_manifest(b"{"), "is not valid JSON"),
    "not utf-8": (with_manifest(b'{"format": "\xff"}'), "is not valid JSON"),
    "NaN": (with_manifest(b'{"seed": NaN}'), "is not valid JSON"),
    "infinite": (with_manifest(b'{"recipe": {"c": 1e999}}'), "1e999 is not a finite number"),
    "digits": (with_manifest(b'{"seed": ' + b"9" * 5000 + b"}"), "is not valid JSON"),
    "surrogate": (with_manifest(b'{"seed": "\\ud800"}'), "not valid JSON .*ud800"),
    "colour": (with_manifest(b'{"seed\\u001b[31m": 1}'), "a control character"),
}
BOMBS = {
    "zeros": (zipped(MEMBERS | {KEYS: bytes(200 << 20)}), UNNAMED),
    "manifest": (zipped({"manifest.json": bytes(20 << 20)}, 0), TOO_LARGE),
    "bzip2": (zipped({"manifest.json": bytes(9 << 20)}, zipfile.ZIP_BZIP2), "packed in a way"),
    "claim": (declaring(3 << 30), TOO_LARGE),
    "small claim": (declaring(900_000), UNNAMED),
    "header": (altered(KEYS, npy_header("(1250000000,)") + bytes(999)), SHAPED),
    "header and manifest": (spoiled(GOOD, None, huge), SHAPED),
    **{
        f"{depth} deep": (
            with_manifest(
                b'{"format":"stance-model","schema":' + b"[" * depth + b"]" * depth + b"}"
            ),
            r"has schema \[\[|is not valid JSON",
        )
        for depth in (25, 200_000)
    },
}


@pytest.mark.parametrize("kind", FILES)
def test_what_is_no_whole_model_is_refused(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    refused(tmp_path, *FILES[kind])
    assert not Path("exploded").exists()


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_refused_before_it_takes_memory(tmp_path, kind):
    tracemalloc.start()
    try:
        refused(tmp_path, *BOMBS[kind])
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["a.joblib", "a.pkl", "a.PKL", "a.pickle"])
def test_a_pickle_is_recognised_by_its_name(tmp_path, name):
    refused(tmp_path, GOOD, "as a .(joblib|pkl|PKL|pickle) file, it .* run any code", name)


@pytest.mark.parametrize("read", [load_model, read_manifest])
def test_a_place_without_a_file(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    for name, reason in {
        "no\x1b[31m\n.stance": r"no\\x1b\[31m\\n.stance: cannot be read \(No such file or",
        "": "Is a directory",
        "a\0b": "no file can have this name; check the path",
        "pipe": "is a pipe or device",
        "x" * 300: "cannot be read",
    }.items():
        with pytest.raises(ModelError, match=reason):
            read(tmp_path / name)


# --- Damage --------------------------------------------------------------------------------------


def test_a_flipped_byte_is_refused_or_changes_nothing(tmp_path):
    seeded, directory = random.Random(20), GOOD.index(b"PK\1\2")
    places = [seeded.randrange(len(GOOD)) for _ in range(200)]
    places += [seeded.randrange(directory, len(GOOD)) for _ in range(150)]
    for at in places:
        flipped = bytearray(GOOD)
        flipped[at] ^= 1 << seeded.randrange(8)
        assert loads_or_refuses(tmp_path / "flip.stance", flipped) in (None, GOOD)


# --- The manifest --------------------------------------------------------------------------------

BLOCK = "heads stance blocks 0"
ENTRY = "members heads/stance/stem.keys.npy"
LACKING = object()

FORGED = [  # where, what is put there, why it is refused
    ("schema", 2, "has schema 2, this stance reads 1; upgrade stance"),
    ("schema", True, "has schema True"),
    ("seed", LACKING, "'seed' is missing"),
    ("limits", [5], "'limits' must be a list of texts"),
    ("scores", 0.5, "'scores' must be a table"),
    ("versions scipy", 1, "'versions.scipy' must be a string"),
    ("data 0 sha256", "xy" * 32, "'data.0.sha256' must be a sha256"),
    ("data 0 rows", -1, "'data.0.rows' must be between 0 and"),
    ("data 0 classes glad", 1, "unknown key 'data.0.classes.glad'"),
    ("heads control", LACKING, "'heads.control' is missing"),
    ("heads stance code", "x", "unknown key 'heads.stance.code'"),
    ("heads stance labels", ["favor"], "'heads.stance' judges other labels than against, "),
    ("heads control targeted", True, "'heads.control' judges other labels"),
    ("heads stance own", 1, "own' must be true or false"),
    ("heads stance temperature", 0, "temperature' must be between"),
    ("temperature", "hot", "'temperature' differs from its recipe or heads"),
    ("labels", {}, "'temperature' differs from its recipe"),
    ("language", "klingon", "'temperature' differs from its recipe"),
    (f"{BLOCK} name", "../x", "'heads.stance' has other blocks than its recipe, stem"),
    (f"{BLOCK} weight", 1e9, "weight' must be between"),
    (f"{BLOCK} features", 10**9, "features' must be between"),
    (f"{BLOCK} features", 1, r"keys.npy' is not the uint64 of shape \(1,\)"),
    ("recipe classifer", {}, "its recipe: unknown key 'classifer'"),
    ("recipe classifier c", -1, "its recipe: 'classifier.c' must be"),
    (f"{ENTRY} sha256", "ab" * 32, "not have the sha256"),
    (f"{ENTRY} bytes", 10**10, "bytes' must be between"),
    ("members data/exact.npy shape", [], r"exact.npy' is not the uint64 of shape \(0,\)"),
    ("members data/bands.npy dtype", "int8", r"bands.npy' is not the uint64 of shape"),
    ("members x.npy", {"sha256": "ab" * 32, "bytes": 1}, "'x.npy' is missing, or not as"),
    ("book NATO regex", ["(a+)+$"], "its actor book: .*unknown key 'regex'"),
    ("book", {}, "its actor book: no actor in it"),
    ("lexicon crit polarity", "evil", "polarity' must be one of"),
    ("lexicon function evil", [], "unknown key 'lexicon.function.evil'"),
    ("reference unknown", 1.5, "'reference.unknown' must be between 0 and 1"),
    ("reference familiarity", "high", "'reference.familiarity' must be a number"),
    ("reference rows", True, "'reference.rows' must be a whole number"),
    ("reference actors", ["NATO"], "'reference.actors' must be a table"),
    ("reference more", 1, "unknown key 'reference.more'"),
]


@pytest.mark.parametrize(("where", "value", "reason"), FORGED)
def test_a_forged_manifest_is_refused(tmp_path, where, value, reason):
    def forge(manifest):
        *path, last = (int(key) if key.isdigit() else key for key in where.split())
        for key in path:
            manifest = manifest.setdefault(key, {}) if isinstance(manifest, dict) else manifest[key]
        if value is LACKING:
            del manifest[last]
        else:
            manifest[last] = value

    refused(tmp_path, spoiled(GOOD, None, forge), reason)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=150)
@given(data=st.data())
def test_any_value_anywhere_in_the_manifest(tmp_path_factory, data):
    manifest = json.loads(MEMBERS["manifest.json"])
    node, key = manifest, data.draw(st.sampled_from(sorted(manifest)))
    while isinstance(node[key], (dict, list)) and node[key] and data.draw(st.booleans()):
        node = node[key]
        keys = sorted(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
    node[key] = data.draw(_JSON)
    path = tmp_path_factory.getbasetemp() / "json.stance"
    loads_or_refuses(path, with_manifest(json.dumps(manifest).encode()))
    told = invoke("inspect", path)
    assert told.exit_code in (0, 3)
    assert told.exit_code == 0 or one_line(told.stderr)
