"""What a run did: notes for people, and a summary for programs, from which a later run goes on.

No note is a test: an input without notes can still use words in another sense. Each is a reason
to label a sample of the input before believing its answers.
"""

import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

from stance.display import count, listed, shown, shown_path
from stance.errors import DataError, Finished
from stance.files import file_hash, is_device
from stance.model import StanceModel
from stance.model.abstention import NEVER, thresholds
from stance.reading.text import cut_note, foreign_note
from stance.records import UNCERTAIN, Stance
from stance.runs.answers import Tally
from stance.runs.journal import Fingerprint, difference, versions
from stance.settings import read_text
from stance.tables import Inputs, Records, Table, TableWriter, cell_of, open_table
from stance.tables.output import quote_formulas, table_format


class Done(NamedTuple):
    """What a run did."""

    tally: Tally
    rows_in: int  # judged or rejected
    rows_out: int
    rejected: int
    notes: tuple[str, ...]  # on the input, for the user
    warnings: tuple[str, ...]  # those on stances that the model never answers


# --- Notes ----------------------------------------------------------------------------------------

LEAST_WORDS = 500  # needed to compare shares
UNLIKE = "unlike the training texts"  # begins a note on an input that the model may misjudge
MORE, TIMES = 0.05, 1.5  # unknown words matter from this much more, and so many times as many
LOOKED = 300  # first rows of an input in which names are looked for
OFTEN = 5  # of these rows, for a name to count as frequent


def run_notes(
    model: StanceModel, rate: float | None, tally: Tally, texts: Sequence[str]
) -> Iterator[str]:
    """Yield what is odd about the answers of a run, given at a rate, and about its first texts."""
    reference = model.reference
    uncertain = sum(n for (_, label), n in tally.answers.items() if label == UNCERTAIN)
    yield from abstention_notes(model, rate, uncertain - tally.unknown, tally.answers.total())
    if tally.cut:
        yield cut_note(tally.cut)
    rows = {name: n for name, n in reference.actors.items() if model.book.number(name) < 0}
    if texts and 2 * sum(rows.values()) > reference.rows:
        lacking = shown(listed([*rows], 3, "actor"), 200)
        yield f"the actor book lacks {lacking}, on whom the model learned; name one with --actor"
    times = Counter[str]()
    for _, places in model.book.unknown_names(texts[:LOOKED]):
        times.update(sorted({name for name, *_ in places}))
    if names := [name for name, number in times.most_common() if number >= OFTEN]:
        often = f"{count(len(names), 'name')} in {OFTEN} or more of the first {LOOKED:,} rows"
        what = f"{often} but not in the actor book ({shown(', '.join(names[:3]))})"
        yield f"{what}: `stance actors INPUT --discover` lists them"
    if tally.foreign:
        yield f"{UNLIKE}: {foreign_note(tally.foreign, tally.rows, model.recipe.language)}"
    if unseen := reference.unseen(name for name, _ in tally.answers):
        yield f"{UNLIKE}: {unseen}"
    share = tally.strange / max(tally.plain, 1)
    least = max(reference.unknown + MORE, reference.unknown * TIMES)
    if tally.plain >= LEAST_WORDS and share >= least:
        broken = "" if rate is None else f", and more than {rate:g} of the answers may be wrong"
        usual = f"training: {100 * reference.unknown:.0f} %"
        what = f"{100 * share:.0f} % of words are unknown to the model ({usual})"
        advice = "label a sample and run `stance evaluate`"
        yield f"{UNLIKE}: {what}: its scores may not hold here{broken}; {advice}"


def abstention_notes(
    model: StanceModel, rate: float | None, withheld: int, total: int
) -> Iterator[str]:
    """Yield how many of all answers are withheld at a rate, and which are never given."""
    if rate is not None:
        corpora = len(model.card["data"])
        mixed = f"the rate holds over {corpora} training corpora together, not in each kind of text"
        share = f"{100 * withheld / max(total, 1):.1f} %"
        note = f"--abstain {rate:g}: {withheld:,} of {count(total, 'answer')} withheld ({share})"
        yield f"{note}; {mixed}" if corpora > 1 else note
    yield from silence_notes(model, rate)


def silence_notes(model: StanceModel, rate: float | None) -> Iterator[str]:
    """Yield which stances are never answered, at the rate of ``--abstain`` or at all."""
    skewed = "so shares of its answers do not describe the texts"
    for label in model.stance.silent:
        yield f"the model never answers {label}, {skewed}; no training row was {label}"
    for label, least in zip(Stance, thresholds(model.calibration, rate), strict=False):
        if label not in model.stance.silent and least == NEVER:
            yield f"--abstain {rate:g}: {label} is never answered, {skewed}; try a higher rate"


# --- Summaries ------------------------------------------------------------------------------------


class Summary:
    """A summary in the making; with an earlier one, only of what is new or changed."""

    def __init__(
        self, inputs: Inputs, run: Callable[[], Fingerprint], since: Path | None, out: Path | None
    ) -> None:
        self.inputs, self.output = inputs, out
        self.run = cache(run)  # what answers depend on beside the files; most runs need not ask
        self.rows_before = 0  # input rows that earlier runs have numbered
        self.copied = 0  # rows of the older output
        self.adds = since is not None and since.exists()  # to the answers of an earlier run
        self._older: Path | None = None  # output to which rows are added, if it is there
        self._files = dict[str, dict[str, Any]]()  # entries of the earlier summary, by name
        self._judged = Counter[str]()  # rows by file
        self._began = time.time()
        if since and self.adds:
            self._continue(since)

    @cached_property
    def hashes(self) -> dict[Path, str]:
        """The SHA-256 of each file; "" for one that cannot be read and may be rejected."""
        paths = [*filter(None, self.inputs.paths)]
        self._bytes = {path: path.stat().st_size for path in paths if path.exists()}
        return {path: file_hash(path) if os.access(path, os.R_OK) else "" for path in paths}

    def _continue(self, since: Path) -> None:
        """Leave out the files that an earlier run has judged; raise if it does not fit."""
        name = shown_path(since)
        run, self._files, self.rows_before, table, wrote = _read(since)
        if what := difference(run, self.run()):
            raise DataError(f"{name}: {what}; undo that, or judge everything again without --since")
        before = {path: self._files.get(cell_of(path), {}).get("sha256") for path in self.hashes}
        if self._files and not any(before.values()):
            why = "names none of these files; give the same paths as in that run"
            raise DataError(f"{name}: {why}")
        self.hashes = {p: digest for p, digest in self.hashes.items() if before[p] != digest}
        output, columns = self.output, tuple[str, ...]()
        there = output is not None and output.exists() and not is_device(output)
        if output and there and (wrote or output.stat().st_size):  # else without a header
            if table is None:
                why = f"is there, but {name} is about no output in a file; name another file"
                raise DataError(f"{shown_path(output)}: {why}")
            self._older, row = output, f"{self.run()['--prefix']}row"
            mark = table_format(output, ()).delimiter  # cells may hold other signs as well
            with open_table(output, delimiter=mark) as old:  # the input's are between file and row
                place = old.columns.index(row) if row in old.columns else 0
                columns = old.columns[1:place]
                if place and table == cell_of(output):
                    self._check_rows(old, place, wrote, name)
        elif output and not output.exists() and table == cell_of(output):
            why = "is gone; restore it, or judge everything again without --since"
            raise DataError(f"{shown_path(output)}: {why}")
        files = count(len(self.inputs.paths), "file")
        note = f"{len(self.hashes):,} of {files} new or changed since"
        if not self.hashes:
            raise Finished(f"{name}: {note}; nothing to judge")
        notes = (*self.inputs.notes, f"{note} {name}")
        self.inputs = Inputs(tuple(self.hashes), True, notes, columns)

    def _check_rows(self, older: Table, place: int, wrote: int, since: str) -> None:
        """Raise if rows are missing, unless a later run, whose summary is lost, replaced them."""
        rows, last = 0, ""
        for record in older:
            rows, last = rows + 1, record.cells[place]
        if rows < wrote and not (last.isdecimal() and float(last) > self.rows_before):
            why = f"has {rows:,} of the {count(wrote, 'row')} that {since} counts; restore it"
            raise DataError(f"{older.name}: {why}, or judge everything again without --since")

    def count(self, records: Records) -> None:
        """Count records that are judged."""
        self._judged.update(records.columns[0] if self.inputs.several else {"": len(records)})

    def copy_unchanged(self, writer: TableWriter) -> None:
        """Copy the rows of the older output, except those of files judged now."""
        if (older := self._older) is None:
            return
        safe = quote_formulas if writer.format.excel_safe else list[str]
        judged_now = safe([cell_of(path) for path, digest in self.hashes.items() if digest])
        names = writer.format.columns
        with open_table(older, delimiter=writer.format.delimiter) as table:
            answers = table.columns[len(self.inputs.columns) + 1 :]
            if names[-len(answers) :] != answers:
                odd = ", ".join(sorted(set(table.columns) ^ set(names)))
                what = f"has other columns than the new rows ({shown(odd, 80)})"
                advice = "name another output, or judge everything again without --since"
                raise DataError(f"{shown_path(older)}: {what}; {advice}")
            for record in table:
                if safe(record.cells[:1])[0] not in judged_now:
                    self.copied += 1
                    cells = dict(zip(table.columns, record.cells, strict=True))
                    writer.write([cells.get(name, "") for name in names])

    def to_json(self, done: Done, rejected: Mapping[str, int]) -> bytes:
        """Return the summary as JSON; files that an earlier run has judged come first."""
        now, tally, files = time.time(), done.tally, dict(self._files)
        answers = defaultdict[str, dict[str, int]](dict)
        for (actor, stance), number in tally.answers.items():
            answers[actor][stance] = number
        for path in self.inputs.paths:
            name = cell_of(path) if path else "-"
            key = name if self.inputs.several else ""
            files[name] = {
                "file": name,
                "bytes": self._bytes.get(path) if path and self.hashes[path] else None,
                "sha256": self.hashes[path] if path else "",
                "rows": self._judged[key] + rejected.get(key, 0),
                "judged": self._judged[key],
                "rejected": rejected.get(key, 0),
                "finished": _moment(now),
            }
        summary = {
            "started": _moment(self._began),
            "finished": _moment(now),
            "seconds": round(now - self._began, 3),
            "output": cell_of(self.output) if self.output else None,
            "rows": {
                "in": done.rows_in,
                "judged": tally.rows,
                "rejected": done.rejected,
                "naming_an_actor": tally.named,
                "out": done.rows_out,
                "numbered": self.rows_before + done.rows_in,
                "table": self.copied + done.rows_out,
            },
            "answers": answers,
            "warnings": done.warnings,
            "notes": done.notes,
            "versions": versions(),
            "run": self.run(),
            "files": list(files.values()),
        }
        return json.dumps(summary, indent=1, ensure_ascii=False).encode() + b"\n"


def _read(path: Path) -> tuple[Fingerprint, dict[str, dict[str, Any]], int, str | None, int]:
    """Return run, files, numbered rows, output and its rows; raise if it is not a summary."""
    try:
        summary = json.loads(read_text(path, "summary"))
        files = {str(entry["file"]): dict(entry) for entry in summary["files"]}
        rows, output = summary["rows"], summary["output"]
        return dict(summary["run"]), files, int(rows["numbered"]), output, int(rows.get("table", 0))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        why = "is not a summary of files that stance predict wrote; name another"
        raise DataError(f"{shown_path(path)}: {why}") from error


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
