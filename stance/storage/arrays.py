"""Numeric arrays as bytes of the ``.npy`` format, read without numpy's road to pickle."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.display import shown
from stance.storage.archive import refusal

DTYPES = {"float32": "<f4", "float64": "<f8", "uint64": "<u8", "int64": "<i8", "int32": "<i4"}
"""Types that a model's arrays may have, and what ``.npy`` calls them: all little-endian."""

MOST_HEADER = 1024

_MAGIC = b"\x93NUMPY\x01\x00"
_ALIGNMENT = 64


def size_of(dtype: str, shape: Sequence[int]) -> int:
    """Return the bytes of an array's values."""
    return math.prod(shape) * int(DTYPES[dtype][-1])


def _header(dtype: str, shape: Sequence[int]) -> str:
    return f"{{'descr': '{DTYPES[dtype]}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"


def encode_array(array: NDArray[Any]) -> bytes:
    r"""Return an array in ``.npy`` format 1.0.

    >>> encode_array(np.array([1.5]))[:10]
    b'\x93NUMPY\x01\x00v\x00'
    """
    dtype = array.dtype.name
    text = _header(dtype, array.shape).encode()
    text += b" " * (-(len(_MAGIC) + 2 + len(text) + 1) % _ALIGNMENT) + b"\n"
    values = np.ascontiguousarray(array, DTYPES[dtype])
    return _MAGIC + len(text).to_bytes(2, "little") + text + values.tobytes()


def decode_array(
    data: bytes | bytearray, dtype: str, shape: Sequence[int], name: str
) -> NDArray[Any]:
    """Return the array of which the manifest gives type and shape.

    The header is compared with the one that an array of this type and shape has; nothing in it
    is evaluated or believed.
    """
    length = int.from_bytes(data[len(_MAGIC) : len(_MAGIC) + 2], "little")
    start = len(_MAGIC) + 2 + length
    if not data.startswith(_MAGIC) or length > MOST_HEADER or start > len(data):
        raise refusal(f"'{name}' does not begin as an array does")
    text = bytes(data[len(_MAGIC) + 2 : start]).decode("latin-1")
    if "|O" in text or "'O'" in text:
        raise refusal(f"'{name}' holds Python objects, which can run code")
    if text.rstrip(" \n") != _header(dtype, shape):
        expected = f"{dtype} of shape {tuple(shape)}"
        raise refusal(f"'{name}' is not the {expected} of the manifest but {shown(text.strip())!r}")
    if len(data) - start != size_of(dtype, shape):
        raise refusal(
            f"'{name}' has {len(data) - start:,} bytes of values, not {size_of(dtype, shape):,}"
        )
    if not math.prod(shape):
        return np.zeros(tuple(shape), dtype)
    # The copy is aligned, in the machine's byte order, and free of the file's bytes.
    return np.frombuffer(data, DTYPES[dtype], offset=start).reshape(tuple(shape)).astype(dtype)
