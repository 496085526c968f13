"""A model comes back from its file as it was, and the same model gives the same bytes."""

import dataclasses
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_model import CARD, TEXTS, members_of, small_model

from stance.errors import ModelError, OutputError
from stance.reading.lexicon import Lexicon
from stance.storage import bundled_model, dump_model, load_model, read_manifest, save_model

replace = dataclasses.replace


@pytest.fixture
def path(tmp_path):
    return tmp_path / "small.stance"


def with_block(model, head="control", **parts):
    """Return a model with other parts of the first block of a head."""
    old = getattr(model, head)
    block = replace(old.blocks[0], **parts)
    return replace(model, **{head: replace(old, blocks=(block, *old.blocks[1:]))})


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("sentiment", [False, True])
def test_a_loaded_model_is_as_it_was_and_answers_with_the_same_bits(path, sentiment, own):
    model = replace(small_model(sentiment=sentiment, own=own), lexicon=Lexicon.default())
    save_model(model, path)
    loaded = load_model(path)
    before, after = model.judge(TEXTS), loaded.judge(TEXTS)
    assert before.actor == after.actor
    assert before.stance.tobytes() == after.stance.tobytes()
    assert np.unique(before.stance).size > 10
    assert (after.sentiment is None) == (not sentiment)
    if before.sentiment is not None:
        assert before.sentiment.tobytes() == after.sentiment.tobytes()
    assert (loaded.card, loaded.recipe) == (CARD, model.recipe)
    assert loaded.book.to_tables() == model.book.to_tables()
    assert loaded.lexicon.source == model.lexicon.source
    assert (loaded.fingerprints.bands == model.fingerprints.bands).all()
    blocks = zip(model.stance.blocks, loaded.stance.blocks, strict=True)
    assert all([*old.terms] == [*new.terms] for old, new in blocks)


def test_the_same_model_gives_the_same_bytes_in_every_process(path):
    data = dump_model(small_model())
    path.write_bytes(data)
    assert dump_model(load_model(path)) == data
    code = "import sys; from small_model import *; from stance.storage import dump_model; "
    code += "sys.stdout.buffer.write(dump_model(small_model()))"
    for seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        assert subprocess.check_output([sys.executable, "-c", code], env=env) == data


def test_the_bundled_model_gives_its_bytes_again():
    assert dump_model(load_model()) == bundled_model().read_bytes()


def test_odd_models_come_back(path):
    model = small_model()
    first, uniform = model.stance.blocks[0], np.zeros((400_000, 3), np.float32)
    empty = {"keys": first.keys[:0], "idf": first.idf[:0], "coef": first.coef[:0], "terms": ()}
    like_a_bomb = {"keys": np.arange(400_000, dtype=np.uint64), "idf": uniform[:, 0]}
    terms = ("a\nb\x1b[31m", *model.control.blocks[0].terms[1:])
    for made in (
        with_block(model, "stance", **empty),
        with_block(model, **like_a_bomb, coef=uniform, terms=()),
        with_block(model, terms=terms),
    ):
        save_model(made, path, force=True)
        loaded = load_model(path)
        assert loaded.judge(TEXTS).stance.tobytes() == made.judge(TEXTS).stance.tobytes()
    assert loaded.control.blocks[0].terms[0] == "a\\nb\\x1b[31m"


def test_the_manifest_tells_what_the_contract_lists(path):
    scores = CARD["scores"] | {"ece": float("nan"), "accuracy": np.float64(0.5), "n": np.int64(3)}
    save_model(replace(small_model(), card=CARD | {"scores": scores}), path)
    manifest = read_manifest(path)
    assert list(manifest) == sorted(manifest)
    assert (manifest["format"], manifest["schema"]) == ("stance-model", 1)
    assert (manifest["versions"], manifest["data"]) == (CARD["versions"], CARD["data"])
    assert manifest["labels"]["stance"] == ["against", "neutral", "favor"]
    assert list(manifest["book"]) == ["Russia", "NATO", "Łotwa"]
    assert (manifest["seed"], manifest["temperature"]) == (20, 1.7)
    assert manifest["scores"] == CARD["scores"] | {"ece": None, "accuracy": 0.5, "n": 3}
    for name, content in members_of(path.read_bytes()).items():
        assert Path(name).suffix in (".json", ".npy", ".txt")
        if name.endswith(".npy"):
            array = np.load(io.BytesIO(content), allow_pickle=False)
            assert array.dtype.byteorder in "=<"
        if name != "manifest.json":
            member = manifest["members"][name]
            assert member["sha256"] == hashlib.sha256(content).hexdigest()
            assert member["bytes"] == len(content)


# --- Writing -------------------------------------------------------------------------------------


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "link.stance").symlink_to("real.stance")
    with pytest.raises(OutputError, match=r"use \.stance"):
        save_model(small_model(), tmp_path / "a.pkl", force=True)
    save_model(small_model(), tmp_path / "link.stance")
    assert (tmp_path / "link.stance").is_symlink()
    assert load_model(tmp_path / "real.stance")


def test_a_model_that_would_be_refused_is_not_written(path):
    model = small_model()
    broken = replace(model.stance, intercept=np.array([0.0, np.nan, 0.0]))
    with pytest.raises(ModelError, match=r"intercept\.npy' has a value that is not a usable"):
        save_model(replace(model, stance=broken), path)
    assert not path.exists()
