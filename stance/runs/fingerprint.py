"""The fingerprint of a run: what its bytes depend on; a run goes on only if it is the same."""

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance import __version__
from stance.display import shown
from stance.files import file_hash
from stance.model.judging import StanceModel
from stance.tables import Inputs, is_article

Value = str | int | float | bool | None

Fingerprint = Mapping[str, Value]  # by the names that a user knows

COMMAND = "the command"
_INPUT, _MODEL, SIZE = "the input", "the model", "the size of parts"
_FILE, _ORDER = "the file ", "the order of the files"
_LONGEST = 5_000  # characters of a path, which no system takes more of
_HASH = re.compile(r"(?:[0-9a-f]{64})+")


def fingerprint(
    model: StanceModel, inputs: Inputs, size: int, options: Mapping[str, Value]
) -> Fingerprint:
    """Return the fingerprint of a run, whose inputs must not change until they have been read."""
    paths = [path for path in inputs.paths if path is not None]
    found: dict[str, Value]
    if inputs.several:
        found = files_fingerprint([(path, _hash_if_there(path)) for path in paths])
    else:
        (path,) = paths
        name = path.name.lower().removesuffix(".gz").removesuffix(".zst")
        # An article's name is in its output; of a table's name only the end counts.
        named = is_article(path) or options.get("--name-pattern")
        found = {
            _INPUT: _hash_if_there(path),
            "the name of the input": path.name if named else Path(name).suffix,
        }
    return {
        **found,
        _MODEL: model_hash(model),
        **versions_fingerprint(),
        SIZE: size,
        **options,
    }


def files_fingerprint(hashes: Sequence[tuple[Path, str]]) -> dict[str, Value]:
    """Return what a fingerprint says of files and their hashes, in their order."""
    order = hashlib.sha256("\n".join(ascii(str(path)) for path, _ in hashes).encode()).hexdigest()
    found: dict[str, Value] = {}
    for path, own in hashes:  # of a file that is read twice, both
        name = f"{_FILE}{shown(str(path), _LONGEST)}"
        found[name] = f"{found.get(name, '')}{own}"
    return {**found, _ORDER: order}


def hash_of(*tables: object, arrays: Iterable[NDArray[Any]] = ()) -> str:
    """Return a hash of what can be written as JSON, and of the values of arrays."""
    digest = hashlib.sha256(json.dumps(tables, sort_keys=True).encode())
    for values in arrays:
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def versions_fingerprint(*more: str) -> dict[str, Value]:
    """Return what a fingerprint says of `versions`."""
    return {f"the version of {name}": found for name, found in versions(*more).items()}


def _hash_if_there(path: Path) -> str:
    return file_hash(path) if path.exists() else ""  # a bad record, if those are put aside


def versions(*more: str) -> dict[str, str]:
    """Return the versions that answers may depend on; Python's knows the letters of all scripts."""
    from importlib.metadata import version  # which takes as long as a hundred rows

    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    libraries = {name: version(name) for name in ("numpy", "PyStemmer", *more)}
    return {"stance": __version__, **libraries, "python": python}


def difference(before: Fingerprint, now: Fingerprint) -> str | None:
    """Return in words the first difference between two fingerprints.

    >>> difference({"--wide": False}, {"--wide": True})
    '--wide has changed (was off, is on)'
    """
    names = {**now, **before}
    for what in sorted(names, key=lambda name: (name != COMMAND, name == _ORDER)):  # files first
        if before.get(what) != now.get(what):
            if what.startswith(_FILE) and (what not in before or what not in now):
                return f"{what} is {'new' if what in now else 'gone'}"
            if any(_HASH.fullmatch(str(part.get(what))) for part in (before, now)):
                return f"{what} has changed"  # hashes say nothing to a user
            was, is_ = _said(before.get(what)), _said(now.get(what))
            return f"{what} has changed (was {was}, is {is_})"
    return None


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "not given" if value is None else shown(str(value))


def model_hash(model: StanceModel) -> str:
    """Return a hash of all that a model's answers depend on."""
    tables: list[object] = [model.recipe.to_table(), model.book.to_tables(), model.lexicon.source]
    tables.append(model.reference and model.reference.to_table())
    arrays = list[NDArray[Any]]()
    for head in filter(None, (model.stance, model.sentiment, model.holder)):
        tables.append((head.labels, head.targeted, head.temperature, head.own))
        arrays.append(head.intercept)
        for block in head.blocks:
            tables.append((block.name, block.weight, block.coef.shape))
            arrays += (block.keys, block.idf, block.coef)
    if (kept := model.calibration) is not None:
        arrays += (kept.confidence, kept.predicted, kept.correct, kept.document)
    return hash_of(*tables, arrays=arrays)
