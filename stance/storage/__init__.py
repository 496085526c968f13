"""The model file: a zip of numbers and text, written, and read without ever running code."""

import hashlib
import io
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import Stemmer

from stance import __version__
from stance.display import shown, shown_path
from stance.errors import OutputError
from stance.files import check_output, file_hash, write_whole
from stance.model.abstention import Calibration
from stance.model.deep import DeepReader
from stance.model.heads import BlockWeights, Head
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.reading.keys import TextHashes
from stance.reading.lexicon import Lexicon
from stance.recipe import recipe_from_table
from stance.storage._archive import (
    MANIFEST,
    PICKLES,
    SPEECHES,
    Archive,
    decode_array,
    decode_terms,
    encode_array,
    encode_terms,
    named,
    opened,
    pack,
    refusal,
)
from stance.storage._manifest import (
    CALIBRATION,
    FORMAT,
    LABELS,
    PARTS,
    SCHEMA,
    TERMS,
    Table,
    decode_manifest,
    member_arrays,
)
from stance.storage._reader import MIXTURES, READER, dump_reader, load_reader

__all__ = ["MIXTURES", "READER", "bundled_model", "check_model_output", "decode_model"]
__all__ += ["dump_model", "dump_reader", "load_model", "load_reader", "model_file", "model_hash"]
__all__ += ["STEMMER", "read_manifest", "save_model", "stemmer_note"]

STEMMER = "PyStemmer"  # whose versions stem some words differently

_OF_MODEL = (  # top-level keys of the manifest that a model's card does not own
    *("format", "schema", "recipe", "labels", "language", "book", "lexicon", "heads"),
    *("temperature", "members"),
)
_GREATEST = 1e9  # of a learned number; keeps sums and squares far from overflow

# --- Writing -------------------------------------------------------------------------------------


def dump_model(model: StanceModel) -> bytes:
    """Return the bytes of a model's file; the same model gives the same bytes."""
    if taken := set(_OF_MODEL) & set(model.card):
        raise ValueError(f"the card of a model must not have a key '{min(taken)}'")
    heads = {name: head for name in LABELS if (head := getattr(model, name)) is not None}
    tables = {name: _head_table(head) for name, head in heads.items()}
    values = _values(model, heads)
    shapes = {name: {"shape": np.shape(value)} for name, value in values.items()}
    layouts = member_arrays(tables, shapes)
    contents, members = {}, {}
    for name in sorted(values):
        layout: dict[str, Any] = {}
        if name in layouts:
            layout = dict(zip(("dtype", "shape"), layouts[name], strict=True))
            data = encode_array(values[name], layout["dtype"])
        else:
            data = encode_terms(values[name])
        contents[name] = data
        members[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), **layout}
    manifest = {
        **model.card,
        "format": FORMAT,
        "schema": SCHEMA,
        "recipe": model.recipe.to_table(holder=model.holder is not None),
        "labels": {name: LABELS[name] for name in ("stance", "sentiment")},
        "language": model.recipe.language,
        "book": model.book.to_tables(),
        "lexicon": model.lexicon.source,
        "heads": tables,
        "temperature": float(model.stance.temperature),
        "members": members,
    }
    return pack(manifest, contents)


def _head_table(head: Head) -> dict[str, Any]:
    return {
        "labels": head.labels,
        "targeted": head.targeted,
        "own": head.own,
        "temperature": float(head.temperature),
        "blocks": [
            {"name": block.name, "weight": float(block.weight), "features": len(block.keys)}
            for block in head.blocks
        ],
    }


def _values(model: StanceModel, heads: Mapping[str, Head]) -> dict[str, Any]:
    """Return the arrays and lists of terms of a model by the names of their members."""
    marks = model.fingerprints
    values: dict[str, Any] = {"data/exact.npy": marks.exact, "data/bands.npy": marks.bands}
    if model.calibration is not None:
        values |= {name: getattr(model.calibration, Path(name).stem) for name in CALIBRATION}
    for name, head in heads.items():
        values[f"heads/{name}/intercept.npy"] = head.intercept
        for block in head.blocks:
            stem = f"heads/{name}/{block.name}"
            values |= {f"{stem}.{part}.npy": getattr(block, part) for part in PARTS}
            values |= {f"{stem}{TERMS}": block.terms} if block.terms else {}
    return values


class HoldsModel(Protocol):
    """What has a model, such as a fitted estimator."""

    def to_model(self) -> StanceModel:
        """Return the model."""


def save_model(model: "StanceModel | HoldsModel", path: Path | str, *, force: bool = False) -> None:
    """Write a model to a file, usually ``.stance``, which appears under its name only when whole.

    A fitted `StanceClassifier` may stand for its model. Raises `OutputError` if the file cannot be
    written, or exists and ``force`` is not given, and `ModelError` if the model is one that
    `load_model` would refuse.
    """
    path = Path(path)
    check_model_output(path, force=force)
    data = dump_model(model if isinstance(model, StanceModel) else model.to_model())
    with named(path):
        _read_model(Archive(io.BytesIO(data)))
    write_whole(path, data, force=force)


def check_model_output(path: Path, *, force: bool) -> None:
    """Raise what `save_model` would raise because of the name alone, before any work is done."""
    if path.suffix.lower() in PICKLES:
        reason = f"a {path.suffix} would be refused later; use .stance"
        raise OutputError(f"{shown_path(path)}: {reason}")
    check_output(path, force=force, regular=True)


# --- Reading -------------------------------------------------------------------------------------


def bundled_model(name: str = "default") -> Path:
    """Return the file of a model that comes with the package."""
    return Path(str(files("stance").joinpath(f"data/{name}.stance")))


def model_file(path: Path | str | None) -> Path:
    """Return where a model is: a file, `SPEECHES` unless a file is called so, or the default."""
    if str(path) == SPEECHES and not Path(SPEECHES).is_file():
        return bundled_model(SPEECHES)
    return bundled_model() if path is None else Path(path)


def load_model(path: Path | str | None = None) -> StanceModel:
    """Load a model file, or the default model if none is named; "speeches" is bundled, too.

    Nothing in the file is ever run. Raises `ModelError` if it is missing, damaged or no model.

    >>> import stance
    >>> model = stance.load_model()
    >>> judged = model.judge(["Poland praised NATO.", "It rained."])
    >>> judged.actor, judged.para.tolist(), judged.stance.shape
    (('Poland', 'NATO'), [0, 0], (2, 3))
    """
    with opened(model_file(path)) as archive:
        return _read_model(archive)


def decode_model(data: bytes) -> StanceModel:
    """Read a model from what `dump_model` returned; raises `ModelError` as `load_model` does."""
    with named(Path("the model")):
        return _read_model(Archive(io.BytesIO(data)))


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what a model file says about itself; its arrays are not read."""
    with opened(path) as archive:
        return _read_manifest(archive)


def model_hash(path: Path) -> str:
    """Return the sha256 of a model file's bytes, in hexadecimal."""
    with opened(path):
        return file_hash(path)


def stemmer_note(model: StanceModel) -> str | None:
    """Return a warning if words are stemmed here by another version than when a model learned."""
    there = model.card.get("versions", {}).get(STEMMER)
    if there in (None, Stemmer.version()):
        return None
    from importlib.metadata import version  # which takes a while to import

    if there == (here := version(STEMMER)):
        return None
    there = shown(str(there), 20)
    differ = f"the model learned with {STEMMER} {there}, here it is {here}: some answers may differ"
    return f"{differ}; for the same ones, pip install {STEMMER}=={there}"


def _read_manifest(archive: Archive) -> dict[str, Any]:
    manifest = decode_manifest(archive.read(MANIFEST))
    sizes = {name: member["bytes"] for name, member in manifest["members"].items()}
    sizes[MANIFEST] = archive.sizes[MANIFEST]
    for name, _ in sorted(sizes.items() ^ archive.sizes.items()):
        raise refusal(f"damaged: '{shown(name)}' is missing, or not as the manifest says")
    return manifest


def _read_model(archive: Archive) -> StanceModel:
    manifest = _read_manifest(archive)
    members, tables = manifest["members"], manifest["heads"]
    contents = archive.verified(members)
    values: dict[str, Any] = {}
    for name, (dtype, shape) in member_arrays(tables, members).items():
        values[name] = decode_array(contents.pop(name), dtype, shape, name)
        _check_values(values[name], name)
    for name, data in contents.items():
        values[name] = decode_terms(data, len(values[name.replace(TERMS, ".keys.npy")]), name)
    recipe = recipe_from_table(manifest["recipe"], "its recipe")
    heads = {name: _make_head(name, table, values) for name, table in tables.items()}
    calibration = {Path(name).stem: values[name] for name in CALIBRATION if name in values}
    if calibration:
        calibration["correct"] = calibration["correct"].astype(np.bool_)
    return StanceModel(
        book=ActorBook.from_tables(manifest["book"], "its actor book"),
        lexicon=Lexicon.from_tables(manifest["lexicon"], recipe.language),
        recipe=recipe,
        stance=heads["stance"],
        sentiment=heads.get("sentiment"),
        control=heads["control"],
        fingerprints=TextHashes(values["data/exact.npy"], values["data/bands.npy"]),
        holder=heads.get("holder"),
        encoder=_encoder(manifest) if recipe.deep else None,
        card={key: value for key, value in manifest.items() if key not in _OF_MODEL},
        calibration=Calibration(**calibration) if calibration else None,
    )


def _encoder(manifest: Table) -> DeepReader:
    """Return the deep reader that a model learned with."""
    encoder = load_reader("all").open()
    if manifest.get("deep_reader") != encoder.sha256:
        here = f"it learned with a different deep reader from the one in stance {__version__}"
        raise refusal(here, "train it again, or install the version that `stance inspect` names")
    return encoder


def _make_head(name: str, table: Table, values: Table) -> Head:
    blocks = []
    for block in table["blocks"]:
        stem = f"heads/{name}/{block['name']}"
        parts = {part: values[f"{stem}.{part}.npy"] for part in PARTS}
        terms = values.get(f"{stem}{TERMS}", ())
        blocks.append(BlockWeights(block["name"], float(block["weight"]), **parts, terms=terms))
    intercept, temperature = values[f"heads/{name}/intercept.npy"], float(table["temperature"])
    head = LABELS[name], table["targeted"], tuple(blocks), intercept, temperature, table["own"]
    return Head(*head)


def _check_values(array: Any, name: str) -> None:
    """Refuse an array with values that a head cannot work with."""
    if name.endswith(".keys.npy") and not (array[1:] > array[:-1]).all():
        raise refusal(f"'{name}' is not sorted without repetition")
    if name in CALIBRATION and not ((array >= 0) & (array <= CALIBRATION[name][1])).all():
        raise refusal(f"'{name}' has a value that is not between 0 and {CALIBRATION[name][1]:,}")
    if array.dtype.kind == "f" and not (np.abs(array) <= _GREATEST).all():
        raise refusal(f"'{name}' has a value that is not a usable number")
