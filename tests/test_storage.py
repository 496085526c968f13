"""A model comes back from its file as it was, and the same model gives the same bytes."""

import dataclasses
import errno
import hashlib
import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from small_model import CARD, TEXTS, members_of, small_model, spoiled, zipped

from stance.errors import ModelError, OutputError
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.reading.keys import BANDS, Fingerprints
from stance.reading.lexicon import Lexicon
from stance.storage import (
    decode_model,
    dump_model,
    load_model,
    model_hash,
    read_manifest,
    save_model,
    stemmer_note,
)
from stance.storage import modelfile as storage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "small.stance"


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("sentiment", [False, True])
def test_loaded_model_answers_with_the_same_bits(path: Path, sentiment: bool, own: bool) -> None:
    model = small_model(sentiment=sentiment, own=own)
    save_model(model, path)
    loaded = load_model(path)
    before, after = model.judge(TEXTS), loaded.judge(TEXTS)
    assert before.actor == after.actor
    assert before.stance.tobytes() == after.stance.tobytes()
    assert np.unique(before.stance).size > 10
    if before.sentiment is not None and after.sentiment is not None:
        assert before.sentiment.tobytes() == after.sentiment.tobytes()
    assert (after.sentiment is None) == (not sentiment)
    assert loaded.judge_pairs(TEXTS, ["Mali"] * 4).stance.shape == (4, 3)


def test_every_part_comes_back(path: Path) -> None:
    model = small_model()
    save_model(model, path)
    loaded = load_model(path)
    assert loaded.card == CARD
    assert loaded.recipe == model.recipe
    assert loaded.book.actors == model.book.actors
    assert loaded.lexicon.source == model.lexicon.source
    assert loaded.lexicon.categories == model.lexicon.categories
    assert (loaded.fingerprints.bands == model.fingerprints.bands).all()
    for name in ("stance", "sentiment", "control"):
        old, new = getattr(model, name), getattr(loaded, name)
        assert (old.labels, old.targeted, old.own) == (new.labels, new.targeted, new.own)
        assert old.temperature == new.temperature
        assert [[*b.terms] for b in old.blocks] == [[*b.terms] for b in new.blocks]
        for a, b in zip(old.blocks, new.blocks, strict=True):
            assert (a.coef.dtype, a.keys.dtype) == (b.coef.dtype, b.keys.dtype)
            assert b.coef.flags.aligned
            assert b.coef.flags.c_contiguous


def test_same_model_gives_same_bytes(path: Path, tmp_path: Path) -> None:
    save_model(small_model(), path)
    assert path.read_bytes() == dump_model(small_model())
    save_model(load_model(path), tmp_path / "again.stance")
    assert path.read_bytes() == (tmp_path / "again.stance").read_bytes()


def test_bytes_do_not_depend_on_process(path: Path) -> None:
    code = "import sys; from small_model import *; from stance.storage import dump_model; "
    code += "sys.stdout.buffer.write(dump_model(small_model()))"
    for seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
        assert ran.stdout == dump_model(small_model())


def test_bundled_book_and_lexicon_come_back(path: Path) -> None:
    model = dataclasses.replace(small_model(), book=ActorBook.default(), lexicon=Lexicon.default())
    save_model(model, path)
    loaded = load_model(path)
    assert loaded.book.to_tables() == model.book.to_tables()
    assert list(loaded.book.names) == list(model.book.names)
    assert loaded.lexicon.stems == model.lexicon.stems
    assert loaded.lexicon.functions == model.lexicon.functions


def test_model_without_terms_or_features_comes_back(path: Path) -> None:
    model = small_model()
    blocks = tuple(
        dataclasses.replace(b, keys=b.keys[:0], idf=b.idf[:0], coef=b.coef[:0], terms=())
        for b in model.stance.blocks
    )
    bare = dataclasses.replace(model, stance=dataclasses.replace(model.stance, blocks=blocks))
    save_model(bare, path)
    assert load_model(path).judge(TEXTS).stance.tobytes() == bare.judge(TEXTS).stance.tobytes()


def test_term_never_breaks_the_list(path: Path) -> None:
    model = small_model()
    block = model.control.blocks[0]
    odd = dataclasses.replace(block, terms=("a\nb\x1b[31m", *block.terms[1:]))
    control = dataclasses.replace(model.control, blocks=(odd,))
    save_model(dataclasses.replace(model, control=control), path)
    assert load_model(path).control.blocks[0].terms[0] == "a\\nb\\x1b[31m"


def test_score_that_is_no_number_becomes_null(path: Path) -> None:
    card = CARD | {"scores": {"ece": float("nan"), "accuracy": np.float64(0.5), "n": np.int64(3)}}
    save_model(dataclasses.replace(small_model(), card=card), path)
    assert load_model(path).card["scores"] == {"ece": None, "accuracy": 0.5, "n": 3}


def test_manifest_tells_what_the_contract_lists(path: Path) -> None:
    save_model(small_model(), path)
    manifest = read_manifest(path)
    assert list(manifest) == sorted(manifest)
    assert (manifest["format"], manifest["schema"]) == ("stance-model", 1)
    assert manifest["versions"] == CARD["versions"]
    assert manifest["data"] == CARD["data"]
    assert manifest["labels"]["stance"] == ["against", "neutral", "favor"]
    assert list(manifest["book"]) == ["Russia", "NATO", "Łotwa"]
    assert (manifest["seed"], manifest["temperature"]) == (20, 1.7)
    assert manifest["scores"]["macro_f1_interval"] == [0.67, 0.71]
    for name, content in members_of(path.read_bytes()).items():
        if name != "manifest.json":
            digest = hashlib.sha256(content).hexdigest()
            assert manifest["members"][name]["sha256"] == digest
            assert manifest["members"][name]["bytes"] == len(content)


def test_file_holds_nothing_but_json_npy_and_txt(path: Path) -> None:
    save_model(small_model(), path)
    with zipfile.ZipFile(path) as archive:
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        json.loads(archive.read("manifest.json").decode())
        for name in archive.namelist():
            assert Path(name).suffix in (".json", ".npy", ".txt")
            if name.endswith(".npy"):
                array = np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
                assert array.dtype.byteorder in "=<"
    assert model_hash(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_model_travels_as_bytes_without_a_file() -> None:
    data = dump_model(small_model())
    assert dump_model(decode_model(data)) == data
    with pytest.raises(ModelError, match=r"^the model: "):
        decode_model(data[:-9])


def test_zip_repacked_by_another_tool_still_loads(path: Path) -> None:
    data = dump_model(small_model())
    path.write_bytes(zipped(members_of(data), zipfile.ZIP_STORED))
    assert dump_model(load_model(path)) == data
    path.write_bytes(spoiled(data))
    assert dump_model(load_model(path)) == data


def test_uniform_array_is_no_bomb(path: Path) -> None:
    model = small_model()
    keys = np.arange(400_000, dtype=np.uint64)
    zeros = np.zeros((400_000, 3), np.float32)
    block = dataclasses.replace(
        model.control.blocks[0], keys=keys, idf=zeros[:, 0], coef=zeros, terms=()
    )
    control = dataclasses.replace(model.control, blocks=(block,))
    save_model(dataclasses.replace(model, control=control), path)
    assert len(load_model(path).control.blocks[0].keys) == 400_000


def test_loading_imports_no_scikit_learn(path: Path) -> None:
    save_model(small_model(), path)
    code = "import sys; from pathlib import Path; from stance.storage import load_model; "
    code += "load_model(Path(sys.argv[1])); print(*sorted(sys.modules))"
    env = os.environ | {"PYTHONPATH": str(Path(storage.__file__).parent.parent)}
    ran = subprocess.run(
        [sys.executable, "-c", code, str(path)], env=env, capture_output=True, text=True, check=True
    )
    assert "stance.storage" in ran.stdout.split()
    assert not {"sklearn", "joblib", "scipy", "stance.fitting.training"} & set(ran.stdout.split())


# --- Writing -------------------------------------------------------------------------------------


def test_existing_file_is_not_overwritten(path: Path) -> None:
    path.write_text("mine")
    with pytest.raises(OutputError, match=r"small\.stance: exists already; use --force"):
        save_model(small_model(), path)
    assert path.read_text() == "mine"
    path.chmod(0o640)
    save_model(small_model(), path, force=True)
    assert load_model(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [p.name for p in path.parent.iterdir()] == ["small.stance"]


def test_failed_write_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        assert not path.exists()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="the disk is full"):
        save_model(small_model(), path)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/a.stance", "folder does not exist"),
        ("", "is a folder"),
        ("a.pkl", "use .stance"),
        ("pipe", "is a pipe or device"),
        ("loop", "a link to itself"),
    ],
)
def test_place_that_cannot_be_written(tmp_path: Path, name: str, reason: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError, match=reason):
        save_model(small_model(), tmp_path / name, force=True)


def test_symbolic_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link.stance").symlink_to("real.stance")
    save_model(small_model(), tmp_path / "link.stance")
    assert (tmp_path / "link.stance").is_symlink()
    assert load_model(tmp_path / "real.stance")


def test_model_that_would_be_refused_is_not_written(path: Path) -> None:
    model = small_model()
    broken = dataclasses.replace(model.stance, intercept=np.array([0.0, np.nan, 0.0]))
    with pytest.raises(
        ModelError, match=r"intercept\.npy' has a value that is not a usable number"
    ):
        save_model(dataclasses.replace(model, stance=broken), path)
    assert not path.exists()


def test_card_cannot_pose_as_the_model() -> None:
    with pytest.raises(ValueError, match="key 'book'"):
        dump_model(dataclasses.replace(small_model(), card=CARD | {"book": {}}))


def test_another_version_of_the_stemmer_is_warned_about():
    model = small_model()
    assert stemmer_note(model) is None  # a model that does not say
    here = version("PyStemmer")
    for there, warned in ((here, False), ("2.9.9", True)):
        versions = model.card["versions"] | {"PyStemmer": there}
        told = stemmer_note(dataclasses.replace(model, card=model.card | {"versions": versions}))
        assert (told is not None) == warned
    assert told == (
        f"the model learned with PyStemmer 2.9.9, here is {here}: some answers may differ; "
        "for the same ones, pip install PyStemmer==2.9.9"
    )


def _of_many_features() -> StanceModel:
    model, random = small_model(), np.random.default_rng(0)
    first, *others = model.stance.blocks
    keys = np.unique(random.integers(1, 2**63, 400_000, dtype=np.uint64))
    many = dataclasses.replace(
        first,
        keys=keys,
        idf=np.ones(len(keys), np.float32),
        coef=random.random((len(keys), 3), np.float32),
        terms=tuple(f"stem {key:x}" for key in keys.tolist()),
    )
    return dataclasses.replace(
        model, stance=dataclasses.replace(model.stance, blocks=(many, *others))
    )


def _of_sparse_marks() -> StanceModel:
    exact = np.zeros(300_000, np.uint64)
    exact[::40] = np.random.default_rng(0).integers(1, 2**60, len(exact[::40]), dtype=np.uint64)
    bands = np.zeros((len(exact), BANDS), np.uint64)
    bands[::40, 0] = exact[::40]
    return dataclasses.replace(small_model(), fingerprints=Fingerprints(exact, bands))


@pytest.mark.endurance
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from /proc")
@pytest.mark.parametrize("make", [_of_many_features, _of_sparse_marks])
def test_loading_takes_at_most_four_times_the_unpacked_size(
    path: Path, make: Callable[[], StanceModel]
) -> None:
    path.write_bytes(dump_model(make()))
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    code = f"""if True:
        import re
        from pathlib import Path
        from stance.model import judging
        from stance.storage import load_model
        peak = lambda: int(re.search("VmHWM:.*?([0-9]+)", Path("/proc/self/status").read_text())[1])
        before = peak()
        load_model(Path({str(path)!r}))
        print(peak() - before)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert int(done.stdout) * 1024 < 4 * unpacked
