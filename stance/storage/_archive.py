"""The zip around a model: its manifest, arrays and terms, none of which exceeds its limits."""

import contextlib
import hashlib
import io
import json
import math
import re
import stat
import struct
import zipfile
import zlib
from collections import UserList
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from stance.display import shown, shown_path
from stance.errors import ActorError, ModelError, RecipeError
from stance.files import DATA, is_device
from stance.reading.lexicon import FUNCTIONS
from stance.records import Holder, Sentiment, Stance
from stance.settings import SchemaError, anything, entries, items, number, of, one_of, such, table

MOST_BYTES = 1 << 30  # of all members together when unpacked
MOST_MANIFEST = 1 << 24
MOST_MEMBERS, MOST_DIRECTORY = 200, 1 << 16  # and bytes of their list
MANIFEST = "manifest.json"
DEFAULT, SPEECHES = "default", "speeches"
"""Names of the bundled models; that of speeches learned from corpora whose texts ship."""
READER = "reader.stance"
PICKLES = (".joblib", ".pkl", ".pickle")  # endings of files that run code when they are loaded

_OTHER_FILE = "name a model that `stance train` wrote"
_STORED = (".npy", ".txt")  # as they are, since models load faster so
_END = struct.Struct("<10sHL6s")  # the record with which a zip ends: members, size of their list
_LOCATOR = 20  # bytes before it that say where a larger zip has its true numbers
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack more than is asked for
_ZIP_ERRORS: tuple[type[Exception], ...] = (zipfile.BadZipFile, zlib.error, struct.error)
_ZIP_ERRORS += (EOFError, OSError, OverflowError, RuntimeError, ValueError)


def refusal(
    what: str, advice: str = "copy or download it again, or train a new one with `stance train`"
) -> ModelError:
    """Return an error that says what is wrong and what to do, still without the file's name."""
    return ModelError(f"{what}; {advice}")


@contextlib.contextmanager
def opened(path: Path) -> Iterator["Archive"]:
    """Open a file whose directory keeps within the limits; a refusal names the file."""
    with named(path):
        if "\0" in str(path):
            raise refusal("no file can have this name", "check the path")
        if is_device(path):
            raise refusal("is a pipe or device, not a file", "name a model file")
        with path.open("rb") as file:
            if path.suffix.lower() in PICKLES:
                why = f"as a {path.suffix} file, it is refused because loading one can run any code"
                raise refusal(why, "train a model with `stance train`")
            yield Archive(file)


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """Put the file's name before whatever is refused in it, on one line."""
    try:
        yield
    except (ModelError, ActorError, RecipeError, OSError) as error:
        what = shown(str(error), 400)
        if path.parent == DATA or path.name == READER:
            fault = f"cannot be read ({error.strerror})" if isinstance(error, OSError) else what
            what = f"{fault.partition(';')[0]}; install stance again"
        elif isinstance(error, OSError):
            advice = f"check the path, say '{SPEECHES}', or make one with `stance train`"
            what = f"cannot be read ({error.strerror}); {advice}"
        elif not isinstance(error, ModelError):
            what = f"{what.rstrip('.')}; train a new one with `stance train`"
        raise ModelError(f"{shown_path(path)}: {what}") from error


def pack(manifest: Mapping[str, Any], contents: Mapping[str, bytes]) -> bytes:
    """Return a zip of a manifest and its members, the same bytes each time; NaN becomes null."""
    # Only top-level keys are sorted: the order of actors, categories and blocks matters.
    text = json.dumps(dict(sorted(manifest.items())), default=lambda number: number.item())
    plain = json.loads(text, parse_constant=lambda _: None)
    encoded = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, data in {MANIFEST: encoded, **contents}.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # Unix, whatever the machine
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            method = zipfile.ZIP_STORED if name.endswith(_STORED) else zipfile.ZIP_DEFLATED
            archive.writestr(info, data, method, 6)
    return sink.getvalue()


class Archive:
    """A zip whose directory keeps within the limits; otherwise it raises `ModelError`."""

    def __init__(self, file: BinaryIO) -> None:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if (head := file.read(4)) not in (b"PK\3\4", b"PK\5\6"):
            raise refusal("is not a zip file, so not a model" if head else "is empty", _OTHER_FILE)
        # How many members the file says that it has, before `zipfile` lists them all.
        file.seek(max(0, size - _END.size - _LOCATOR))
        tail = file.read()
        end = tail[-_END.size :]
        if not end.startswith(b"PK\5\6") or tail.startswith(b"PK\6\7") or len(end) < _END.size:
            raise refusal("is cut off, or has other bytes after the end of the zip")
        _, entries, length, _ = _END.unpack(end)
        if entries > MOST_MEMBERS or length > MOST_DIRECTORY:
            raise refusal(f"has {entries:,} members, but a model has at most {MOST_MEMBERS}")
        try:
            self._zip = zipfile.ZipFile(file)
        except _ZIP_ERRORS as error:
            raise refusal(f"damaged: no list of members ({shown(str(error), 80)})") from error
        self._entries = {entry.orig_filename: entry for entry in self._zip.infolist()}
        self.sizes = {name: entry.file_size for name, entry in self._entries.items()}  # as declared
        if MANIFEST not in self._entries:
            raise refusal(f"is a zip but not a model: it has no '{MANIFEST}'", _OTHER_FILE)
        for name, entry in self._entries.items():
            if entry.compress_type not in _METHODS:
                raise refusal(f"its member '{shown(name)}' is packed in a way that no model is")
        if sum(self.sizes.values()) > MOST_BYTES or self.sizes[MANIFEST] > MOST_MANIFEST:
            raise refusal("its members unpack to more bytes than any model holds")

    def read(self, name: str, sha256: str | None = None) -> bytes:
        """Return a member's bytes; no more than declared are ever in memory."""
        try:
            with self._zip.open(self._entries[name]) as member:
                data = member.read(self.sizes[name] + 1)
        except _ZIP_ERRORS as error:
            why = shown(str(error), 80)
            raise refusal(f"damaged: '{name}' cannot be unpacked ({why})") from error
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise refusal(f"damaged: '{name}' does not have the sha256 of the manifest")
        return data


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
    size = sink.tell() + math.prod(shape) * stored.itemsize
    if not data.startswith(sink.getvalue()) or len(data) != size:
        raise refusal(f"'{name}' is not the {dtype} of shape {shape} of the manifest")
    array = np.frombuffer(data, stored, offset=sink.tell()).reshape(shape)
    return array.astype(dtype, copy=False)  # in this machine's byte order


class Terms(UserList[str]):
    """Terms that are split when one is first read: few ever are, and a model has many."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def data(self) -> list[str]:  # type: ignore[override]
        return self._text.split("\n")[:-1]


# --- Members -------------------------------------------------------------------------------------

FORMAT = "stance-model"
SCHEMA = 1

# Labels of each head, in the order of the file; those of sentiment and holder may be missing.
LABELS: dict[str, tuple[str, ...]] = {"stance": tuple(Stance), "sentiment": tuple(Sentiment)}
LABELS |= {"control": LABELS["stance"], "holder": tuple(Holder)}
TARGETED = ("stance", "holder")  # heads that judge an actor

TERMS = ".terms.txt"  # with which the name of a block's list of them ends; any may be missing
PARTS = ("keys", "idf", "coef")  # arrays of a block
CALIBRATION = {"confidence": 1, "predicted": len(Stance) - 1, "correct": 1, "document": 2**31 - 1}
"""Greatest values of these arrays."""
TYPES = {"keys": "uint64", "idf": "float32", "coef": "float32", "intercept": "float64"}
TYPES |= {"exact": "uint64", "bands": "uint64"}
TYPES |= {name: "float32" if name == "confidence" else "int32" for name in CALIBRATION}

Table = Mapping[str, Any]


def array_type(name: str) -> str:
    """Return the type of the numbers in a member, such as "stem.keys.npy"; empty if no array."""
    *_, last, ending = re.split("[./]", f"/{name}")
    return TYPES.get(last, "") if ending == "npy" else ""


# --- What a manifest says: JSON that is checked before anything else is read ---------------------

_STRING = of(str)
_ROWS = number(int, 0, 10**12)
_SHARE = number(float, 0, 1)
_WEIGHT = number(float, 0, 100)
_FEATURES = number(int, 0, 10_000_000)
_WORDS = such(of(list), lambda words: {*map(type, words)} <= {str}, "a list of texts")
_DIGEST = such(_STRING, re.compile("[0-9a-f]{64}").fullmatch, "a sha256")
_BLOCKS = table({"blocks": entries(_WEIGHT)}, others=anything)
_REFERENCE = table(
    {"unknown": _SHARE, "familiarity": _SHARE, "rows": _ROWS, "actors": entries(_ROWS)}
)
_DATA = table(
    {"name": _STRING, "sha256": _DIGEST, "rows": _ROWS}
    | {"classes": table(optional=dict.fromkeys(Stance, _ROWS))},
    others=anything,
)
_CATEGORY = table(
    {"polarity": one_of("positive", "negative", "demand", "none"), "words": _WORDS},
    {"phrases": _WORDS, "meaning": anything},
)
_FUNCTIONS = table(optional=dict.fromkeys(FUNCTIONS, _WORDS))
_BLOCK = table({"name": _STRING, "weight": _WEIGHT, "features": _FEATURES})
_HEAD = table(
    {"labels": items(_STRING), "targeted": of(bool), "own": of(bool), "blocks": items(_BLOCK)}
    | {"temperature": number(float, 1e-6, 1e6)}
)
_MEMBER = table(
    {"sha256": _DIGEST, "bytes": number(int, 0, MOST_BYTES)},
    {"dtype": _STRING, "shape": items(_FEATURES)},
)
_RECIPE = table({"name": _STRING, "features": _BLOCKS}, others=anything)
_RECALLS = table(dict.fromkeys(Stance, table({"recall": _SHARE}, others=anything)))
_SCORES = table(optional={"accuracy": _SHARE, "per_class": _RECALLS}, others=anything)
_VERSIONS = dict.fromkeys(("stance", "python", "numpy", "scikit-learn"), _STRING)
_MODEL = table(
    {
        "versions": table(_VERSIONS, others=_STRING),
        "data": items(_DATA),
        "seed": of(int),
        "scores": _SCORES,
        "recipe": _RECIPE,
        "limits": _WORDS,
        "book": of(dict),
        "lexicon": table(optional={"function": _FUNCTIONS}, others=_CATEGORY),
        "language": _STRING,
        "members": entries(_MEMBER),
        "reference": _REFERENCE,
        "heads": table({"stance": _HEAD, "control": _HEAD}, {"sentiment": _HEAD, "holder": _HEAD}),
    },
    {"deep_reader": _DIGEST},
    anything,
)

_CONTROL = re.compile(r"\\[bfu]|[\x7f-\x9f]")  # characters but tabs and line ends, as JSON has them


def _finite(number: str) -> float:
    if not math.isfinite(value := float(number)):
        raise ValueError(f"{shown(number, 20)} is not a finite number")
    return value


def decode_manifest(data: bytes) -> dict[str, Any]:
    """Return a manifest that obeys the schema; a refusal lacks the file's name."""
    try:
        text = data.decode()
        manifest: dict[str, Any] = json.loads(text, parse_constant=_finite, parse_float=_finite)
        if "\\u" in text:  # not as `pack` writes it: half a character, perhaps
            text = json.dumps(manifest, ensure_ascii=False)
            text.encode()
        if odd := _CONTROL.search(text.replace("\\\\", "")):
            raise ValueError(f"a control character, {odd[0]!r}")
    except (ValueError, RecursionError) as error:
        raise refusal(f"its manifest is not valid JSON ({shown(str(error), 80)})") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        what = f"its '{MANIFEST}' does not describe a model"
        raise refusal(what, "name one made by `stance train`")
    if manifest.get("schema") != SCHEMA or manifest["schema"] is True:
        what = f"has schema {shown(repr(manifest.get('schema')))}, this stance reads {SCHEMA}"
        raise refusal(what, "upgrade stance, or train a new model")
    try:
        _MODEL(manifest, "")
    except SchemaError as error:
        raise refusal(f"its manifest: {error}") from error
    return manifest
