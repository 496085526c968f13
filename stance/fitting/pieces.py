"""What a stopped training had computed, kept so that it can go on with it."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.files import output_error, write_private

Arrays = Sequence[NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Arrays in the private folder of a run, each computed once; without a folder none is kept."""

    folder: Path | None = None
    key: str = ""  # of the training and the head, so that no piece is taken for another one's
    output: Path = Path()  # the model in the making, for messages

    def of(self, head: str) -> "Pieces":
        """Return the pieces of a head."""
        return replace(self, key=f"{self.key}-{head}")

    def get(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """Return the arrays of a name, made unless they are kept.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        if self.folder is None:
            return make()
        path = self.folder / f"{self.key}-{name}.rows"
        found = _read(path)
        if found is None:
            found = make()
            data = io.BytesIO()
            np.savez(data, *found)
            try:
                write_private(path, data.getvalue(), sync=False)
            except OSError as error:
                raise output_error(error, self.output) from error
        return found


NO_PIECES = Pieces()


def name_of(*arrays: NDArray[Any]) -> str:
    """Return a name for what is computed from some arrays."""
    digest = hashlib.sha256()
    for values in arrays:
        digest.update(repr((values.dtype.str, values.shape)).encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:16]


def _read(path: Path) -> Arrays | None:
    """Return the arrays in a file; None if there is none, or a power cut has damaged it."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return [kept[f"arr_{number}"] for number in range(len(kept))]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
