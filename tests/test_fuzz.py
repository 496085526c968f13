"""Damaged files of every kind are read, or refused in one line: no traceback, no hang, no flood.

Each number gives one damaged file, always the same. `pytest` tries the first few of each kind; the
endurance run goes on for FUZZ_SECONDS in all, from the number FUZZ_START.
"""

import contextlib
import gzip
import os
import random
import shutil
import time
from functools import partial
from itertools import count

import pytest
import test_importing
from command import ROOT, predict, stopped
from small_model import TEXTS, members_of, small_model, spoiled, zipped

from stance.errors import StanceError
from stance.findings import Request, read_study, write_sample
from stance.importing import FORMATS, import_corpus
from stance.labelling import Label, export_labels
from stance.labelling.server import read_codebook
from stance.labelling.store import Store, read_task
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe
from stance.reports.predictions import write_predictions
from stance.runs.journal import journal_of
from stance.screens import card_facts
from stance.storage import dump_model, load_model, read_manifest
from stance.tables import InputOptions, Rejects, find_inputs, open_inputs, open_table, write_table

resource = pytest.importorskip("resource")  # which Windows lacks
pytestmark = pytest.mark.filterwarnings("ignore:.*aliases are found without")
NUMBERS = 12  # damaged files of each kind in a short run
SECONDS = 10  # of processor time for one file
MEGABYTES = 400  # that reading one file may add
FUZZ_SECONDS = int(os.environ.get("FUZZ_SECONDS", "30"))
FUZZ_START = int(os.environ.get("FUZZ_START", "1000"))

PIECES = [
    *(b"", b"\0", b"\xff", b"\xef\xbb\xbf", b"\r", b"\n", b"\n\n", b'"', b'""', b"'", b",", b";"),
    *(b"\t", b"=", b"-1", b"0", b"9" * 400, b"1e999", b"NaN", b"null", b"true", b"[", b"]", b"{"),
    *(b"}", b"[" * 3000, b"\\", b"\\ud800", b"\xed\xa0\x80", "\u202e\u0130\u200b".encode(), b"<"),
    *(b">", b"</p>", b"&#0;", b"<![CDATA[", b"<!--", b"<p>" * 2000, b"#", b"%", b"a" * 70_000),
    *(b"text", b"actor", b"NATO", b"stance", b"favor", b"..", b"/", b"\x1f\x8b", b"PK\3\4", b"{}"),
]


def damaged(data, chance):
    """Return bytes with a few changes: bits flipped, pieces cut, doubled, moved or put in."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        size = len(data) + 1
        at = chance.randrange(size)
        end = min(len(data), at + chance.choice((1, 2, 8, 64, 1000, size)))
        match chance.randrange(7):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                del data[at:end]
            case 2:
                data[at:at] = data[at:end][:100_000]
            case 3 if at < len(data):
                data[at] = chance.randrange(256)
            case 4:
                other = chance.randrange(size)
                data[at:end] = data[other : other + end - at]
            case _:
                data[at : chance.choice((at, at + 1, end))] = chance.choice(PIECES)
    return bytes(data)


def damaged_zip(data, chance):
    """Return a zip one of whose members is damaged, or the zip itself."""
    if not chance.randrange(4):
        return damaged(data, chance)
    members = members_of(data)
    name = chance.choice(sorted(members))
    return zipped(members | {name: damaged(members[name], chance)})


def damaged_model(data, chance):
    """Return a model whose manifest vouches for the damage."""
    members = members_of(data)
    name = chance.choice(sorted(members))
    if name == "manifest.json" or not chance.randrange(4):
        return damaged_zip(data, chance)
    return spoiled(data, {name: damaged(members[name], chance)})


def read_table(path):
    rejects = path.with_suffix(".r.csv")
    for kept in (None, rejects):
        with contextlib.ExitStack() as stack:
            bad = stack.enter_context(Rejects(kept, force=True)) if kept else None
            table = stack.enter_context(open_table(path, rejects=bad))
            rows = sum(len(block) for block in table.chunks)
            assert table.records_in == rows + (bad.rows if bad else 0)
            assert all(note.isprintable() for note in table.notes)


def read_article(path):
    with open_inputs(find_inputs([path]), InputOptions()) as table:
        for _ in table.chunks:
            pass


def read_answers(path):
    request = Request(path)
    read_study(request).to_json()
    write_sample(request, path.with_suffix(".s.csv"), 10, force=True)
    write_predictions(request, path.with_suffix(".r.html"), force=True)


def read_model(path):
    load_model(path)
    list(card_facts(read_manifest(path)))


def read_store(path):
    with Store(path, create=False) as store:
        store.labels()


def read_import(form, name, path):
    """Import a source of a format one of whose files is another one."""
    folder = path.parent / "import"
    shutil.rmtree(folder, ignore_errors=True)
    source = test_importing.copied(form, folder)
    (folder / name).write_bytes(path.read_bytes())
    import_corpus(form, source, path.with_suffix(".o.csv"), force=True)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """By kind: the name of a file, its good bytes, how to damage them, and what reads them."""
    folder = tmp_path_factory.mktemp("good")
    model, table = small_model(), folder / "in.csv"
    with write_table(table, ("id", "text", "date")) as writer:
        for number, text in enumerate(TEXTS * 3):
            writer.write((str(number), text, f"2024-01-{number + 1:02d}"))
    for name in ("answers.csv", "a.jsonl", "a.xlsx", "a.parquet"):
        predict(model, table, folder / name)
    lines = (folder / "a.jsonl").read_text("utf-8").splitlines()
    (folder / "a.json").write_text(f"[{','.join(lines)}]", "utf-8")
    to_label = folder / "to_label.csv"
    write_sample(Request(folder / "answers.csv"), str(to_label), 10)
    with Store(folder / "labels.sqlite") as store:
        for pair in read_task(to_label).pairs:
            store.save("anna", pair, Label("favor"))
        labels = store.labels()
    export_labels(read_task(to_label), labels, folder / "audit.csv", coder="anna")
    good = {path.name: path.read_bytes() for path in folder.iterdir()}
    plain = (ROOT / "training" / "default.toml").read_bytes()
    book = (ROOT / "stance" / "data" / "english" / "actors.toml").read_bytes()
    codebook = (ROOT / "docs" / "codebook.md").read_bytes()
    page = "<html><body><article>" + "".join(f"<p>{text} {text}</p>" for text in TEXTS)
    predict(model, table, folder / "whole.csv", size=4)
    whole = (folder / "whole.csv").read_bytes()

    def resumed(path):
        """Go on with a run whose journal is damaged."""
        output = path.parent / "whole.csv"
        stopped(model, table, output, after=2, size=4)
        journal_of(output).write_bytes(path.read_bytes())
        try:
            predict(model, table, output, resume=True, size=4)
        finally:
            journal_of(output).unlink(missing_ok=True)
        assert output.read_bytes() == whole
        output.unlink()

    def judged(path):
        predict(model, path, path.with_suffix(".o.csv"), force=True)

    def audited(path):
        shutil.copy(folder / "to_label.design.csv", path.parent)
        read_study(Request(folder / "answers.csv", audit=path)).to_json()

    stopped(model, table, folder / "stopped.csv", after=2, size=4)
    journal = journal_of(folder / "stopped.csv").read_bytes()
    found = {
        "csv": ("a.csv", good["in.csv"], damaged, read_table),
        "csv.gz": ("a.csv.gz", gzip.compress(good["in.csv"]), damaged, read_table),
        "jsonl": ("a.jsonl", good["a.jsonl"], damaged, read_table),
        "json": ("a.json", good["a.json"], damaged, read_table),
        "xlsx": ("a.xlsx", good["a.xlsx"], damaged_zip, read_table),
        "parquet": ("a.parquet", good["a.parquet"], damaged, read_table),
        "text article": ("a.txt", "\n\n".join(TEXTS).encode(), damaged, read_article),
        "html article": ("a.html", page.encode(), damaged, read_article),
        "table to judge": ("a.csv", good["in.csv"], damaged, judged),
        "answers": ("a.csv", good["answers.csv"], damaged, read_answers),
        "audit": ("a.csv", good["audit.csv"], damaged, audited),
        "task": ("a.csv", good["to_label.csv"], damaged, read_task),
        "store": ("a.sqlite", good["labels.sqlite"], damaged, read_store),
        "codebook": ("a.md", codebook, damaged, read_codebook),
        "recipe": ("a.toml", plain, damaged, read_recipe),
        "actor book": ("a.toml", book[: book.index(b"\n\n", 6000)], damaged, ActorBook.read),
        "model": ("a.stance", dump_model(model), damaged_model, read_model),
        "journal": ("a.run", journal, damaged, resumed),
    }
    for form in FORMATS:
        sources = test_importing.IMPORTS / form
        source = min(path for path in sources.rglob("*.*") if path.is_file())
        run = partial(read_import, form, source.relative_to(sources))
        found[f"import {form}"] = ("a.txt", source.read_bytes(), damaged, run)
    return found


def try_one(kinds, kind, number, folder):
    """Read one damaged file; return what it says."""
    name, data, change, read = kinds[kind]
    path = folder / name
    path.write_bytes(change(data, random.Random(f"{kind} {number}")))
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = ""
    try:
        read(path)
    except StanceError as error:
        told = str(error)
        assert told.isprintable(), f"{kind} {number}: {told}"
        assert told, f"{kind} {number}"
    except BaseException as error:
        error.add_note(f"{kind} {number}: {path}")
        raise
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert time.process_time() - began < SECONDS, f"{kind} {number}"
    assert grown < MEGABYTES, f"{kind} {number}: {grown:.0f} MB"
    return told


KINDS = [
    *("csv", "csv.gz", "jsonl", "json", "xlsx", "parquet", "text article", "html article"),
    *("table to judge", "answers", "audit", "task", "store", "codebook", "recipe", "actor book"),
    *("model", "journal", *(f"import {form}" for form in FORMATS)),
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_file_is_read_and_damaged_ones_are_read_or_refused(kinds, kind, tmp_path):
    name, data, _, read = kinds[kind]
    (tmp_path / name).write_bytes(data)
    read(tmp_path / name)
    for number in range(NUMBERS):
        try_one(kinds, kind, number, tmp_path)


@pytest.mark.endurance
@pytest.mark.parametrize("kind", KINDS)
def test_any_damage_ends_in_one_line(kinds, kind, tmp_path):
    end = time.monotonic() + FUZZ_SECONDS / len(KINDS)
    for number in count(FUZZ_START):
        try_one(kinds, kind, number, tmp_path)
        if time.monotonic() > end:
            break
