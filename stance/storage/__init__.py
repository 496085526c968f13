"""The model file: a zip of numbers and text, written, and read without ever running code."""

import contextlib
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

import numpy as np
import Stemmer

from stance.display import shown, shown_path
from stance.errors import ActorError, ModelError, OutputError, RecipeError
from stance.files import check_output, is_device, write_whole
from stance.model.abstention import Calibration
from stance.model.deep import HEADS, DeepReader, Layer, Mixture
from stance.model.heads import BlockWeights, Head
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.reading.keys import TextHashes
from stance.reading.lexicon import Lexicon
from stance.recipe import recipe_from_table
from stance.settings import SchemaError, items, number, read_settings, table
from stance.storage import _archive, _manifest
from stance.storage._archive import MANIFEST, Archive, refusal
from stance.storage._manifest import CALIBRATION, LABELS, PARTS, TERMS, Table, member_arrays

__all__ = ["STEMMER", "bundled_model", "decode_model", "dump_model", "load_model", "model_hash"]
__all__ += ["check_model_output", "dump_reader", "load_reader", "read_manifest", "save_model"]
__all__ += ["stemmer_note"]

STEMMER = "PyStemmer"  # whose versions stem some words differently

_OF_MODEL = (  # top-level keys of the manifest that a model's card does not own
    *("format", "schema", "recipe", "labels", "language", "book", "lexicon", "heads"),
    *("temperature", "members"),
)
READER, MIXTURES = "reader.stance", "reader.toml"
"""Files of the deep reader: the encoder, and how its answers are mixed with the linear ones."""

_LAYER = ("weight", "bias")
_AGAIN = "install stance again"
_MIXTURES = table(
    {"unsure": number(float, 0, 1)}
    | {
        name: table(
            {
                "linear": number(float, -10, 10),
                "deep": number(float, -10, 10),
                "offset": items(number(float, -10, 10)),
            }
        )
        for name in HEADS
    }
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
            data = _archive.encode_array(values[name], layout["dtype"])
        else:
            data = _archive.encode_terms(values[name])
        contents[name] = data
        members[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), **layout}
    manifest = {
        **model.card,
        "format": _manifest.FORMAT,
        "schema": _manifest.SCHEMA,
        "recipe": model.recipe.to_table(holder=model.holder is not None),
        "labels": {name: LABELS[name] for name in ("stance", "sentiment")},
        "language": model.recipe.language,
        "book": model.book.to_tables(),
        "lexicon": model.lexicon.source,
        "heads": tables,
        "temperature": float(model.stance.temperature),
        "members": members,
    }
    return _archive.pack({MANIFEST: _encode_manifest(manifest)} | contents)


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


def _encode_manifest(manifest: Table) -> bytes:
    """Return the JSON of a manifest; what is not a finite number in it becomes null."""
    # Only top-level keys are sorted: the order of actors, categories and blocks matters.
    text = json.dumps(dict(sorted(manifest.items())), default=lambda number: number.item())
    plain = json.loads(text, parse_constant=lambda _: None)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()


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
    with _refusals(path):
        _read_model(io.BytesIO(data))
    write_whole(path, data, force=force)


def check_model_output(path: Path, *, force: bool) -> None:
    """Raise what `save_model` would raise because of the name alone, before any work is done."""
    if path.suffix.lower() in _archive.PICKLES:
        reason = f"a {path.suffix} would be refused later; use .stance"
        raise OutputError(f"{shown_path(path)}: {reason}")
    check_output(path, force=force, regular=True)


# --- Reading -------------------------------------------------------------------------------------


SPEECHES = "speeches"
"""Name of the bundled model of speeches, learned from corpora whose texts ship."""


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
    with _opened(model_file(path)) as file:
        return _read_model(file)


def decode_model(data: bytes) -> StanceModel:
    """Read a model from what `dump_model` returned; raises `ModelError` as `load_model` does."""
    with _refusals(Path("the model")):
        return _read_model(io.BytesIO(data))


def load_reader(reads: Literal["all", "unsure"], folder: Path | None = None) -> DeepReader:
    """Load the deep reader, which answers beside the bundled model.

    Nothing in its files is ever run.

    Parameters
    ----------
    reads : {"all", "unsure"}
        Which pairs of a paragraph and an actor it reads: all, or those of which the linear model
        is unsure.
    folder : Path, optional
        Where its files are; those of the package if omitted.

    Returns
    -------
    DeepReader
        To be set as the `deep` of a model.

    Raises
    ------
    ModelError
        If a file is missing or damaged.

    Examples
    --------
    >>> import dataclasses, stance
    >>> deep = dataclasses.replace(stance.load_model(), deep=stance.load_reader("all"))
    >>> deep.judge(["Poland praised NATO."]).stance.shape
    (2, 3)
    """
    folder = folder or Path(str(files("stance").joinpath("data")))
    mixtures = read_settings(folder / MIXTURES, "mixtures", ModelError)
    try:
        mixtures = _MIXTURES(mixtures, "")
    except SchemaError as error:
        raise ModelError(f"{shown_path(folder / MIXTURES)}: {error}; {_AGAIN}") from error
    with _opened(folder / READER) as file:
        archive = Archive(file)
        try:
            members = json.loads(archive.read(MANIFEST))["members"]
            contents = {name: archive.read(name) for name in members}
            hashes = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
            if hashes != {name: member["sha256"] for name, member in members.items()}:
                raise refusal("damaged: not as its manifest says", _AGAIN)
            layers = {
                name: Layer(*(_layer_array(members, contents, name, part) for part in _LAYER))
                for name in ("trunk", *HEADS)
            }
            network, pieces = contents["network.onnx"], contents["pieces.json"].decode()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise refusal("is not a deep reader", _AGAIN) from error
    text = json.dumps([hashes, mixtures], sort_keys=True)
    return DeepReader(
        network=network,
        pieces=pieces,
        layers=layers,
        mixtures={name: Mixture(**mixtures[name]) for name in HEADS},
        below=mixtures["unsure"] if reads == "unsure" else np.inf,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def dump_reader(network: bytes, pieces: str, layers: Mapping[str, Layer]) -> bytes:
    """Return the bytes of a reader's file, without the mixtures."""
    contents = {"network.onnx": network, "pieces.json": pieces.encode()}
    said: dict[str, Any] = {name: {} for name in contents}
    for name, part in ((name, part) for name in layers for part in _LAYER):
        array = getattr(layers[name], part)
        contents[f"{name}/{part}.npy"] = _archive.encode_array(array, "float32")
        said[f"{name}/{part}.npy"] = {"shape": array.shape}
    for name, data in contents.items():
        said[name]["sha256"] = hashlib.sha256(data).hexdigest()
    return _archive.pack({MANIFEST: _encode_manifest({"members": said})} | contents)


def _layer_array(members: Table, contents: Mapping[str, bytes], name: str, part: str) -> Any:
    name = f"{name}/{part}.npy"
    return _archive.decode_array(contents[name], "float32", tuple(members[name]["shape"]), name)


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what a model file says about itself; its arrays are not read."""
    with _opened(path) as file:
        return _read_manifest(Archive(file))


def model_hash(path: Path) -> str:
    """Return the sha256 of a model file's bytes, in hexadecimal."""
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stemmer_note(model: StanceModel) -> str | None:
    """Return a warning if words are stemmed here by another version than when a model learned."""
    there = model.card.get("versions", {}).get(STEMMER)
    if there in (None, Stemmer.version()):
        return None
    from importlib.metadata import version  # which takes a while to import

    if there == (here := version(STEMMER)):
        return None
    there = shown(str(there), 20)
    differ = f"the model learned with {STEMMER} {there}, here is {here}: some answers may differ"
    return f"{differ}; for the same ones, pip install {STEMMER}=={there}"


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader]:
    with _refusals(path):
        if is_device(path):
            raise refusal("is a pipe or device, not a file", "name a model file")
        with path.open("rb") as file:
            _archive.refuse_pickle(path)
            yield file


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Put the file's name before whatever is refused in it, all on one line."""
    fault: Exception
    try:
        yield
        return
    except ModelError as error:
        fault, what = error, shown(str(error), 400)
    except (ActorError, RecipeError) as error:
        fault, what = error, f"{shown(str(error), 400)}; train a new one with `stance train`"
    except OSError as error:
        advice = "check the path, or make one with `stance train`"
        fault, what = error, f"cannot be read ({error.strerror}); {advice}"
    raise ModelError(f"{shown_path(path)}: {what}") from fault


def _read_manifest(archive: Archive) -> dict[str, Any]:
    manifest = _manifest.decode_manifest(archive.read(MANIFEST))
    sizes = {name: member["bytes"] for name, member in manifest["members"].items()}
    sizes[MANIFEST] = archive.sizes[MANIFEST]
    for name, _ in sorted(sizes.items() ^ archive.sizes.items()):
        raise refusal(f"damaged: '{shown(name)}' is missing, or not as the manifest says")
    return manifest


def _read_model(file: BinaryIO) -> StanceModel:
    archive = Archive(file)
    manifest = _read_manifest(archive)
    members, tables = manifest["members"], manifest["heads"]
    contents = {name: archive.read(name) for name in members}
    for name, data in contents.items():
        if hashlib.sha256(data).hexdigest() != members[name]["sha256"]:
            raise refusal(f"damaged: '{name}' does not have the sha256 of the manifest")
    values: dict[str, Any] = {}
    for name, (dtype, shape) in member_arrays(tables, members).items():
        values[name] = _archive.decode_array(contents.pop(name), dtype, shape, name)
        _check_values(values[name], name)
    for name, data in contents.items():
        values[name] = _archive.decode_terms(
            data, len(values[name.replace(TERMS, ".keys.npy")]), name
        )
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
        card={key: value for key, value in manifest.items() if key not in _OF_MODEL},
        calibration=Calibration(**calibration) if calibration else None,
    )


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
