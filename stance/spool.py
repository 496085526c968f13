"""Strings and numbers in temporary files, so that any number of them takes hardly any memory."""

import contextlib
import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stance.files import output_error


class _Spooled:
    """A temporary file without a name, which is gone when it is closed."""

    def __init__(self) -> None:
        with _reported():
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `__exit__`)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # a full disk, which is reported already
            self._file.close()


class Strings(_Spooled):
    """Strings: first all are added, then any is read; 8 bytes of memory each."""

    def __init__(self) -> None:
        super().__init__()
        self._ends = array("q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def add(self, text: str) -> None:
        """Keep one more string; raise `OutputError` if the disk is full."""
        data = text.encode("utf-8", "surrogatepass")
        with _reported():
            self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def __getitem__(self, at: int) -> str:
        low, high = self._ends[at], self._ends[at + 1]
        with _reported():  # what is still to be written is written first
            self._file.seek(low)
            return self._file.read(high - low).decode("utf-8", "surrogatepass")


class Numbers(_Spooled):
    """Numbers of one type: first all are added, then all are read at once."""

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self._dtype = np.dtype(dtype)

    def add(self, values: ArrayLike) -> None:
        """Keep more numbers; raise `OutputError` if the disk is full."""
        with _reported():
            self._file.write(np.asarray(values, self._dtype).tobytes())

    def read(self) -> NDArray[Any]:
        """Return all numbers."""
        with _reported():
            self._file.seek(0)
            return np.fromfile(self._file, self._dtype)


@contextlib.contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise output_error(error, Path(tempfile.gettempdir())) from error
