"""Checks find in a database what plain loops over lists find; it leaves nothing behind."""

import csv
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import pytest
from command import one_line
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.check import _database
from stance.check._duplicates import find_pairs, leaks
from stance.check.doctor import check
from stance.corpus import read_corpus
from stance.errors import OutputError
from stance.reading.actors import ActorBook
from stance.reading.keys import fingerprint
from stance.reading.text import words_of

BOOK = ActorBook.default()
COLUMNS = ("text", "actor", "stance", "document", "sentiment", "spans", "genre")
WORDS = "NATO warned Russia again and ministers met in the old town on Monday".split()  # noqa: SIM905
TEXTS = (
    *("NATO met.", "nato  met", "Russia met NATO.", "So.", " ".join(WORDS), " ".join(WORDS[:-1])),
    *(" ".join(WORDS).upper(), " ".join(WORDS[1:]), " ".join(["So", *WORDS])),
)
ROW = st.tuples(
    *(st.sampled_from(TEXTS), st.sampled_from(["NATO", "Russia", "Kremlin", "Zorblax"])),
    *(st.sampled_from(["favor", "against"]), st.sampled_from(["", "a", "b", "c"])),
    *(st.sampled_from(["", "positive", "negative"]), st.sampled_from(["", "", "0:3"])),
    st.sampled_from(["", "news", "op-ed"]),
)
FILES = st.lists(st.lists(ROW, min_size=1, max_size=25), min_size=1, max_size=3)


def write(folder, tables):
    """Write tables of rows as a.csv, b.csv, …"""
    paths = [folder / f"{name}.csv" for name, _ in zip("abc", tables, strict=False)]
    for path, table in zip(paths, tables, strict=True):
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([COLUMNS, *table])
    return paths


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("corpora")


def joined(rows, keys):
    """Number rows so that those with a key in common, in any number of steps, have one number."""
    group = list(range(len(rows)))
    for alike in keys:
        found = defaultdict(list)
        for row, key in enumerate(alike):
            if key is not None:
                found[key].append(row)
        for rows_of in found.values():
            for row in rows_of:
                old, new = group[row], group[rows_of[0]]
                group = [new if own == old else own for own in group]
    return group


def parts(groups):
    """Return which rows are together."""
    return sorted(sorted(at for at, g in enumerate(groups) if g == own) for own in set(groups))


@settings(max_examples=60)
@given(FILES)
def test_rows_are_grouped_as_in_training_and_by_plain_loops(folder, tables):
    paths = write(folder, tables)
    rows = [(file, *row) for file, table in enumerate(tables) for row in table]
    marks = fingerprint([row[1] for row in rows])
    names = [(row[0], row[4]) if row[4] else None for row in rows]
    keys = [names, marks.exact.tolist(), *(marks.bands.T.tolist() if None in names else [])]
    with _database.read_study(paths, BOOK) as study:
        found = [*study.select("SELECT document, text FROM rows ORDER BY row")]
    document, text = zip(*found, strict=True)
    assert parts(document) == parts(joined(rows, keys))
    assert parts(document) == parts(read_corpus(paths).document.tolist())
    assert document == tuple(document.index(own) for own in document)  # by their first rows
    words = [words_of(row[1]) for row in rows]
    assert text == tuple(words.index(own) for own in words)


def counted(tables):
    """Count what `check` should find, in loops over lists."""
    rows = [(file, *row) for file, table in enumerate(tables) for row in table]
    found, judged, toned, named = Counter(), defaultdict(list), defaultdict(set), defaultdict(set)
    texts = [{" ".join(words_of(row[0])) for row in table} for table in tables]
    for file, text, actor, stance, document, sentiment, spans, _ in rows:
        plain = " ".join(words_of(text))
        judged[plain, BOOK.proper_name(actor), spans].append(stance)
        toned[plain].add(sentiment)
        named[plain, file].add(document)
    for stances in judged.values():
        found["repeated"] += len(stances) - 1 if len(set(stances)) == 1 else 0
        found["conflicts"] += len(set(stances)) > 1
    found["tones"] = sum(len(tones - {""}) > 1 for tones in toned.values())
    found["named twice"] = sum(len(names) > 1 for names in named.values())
    for one, other in combinations(range(len(tables)), 2):
        found["copied", one, other] = len(texts[one] & texts[other])
        names = ({row[3] for row in tables[file]} - {""} for file in (one, other))
        found["documents", one, other] = len(set.intersection(*names))
    return +found


def figures(findings):
    """Return the same counts from what `check` found; near-duplicates are counted as copies."""
    found, files = Counter(), {f"{name}.csv": at for at, name in enumerate("abc")}
    for finding in findings:
        said = finding.figures
        match finding.check, finding.severity:
            case "duplicates", severity:
                found["repeated" if severity == "warn" else "named twice"] = said.get(
                    "rows", said.get("texts")
                )
            case "conflicts", severity:
                found["conflicts" if severity == "spoils" else "tones"] = said.get(
                    "texts", said.get("sentiments")
                )
            case "leaks", _ if "documents" in said:
                one, other = (files[part] for part in finding.text.split(",")[0].split()[-3::2])
                found["documents", one, other] = said["documents"]
            case "leaks", _:
                found["copied", *(files[name] for name in said["files"])] = said["texts"][1]
    return found


@settings(max_examples=60)
@given(FILES)
def test_checks_count_as_plain_loops_do(folder, tables):
    unlike = TEXTS[:4]  # of which none is nearly equal to another
    tables = [[(unlike[len(row[0]) % 4], *row[1:]) for row in table] for table in tables]
    assert figures(check(write(folder, tables), book=BOOK).findings) == counted(tables)


def many(size):
    """Rows that fill more pages than are kept."""
    sides = ("favor", "against")
    for at in range(size):
        text, side = f"NATO met {at % 700} {at % 11} times, at {at}.", sides[at % 2]
        yield text, "NATO", side, f"d{at % 500}", "", "", f"genre {at % 40}"


def test_what_is_found_does_not_depend_on_how_much_is_kept_in_memory(tmp_path, monkeypatch):
    paths = write(tmp_path, [many(3000), many(2000)])
    kept = check(paths, book=BOOK)
    monkeypatch.setattr(_database, "_CACHE", 10)
    assert check(paths, book=BOOK) == kept


@pytest.mark.parametrize("document", ["same", "d{at}", ""])
def test_pairs_of_files_are_not_searched_for_in_all_rows(tmp_path, document):
    """Twice as many files, which have the same texts: four times as many pairs and as much work."""
    texts = [f"NATO met {word} in town, said {word}." for word in ("Ann", "Bob", "Cy", "Di", "Eve")]
    steps = []
    for size in (12, 24):
        paths = [tmp_path / f"{at}.csv" for at in range(size)]
        for at, path in enumerate(paths):
            own = document.format(at=at)
            rows = "".join(f'"{text}",NATO,favor,{own}\n' for text in texts)
            path.write_text("text,actor,stance,document\n" + rows)
        with _database.read_study(paths, BOOK) as study:
            find_pairs(study)
            steps.append(0)
            study.base.set_progress_handler(lambda: steps.append(steps.pop() + 1), 100)
            assert sum(f.check == "leaks" for f in leaks(study)) >= size * (size - 1) / 2
    assert steps[1] < 6 * steps[0]


class _Small(sqlite3.Connection):
    """A database on a small disk."""

    def execute(self, query, *values):
        super().execute("PRAGMA max_page_count = 20")
        return super().execute(query, *values)


def test_a_full_disk_is_told_in_one_line(tmp_path, monkeypatch):
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=_Small, **k))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(OutputError, match=rf"^{tmp_path}: the disk is full; .* folder in TMPDIR$"):
        check(write(tmp_path, [many(2000)]), book=BOOK)


def test_a_folder_for_temporary_files_that_is_gone_is_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(OutputError, match=r"gone: is not a folder; .* another folder in TMPDIR$"):
        check(write(tmp_path, [many(5)]), book=BOOK)


STOPPED = """
import sys, time
from pathlib import Path
from stance.check import _database
from stance.reading.actors import ActorBook
_database._CACHE = 10
with _database.read_study([Path(sys.argv[1])], ActorBook.default()):
    print("laid out", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_check_leaves_no_temporary_file(tmp_path):
    (path,) = write(tmp_path, [many(3000)])
    folder = tmp_path / "temporary"
    folder.mkdir()
    line = [sys.executable, "-c", STOPPED, str(path)]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, env=os.environ | {"TMPDIR": str(folder)}
    ) as process:
        assert process.stdout.readline() == b"laid out\n"
        handles = Path(f"/proc/{process.pid}/fd").iterdir()
        files = [str(handle.readlink()) for handle in handles]
        process.send_signal(signal.SIGKILL)
    assert any(name.startswith(f"{folder}/") for name in files)
    assert not [*folder.iterdir()]


WITHOUT = """
import sys
sys.modules["_sqlite3"] = None
from stance.cli import main
sys.argv[1:1] = ["check"]
main()
"""


def test_a_python_without_sqlite_is_told_in_one_line(tmp_path):
    paths = write(tmp_path, [many(5)])
    done = subprocess.run([sys.executable, "-c", WITHOUT, *paths], capture_output=True, text=True)
    assert done.returncode == 1
    assert one_line(done.stderr) == "this Python lacks sqlite3; use one that has it"
