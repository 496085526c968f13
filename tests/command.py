"""The `stance` command, run in this process or in one of its own; and `predict` as a function."""

import csv
import importlib.util
import io
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from functools import cache
from pathlib import Path
from unittest import mock

import pytest
import typer.testing

from stance.cli import app
from stance.model import StanceModel
from stance.records import Options
from stance.runs import Request, predict_table
from stance.runs.journal import journal_of
from stance.storage import bundled_model, load_model
from stance.tables import InputOptions

# Typer would make all commands anew at each call, which takes longer than most of them.
typer.testing._get_command = cache(typer.testing._get_command)

ROOT = Path(__file__).resolve().parents[1]
STARTER = ROOT / "datasets" / "starter"
SAMPLE = ROOT / "datasets" / "sample"
FOREIGN = tomllib.loads((ROOT / "tests" / "foreign.toml").read_text("utf-8"))
"""By language, a paragraph that an English model must not judge."""

HOSTILE = ("a = " + "[" * 100_000, "a = " + "{a=" * 5_000, "a = " + "9" * 5_000)
"""Files of settings that are too deep or too long to be read."""

QUICK = "[validation]\nfolds = 2\ndraws = 100\nrepeats = 1\nlearning_curve = false\n"
"""A recipe with few folds and draws."""


def invoke(*args, stdin=None):
    """Run a command in this process; a traceback is a failure."""
    with mock.patch("stance.storage.load_model", load_once):
        result = typer.testing.CliRunner().invoke(app, list(map(str, args)), input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def load_once(path: Path | None = None) -> StanceModel:
    """Load a model unless the same file was loaded before: of most commands the longest part."""
    path = path or bundled_model()
    if not path.is_file():
        return load_model(path)
    found = path.stat()
    return _load(path, found.st_mtime_ns, found.st_size, found.st_ino)


@cache
def _load(path, *_):
    return load_model(path)


def process(*args, stdin=None, **environment):
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "stance", *map(str, args)],
        input=stdin,
        capture_output=True,
        env=os.environ | environment,
        timeout=60,
    )


def succeeds(*args, stdin=None):
    """Run a command that must succeed."""
    result = invoke(*args, stdin=stdin)
    assert result.exit_code == 0, result.output
    return result


def fails(status, *args, stdin=None):
    """Expect a refusal in one printable line; return the line."""
    result = invoke(*args, stdin=stdin)
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    return one_line(result.stderr)


def one_line(stderr):
    """Return the one line that is an error."""
    line = stderr.removesuffix("\n")
    assert line.isprintable(), line
    assert line.startswith("stance: ")
    return line.removeprefix("stance: ")


def misused(*args):
    """Expect wrong usage; return what stderr says."""
    result = invoke(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert all(line.isprintable() for line in result.stderr.splitlines())
    return result.stderr


def table(text):
    """Return the rows of a CSV text, the header first."""
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def dicts(text):
    """Return the rows of a CSV text by column."""
    head, *rows = table(text)
    return [dict(zip(head, row, strict=True)) for row in rows]


def write(path, text, encoding="utf-8"):
    """Write a text or bytes as they are, in a folder made where there is none; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def write_starter(path, rows, part="train"):
    """Write the first rows of the starter corpus; return the path."""
    return write_rows(path, read_rows(STARTER / f"starter_{part}.csv")[:rows])


def write_rows(path, rows, columns=None):
    """Write a table of lists below their columns, or of dictionaries; return the path."""
    head = columns or [*rows[0]]
    cells = [[row[name] for name in head] if isinstance(row, dict) else row for row in rows]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *cells])
    return path


def read_rows(path):
    """Return the rows of a table by column."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def program(name):
    """Return a program of training/ as a module."""
    place = ROOT / "training" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"training_{name}", place)
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parts_kept(output):
    """Return how many parts the journal of a run holds, of one that goes on or was stopped."""
    journal = journal_of(output)
    data = journal.read_bytes() if journal.exists() else b""
    return len(re.findall(rb"(?:\n|\xff)\d+ \d+\n\[", data))


def predict(model, source, target, **options):
    """Judge a table or several; options of input, output and answers stand side by side."""

    def own(kind):
        names = {field.name for field in fields(kind)}
        return {name: options.pop(name) for name in sorted(names & options.keys())}

    reading = InputOptions(**own(InputOptions))
    asked, answers = own(Request), Options(**own(Options))
    sources = (source,) if isinstance(source, Path | None) else tuple(source)
    request = Request(sources, target, reading, answers, **asked)
    return predict_table(model, request, **options)


def stopped(model, source, target, after=3, size=7, **options):
    """Judge until some parts are done, then be interrupted; return the error."""
    progress = mock.Mock(side_effect=[*[None] * (after - 1), KeyboardInterrupt])
    with pytest.raises(KeyboardInterrupt) as caught:
        predict(model, source, target, progress=progress, size=size, **options)
    return caught.value
