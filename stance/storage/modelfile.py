"""Models written to files, and read from files without ever running code."""

import contextlib
import hashlib
import io
import json
import math
import stat
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO

import Stemmer
from numpy.typing import NDArray

from stance.display import shown, shown_path
from stance.errors import ActorError, ModelError, OutputError, RecipeError
from stance.files import check_output, write_whole
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.reading.keys import Fingerprints
from stance.reading.lexicon import Lexicon
from stance.recipe import recipe_from_table
from stance.storage._archive import MANIFEST, PICKLES, Archive, pack, refusal, refuse_pickle_name
from stance.storage._manifest import (
    FORMAT,
    MOST_MANIFEST,
    OF_MODEL,
    SCHEMA,
    decode_manifest,
)
from stance.storage._members import (
    LABELS,
    calibrated_rows,
    calibration_members,
    check_array,
    decode_array,
    decode_terms,
    encode_array,
    encode_terms,
    head_members,
    head_table,
    make_calibration,
    make_head,
    member_arrays,
    term_lists,
)

STEMMER = "PyStemmer"  # whose versions stem some words differently


def dump_model(model: StanceModel) -> bytes:
    """Return the bytes of a model's file; the same model gives the same bytes."""
    if taken := set(OF_MODEL) & set(model.card):
        raise ValueError(f"the card of a model must not have a key '{min(taken)}'")
    heads = {name: head for name in LABELS if (head := getattr(model, name)) is not None}
    tables = {name: head_table(head) for name, head in heads.items()}
    exact, bands = model.fingerprints.exact, model.fingerprints.bands
    values: dict[str, Any] = {"data/exact.npy": exact, "data/bands.npy": bands}
    for name, head in heads.items():
        values |= head_members(name, head)
    values |= calibration_members(model.calibration)
    calibrated = None if model.calibration is None else len(model.calibration.confidence)
    types = member_arrays(tables, len(exact), calibrated)
    arrays = {name: values[name].astype(types[name][0], copy=False) for name in types}
    contents = {
        name: encode_array(arrays[name]) if name in arrays else encode_terms(values[name])
        for name in sorted(values)
    }
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
        "members": {name: _member_table(data, arrays.get(name)) for name, data in contents.items()},
    }
    return pack({MANIFEST: _encode_manifest(manifest)} | contents)


def _encode_manifest(manifest: Mapping[str, Any]) -> bytes:
    """Return the JSON of a manifest, its top-level keys sorted."""
    # Inside them the order stays, because that of actors, categories and blocks matters.
    ordered = {key: _plain(manifest[key]) for key in sorted(manifest)}
    text = json.dumps(ordered, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; what is not a finite number becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "item"):  # a number of numpy
        return _plain(value.item())
    return str(value) if isinstance(value, str) else value


def _member_table(data: bytes, array: NDArray[Any] | None) -> dict[str, Any]:
    table: dict[str, Any] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    return table if array is None else table | {"dtype": array.dtype.name, "shape": array.shape}


def save_model(model: StanceModel, path: Path | str, *, force: bool = False) -> None:
    """Write a model to a file, which appears under its name only when whole.

    Parameters
    ----------
    model : StanceModel
    path : Path or str
        Usually with the ending ``.stance``.
    force : bool
        Whether an existing file is replaced.

    Raises
    ------
    OutputError
        If the file cannot be written, or exists and ``force`` is not given.
    ModelError
        If the model is one that `load_model` would refuse.
    """
    path = Path(path)
    check_model_output(path, force=force)
    data = dump_model(model)
    with _refusals(path):
        _read_model(io.BytesIO(data))
    write_whole(path, data, force=force)


def check_model_output(path: Path, *, force: bool) -> None:
    """Raise what `save_model` would raise because of the name alone, before any work is done."""
    if path.suffix.lower() in PICKLES:
        raise OutputError(
            f"{shown_path(path)}: a {path.suffix} would be refused later; use .stance"
        )
    check_output(path, force=force, regular=True)


def bundled_model() -> Path:
    """Return the file of the model that comes with the package."""
    return Path(str(files("stance").joinpath("data/default.stance")))


def load_model(path: Path | str | None = None) -> StanceModel:
    """Load a model file, or the model that comes with the package if none is named.

    Parameters
    ----------
    path : Path or str, optional
        A file that `stance.save_model` or ``stance train`` wrote. Nothing in it is ever run.

    Returns
    -------
    StanceModel

    Raises
    ------
    ModelError
        If the file is missing, damaged or anything but a model.

    Examples
    --------
    >>> import stance
    >>> model = stance.load_model()
    >>> judged = model.judge(["Poland praised NATO.", "It rained."])
    >>> judged.actor, judged.para.tolist(), judged.stance.shape
    (('Poland', 'NATO'), [0, 0], (2, 3))
    """
    path = Path(path) if path is not None else bundled_model()
    with _refusals(path), _open(path) as file:
        return _read_model(file)


def decode_model(data: bytes) -> StanceModel:
    """Read a model from what `dump_model` returned; raises `ModelError` as `load_model` does."""
    with _refusals(Path("the model")):
        return _read_model(io.BytesIO(data))


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what a model file says about itself; its arrays are not read."""
    with _refusals(path), _open(path) as file:
        return _read_manifest(Archive(file))


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


def model_hash(path: Path) -> str:
    """Return the sha256 of a model file's bytes, in hexadecimal."""
    with _refusals(path), _open(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Put the file's name before whatever is refused in it, all on one line."""
    try:
        yield
    except (ModelError, ActorError, RecipeError) as error:
        advice = "" if isinstance(error, ModelError) else "; train a new one with `stance train`"
        raise ModelError(f"{shown_path(path)}: {shown(str(error), 400)}{advice}") from error
    except OSError as error:
        why = f"cannot be read ({error.strerror or type(error).__name__}); copy it and try again"
        raise ModelError(f"{shown_path(path)}: {why}") from error


def _open(path: Path) -> io.BufferedReader:
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise refusal("is a folder", "name the model file in it")
        if not stat.S_ISREG(kind):
            raise refusal("is a pipe or device, not a file", "name a model file")
        refuse_pickle_name(path.name)
        return path.open("rb")
    except FileNotFoundError as error:
        raise refusal("no such file", "check the path, or make it with `stance train`") from error
    except PermissionError as error:
        raise refusal("no permission to read it", "ask its owner or run chmod") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise refusal(f"cannot be read ({reason})", "check the path") from error


def _read_manifest(archive: Archive) -> dict[str, Any]:
    if archive.sizes[MANIFEST] > MOST_MANIFEST:
        raise refusal(f"its manifest unpacks to more than {MOST_MANIFEST:,} bytes")
    manifest = decode_manifest(archive.read(MANIFEST))
    members = manifest["members"]
    for name, size in archive.sizes.items():
        if name != MANIFEST and name not in members:
            raise refusal(f"has a member '{name}' that its manifest does not name")
        if name != MANIFEST and size != members[name]["bytes"]:
            raise refusal(f"'{name}' has {size:,} bytes, not {members[name]['bytes']:,}")
    if lacking := [name for name in members if name not in archive.sizes]:
        raise refusal(f"its member '{lacking[0]}' is missing")
    return manifest


def _read_model(file: BinaryIO) -> StanceModel:
    archive = Archive(file)
    manifest = _read_manifest(archive)
    members, tables = manifest["members"], manifest["heads"]
    contents = {name: archive.read(name) for name in members}
    for name, data in contents.items():
        if hashlib.sha256(data).hexdigest() != members[name]["sha256"]:
            raise refusal(f"damaged: '{name}' does not have the sha256 of the manifest")
    texts = members["data/exact.npy"]["shape"][0]
    layouts = member_arrays(tables, texts, calibrated_rows(members))
    arrays = {
        name: check_array(decode_array(contents.pop(name), dtype, shape, name), name)
        for name, (dtype, shape) in layouts.items()
    }
    terms = {
        name: decode_terms(contents.pop(name), size, name)
        for name, size in term_lists(tables).items()
        if name in contents
    }
    recipe = recipe_from_table(manifest["recipe"], "its recipe")
    heads = {name: make_head(name, table, arrays, terms) for name, table in tables.items()}
    return StanceModel(
        book=ActorBook.from_tables(manifest["book"], "its actor book"),
        lexicon=Lexicon.from_tables(manifest["lexicon"], recipe.language),
        recipe=recipe,
        stance=heads["stance"],
        sentiment=heads.get("sentiment"),
        control=heads["control"],
        fingerprints=Fingerprints(arrays["data/exact.npy"], arrays["data/bands.npy"]),
        holder=heads.get("holder"),
        card={key: value for key, value in manifest.items() if key not in OF_MODEL},
        calibration=make_calibration(arrays),
    )
