"""Where a model's file keeps its numbers: one member per array and per list of terms."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Keys
from stance.display import shown
from stance.model.abstention import Calibration
from stance.model.heads import BlockWeights, Head
from stance.reading.keys import BANDS, MULTIPLIER
from stance.records import Sentiment, Stance
from stance.storage.archive import refusal

LABELS: dict[str, tuple[str, ...]] = {
    "stance": tuple(Stance),
    "sentiment": tuple(Sentiment),
    "control": tuple(Stance),
}
"""Labels of each head, in the order of the file; only the sentiment head may be missing."""

CALIBRATION = {
    "calibration/confidence.npy": ("float32", 1),
    "calibration/predicted.npy": ("int32", len(Stance) - 1),
    "calibration/correct.npy": ("int32", 1),
    "calibration/document.npy": ("int32", 2**31 - 1),
}
"""Type and greatest value of the calibration's arrays, which a model has all or none of."""

_GREATEST = 1e9  # of a learned number; keeps sums and squares far from overflow
_MOST_PROBES = 1_000
_ESCAPED = {
    code: chr(code).encode("unicode_escape").decode()
    for code in (*range(32), *range(127, 160), 0x2028, 0x2029)
}

Table = Mapping[str, Any]


def member_arrays(
    heads: Table, texts: int, calibrated: int | None
) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return type and shape of every array of a model.

    Parameters
    ----------
    heads : mapping
        Of the manifest.
    texts : int
        Of the corpus.
    calibrated : int or None
        Rows of the calibration; None where there is none.
    """
    arrays: dict[str, tuple[str, tuple[int, ...]]] = {}
    for head, table in heads.items():
        labels = len(table["labels"])
        for block in table["blocks"]:
            stem, features = f"heads/{head}/{block['name']}", block["features"]
            arrays[f"{stem}.keys.npy"] = ("uint64", (features,))
            arrays[f"{stem}.idf.npy"] = ("float32", (features,))
            arrays[f"{stem}.coef.npy"] = ("float32", (features, labels))
        arrays[f"heads/{head}/intercept.npy"] = ("float64", (labels,))
    arrays["data/exact.npy"] = ("uint64", (texts,))
    arrays["data/bands.npy"] = ("uint64", (texts, BANDS))
    if calibrated is not None:
        arrays |= {name: (dtype, (calibrated,)) for name, (dtype, _) in CALIBRATION.items()}
    return arrays


def calibrated_rows(members: Table) -> int | None:
    """Return the rows that the manifest's members say a calibration has, None without one.

    What is said wrongly becomes 0 rows, which no other member agrees with.
    """
    named = [members[name] for name in CALIBRATION if name in members]
    if not named:
        return None
    shape = named[0].get("shape")
    right = type(shape) is list and len(shape) == 1 and type(shape[0]) is int
    return shape[0] if right else 0


def calibration_members(calibration: Calibration | None) -> dict[str, NDArray[Any]]:
    """Return name and content of every member that holds a part of the calibration."""
    if calibration is None:
        return {}
    return {name: getattr(calibration, Path(name).stem) for name in CALIBRATION}


def make_calibration(arrays: Mapping[str, NDArray[Any]]) -> Calibration | None:
    """Return the calibration that checked arrays describe, if they do."""
    if not arrays.keys() >= CALIBRATION.keys():
        return None
    values = {Path(name).stem: arrays[name] for name in CALIBRATION}
    return Calibration(**values | {"correct": values["correct"].astype(np.bool_)})


def term_lists(heads: Table) -> dict[str, int]:
    """Return the number of terms in every list that a model may have."""
    return {
        f"heads/{head}/{block['name']}.terms.txt": block["features"]
        for head, table in heads.items()
        for block in table["blocks"]
    }


def head_table(head: Head) -> dict[str, Any]:
    """Return what the manifest tells of a head."""
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


def head_members(name: str, head: Head) -> Iterator[tuple[str, NDArray[Any] | tuple[str, ...]]]:
    """Yield name and content of every member that holds a part of a head."""
    yield f"heads/{name}/intercept.npy", head.intercept
    for block in head.blocks:
        stem = f"heads/{name}/{block.name}"
        yield f"{stem}.keys.npy", block.keys
        yield f"{stem}.idf.npy", block.idf
        yield f"{stem}.coef.npy", block.coef
        if block.terms:
            yield f"{stem}.terms.txt", block.terms


def check_array(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Return an array if its values are such as a head works with."""
    if name.endswith(".keys.npy") and not (array[1:] > array[:-1]).all():
        raise refusal(f"'{name}' is not sorted without repetition")
    if name.endswith(".keys.npy") and _longest_probe(array) > _MOST_PROBES:
        raise refusal(f"'{name}' has keys that collide, as if made to keep a computer busy")
    if name in CALIBRATION and not ((array >= 0) & (array <= CALIBRATION[name][1])).all():
        raise refusal(f"'{name}' has a value that is not between 0 and {CALIBRATION[name][1]:,}")
    if array.dtype.kind == "f" and not (np.abs(array) <= _GREATEST).all():
        raise refusal(f"'{name}' has a value that is no usable number")
    return array


def _longest_probe(keys: Keys) -> int:
    """Return how far `stance.reading.keys.KeyIndex` would put a key from its slot.

    A few dozen for honest keys; for keys made to collide its time would grow with the square
    of their number.
    """
    if not len(keys):
        return 0
    bits = max(6, int(4 * len(keys)).bit_length())  # as `KeyIndex` has it
    slots = np.sort((keys * MULTIPLIER) >> np.uint64(64 - bits)).astype(np.int64)
    order = np.arange(len(keys))
    return int((np.maximum.accumulate(slots - order) + order - slots).max())


def encode_terms(terms: tuple[str, ...]) -> bytes:
    """Return a list of terms as bytes, one on each line, control characters escaped."""
    lines = [term.translate(_ESCAPED) + "\n" for term in terms]
    return "".join(lines).encode("utf-8", "replace")


def decode_terms(data: bytearray, size: int, name: str) -> tuple[str, ...]:
    """Return the terms of a list that must have so many, one on each line."""
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise refusal(f"'{name}' is not UTF-8 at byte {error.start}") from error
    if lines.pop() or len(lines) != size:
        raise refusal(f"'{name}' has {len(lines):,} whole lines, not {size:,}")
    if strange := [line for line in lines if line.translate(_ESCAPED) != line]:
        raise refusal(f"'{name}' has a control character in '{shown(strange[0])}'")
    return tuple(lines)


def make_head(
    name: str,
    table: Table,
    arrays: Mapping[str, NDArray[Any]],
    terms: Mapping[str, tuple[str, ...]],
) -> Head:
    """Return the head that a checked table of the manifest, arrays and terms describe."""
    blocks = []
    for block in table["blocks"]:
        stem = f"heads/{name}/{block['name']}"
        keys, idf, coef = (arrays[f"{stem}.{part}.npy"] for part in ("keys", "idf", "coef"))
        names = terms.get(f"{stem}.terms.txt", ())
        blocks.append(BlockWeights(block["name"], float(block["weight"]), keys, idf, coef, names))
    return Head(
        labels=LABELS[name],
        targeted=table["targeted"],
        blocks=tuple(blocks),
        intercept=arrays[f"heads/{name}/intercept.npy"],
        temperature=float(table["temperature"]),
        own=table["own"],
    )
