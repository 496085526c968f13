"""Strings and numbers in temporary files, so that any number of them takes hardly any memory."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stance.files import output_error


class _Spooled:
    """A temporary file without a name, which is gone when it is closed."""

    def __init__(self) -> None:
        with _reported():
            self.file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `__exit__`)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # a full disk, which is reported already
            self.file.close()


class Numbers(_Spooled):
    """Numbers of one type: first all are added, then any or all are read."""

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self._dtype = np.dtype(dtype)

    def add(self, values: ArrayLike) -> None:
        """Keep more numbers; raise `OutputError` if the disk is full."""
        with _reported():
            self.file.write(np.asarray(values, self._dtype).tobytes())

    def __getitem__(self, at: int) -> Any:
        with _reported():  # what is still to be written is written first
            self.file.seek(at * self._dtype.itemsize)
            return np.frombuffer(self.file.read(self._dtype.itemsize), self._dtype)[0]

    def read(self) -> NDArray[Any]:
        """Return all numbers."""
        with _reported():
            self.file.seek(0)
            return np.fromfile(self.file, self._dtype)


class Strings(_Spooled):
    """Strings: first all are added, then any is read."""

    _PLACE = Struct("<qq")  # where a string begins and ends

    def __init__(self) -> None:
        super().__init__()
        self._places, self._end, self._count = _Spooled(), 0, 0

    def __exit__(self, *_: object) -> None:
        self._places.__exit__()
        super().__exit__()

    def __len__(self) -> int:
        return self._count

    def add(self, text: str) -> None:
        """Keep one more string; raise `OutputError` if the disk is full."""
        data = text.encode("utf-8", "surrogatepass")
        begin, self._end = self._end, self._end + len(data)
        with _reported():
            self.file.write(data)
            self._places.file.write(self._PLACE.pack(begin, self._end))
        self._count += 1

    def __getitem__(self, at: int) -> str:
        with _reported():
            self._places.file.seek(at * self._PLACE.size)
            begin, end = self._PLACE.unpack(self._places.file.read(self._PLACE.size))
            self.file.seek(begin)
            return self.file.read(end - begin).decode("utf-8", "surrogatepass")


@contextlib.contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise output_error(error, Path(tempfile.gettempdir())) from error
