"""Every command does what it says, fails in one line, and shows no control character."""

import csv
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from command import QUICK, SAMPLE, dicts, fails, invoke, misused, process, write, write_starter
from small_model import TEXTS

import stance
from stance.cli import app

KEYS = {
    *("n", "accuracy", "macro_f1", "macro_f1_interval", "per_class", "per_actor", "confusion"),
    *("labels", "ece", "conflict", "baselines", "sentiment"),
}
"""What section 4 of the design promises of an evaluation."""

COMMANDS = typer.main.get_command(app).commands

HOSTILE = "\x1b[31m\x07\u202e"
"""Colours, rings and reverses a terminal that prints it."""

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="as Linux does it")


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A recipe with few folds and draws."""
    return write(tmp_path_factory.mktemp("recipe") / "quick.toml", QUICK)


@pytest.fixture(scope="module")
def coded(tmp_path_factory):
    """A small labelled table."""
    return write_starter(tmp_path_factory.mktemp("coded") / "coded.csv", 240)


@pytest.fixture
def at_work(tmp_path, monkeypatch, coded, quick, model_path):
    """Work in an empty folder; return a function that makes the arguments of a command line."""
    monkeypatch.chdir(tmp_path)
    known = {"CODED": coded, "QUICK": quick, "MODEL": model_path}
    known |= {"TABLE": SAMPLE / "paragraphs.csv", "TEXT": TEXTS[0], "HOSTILE": HOSTILE}
    return lambda line: [known.get(word, word) for word in shlex.split(line)]


def printable(*texts):
    for text in texts:
        assert all(line.isprintable() for line in text.splitlines()), repr(text)


# --- What commands do ---------------------------------------------------------------------------


def scores_of(printed):
    """Return an evaluation that has what the design promises."""
    report = json.loads(printed)
    assert set(report) >= KEYS
    assert set(report["sentiment"]) >= KEYS - {"per_actor", "conflict", "sentiment"}
    return report


def test_train_on_your_own_corpus_has_no_chance_but_the_seed(coded, quick, tmp_path):
    path, files = tmp_path / "m.stance", []
    command = ("train", coded, "-o", path, "--recipe", quick, "--force", "--seed")
    for options in ((5, "--json"), (5,), (6, "--json")):
        result = invoke(*command, *options)
        assert result.exit_code == 0
        if "--json" in options:
            scores_of(result.stdout)
        assert "separator ','" in result.stderr
        files.append(path.read_bytes())
    assert files[0] == files[1] != files[2]
    assert json.loads(invoke("inspect", path, "--json").stdout)["data"][0]["rows"] == 240


def test_evaluate_prints_every_promised_figure(coded, model_path):
    report = scores_of(invoke("evaluate", coded, "--model", model_path, "--json").stdout)
    assert report["n"] == 240
    assert report["leakage"]["rows"] == 240  # the model was trained on them


def test_explain_one_actor(model_path):
    result = invoke("explain", TEXTS[0], "--actor", "Russia", "-m", model_path)
    assert result.stdout.startswith("Russia: ")
    assert "NATO: " not in result.stdout
    named = ("--actor", "Russia", "--actor", " NATO ", "--actor", "Russia")
    both = invoke("explain", TEXTS[0], *named, "-m", model_path)
    assert both.stdout.startswith(result.stdout.rstrip("\n"))
    assert "\nNATO: " in both.stdout
    assert "\nRussia: " not in both.stdout
    other = invoke("explain", TEXTS[0], "--actor", "Rusia", "-m", model_path).stdout.splitlines()
    assert other[0].startswith("Rusia: uncertain")
    assert other[1].startswith("Not named in the paragraph: check the spelling")


TRUMP = 'text,date\n"Trump, Trump and Trump met the US envoy.",2018-01-01\nNATO met.,2018-01-01\n'


def test_a_study_of_names_is_no_study_of_leaders(tmp_path, model_path):
    source = write(tmp_path / "t.csv", TRUMP)
    limited = "--aliases", "name, demonym"
    rows = dicts(invoke("predict", "-m", model_path, source, *limited).stdout)
    named = [(row["actor"], row["mentions"]) for row in rows]
    assert named == [("United States", "1"), ("NATO", "1")]
    assert "Trump" not in invoke("actors", source, *limited).stdout
    assert "leader" not in invoke("actors", *limited, "--json").stdout
    told = fails(1, "explain", "Trump won.", "-m", model_path, *limited)
    assert told.startswith("the text names no actor of the book")


def test_labelled_tables_of_a_spreadsheet_are_read_by_every_command(
    coded, quick, tmp_path, model_path
):
    table = tmp_path / "mine.csv"
    with table.open("w", encoding="cp1252", errors="replace", newline="") as file:
        csv.writer(file, delimiter="|").writerows(csv.reader(io.StringIO(coded.read_text("utf-8"))))
    form = ("--encoding", "cp1252", "--delimiter", "|")
    for command in (
        ("check", table),
        ("train", table, "-o", tmp_path / "m.stance", "--recipe", quick),
        ("evaluate", table, "-m", model_path),
    ):
        result = invoke(*command, *form)
        assert result.exit_code == 0, result.stderr
        assert "CP1252" in result.output
    assert fails(1, "check", table, "--delimiter", "|").endswith("such as --encoding cp1252")


# --- What commands refuse -----------------------------------------------------------------------

FILES = {
    "kept": "precious",
    "nonsense.toml": "nonsense = 1\n",
    "syntax.toml": "[features\n",
    "text.csv": "text\nx\n",
    "empty.xlsx": "",
    "meh.csv": "text,actor,stance\nNATO won,NATO,favor\nNATO lost,NATO,meh\n",
    "odd.csv": f"text,actor,stance\nNATO won,NATO,{HOSTILE}\n",
    "bad.jsonl": "x\n",
    "book1.toml": "x",
    "book2.toml": "",
    "book3.toml": f'[{json.dumps("Bad" + HOSTILE)}]\nname = ["badland"]\n',
}
NO_STDOUT = "-: this cannot go to standard output; name a file"
ONE_CHARACTER = "--delimiter must be one character or 'tab', not '"
MARKS = ("''", ";;", "'\"'", "'\n'")
KINDS = "--aliases: 'leaders' is not a kind of name; the kinds are name, demonym, capital,"


@pytest.mark.parametrize(
    ("status", "command", "said"),
    [
        (4, "train CODED -o kept", "kept: exists already; use --force to overwrite it"),
        (4, "train -o kept", "exists already"),  # the bundled corpus would take seconds
        (4, "train CODED -o no/m.stance", "folder does not exist"),
        (4, "train CODED -o CODED --force", "is the input"),
        (4, "train CODED -o QUICK --recipe QUICK --force", "is the input"),
        (1, "train CODED -o m.stance --recipe nonsense.toml", "nonsense.toml: unknown key"),
        (1, "train CODED -o m.stance --recipe syntax.toml", "not a TOML file"),
        (1, "train text.csv -o m.stance", "no column 'actor'"),
        (1, "label text.csv --coder anna", "no column 'actor'; it has text; stance predict finds"),
        (1, "train meh.csv -o m.stance", "meh.csv:3: "),
        (1, "evaluate CODED CODED", "coded.csv: is named twice; name each file once"),
        (4, "evaluate CODED -m MODEL --report kept", "exists already"),
        (4, "evaluate CODED -m MODEL --errors kept", "exists already"),
        (4, "evaluate CODED -m MODEL --report CODED --force", "is the input"),
        (4, "evaluate CODED -m MODEL --errors MODEL --force", "is the input"),
        (2, "evaluate CODED -m MODEL --report x --errors x", "is both --report and --errors"),
        (1, "explain Nothing. -m MODEL", "no actor of the book"),
        (1, "actors TABLE --text-column body", "no column 'body'"),
        *((1, f"actors --actors book{n}.toml", f"book{n}.toml: ") for n in range(1, 4)),
        (1, "actors --actors none.toml", "none.toml: "),
        (4, "import newsmtsc kept -o text.csv", "exists already"),
        (4, "import newsmtsc kept -o kept --force", "is the input"),
        (2, "import other kept -o x.csv", "newsmtsc, ruopinionne"),
        (1, "import newsmtsc bad.jsonl -o x.csv", "bad.jsonl:1"),
        (2, "train TABLE -o -", NO_STDOUT),
        (2, "report TABLE --figures -", "-: figures cannot go to standard output; name a folder"),
        (2, "predict TABLE --resume -m MODEL", "--resume needs files"),
        (1, "predict -m MODEL empty.xlsx", "empty.xlsx: is empty; a table begins with"),
        (2, "predict TABLE -m MODEL -o x.pdf", "x.pdf: a table is not written as .pdf; end its"),
        (2, "report TABLE -o x.pdf", "x.pdf: is not the name of a page; end it in .html"),
        (2, "predict TABLE -m MODEL -o x.xlsx.gz", "x.xlsx.gz: .xlsx files are compressed already"),
        (2, "predict TABLE --aliases name,leaders", KINDS),
        (1, "predict -m MODEL TABLE --date-column when", "no column 'when'"),
        (1, "predict -m MODEL TABLE --text-column HOSTILE", "\\x1b[31m"),
        (1, "predict -m MODEL noneHOSTILE", "no such file; check the path"),
        (1, "check .", ".: is a folder; name one table in it"),
        (1, "check 'a\0b'", "a\\x00b: cannot be read ("),
        (1, "check odd.csv", "odd.csv:2"),
        (4, "predict TABLE -o kept", "kept: exists already; use --force to overwrite it"),
        (4, "predict TABLE -o no/out.csv", "no/out.csv: its folder does not exist"),
        (4, "predict TABLE -o kept/out.csv", "kept/out.csv: its folder does not exist"),
        (4, "predict TABLE -o .", ".: is a folder"),
        (4, "predict TABLE -o out.csv.xz", "out.csv.xz: can only compress as .gz"),
        (2, "predict TABLE --since x", "--since needs a folder, or several files"),
        (2, "predict TABLE --max-rejects 1", "--max-rejects counts bad rows; say with --rejects"),
        (2, "predict TABLE -o x --summary x", "x: is both --output and --summary; name"),
        (2, "predict TABLE --rejects x --summary ./x", "x: is both --rejects and --summary"),
        *((2, f"predict TABLE --delimiter {mark}", ONE_CHARACTER) for mark in MARKS),
        (1, "predict TEXT", "no such file; check the path"),
    ],
)
def test_a_refusal_is_one_line_and_a_status_and_writes_nothing(at_work, status, command, said):
    for name, text in FILES.items():
        write(Path(name), text)
    assert said in fails(status, *at_work(command))
    assert {path.name: path.read_text("utf-8") for path in Path().iterdir()} == FILES


def test_a_refused_model_is_one_line_and_status_3(at_work, model_path, tmp_path):
    data = model_path.read_bytes()
    spoilt = {"old.joblib": b"\x80", "short.stance": data[:-9], f"zip{HOSTILE}.stance": b"PK"}
    for name, content in spoilt.items():
        (tmp_path / name).write_bytes(content)
    for name in (*spoilt, "missing.stance"):
        for command in ("predict TABLE", "explain NATO", "inspect", "evaluate CODED"):
            given = [name] if command == "inspect" else ["-m", name]
            assert re.search(r"\.(stance|joblib).*; ", fails(3, *at_work(command), *given))
    assert "say 'speeches', or make one" in fails(3, "inspect", "speech")


@pytest.mark.parametrize(
    "command",
    [
        *("predict", "train", "check", "shares", "nonsense", "badHOSTILE", "predict ''"),
        *("predict a.csv --nonsense", "predict '--bad\x1b[31m\x07'", "shares a.csv --by a --by b"),
        *(f"predict a.csv --jobs {value}" for value in ("0", "many", "100000", "HOSTILE")),
        *(f"train -o m.stance --seed {value}" for value in ("x", "-1", str(2**31))),
    ],
)
def test_wrong_usage_is_status_2(at_work, command):
    assert "Error: " in misused(*at_work(command.replace("badHOSTILE", f"'bad{HOSTILE}'")))


# --- Screens ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        *("actors", "inspect", "evaluate --stress"),
        *("actors TABLE", "evaluate CODED -m MODEL", "check CODED", "explain TEXT -m MODEL"),
    ],
)
def test_a_screen_has_80_columns_and_json_is_one_line(at_work, command):
    lines = invoke(*at_work(command)).stdout.splitlines()
    assert lines
    assert max(map(len, lines)) < 80
    found = invoke(*at_work(command), "--json")
    assert json.loads(found.stdout)
    assert found.stdout.count("\n") == 1


def test_names_and_data_with_escapes_never_reach_the_screen(at_work, tmp_path):
    actor = f"[red]x[/red]{HOSTILE}"
    write(tmp_path / "u.csv", f"text,actor\nWe praised {actor}.,{actor}\n")
    text = f"NATO [bold]praised[/bold] :smile: [link=x]it[/link] {HOSTILE}"
    for command, said in (
        (["predict", "u.csv", "-m", "MODEL", "-o", "p.csv"], "[red]x[/red]\\x1b[31m"),
        (["explain", text, "-m", "MODEL"], "[bold]praised[/bold] :smile: [link=x]it[/link]"),
        (["explain", text, "-m", "MODEL", "--actor", actor], "[red]x[/red]\\x1b[31m"),
    ):
        result = invoke(*at_work(shlex.join(command)))
        assert result.exit_code == 0
        printable(result.stdout, result.stderr)
        assert said in result.output
    for name in (f"a{HOSTILE}.csv", "[bold]b.csv", "new\nline.csv"):
        path = write(tmp_path / name, f"te\x1b[31mxt,text\nx,NATO{HOSTILE} won\n")
        result = invoke(*at_work("predict -m MODEL -o out.csv --force"), path)
        assert (result.exit_code, result.stdout) == (0, "")
        printable(result.stderr)
        assert len(result.stderr.splitlines()) == 5  # with one on the odd column name
        if "bold" in name:
            assert "[bold]b.csv" in result.stderr


def test_help_lists_every_command_in_its_section_and_stance_alone_shows_it(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    listed = invoke("--help").stdout
    sections = re.split(r"\n\n(?=[A-Z])", listed)
    for section, commands in (
        ("Answer:", "predict explain read"),
        ("Study answers:", "sample label shares report"),
        ("Train a model:", "import check train evaluate"),
        ("Look inside:", "actors inspect doctor"),
    ):
        (own,) = (found for found in sections if found.startswith(section))
        assert re.findall(r"^  (\w+) ", own, re.MULTILINE) == commands.split()
    alone = invoke()
    assert (alone.exit_code, alone.stdout) == (0, listed)
    assert invoke("--version").stdout == f"stance {stance.__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_has_its_options_in_sections_and_examples_that_can_be_typed(name):
    command = COMMANDS[name]
    said = invoke(name, "--help").stdout
    for parameter in command.params:
        names = parameter.opts if parameter.param_type_name == "option" else [parameter.metavar]
        assert all(name in said for name in names)
    assert "<" not in re.sub(r"\[.*?]", "", said)
    examples = said.rpartition("Examples:\n")[2].splitlines()
    assert any(name in example for example in examples)
    for example in examples:
        assert len(example) < 80
        program, typed, *args = shlex.split(example)
        assert program == "stance"
        COMMANDS[typed].make_context(typed, args)  # raises if it does not fit


def test_a_shell_completes_what_is_typed():
    run = process(_STANCE_COMPLETE="complete_bash", COMP_WORDS="stance pre", COMP_CWORD="1")
    assert run.stdout.decode().split() == ["predict"]


# --- Streams and signals ------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["predict TABLE -m MODEL", "explain TEXT -m MODEL", "--help",
                                     "explain TEXT -m MODEL --json", "--version"])  # fmt: skip
def test_a_closed_pipe_is_not_a_failure(at_work, command):
    reading, writing = os.pipe()
    os.close(reading)
    run = [sys.executable, "-m", "stance", *map(str, at_work(command))]
    done = subprocess.run(run, stdout=writing, stderr=subprocess.PIPE, timeout=60)
    os.close(writing)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"stance: " not in done.stderr


def test_a_terminal_that_knows_ascii_only(model_path):
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    run = process("explain", "NATO won — “naïvely” 北京.", "-m", model_path, **ascii_only)
    assert run.returncode == 0, run.stderr
    assert run.stdout.isascii()
    assert process("actors", **ascii_only).returncode == 0


@LINUX
@pytest.mark.parametrize(
    ("jobs", "number", "told"),
    [("1", signal.SIGINT, "interrupted"), ("2", signal.SIGTERM, "terminated")],
)
def test_a_signal_ends_training_at_once_and_leaves_nothing(tmp_path, jobs, number, told):
    output = str(tmp_path / "my.stance")
    command = [sys.executable, "-m", "stance", "train", "-o", output, "--jobs", jobs]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, process_group=0
    ) as run:
        for line in run.stderr:
            if line.strip() == "learning stance":
                break
        time.sleep(int(jobs) - 1)  # until joblib's processes are there
        start = time.monotonic()
        run.send_signal(number)
        assert run.wait(timeout=60) == 128 + number
        assert time.monotonic() - start < 2  # .1 to .4 if nobody else needs the processor
        stderr = run.stderr.read()  # to its end: what clears up after joblib has nothing to say
    assert stderr.splitlines()[-1] == f"stance: {told}"
    assert "Traceback" not in stderr
    assert not list(tmp_path.iterdir())
