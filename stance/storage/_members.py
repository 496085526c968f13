"""A model's members besides its manifest: each array as ``.npy``, each list of terms as text."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Keys
from stance.display import shown
from stance.model.abstention import Calibration
from stance.model.heads import BlockWeights, Head
from stance.reading.keys import BANDS, MULTIPLIER
from stance.records import Holder, Sentiment, Stance
from stance.storage._archive import refusal

# Labels of each head, in the order of the file; those of sentiment and holder may be missing.
LABELS: dict[str, tuple[str, ...]] = {"stance": tuple(Stance), "sentiment": tuple(Sentiment)}
LABELS |= {"control": LABELS["stance"], "holder": tuple(Holder)}
TARGETED = ("stance", "holder")  # heads that judge an actor

_PARTS = {"keys": "uint64", "idf": "float32", "coef": "float32"}  # types of a block's arrays

CALIBRATION = {  # type and greatest value of arrays of which a model has all or none
    "calibration/confidence.npy": ("float32", 1),
    "calibration/predicted.npy": ("int32", len(Stance) - 1),
    "calibration/correct.npy": ("int32", 1),
    "calibration/document.npy": ("int32", 2**31 - 1),
}

Table = Mapping[str, Any]
Array = NDArray[Any]
Layout = tuple[str, tuple[int, ...]]  # type and shape of an array

# --- Arrays and lists of terms as bytes ----------------------------------------------------------

_DTYPES = {"float32": "<f4", "float64": "<f8", "uint64": "<u8", "int64": "<i8", "int32": "<i4"}
_MAGIC = b"\x93NUMPY\x01\x00"
_START = len(_MAGIC) + 2
_ALIGNMENT = 64
_MOST_HEADER = 1024
_ESCAPED = {
    code: chr(code).encode("unicode_escape").decode()
    for code in (*range(32), *range(127, 160), 0x2028, 0x2029)
}
_STRANGE = b"\x7f", b"\xc2", b"\xe2\x80"  # with which a control character above 32 begins


def size_of(dtype: str, shape: Sequence[int]) -> int:
    return math.prod(shape) * int(_DTYPES[dtype][-1])


def _header(dtype: str, shape: Sequence[int]) -> str:
    return f"{{'descr': '{_DTYPES[dtype]}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"


def encode_array(array: Array) -> bytes:
    r"""Return an array in ``.npy`` format 1.0.

    >>> encode_array(np.array([1.5]))[:10]
    b'\x93NUMPY\x01\x00v\x00'
    """
    dtype = array.dtype.name
    text = _header(dtype, array.shape).encode()
    text += b" " * (-(_START + len(text) + 1) % _ALIGNMENT) + b"\n"
    values = np.ascontiguousarray(array, _DTYPES[dtype])
    return _MAGIC + len(text).to_bytes(2, "little") + text + values.tobytes()


def decode_array(data: bytes | bytearray, dtype: str, shape: Sequence[int], name: str) -> Array:
    """Return the array whose type and shape the manifest gives.

    Numpy's own reader is not used, because it can lead to pickle. The header is compared with the
    one that an array of this type and shape has; nothing in it is evaluated or believed.
    """
    length = int.from_bytes(data[len(_MAGIC) : _START], "little")
    start = _START + length
    if not data.startswith(_MAGIC) or length > _MOST_HEADER or start > len(data):
        raise refusal(f"'{name}' does not begin as an array does")
    text = bytes(data[_START:start]).decode("latin-1")
    if "|O" in text or "'O'" in text:
        raise refusal(f"'{name}' holds Python objects, which can run code")
    if text.rstrip(" \n") != _header(dtype, shape):
        expected = f"{dtype} of shape {tuple(shape)}"
        raise refusal(f"'{name}' is not the {expected} of the manifest but {shown(text.strip())!r}")
    if len(data) - start != size_of(dtype, shape):
        wanted = size_of(dtype, shape)
        raise refusal(f"'{name}' has {len(data) - start:,} bytes of values, not {wanted:,}")
    if not math.prod(shape):
        return np.zeros(tuple(shape), dtype)
    # The copy is aligned, in the machine's byte order, and free of the file's bytes.
    return np.frombuffer(data, _DTYPES[dtype], offset=start).reshape(tuple(shape)).astype(dtype)


def encode_terms(terms: Sequence[str]) -> bytes:
    """Return a list of terms as bytes, one on each line, control characters escaped."""
    escaped = (term if term.isprintable() else term.translate(_ESCAPED) for term in terms)
    return "".join(f"{term}\n" for term in escaped).encode("utf-8", "replace")


class Terms(Sequence[str]):
    """A list of terms that is split when it is first read: few are, and a model has many."""

    def __init__(self, text: str, size: int) -> None:
        self._size = size
        self._terms: str | list[str] = text  # one name for both, as threads may read it at once

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, at: Any) -> Any:
        terms = self._terms
        if isinstance(terms, str):
            self._terms = terms = terms.split("\n")[:-1]
        return terms[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)


def decode_terms(data: bytearray, size: int, name: str) -> Terms:
    """Return the terms of which each stands on a line, none with a control character."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refusal(f"'{name}' is not UTF-8 at byte {error.start}") from error
    codes = np.frombuffer(data, np.uint8)
    if (lines := np.count_nonzero(codes == ord("\n"))) != size or text[-1:] not in ("", "\n"):
        raise refusal(f"'{name}' has {lines:,} whole lines, not {size:,}")
    if np.count_nonzero(codes < ord(" ")) > lines or any(sign in data for sign in _STRANGE):
        odd = (line for line in text.split("\n") if not line.isprintable())
        if strange := next((line for line in odd if line.translate(_ESCAPED) != line), None):
            raise refusal(f"'{name}' has a control character in '{shown(strange)}'")
    return Terms(text, size)


# --- Values that a head can work with ------------------------------------------------------------

_GREATEST = 1e9  # of a learned number; keeps sums and squares far from overflow
_MOST_PROBES = 1_000


def check_array(array: Array, name: str) -> Array:
    """Return an array if a head can work with its values."""
    if name.endswith(".keys.npy"):
        if not (array[1:] > array[:-1]).all():
            raise refusal(f"'{name}' is not sorted without repetition")
        if _longest_probe(array) > _MOST_PROBES:
            raise refusal(f"'{name}' has keys that collide, as if made to keep a computer busy")
    if name in CALIBRATION and not ((array >= 0) & (array <= CALIBRATION[name][1])).all():
        raise refusal(f"'{name}' has a value that is not between 0 and {CALIBRATION[name][1]:,}")
    if array.dtype.kind == "f" and not (np.abs(array) <= _GREATEST).all():
        raise refusal(f"'{name}' has a value that is not a usable number")
    return array


def _longest_probe(keys: Keys) -> int:
    """Return how far `KeyIndex` would put a key from its slot: a few dozen for honest keys."""
    if not len(keys):
        return 0
    bits = max(6, int(4 * len(keys)).bit_length())  # as `KeyIndex` has it
    slots = np.sort((keys * MULTIPLIER) >> np.uint64(64 - bits)).astype(np.int64)
    order = np.arange(len(keys))
    return int((np.maximum.accumulate(slots - order) + order - slots).max())


# --- What a model is made of ---------------------------------------------------------------------


def member_arrays(heads: Table, texts: int, calibrated: int | None) -> dict[str, Layout]:
    """Return type and shape of every array of a model, from what its manifest says."""
    arrays: dict[str, Layout] = {}
    for head, table in heads.items():
        labels = len(table["labels"])
        for block in table["blocks"]:
            stem, features = f"heads/{head}/{block['name']}", block["features"]
            for part, dtype in _PARTS.items():
                shape = (features, labels) if part == "coef" else (features,)
                arrays[f"{stem}.{part}.npy"] = (dtype, shape)
        arrays[f"heads/{head}/intercept.npy"] = ("float64", (labels,))
    arrays["data/exact.npy"] = ("uint64", (texts,))
    arrays["data/bands.npy"] = ("uint64", (texts, BANDS))
    if calibrated is not None:
        arrays |= {name: (dtype, (calibrated,)) for name, (dtype, _) in CALIBRATION.items()}
    return arrays


def term_lists(heads: Table) -> dict[str, int]:
    return {
        f"heads/{head}/{block['name']}.terms.txt": block["features"]
        for head, table in heads.items()
        for block in table["blocks"]
    }


def calibrated_rows(members: Table) -> int | None:
    """Return the rows that a manifest claims for a calibration; None without one."""
    named = [members[name] for name in CALIBRATION if name in members]
    return claimed_rows(named[0]) if named else None


def claimed_rows(member: Table) -> int:
    """Return the rows that a manifest claims for a member; 0 if that is nonsense."""
    shape = member.get("shape")
    first = shape[0] if type(shape) is list and shape else 0
    return max(first, 0) if type(first) is int else 0


def calibration_members(calibration: Calibration | None) -> dict[str, Array]:
    if calibration is None:
        return {}
    return {name: getattr(calibration, Path(name).stem) for name in CALIBRATION}


def make_calibration(arrays: Mapping[str, Array]) -> Calibration | None:
    if not arrays.keys() >= CALIBRATION.keys():
        return None
    values = {Path(name).stem: arrays[name] for name in CALIBRATION}
    return Calibration(**values | {"correct": values["correct"].astype(np.bool_)})


def head_table(head: Head) -> dict[str, Any]:
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


def head_members(name: str, head: Head) -> Iterator[tuple[str, Array | Sequence[str]]]:
    yield f"heads/{name}/intercept.npy", head.intercept
    for block in head.blocks:
        stem = f"heads/{name}/{block.name}"
        yield from ((f"{stem}.{part}.npy", getattr(block, part)) for part in _PARTS)
        if block.terms:
            yield f"{stem}.terms.txt", block.terms


def make_head(
    name: str, table: Table, arrays: Mapping[str, Array], terms: Mapping[str, Sequence[str]]
) -> Head:
    """Return the head that a checked table of the manifest, arrays and terms describe."""
    blocks = []
    for block in table["blocks"]:
        stem = f"heads/{name}/{block['name']}"
        parts = {part: arrays[f"{stem}.{part}.npy"] for part in _PARTS}
        names = terms.get(f"{stem}.terms.txt", ())
        blocks.append(BlockWeights(block["name"], float(block["weight"]), **parts, terms=names))
    return Head(
        labels=LABELS[name],
        targeted=table["targeted"],
        blocks=tuple(blocks),
        intercept=arrays[f"heads/{name}/intercept.npy"],
        temperature=float(table["temperature"]),
        own=table["own"],
    )
