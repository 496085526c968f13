"""The zip around a model: always the same bytes out; in, nothing that exceeds its limits."""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import BinaryIO

from stance.display import count, shown
from stance.errors import ModelError

MOST_BYTES = 1 << 30  # of a file, and of its members together when unpacked
MOST_MEMBER = 1 << 29  # bytes of one member when unpacked
MOST_MEMBERS = 200
MOST_RATIO = 100  # times by which a member of more than `_SMALL` bytes may grow when unpacked
MANIFEST = "manifest.json"
PICKLES = (".joblib", ".pkl", ".pickle")  # endings of files that run code when they are loaded
DAMAGED = "copy or download it again, or train a new one with `stance train`"
OTHER_FILE = "name a model that `stance train` wrote"

_SMALL = 1 << 20
_PIECE = 1 << 20
_LEVEL = 6
_END = struct.Struct("<4sHHHHLLH")  # the record with which a zip ends
_MOST_DIRECTORY = 1 << 16
_SAFE_NAME = re.compile(r"[a-z0-9_.-]+(/[a-z0-9_.-]+)*")
_HARMLESS_FLAGS = 0x2 | 0x4 | 0x8 | 0x800  # how it was deflated, sizes after the data, UTF-8 name
_ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError,
    OverflowError, RuntimeError, ValueError,
)  # fmt: skip

_COMPRESSED = (
    (b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"]\0\0", "lzma"),
    (b"\x04\x22\x4d\x18", "lz4"), (b"\x78\x01", "zlib"), (b"\x78\x5e", "zlib"),
    (b"\x78\x9c", "zlib"), (b"\x78\xda", "zlib"),
)  # fmt: skip
_RUNS_CODE = (
    "is refused because loading one can run any code; train a model with `stance train`, whose "
    "file holds only numbers and text"
)


def refusal(found: str, advice: str = DAMAGED) -> ModelError:
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
            archive.writestr(info, data, _method(data), _LEVEL)
    return sink.getvalue()


def _method(data: bytes) -> int:
    """Return deflate, except for data so uniform that a reader would take it for a bomb."""
    if len(data) <= _SMALL:
        return zipfile.ZIP_DEFLATED
    packer, packed, step = zlib.compressobj(_LEVEL), 0, len(data) // MOST_RATIO
    for low in range(0, len(data), step):  # of which the first are mostly enough to tell
        packed += len(packer.compress(data[low : low + step]))
        if len(data) <= MOST_RATIO * packed:
            return zipfile.ZIP_DEFLATED
    uniform = len(data) > MOST_RATIO * (packed + len(packer.flush()))
    return zipfile.ZIP_STORED if uniform else zipfile.ZIP_DEFLATED


class Archive:
    """A zip whose directory keeps within the limits; otherwise it raises `ModelError`."""

    def __init__(self, file: BinaryIO) -> None:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        _recognise(file.read(4096))
        if size > MOST_BYTES:
            raise refusal(f"{count(size, 'byte')}, but a model has at most {MOST_BYTES:,}")
        _check_end(file, size)
        try:
            self._zip = zipfile.ZipFile(file)
        except _ZIP_ERRORS as error:
            raise refusal(f"damaged: its list of members cannot be read ({_why(error)})") from error
        entries = self._zip.infolist()
        _check_entries(entries)
        self._entries = {entry.filename: entry for entry in entries}
        self.sizes = {entry.filename: entry.file_size for entry in entries}  # as declared

    def read(self, name: str) -> bytearray:
        """Return a member's bytes: exactly as many as declared, and never more in memory."""
        entry = self._entries[name]
        data = bytearray()
        try:
            with self._zip.open(entry) as member:
                while piece := member.read(_PIECE):
                    data += piece
        except _ZIP_ERRORS as error:
            if isinstance(error, zlib.error) and "Error -4" in str(error):  # Z_MEM_ERROR
                raise MemoryError from error
            raise refusal(f"damaged: '{name}' cannot be unpacked ({_why(error)})") from error
        if len(data) != entry.file_size:
            found = count(len(data), "byte")
            raise refusal(f"damaged: '{name}' has {found}, not {entry.file_size:,}")
        return data


def _why(error: BaseException) -> str:
    return shown(str(error), 80) or type(error).__name__


def refuse_pickle_name(name: str) -> None:
    for ending in filter(name.lower().endswith, PICKLES):
        raise ModelError(f"a {ending} file {_RUNS_CODE}")


def _recognise(head: bytes) -> None:
    if not head:
        raise refusal("is empty")
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        raise ModelError(f"a pickle (as joblib writes it) {_RUNS_CODE}")
    for magic, name in _COMPRESSED:
        if head.startswith(magic):
            made = f"compressed with {name}, as joblib compresses a pickle"
            raise ModelError(f"{made}; it {_RUNS_CODE}")
    if head[:4] in (b"PK\3\4", b"PK\5\6"):
        return
    kind = "a text file" if _is_text(head) else "not a zip file"
    raise refusal(f"is {kind}, so not a model", OTHER_FILE)


def _is_text(head: bytes) -> bool:
    try:
        text = head[: max(len(head) - 3, 1)].decode()  # the last character may be cut
    except UnicodeDecodeError as error:
        if error.start < len(head) - 8:
            return False
        text = head[: error.start].decode()
    return all(char.isprintable() or char in "\t\n\r\f\ufeff" for char in text)


def _check_end(file: BinaryIO, size: int) -> None:
    """Check how the file ends, before `zipfile` believes it."""
    file.seek(max(0, size - _END.size - 0xFFFF - 20))
    tail = file.read()
    end = tail[-_END.size :]
    if not (len(end) == _END.size and end.startswith(b"PK\5\6")):
        if 0 <= tail.rfind(b"PK\5\6") <= len(tail) - _END.size:
            raise refusal("has a comment or other bytes after the end of the zip")
        raise refusal("is cut off: the end of the zip is missing")
    _, disk, first_disk, here, entries, length, start, comment = _END.unpack(end)
    if comment or tail[-_END.size - 20 :].startswith(b"PK\6\7"):
        raise refusal("its end is not as `stance` writes it")
    _check_number(entries)
    if (disk, first_disk, here) != (0, 0, entries) or length > _MOST_DIRECTORY:
        raise refusal("damaged: the end of the zip contradicts itself")
    if start + length + _END.size != size:
        raise refusal("damaged: bytes were added to the zip or are missing in it")


def _check_number(members: int) -> None:
    if members > MOST_MEMBERS:
        raise refusal(f"has {count(members, 'member')}, but a model has at most {MOST_MEMBERS}")


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    _check_number(len(entries))
    names = [entry.orig_filename for entry in entries]
    for name in names:
        if name.lower().endswith(PICKLES):
            raise ModelError(f"'{shown(name)}' in it is a pickle; it {_RUNS_CODE}")
    if MANIFEST not in names:
        first = f"begins with '{shown(names[0])}'" if names else "is empty"
        raise refusal(f"is a zip but not a model: it {first} and has no '{MANIFEST}'", OTHER_FILE)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise refusal(f"has two members '{shown(twice)}'")
    for entry in entries:
        _check_entry(entry, f"its member '{shown(entry.orig_filename)}'")
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise refusal(f"its members are larger than {MOST_BYTES:,} bytes together")


def _check_entry(entry: zipfile.ZipInfo, who: str) -> None:
    mode = entry.external_attr >> 16
    name = entry.orig_filename
    if name.endswith("/") or stat.S_ISDIR(mode) or entry.external_attr & 0x10:
        raise refusal(f"{who} is a folder, which no model has")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise refusal(f"{who} is a link or device, which no model has")
    if len(name) > 100 or not _SAFE_NAME.fullmatch(name) or ".." in name:
        raise refusal(f"{who} has a name that no model uses")
    if entry.flag_bits & 0x41:
        raise refusal(f"{who} is encrypted, which no model is")
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if entry.flag_bits & ~_HARMLESS_FLAGS or entry.compress_type not in methods:
        raise refusal(f"{who} is packed in a way that no model uses")
    if entry.file_size > MOST_MEMBER:
        size = f"{entry.file_size:,} bytes"
        raise refusal(f"{who} unpacks to {size}; at most {MOST_MEMBER:,} are read")
    if entry.file_size > _SMALL and entry.file_size > MOST_RATIO * max(1, entry.compress_size):
        raise refusal(f"{who} unpacks to more than {MOST_RATIO} times its size, as a zip bomb does")
