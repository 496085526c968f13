"""A file that is no whole model is refused in one line, whatever its zip holds; nothing is run."""

import lzma
import os
import pickle
import random
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_model import (
    Bomb,
    loads_or_refuses,
    members_of,
    npy_header,
    refused,
    small_model,
    spoiled,
    zipped,
)

from stance.errors import ModelError
from stance.storage import dump_model, load_model, model_hash, read_manifest

KEYS = "heads/stance/stem.keys.npy"
COEF = "heads/stance/stem.coef.npy"


@pytest.fixture(scope="module")
def good() -> bytes:
    return dump_model(small_model())


# --- Other files ---------------------------------------------------------------------------------

OTHER_FILES = {
    "empty": (b"", "is empty"),
    "text": ("text,actor\nŁódź".encode(), "is a text file"),
    "cut character": (b"a" * 4095 + "é".encode(), "is a text file"),
    "json": (b'{"format": "stance-model"}', "is a text file"),
    "elf": (b"\x7fELF\x02\x01\x01\0" + bytes(60), "is not a zip"),
    "bytes": (bytes(range(128, 256)) * 9, "is not a zip"),
    "zlib": (zlib.compress(pickle.dumps(Bomb())), "compressed with zlib, as joblib.*run any code"),
    "lzma": (lzma.compress(b"x"), "compressed with xz"),
    "short zip": (b"PK\3\4", "is cut off"),
    "empty zip": (zipped({}), "is a zip but not a model: it is empty"),
    "docx": (
        zipped({"[Content_Types].xml": b"", "word/document.xml": b""}),
        "begins with '.Content",
    ),
    "torch": (zipped({"archive/data.pkl": b""}), "'archive/data.pkl' in it is a pickle"),
    "extension": (
        zipped({"manifest.json": b'{"name": "x"}', "icon.png": b""}),
        "not that of a model",
    ),
}


@pytest.mark.parametrize("kind", OTHER_FILES)
def test_other_file_is_named_for_what_it_is(tmp_path: Path, kind: str) -> None:
    refused(tmp_path, *OTHER_FILES[kind])


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ["a.stance", "a.bin"])
def test_pickle_is_recognised_by_its_bytes(tmp_path: Path, name: str, protocol: int) -> None:
    data = pickle.dumps(Bomb(), protocol)
    refused(tmp_path, data, r"a pickle .*can run any code; .*`stance train`", name)


@pytest.mark.parametrize("name", ["a.joblib", "a.pkl", "a.PKL", "a.pickle"])
def test_pickle_is_recognised_by_its_name(tmp_path: Path, good: bytes, name: str) -> None:
    refused(tmp_path, good, "a .(joblib|pkl|pickle) file is refused because .* run any code", name)


@pytest.mark.parametrize("read", [load_model, read_manifest, model_hash])
def test_place_without_a_file(tmp_path: Path, read: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, reason in {
        "no.stance": "no such file; check the path, or make it with `stance train`",
        "no\x1b[31m\n.stance": r"no\\x1b\[31m\\n.stance: no such file",
        "no.pkl": "no such file",
        "": "is a folder; name the model file",
        "pipe": "is a pipe or device",
        "nul\0": "cannot be read",
        "x" * 300: "cannot be read",
    }.items():
        with pytest.raises(ModelError, match=reason):
            read(tmp_path / name)


# --- The zip -------------------------------------------------------------------------------------


def _entry(name: str, mode: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


EXTRA_MEMBERS = {
    "climbs": ("../../evil.npy", 0, "has a name that no model uses"),
    "inner climb": ("heads/../evil.npy", 0, "has a name that no model uses"),
    "absolute": ("/etc/passwd", 0, "has a name that no model uses"),
    "drive": ("c:/evil.npy", 0, "has a name that no model uses"),
    "long": ("a" * 101, 0, "has a name that no model uses"),
    "control": ("a\x1b[31m\n.npy", 0, r"member 'a\\x1b\[31m\\n.npy' has a name"),
    "folder": ("heads/", 0, "is a folder"),
    "link": ("heads/x.npy", 0o120777, "is a link or device"),
    "device": ("heads/x.npy", 0o020666, "is a link or device"),
    "pickle": ("heads/x.pkl", 0, "'heads/x.pkl' in it is a pickle"),
    "unknown": ("heads/x.npy", 0, "member 'heads/x.npy' that its manifest does not name"),
}


@pytest.mark.parametrize("kind", EXTRA_MEMBERS)
def test_strange_member_is_refused(tmp_path: Path, good: bytes, kind: str) -> None:
    name, mode, reason = EXTRA_MEMBERS[kind]
    refused(tmp_path, zipped({**members_of(good), _entry(name, mode): b""}), reason)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name(tmp_path: Path, good: bytes) -> None:
    data = zipped({**members_of(good), zipfile.ZipInfo(KEYS): b""})
    refused(tmp_path, data, "has two members 'heads/stance/stem.keys.npy'")


def test_too_many_members(tmp_path: Path, good: bytes) -> None:
    many: dict[str | zipfile.ZipInfo, bytes] = {f"a{number}": b"" for number in range(250)}
    refused(tmp_path, zipped(many | members_of(good)), "members, but a model has at most 200")


def test_other_compression(tmp_path: Path, good: bytes) -> None:
    refused(tmp_path, zipped(members_of(good), zipfile.ZIP_BZIP2), "packed in a way that no model")


def test_encrypted_member(tmp_path: Path, good: bytes) -> None:
    at = good.rindex(b"PK\1\2")
    refused(tmp_path, good[: at + 8] + b"\1" + good[at + 9 :], "is encrypted")


def test_bytes_around_the_zip(tmp_path: Path, good: bytes) -> None:
    refused(tmp_path, good + b"garbage", "other bytes after the end of the zip")
    refused(tmp_path, good[:-2] + b"\3\0abc", "a comment or other bytes")
    refused(tmp_path, b"#!/bin/sh\n" + good, "is not a zip")
    refused(tmp_path, good[:60] + good, "bytes were added to the zip")


@pytest.mark.parametrize("size", [5, 30, 100, 2000, -1, -22, -23])
def test_file_cut_off(tmp_path: Path, good: bytes, size: int) -> None:
    refused(tmp_path, good[:size], "is cut off.*copy or download it again")


def test_member_missing(tmp_path: Path, good: bytes) -> None:
    members = members_of(good)
    del members[KEYS]
    refused(tmp_path, zipped(members), "member 'heads/stance/stem.keys.npy' is missing")


def test_member_changed(tmp_path: Path, good: bytes) -> None:
    members = members_of(good)
    same_size = members[KEYS][:-1] + bytes([members[KEYS][-1] ^ 1])
    refused(tmp_path, zipped(members | {KEYS: same_size}), "does not have the sha256")
    refused(tmp_path, zipped(members | {KEYS: b"x"}), "has 1 bytes, not")


# --- Bombs ---------------------------------------------------------------------------------------


def _declaring(data: bytes, size: int) -> bytes:
    """Return a zip whose last member claims to unpack to `size` bytes."""
    at = data.rindex(b"PK\1\2")
    return data[: at + 24] + struct.pack("<L", size) + data[at + 28 :]


def _huge(manifest: dict[str, Any]) -> None:
    for name, shape in ((KEYS, [10_000_000]), (COEF, [10_000_000, 3])):
        manifest["members"][name]["shape"] = shape
    manifest["members"]["heads/stance/stem.idf.npy"]["shape"] = [10_000_000]
    manifest["heads"]["stance"]["blocks"][0]["features"] = 10_000_000


BOMBS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "zeros": (lambda g: zipped(members_of(g) | {KEYS: bytes(200 << 20)}), "as a zip bomb does"),
    "manifest": (lambda g: zipped({"manifest.json": bytes(100 << 20)}), "as a zip bomb does"),
    "stored manifest": (
        lambda g: zipped({"manifest.json": bytes(20 << 20)}, 0),
        "more than 16,777",
    ),
    "claim": (lambda g: _declaring(g, 3 << 30), "at most 536,870,912 are read"),
    "small claim": (lambda g: _declaring(g, 900_000), "bytes, not"),
    "header": (
        lambda g: spoiled(g, {KEYS: npy_header("(1250000000,)") + bytes(999)}),
        "not the uint64 of shape",
    ),
    "header and manifest": (lambda g: spoiled(g, None, _huge), "enough for its shape"),
    "long header": (
        lambda g: spoiled(g, {KEYS: npy_header("(" + "9" * 60_000 + ",)")}),
        "as an array does",
    ),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bomb_is_refused_before_it_takes_memory(tmp_path: Path, good: bytes, kind: str) -> None:
    make, reason = BOMBS[kind]
    data = make(good)
    tracemalloc.start()
    try:
        refused(tmp_path, data, reason)
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


def test_nested_json_is_refused(tmp_path: Path, good: bytes) -> None:
    for depth in (25, 900, 200_000):
        deep = b'{"format":"stance-model","schema":' + b"[" * depth + b"]" * depth + b"}"
        refused(tmp_path, zipped(members_of(good) | {"manifest.json": deep}), "nested too deep")


# --- Damage --------------------------------------------------------------------------------------


def test_flipped_byte_is_refused_or_changes_nothing(tmp_path: Path, good: bytes) -> None:
    seeded = random.Random(20)
    directory = good.index(b"PK\1\2")
    places = [seeded.randrange(len(good)) for _ in range(200)]
    places += [seeded.randrange(directory, len(good)) for _ in range(150)]
    for at in places:
        flipped = bytearray(good)
        flipped[at] ^= 1 << seeded.randrange(8)
        assert loads_or_refuses(tmp_path / "flip.stance", flipped) in (None, good)


def test_truncated_file_is_refused(tmp_path: Path, good: bytes) -> None:
    for size in range(0, len(good), len(good) // 97):
        assert loads_or_refuses(tmp_path / "cut.stance", good[:size]) is None


def test_random_bytes_are_refused(tmp_path: Path) -> None:
    seeded = random.Random(20)
    for head in (b"", b"PK\3\4", b"\x93NUMPY", b"PK\5\6"):
        for _ in range(25):
            data = head + seeded.randbytes(seeded.randrange(300))
            assert loads_or_refuses(tmp_path / "noise.stance", data) is None


def test_every_refusal_comes_at_once_and_without_pickle_loading(
    tmp_path: Path, good: bytes
) -> None:
    (tmp_path / "a.stance").write_bytes(zipped(members_of(good) | {KEYS: bytes(100 << 20)}))
    code = (
        "import pickle, sys, time; from pathlib import Path\n"
        "from stance.storage import load_model\n"
        "def never(*_args, **_more): raise SystemExit('unpickled')\n"
        "pickle.load = pickle.loads = pickle.Unpickler = never\n"
        "try: load_model(Path(sys.argv[1]))\n"
        "except Exception as error: print(type(error).__name__, time.process_time())"
    )
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.stance")],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    refused, seconds = ran.stdout.split()
    assert refused == "ModelError"
    assert float(seconds) < 5
