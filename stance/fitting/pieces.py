"""What a stopped training had computed, kept so that it can go on with it."""

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.errors import output_error
from stance.files import read_checked, write_checked

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
            for values in found:
                np.lib.format.write_array(data, values, allow_pickle=False)
            try:
                write_checked(path, data.getvalue())
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
    return digest.hexdigest()


def _read(path: Path) -> Arrays | None:
    """Return the arrays in a file; None if there is none, or a power cut has damaged it."""
    data = read_checked(path)
    if data is None:
        return None
    file, found = io.BytesIO(data), list[NDArray[Any]]()
    try:
        while file.tell() < len(data):
            found.append(np.lib.format.read_array(file, allow_pickle=False))
    except ValueError:  # somebody else has written it
        return None
    return found
