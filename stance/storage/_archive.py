"""The zip around a model, and arrays and terms in it: nothing is read that exceeds its limits."""

import io
import math
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from stance.display import count, shown
from stance.errors import ModelError

MOST_BYTES = 1 << 30  # of a file, and of its members together when unpacked
MOST_MEMBER = 1 << 29  # bytes of one member when unpacked
MOST_MANIFEST = 1 << 24
MOST_MEMBERS = 200
MANIFEST = "manifest.json"
PICKLES = (".joblib", ".pkl", ".pickle")  # endings of files that run code when they are loaded

_DAMAGED = "copy or download it again, or train a new one with `stance train`"
_OTHER_FILE = "name a model that `stance train` wrote"
_LEVEL = 6
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_END = struct.Struct("<4sHHHHLLH")  # the record with which a zip ends
_MOST_DIRECTORY = 1 << 16
_ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError),
    *(OverflowError, RuntimeError, ValueError),
)
_RUNS_CODE = (
    "is refused because loading one can run any code; train a model with `stance train`, whose "
    "file holds only numbers and text"
)


def refusal(found: str, advice: str = _DAMAGED) -> ModelError:
    """Return an error that says what was found and what to do, still without the file's name."""
    return ModelError(f"{found}; {advice}")


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return a zip of the members; the same members in the same order give the same bytes."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # Unix, whatever the machine
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED, _LEVEL)
    return sink.getvalue()


class Archive:
    """A zip whose directory keeps within the limits; otherwise it raises `ModelError`."""

    def __init__(self, file: BinaryIO) -> None:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        head = file.read(4)
        if head.startswith(b"\x80"):
            raise ModelError(f"as a pickle, it {_RUNS_CODE}")
        if head not in (b"PK\3\4", b"PK\5\6"):
            raise refusal("is not a zip file, so not a model" if head else "is empty", _OTHER_FILE)
        if size > MOST_BYTES:
            raise refusal(f"{count(size, 'byte')}, but a model has at most {MOST_BYTES:,}")
        _check_end(file, size)
        try:
            self._zip = zipfile.ZipFile(file)
        except _ZIP_ERRORS as error:
            raise refusal(f"damaged: no list of members ({shown(str(error), 80)})") from error
        entries = self._zip.infolist()
        _check_entries(entries)
        self._entries = {entry.orig_filename: entry for entry in entries}
        self.sizes = {name: entry.file_size for name, entry in self._entries.items()}  # as declared

    def read(self, name: str) -> bytes:
        """Return a member's bytes: exactly as many as declared, and never more in memory."""
        try:
            with self._zip.open(self._entries[name]) as member:
                data = member.read(self.sizes[name] + 1)
        except _ZIP_ERRORS as error:
            why = shown(str(error), 80)
            raise refusal(f"damaged: '{name}' cannot be unpacked ({why})") from error
        if len(data) != self.sizes[name]:
            raise refusal(f"damaged: '{name}' has {len(data):,} bytes, not {self.sizes[name]:,}")
        return data


def refuse_pickle(path: Path) -> None:
    """Raise if a file is, by its name, one that runs code when it is loaded."""
    if path.suffix.lower() in PICKLES:
        raise ModelError(f"as a {path.suffix} file, it {_RUNS_CODE}")


def _check_end(file: BinaryIO, size: int) -> None:
    """Check the record with which the file ends, before `zipfile` believes it."""
    file.seek(max(0, size - _END.size))
    end = file.read()
    if len(end) < _END.size or not end.startswith(b"PK\5\6"):
        raise refusal("is cut off, or has other bytes after the end of the zip")
    _, disk, first_disk, here, entries, length, start, comment = _END.unpack(end)
    if entries > MOST_MEMBERS or length > _MOST_DIRECTORY:
        raise refusal(f"has {entries:,} members, but a model has at most {MOST_MEMBERS}")
    plain = (disk, first_disk, here, comment) == (0, 0, entries, 0)
    if not plain or start + length + _END.size != size:
        raise refusal("damaged: bytes were added to the zip, or are missing or changed in it")


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.orig_filename for entry in entries]
    if MANIFEST not in names:
        raise refusal(f"is a zip but not a model: it has no '{MANIFEST}'", _OTHER_FILE)
    if len(set(names)) < len(names) or len(names) > MOST_MEMBERS:
        raise refusal(f"has two members of one name, or more than {MOST_MEMBERS}")
    for entry in entries:
        size, most = entry.file_size, MOST_MEMBER
        who = f"its member '{shown(entry.orig_filename)}'"
        if entry.orig_filename == MANIFEST:
            most = MOST_MANIFEST
        if entry.flag_bits & 1 or entry.compress_type not in _METHODS:
            raise refusal(f"{who} is encrypted or packed in a way that no model is")
        if size > most:
            raise refusal(f"{who} unpacks to {size:,} bytes; at most {most:,} are read")
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise refusal(f"its members are larger than {MOST_BYTES:,} bytes together")


# --- Arrays and lists of terms -------------------------------------------------------------------


def encode_array(array: NDArray[Any], dtype: str) -> bytes:
    """Return an array in ``.npy`` format, as little-endian numbers of a type."""
    sink = io.BytesIO()
    values = np.ascontiguousarray(array, np.dtype(dtype).newbyteorder("<"))
    npy.write_array(sink, values, (1, 0), allow_pickle=False)
    return sink.getvalue()


def decode_array(data: bytes, dtype: str, shape: tuple[int, ...], name: str) -> NDArray[Any]:
    """Return an array, whose header must be the one that numpy writes for this type and shape."""
    stored, sink = np.dtype(dtype).newbyteorder("<"), io.BytesIO()
    header = {"descr": stored.str, "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(sink, header)
    if not data.startswith(sink.getvalue()):
        raise refusal(f"'{name}' is not the {dtype} of shape {shape} of the manifest")
    if (found := len(data) - sink.tell()) != math.prod(shape) * stored.itemsize:
        raise refusal(f"'{name}' has {found:,} bytes of values, too many or too few")
    array: NDArray[Any] = npy.read_array(io.BytesIO(data), allow_pickle=False)
    return array.astype(dtype, copy=False)


def encode_terms(terms: Sequence[str]) -> bytes:
    """Return terms as bytes, one on each line, what does not print escaped."""
    return "".join(f"{shown(term, len(term))}\n" for term in terms).encode()


class Terms(Sequence[str]):
    """Terms that are split when one is first read: few ever are, and a model has many."""

    def __init__(self, text: str, size: int) -> None:
        self._text, self._size = text, size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, at: Any) -> Any:
        return self._terms[at]

    @cached_property
    def _terms(self) -> list[str]:
        return self._text.split("\n")[:-1]


def decode_terms(data: bytes, size: int, name: str) -> Terms:
    """Return so many terms, each of which is on a line and prints."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refusal(f"'{name}' is not UTF-8 at byte {error.start}") from error
    if data.count(b"\n") != size or data[-1:] not in (b"\n", b""):
        raise refusal(f"'{name}' has not {size:,} whole lines")
    if not text.replace("\n", "").isprintable():
        raise refusal(f"'{name}' has a control character")
    return Terms(text, size)
