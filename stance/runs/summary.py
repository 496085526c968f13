"""What a run depends on and what it did, in words that a user knows: fingerprints and summaries."""

import hashlib
import json
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance import __version__
from stance.display import count, shown, shown_path
from stance.errors import DataError, Finished
from stance.files import file_hash
from stance.model.judging import StanceModel
from stance.runs.config import Done, Input
from stance.runs.options import Options
from stance.tables import Inputs, Records, TableWriter, cell_of, open_table

Value = str | int | float | bool | None
Fingerprint = Mapping[str, Value]  # what the bytes of an output depend on

# --- What a run depends on ------------------------------------------------------------------------


def versions(deep: bool = False) -> dict[str, str]:
    """Return the versions that answers may depend on; Python's knows the letters of all scripts."""
    from importlib.metadata import version  # which takes as long as a hundred rows

    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    names = ("numpy", "PyStemmer", *(["onnxruntime"] if deep else []))
    libraries = {name: version(name) for name in names}
    return {"stance": __version__, **libraries, "python": python}


def hashes_of(inputs: Inputs) -> dict[Path, str]:
    """Return the SHA-256 of each file, "" for one that is not there and may be rejected."""
    return {path: file_hash(path) if path.exists() else "" for path in inputs.paths if path}


def fingerprint(model: StanceModel, source: Input, options: Options) -> Fingerprint:
    """Return what the answers depend on beside the files, by the names of the command line."""
    values = asdict(source.reading) | asdict(options) | {"rejects": source.rejects is not None}
    deep = bool(options.deep or model.encoder)
    known = {f"the version of {name}": number for name, number in versions(deep).items()}
    asked = {f"--{name.replace('_', '-')}": value for name, value in values.items()}
    return {"the model": model_hash(model), **known, **asked}


def files_fingerprint(hashes: Mapping[Path, str], size: int) -> Fingerprint:
    """Return what a run in parts of some size depends on of its files."""
    order = hashlib.sha256("\n".join(ascii(str(path)) for path in hashes).encode()).hexdigest()
    files = {f"the file {shown(str(path), 5000)}": digest for path, digest in hashes.items()}
    return {**files, "the order of the files": order, "the size of parts": size}


def difference(before: Fingerprint, now: Fingerprint) -> str | None:
    """Return in words the first difference between two fingerprints.

    >>> difference({"--wide": False}, {"--wide": True})
    '--wide has changed'
    """
    for what in sorted({**now, **before}, key=lambda name: not name.startswith("the file ")):
        if before.get(what) != now.get(what):
            state = "is new" if what not in before else "has changed" if what in now else "is gone"
            return f"{what} {state}"
    return None


def model_hash(model: StanceModel) -> str:
    """Return a hash of all that a model's answers depend on."""
    tables: list[object] = [asdict(model.recipe), model.book.to_tables(), model.lexicon.source]
    tables.append(model.reference and asdict(model.reference))
    arrays = list[NDArray[Any]]()
    for head in filter(None, (model.stance, model.sentiment, model.holder)):
        tables.append((head.labels, head.targeted, head.temperature, head.own))
        arrays.append(head.intercept)
        for block in head.blocks:
            tables.append((block.name, block.weight, block.coef.shape))
            arrays += (block.keys, block.idf, block.coef)
    if (kept := model.calibration) is not None:
        arrays += (kept.confidence, kept.predicted, kept.correct, kept.document)
    for reader in filter(None, (model.deep, model.encoder)):
        tables.append((reader.sha256, *map(asdict, reader.mixtures.values())))
    digest = hashlib.sha256(json.dumps(tables, sort_keys=True).encode())
    for values in arrays:
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


# --- What a run did -------------------------------------------------------------------------------


class Summary:
    """A summary in the making; with an earlier one, only of what is new or changed.

    Attributes
    ----------
    inputs : Inputs
        The files to judge.
    hashes : dict
        Their SHA-256, by path.
    rows_before : int
        Input rows that earlier runs have numbered.
    adds : bool
        Whether the answers are added to those of an earlier run.
    """

    def __init__(self, inputs: Inputs, run: Fingerprint, since: Path | None = None) -> None:
        self.inputs, self.run, self.hashes = inputs, run, hashes_of(inputs)
        self.rows_before = 0
        self._files = dict[str, dict[str, Any]]()  # entries of the earlier summary, by name
        self._judged = Counter[str]()  # rows by file
        self._began = time.time()
        self.adds = since is not None and since.exists()
        if since and self.adds:
            self._continue(since)

    def _continue(self, since: Path) -> None:
        """Leave out the files that an earlier run has judged; raise if it does not fit."""
        name = shown_path(since)
        run, self._files, self.rows_before = _read(since)
        if what := difference(run, self.run):
            raise DataError(f"{name}: {what}; undo that, or judge everything again without --since")
        before = {path: self._files.get(cell_of(path), {}).get("sha256") for path in self.hashes}
        if self._files and not any(before.values()):
            why = "names none of these files; give the same paths as in that run"
            raise DataError(f"{name}: {why}")
        self.hashes = {p: digest for p, digest in self.hashes.items() if before[p] != digest}
        files = count(len(self.inputs.paths), "file")
        note = f"{len(self.hashes):,} of {files} new or changed since"
        if not self.hashes:
            raise Finished(f"{name}: {note}; nothing to judge")
        notes = (*self.inputs.notes, f"{note} {name}")
        self.inputs = replace(self.inputs, paths=tuple(self.hashes), notes=notes)

    def count(self, records: Records) -> None:
        """Count records that are judged."""
        self._judged.update(records.columns[0] if self.inputs.several else [""] * len(records))

    def copy_unchanged(self, older: Path, writer: TableWriter) -> int:
        """Copy the rows of an older output, but for those of files judged now; return how many."""
        copied = 0
        form, judged_now = writer.format, set(map(cell_of, self.hashes))
        with open_table(
            older, delimiter=form.delimiter if form.kind == "csv" and not form.container else None
        ) as table:
            if table.columns != form.columns:
                odd = sorted(set(table.columns) ^ set(form.columns))
                what = f"has other columns than the new rows ({shown(', '.join(odd), 80)})"
                advice = "name another output, or judge everything again without --since"
                raise DataError(f"{shown_path(older)}: {what}; {advice}")
            for record in table:
                if record.cells[0] not in judged_now:
                    writer.write(record.cells)
                    copied += 1
        return copied

    def to_json(self, done: Done, rejected: Mapping[str, int], output: Path | None) -> bytes:
        """Return the summary as JSON."""
        now, tally = time.time(), done.tally
        answers = defaultdict[str, dict[str, int]](dict)
        for (actor, stance), number in tally.answers.items():
            answers[actor][stance] = number
        summary = {
            "started": _moment(self._began),
            "finished": _moment(now),
            "seconds": round(now - self._began, 3),
            "output": cell_of(output) if output else None,
            "rows": {
                "in": done.rows_in,
                "judged": tally.rows,
                "rejected": done.rejected,
                "naming_an_actor": tally.named,
                "out": done.rows_out,
                "numbered": self.rows_before + done.rows_in,
            },
            "answers": answers,
            "warnings": done.warnings,
            "notes": done.notes,
            "versions": versions(),
            "run": self.run,
            "files": self._entries(rejected, _moment(now)),
        }
        return json.dumps(summary, indent=1, ensure_ascii=False).encode() + b"\n"

    def _entries(self, rejected: Mapping[str, int], finished: str) -> list[dict[str, Any]]:
        """Return an entry for each file, those that an earlier run has judged first."""
        files = dict(self._files)
        for path in self.inputs.paths:
            name = cell_of(path) if path else "-"
            key = name if self.inputs.several else ""
            files[name] = {
                "file": name,
                "bytes": path.stat().st_size if path and self.hashes[path] else None,
                "sha256": self.hashes[path] if path else "",
                "rows": self._judged[key] + rejected.get(key, 0),
                "judged": self._judged[key],
                "rejected": rejected.get(key, 0),
                "finished": finished,
            }
        return list(files.values())


def _read(path: Path) -> tuple[Fingerprint, dict[str, dict[str, Any]], int]:
    """Return run, files and numbered rows of a summary; raise `DataError` if it is not one."""
    try:
        summary = json.loads(path.read_text("utf-8"))
        files = {str(entry["file"]): dict(entry) for entry in summary["files"]}
        if all(re.fullmatch("[0-9a-f]{64}|", entry["sha256"]) for entry in files.values()):
            return dict(summary["run"]), files, int(summary["rows"]["numbered"])
    except OSError as error:
        why = f"cannot be read ({error.strerror}); check the path"
        raise DataError(f"{shown_path(path)}: {why}") from error
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    why = "is not a summary of files; name what --summary wrote for a folder"
    raise DataError(f"{shown_path(path)}: {why}")


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
