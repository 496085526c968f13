"""What the bytes of an output depend on: a run goes on only where all of that is as before."""

import hashlib
import json
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np

from stance.display import shown
from stance.errors import DataError
from stance.model.heads import Head
from stance.model.judging import StanceModel

Value = str | int | float | bool | None

Plan = Mapping[str, Value]
"""Values by the names that a user knows them by."""

_INPUT, _MODEL = "the input", "the model"
SIZE = "the size of parts"


def versions() -> dict[str, str]:
    """Return the versions that answers may depend on; Python's knows the letters of all scripts."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    packages = {name: version(name) for name in ("stance", "numpy", "PyStemmer")}
    return packages | {"python": python}


def make_plan(model: StanceModel, source: Path, size: int, options: Mapping[str, Value]) -> Plan:
    """Return the plan of a run.

    Parameters
    ----------
    model : StanceModel
    source : Path
        The input, which must not change from now on until it has been read.
    size : int
        Records of a part.
    options : mapping
        All others, by name.
    """
    try:
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        name = shown(str(source), 200)
        raise DataError(f"{name}: cannot be read twice; copy the file and try again") from error
    return {
        _INPUT: digest,
        "the name of the input": _telling_name(source),
        _MODEL: digest_of(model),
        **{f"the version of {name}": found for name, found in versions().items()},
        SIZE: size,
        **options,
    }


def _telling_name(source: Path) -> str:
    """Return what of a name the output depends on: an article's is in it, a table's end counts."""
    name = source.name.lower().removesuffix(".gz").removesuffix(".zst")
    return source.name if name.endswith(".txt") else Path(name).suffix


def difference(before: Plan, now: Plan) -> str | None:
    """Return in words the first thing in which two plans differ.

    >>> difference({"--wide": False}, {"--wide": True})
    '--wide has changed (was False, is True)'
    """
    for what in dict.fromkeys((*now, *before)):
        if before.get(what) != now.get(what):
            if what in (_INPUT, _MODEL):  # their hashes say nothing to a user
                return f"{what} has changed"
            was, is_ = shown(str(before.get(what))), shown(str(now.get(what)))
            return f"{what} has changed (was {was}, is {is_})"
    return None


def digest_of(model: StanceModel) -> str:
    """Return a hash of all that a model's answers depend on."""
    digest = hashlib.sha256()
    tables = (model.recipe.to_table(), model.book.to_tables(), model.lexicon.source)
    digest.update(json.dumps(tables, sort_keys=True).encode())
    if model.reference is not None:
        digest.update(json.dumps(model.reference.to_table()).encode())
    for head in (model.stance, model.sentiment):
        if head is not None:
            _add_head(digest, head)
    if (kept := model.calibration) is not None:
        for values in (kept.confidence, kept.predicted, kept.correct, kept.document):
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _add_head(digest: "hashlib._Hash", head: Head) -> None:
    digest.update(repr((head.labels, head.targeted, head.temperature, head.own)).encode())
    digest.update(head.intercept.tobytes())
    for block in head.blocks:
        digest.update(repr((block.name, block.weight, block.coef.shape)).encode())
        for values in (block.keys, block.idf, block.coef):
            digest.update(np.ascontiguousarray(values).tobytes())
