"""Every command does what it says, fails in one line, and shows no control character."""

import contextlib
import csv
import io
import json
import math
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from hashlib import sha256
from itertools import permutations
from pathlib import Path

import pytest
import typer
from command import (
    SAMPLE,
    STARTER,
    dicts,
    fails,
    invoke,
    misused,
    one_line,
    process,
    write,
)
from small_model import TEXTS

import stance
from stance.cli import app
from stance.cli._help import SECTIONS

QUICK = "[validation]\nfolds = 2\ndraws = 100\nrepeats = 1\nlearning_curve = false\n"

KEYS = {
    *("n", "accuracy", "macro_f1", "macro_f1_interval", "per_class", "per_actor", "confusion"),
    *("labels", "ece", "conflict", "baselines", "sentiment"),
}
"""What section 4 of the design promises of an evaluation."""

COMMANDS = typer.main.get_command(app).commands

HOSTILE = "\x1b[31m\x07\u202e"
"""Colours, rings and reverses a terminal that prints it."""


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A recipe with few folds and draws."""
    return write(tmp_path_factory.mktemp("recipe") / "quick.toml", QUICK)


@pytest.fixture(scope="module")
def coded(tmp_path_factory):
    """A small labelled table."""
    lines = (STARTER / "starter_train.csv").read_text("utf-8").splitlines(keepends=True)
    return write(tmp_path_factory.mktemp("coded") / "coded.csv", "".join(lines[:241]))


@pytest.mark.parametrize(
    ("screen", "command"),
    [
        ("checks.book_lines", ("actors",)),
        ("checks.alias_lines", ("actors", SAMPLE / "paragraphs.csv")),
        ("checks.check_lines", ("check", STARTER / "starter_test.csv")),
        ("checks.installation_lines", ("doctor",)),
        ("evaluation.evaluation_lines", ("evaluate", STARTER / "starter_test.csv")),
        ("checks.stress_lines", ("evaluate", "--stress")),
        ("model.card_lines", ("inspect",)),
        ("model.learned_lines", ("inspect", "--words")),
    ],
)
def test_no_line_is_laid_out_beside_json(monkeypatch, screen, command):
    monkeypatch.setattr(f"stance.screens.{screen}", None)
    assert json.loads(invoke(*command, "--json").stdout)
    with pytest.raises(TypeError, match="not callable"):
        invoke(*command)


@pytest.mark.parametrize("command", ["predict", "check", "shares"])
def test_the_program_names_a_missing_argument(command):
    run = process(command)
    assert (run.returncode, run.stdout) == (2, b"")
    assert b"Missing argument" in run.stderr


def printable(*texts):
    for text in texts:
        assert all(line.isprintable() for line in text.splitlines()), repr(text)


def scores_of(report):
    """Check an evaluation's shape; return it."""
    assert set(report) >= KEYS
    labels = report["labels"]
    assert labels == ["against", "neutral", "favor"]
    assert set(report["per_class"]) == set(labels)
    for figures in report["per_class"].values():
        assert set(figures) >= {"precision", "recall", "f1", "support"}
    assert sum(map(sum, report["confusion"])) == report["n"]
    for label, row in zip(labels, report["confusion"], strict=True):
        assert sum(row) == report["per_class"][label]["support"]
    right = sum(report["confusion"][at][at] for at in range(3))
    assert math.isclose(report["accuracy"], right / report["n"], abs_tol=1e-6)
    low, high = report["macro_f1_interval"]
    assert low <= report["macro_f1"] <= high
    for figures in report["per_actor"].values():
        assert set(figures) >= {"n", "macro_f1", "interval"}
    assert set(report["conflict"]) >= {"n", "accuracy"}
    assert {"majority", "target_blind"} <= set(report["baselines"])
    assert all("macro_f1" in report["baselines"][name] for name in ("majority", "target_blind"))
    assert 0 <= report["ece"] <= 1
    tone = report["sentiment"]
    assert set(tone) >= {"n", "accuracy", "macro_f1", "macro_f1_interval", "per_class", "ece"}
    return report


# --- train ---


def test_train_on_your_own_corpus(coded, quick, tmp_path):
    model = tmp_path / "m.stance"
    result = invoke("train", coded, "-o", model, "--recipe", quick, "--json")
    assert result.exit_code == 0
    scores_of(json.loads(result.stdout))
    assert "separator ','" in result.stderr
    manifest = json.loads(invoke("inspect", model, "--json").stdout)
    assert manifest["data"][0]["rows"] == 240


def test_train_without_a_corpus_uses_the_bundled_one(quick, tmp_path):
    result = invoke("train", "-o", tmp_path / "m.stance", "--recipe", quick)
    assert result.exit_code == 0
    assert result.stdout.startswith("Cross-validation by document")
    assert "starter_train.csv" in result.stderr
    assert f"wrote {tmp_path / 'm.stance'}"[:300] in result.stderr


def test_the_seed_is_the_only_chance(coded, quick, tmp_path):
    files = []
    for number, seed in enumerate((5, 5, 6)):
        path = tmp_path / f"{number}.stance"
        assert invoke("train", coded, "-o", path, "--recipe", quick, "--seed", seed).exit_code == 0
        files.append(path.read_bytes())
    assert files[0] == files[1] != files[2]


def test_train_refuses_what_it_cannot_write_before_any_work(coded, tmp_path):
    exists = write(tmp_path / "m.stance", "precious")
    assert fails(4, "train", coded, "-o", exists).endswith("use --force to overwrite it")
    assert fails(4, "train", "-o", exists)  # the bundled corpus would take seconds
    assert "folder does not exist" in fails(4, "train", coded, "-o", tmp_path / "no" / "m.stance")
    assert "is a folder" in fails(4, "train", coded, "-o", tmp_path)
    assert exists.read_text() == "precious"


def test_train_never_overwrites_what_it_reads(coded, quick):
    before = coded.read_bytes(), quick.read_bytes()
    for path in (coded, quick):
        line = fails(4, "train", coded, "-o", path, "--recipe", quick, "--force")
        assert "is the input" in line
    assert (coded.read_bytes(), quick.read_bytes()) == before


def test_force_overwrites_a_model(coded, quick, tmp_path):
    path = write(tmp_path / "m.stance", "old")
    assert invoke("train", coded, "-o", path, "--recipe", quick, "--force").exit_code == 0
    assert path.read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    ("recipe", "part"),
    [
        ("nonsense = 1\n", "nonsense"),
        ("[features\n", "TOML"),
        ("[validation]\nfolds = 'x'", "folds"),
    ],
)
def test_a_bad_recipe(coded, tmp_path, recipe, part):
    path = write(tmp_path / "r.toml", recipe)
    assert part in fails(1, "train", coded, "-o", tmp_path / "m.stance", "--recipe", path)


def test_a_bad_corpus(tmp_path):
    model = tmp_path / "m.stance"
    assert "no column 'actor'" in fails(
        1, "train", write(tmp_path / "a.csv", "text\nx\n"), "-o", model
    )
    rows = "text,actor,stance\nNATO won,NATO,favor\nNATO lost,NATO,meh\n"
    line = fails(1, "train", write(tmp_path / "b.csv", rows), "-o", model)
    assert "b.csv:3" in line
    assert "meh" in line
    assert not model.exists()


# --- evaluate ---


def test_evaluate_prints_every_promised_figure(coded, model_path):
    result = invoke("evaluate", coded, "--model", model_path, "--json")
    assert result.exit_code == 0
    report = scores_of(json.loads(result.stdout))
    assert report["n"] == 240
    assert report["leakage"]["rows"] == 240  # the model was trained on them


def test_the_screen_of_evaluate(coded, model_path):
    result = invoke("evaluate", coded, "--model", model_path)
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) < 80
    for word in ("macro-F1", "majority label", "target-blind", "conflict", "ECE", "training data"):
        assert word in result.stdout


def hostile_corpus(path):
    bad = f'<script>alert("x")</script> & {HOSTILE}'
    with path.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(["text", "actor", "stance", "document"])
        for number in range(12):
            label = ("against", "neutral", "favor")[number % 3]
            text = f"{bad} number {number} was [bold]praised[/bold] & condemned."
            writer.writerow([text, bad, label, f"<b>{number}"])
    return path


def test_the_report_escapes_all_that_comes_from_data(model_path, tmp_path):
    corpus = hostile_corpus(tmp_path / "a<b>&.csv")
    html, wrong = tmp_path / "r.html", tmp_path / "wrong.csv"
    result = invoke(
        *("evaluate", corpus, "--model", model_path, "--report", html, "--errors", wrong)
    )
    assert result.exit_code == 0
    printable(result.stdout, result.stderr)
    page = html.read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;" in page
    assert "a<b>" not in page
    assert not re.search(r"""(src|url|@import)\s*[=(]|href="(?!data:text/csv|#[a-z]+")""", page)
    assert "(<bdi>small.stance</bdi>, sha256 <code>" in page
    assert sha256(model_path.read_bytes()).hexdigest() in page
    rows = dicts(wrong.read_text("utf-8"))
    assert list(rows[0]) == [
        "text",
        "actor",
        "gold",
        "predicted",
        "probability",
        "because",
        "corpus",
        "row",
    ]
    assert all(row["gold"] != row["predicted"] for row in rows)
    chances = [float(row["probability"]) for row in rows]
    assert chances == sorted(chances, reverse=True)


def test_an_evaluation_writes_its_files_together_or_not_at_all(coded, model_path, tmp_path):
    files = ("--errors", tmp_path / "wrong.csv", "--report", os.devnull)
    result = invoke("evaluate", coded, "-m", model_path, *files)
    assert result.exit_code == 4
    assert result.stderr.endswith("is a pipe or device; name a file\n")
    assert not (tmp_path / "wrong.csv").exists()


def test_evaluate_never_overwrites(coded, model_path, tmp_path):
    kept = write(tmp_path / "kept", "precious")
    before = coded.read_bytes()
    for option in ("--report", "--errors"):
        assert "exists already" in fails(4, "evaluate", coded, "-m", model_path, option, kept)
        for path in (coded, model_path):
            args = ("evaluate", coded, "-m", model_path, option, path, "--force")
            assert "is the input" in fails(4, *args)
    assert kept.read_text() == "precious"
    assert coded.read_bytes() == before
    both = tmp_path / "both"
    said = fails(2, "evaluate", coded, "-m", model_path, "--report", both, "--errors", both)
    assert "is both --report and --errors" in said
    assert not both.exists()


# --- explain ---


def test_explanations_sum_to_the_scores(model_path):
    found = json.loads(invoke("explain", TEXTS[0], "-m", model_path, "--json").stdout)
    assert [one["actor"] for one in found] == ["Poland", "NATO", "Russia"]
    for one in found:
        reasons = [*one["words"], *one["features"]]
        for at, score in enumerate(one["scores"]):
            total = one["intercept"][at] + sum(reason["push"][at] for reason in reasons)
            assert abs(total - score) <= 1e-9
        assert abs(sum(one["probabilities"]) - 1) <= 1e-9
        for word in one["words"]:
            assert one["text"][word["start"] : word["end"]] == word["text"]


def test_explain_agrees_with_predict(model_path, tmp_path):
    table = write(tmp_path / "mine.csv", f'text\n"{TEXTS[0]}"\n')
    rows = dicts(invoke("predict", table, "-m", model_path).stdout)
    found = json.loads(invoke("explain", TEXTS[0], "-m", model_path, "--json").stdout)
    for row, one in zip(rows, found, strict=True):
        printed = [row[f"stance_{label}"] for label in one["labels"]]
        assert all(
            abs(float(cell) - share) < 2e-6
            for cell, share in zip(printed, one["probabilities"], strict=True)
        )


def test_explain_one_actor(model_path):
    result = invoke("explain", TEXTS[0], "--actor", "Russia", "-m", model_path)
    assert result.exit_code == 0
    assert result.stdout.startswith("Russia: ")
    assert "NATO: " not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "no actor of the book" in fails(1, "explain", "Nothing.", "-m", model_path)
    other = invoke("explain", TEXTS[0], "--actor", "Rusia", "-m", model_path).stdout.splitlines()
    assert other[0].startswith("Rusia: uncertain")
    assert other[1].startswith("Not named in the paragraph: check the spelling")
    for name in ("", " "):
        said = fails(1, "explain", TEXTS[0], "--actor", name, "-m", model_path)
        assert "the actor's name is empty" in said


def test_explain_interprets_neither_markup_nor_escapes(model_path):
    text = f"NATO [bold]praised[/bold] :smile: [link=x]it[/link] {HOSTILE}"
    for actor in ([], ["--actor", f"[red]x[/red]{HOSTILE}"]):
        result = invoke("explain", text, *actor, "-m", model_path)
        assert result.exit_code == 0
        printable(result.stdout, result.stderr)
        assert "[bold]praised[/bold] :smile: [link=x]it[/link]" in result.stdout


def test_explain_with_an_actor_book(model_path, tmp_path):
    book = write(tmp_path / "b.toml", '["The Moon"]\nname = ["the moon"]\n')
    result = invoke("explain", "We praised the moon.", "-m", model_path, "--actors", book)
    assert result.stdout.startswith("The Moon: ")


# --- actors, inspect, check, import ---


def test_actors_lists_the_book():
    result = invoke("actors")
    assert result.stdout.startswith("NATO (organisation)\n  name        NATO, ")
    assert max(map(len, result.stdout.splitlines())) < 80
    assert "Russia" in json.dumps(json.loads(invoke("actors", "--json").stdout))


def test_actors_counts_the_aliases_of_a_table(tmp_path):
    table = write(tmp_path / "a.csv", f"text\nMoscow and Moscow met NATO{HOSTILE}.\nNothing.\n")
    result = invoke("actors", table)
    assert result.stdout.splitlines()[0] == "2 rows, 1 name an actor"
    printable(result.stdout, result.stderr)
    found = json.loads(invoke("actors", table, "--json").stdout)
    assert found["actors"]["Russia"] == {"rows": 1, "aliases": {"Moscow": 2}}
    assert "no column 'body'" in fails(1, "actors", table, "--text-column", "body")


@pytest.mark.parametrize(
    "book",
    ["x", "[a]\n", f'["{"a" * 9}"]\nname = "x"\n', '["A"]\nname = ["A"]\nnonsense = 1\n', ""],
)
def test_a_bad_actor_book(tmp_path, book):
    path = write(tmp_path / "book.toml", book)
    assert str(path) in fails(1, "actors", "--actors", path)
    assert "none.toml" in fails(1, "actors", "--actors", tmp_path / "none.toml")


def test_an_actor_s_name_with_escapes_never_reaches_the_screen(tmp_path, model_path):
    name = json.dumps("Bad" + HOSTILE)
    book = write(tmp_path / "book.toml", f'[{name}]\nname = ["badland"]\n')
    table = write(tmp_path / "t.csv", "text\nWe praised badland.\n")
    out = tmp_path / "o.csv"
    for args in (
        ("actors", "-a", book),
        ("actors", table, "-a", book),
        ("predict", table, "-a", book, "-m", model_path, "-o", out),
    ):
        result = invoke(*args)
        printable(result.stdout, result.stderr)


def test_inspect_shows_the_card(model_path):
    result = invoke("inspect", model_path)
    assert result.exit_code == 0
    for word in ("model", "data", "scores", "sha256", "seed", "limits"):
        assert word in result.stdout
    assert max(map(len, result.stdout.splitlines())) < 80
    assert json.loads(invoke("inspect", model_path, "--json").stdout)["seed"] == 20


def test_check_says_whether_a_corpus_would_spoil_a_study(coded, tmp_path):
    good = invoke("check", coded, "--json")
    assert (good.exit_code, json.loads(good.stdout)["spoils"]) == (0, False)
    rows = coded.read_text("utf-8")
    line = '"NATO was praised by all.",NATO,{},d{}\n'
    head = "text,actor,stance,document\n"
    conflict = head + "".join(line.format(("against", "favor")[n % 2], n) for n in range(40))
    bad = invoke("check", write(tmp_path / "bad.csv", conflict))
    assert bad.exit_code == 1
    assert bad.stdout
    assert "240 rows" in invoke("check", coded).stdout
    assert rows == coded.read_text("utf-8")


def test_import_converts_the_public_sets(tmp_path):
    target = {"Input.gid": "g1", "mention": "NATO", "from": 0, "to": 4, "polarity": 6.0}
    record = {"primary_gid": "a_b_c_d", "sentence_normalized": "NATO won.", "targets": [target]}
    source = write(tmp_path / "n.jsonl", json.dumps(record) + "\n")
    out = tmp_path / "n.csv"
    result = invoke("import", "newsmtsc", source, "-o", out)
    assert result.exit_code == 0
    assert result.stdout == ""
    (row,) = dicts(out.read_text("utf-8"))
    assert (row["actor"], row["stance"], row["spans"]) == ("NATO", "favor", "0:4")
    assert (row["document"], row["text"]) == ("a_b_c", "NATO won.")
    assert "exists already" in fails(4, "import", "newsmtsc", source, "-o", out)
    assert "is the input" in fails(4, "import", "newsmtsc", source, "-o", source, "--force")
    assert "newsmtsc, madtsc" in fails(2, "import", "other", source, "-o", tmp_path / "x.csv")
    assert "bad.jsonl:1" in fails(
        1, "import", "newsmtsc", write(tmp_path / "bad.jsonl", "x\n"), "-o", tmp_path / "x.csv"
    )


# --- Models that are refused ---


def spoilt_models(folder, good):
    import pickle
    import zipfile

    data = good.read_bytes()
    (folder / "old.joblib").write_bytes(pickle.dumps({"a": 1}))
    (folder / "pickle.stance").write_bytes(pickle.dumps([1]))
    (folder / "short.stance").write_bytes(data[: len(data) // 2])
    (folder / "text.stance").write_text("NATO")
    (folder / "empty.stance").write_bytes(b"")
    (folder / f"zip{HOSTILE}.stance").write_bytes(data[:100])
    with (
        zipfile.ZipFile(good) as old,
        zipfile.ZipFile(folder / "newer.stance", "w") as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name == "manifest.json":
                manifest = json.loads(content)
                manifest["schema"] = 999
                content = json.dumps(manifest).encode()
            new.writestr(name, content)
    (folder / "folder.stance").mkdir()
    return [*folder.iterdir(), folder / "missing.stance"]


def test_a_refused_model_is_one_line_and_status_3(model_path, coded, tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    for path in spoilt_models(folder, model_path):
        for args in (
            ("predict", SAMPLE / "paragraphs.csv", "-m", path),
            ("explain", "NATO won.", "-m", path),
            ("inspect", path),
            ("evaluate", coded, "-m", path),
        ):
            assert ".stance" in (line := fails(3, *args)) or ".joblib" in line
            assert "; " in line


@pytest.mark.parametrize("command", [("train", "-o", "m.stance"), ("evaluate",), ("check",)])
def test_labels_of_zero_and_one_ask_for_a_mapping(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = write(tmp_path / "b.csv", "text,actor,stance\nNATO won.,NATO,1\nNATO lost.,NATO,0\n")
    assert "--labels 0=against,1=favor" in fails(1, *command, table)
    assert "must be SPELLING=LABEL" in fails(2, *command, table, "--labels", "0:against")
    told = invoke(*command, table, "--labels", "0=against,1=favor")
    assert "0 -> against" in " ".join((told.stdout + told.stderr).split())


# --- Usage, screens and signals ---


@pytest.mark.parametrize(
    "args",
    [
        ["predict"],
        ["train"],
        ["nonsense"],
        ["predict", "a.csv", "--nonsense"],
        ["predict", "a.csv", "--jobs", "0"],
        ["predict", "a.csv", "--jobs", "many"],
        ["predict", "a.csv", "--abstain", "2"],
        ["predict", "a.csv", "--abstain", "nan"],
        *(["sample", ".", "-n", "9", "-o", "b.csv", "--margin", m] for m in ("inf", "nan", "1.1")),
        ["train", "-o", "m.stance", "--seed", "x"],
        ["train", "-o", "m.stance", "--seed", "-1"],
        ["train", "-o", "m.stance", "--seed", str(2**31)],
        [f"bad{HOSTILE}"],
        ["predict", "--bad\x1b[31m\x07"],
        ["predict", "a.csv", "--jobs", HOSTILE],
    ],
)
def test_wrong_usage_is_status_2(args):
    assert "Error: " in misused(*args)


@pytest.mark.parametrize(
    "args",
    [
        ["train", "TABLE", "-o", "-"],
        ["evaluate", "TABLE", "--report", "-"],
        ["evaluate", "TABLE", "--errors", "-"],
        ["predict", "TABLE", "--rejects", "-"],
        ["report", "TABLE", "-o", "-"],
        ["import", "newsmtsc", "TABLE", "-o", "-"],
    ],
)
def test_only_predictions_go_to_standard_output(args, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = SAMPLE / "paragraphs.csv"
    said = fails(2, *(table if arg == "TABLE" else arg for arg in args))
    assert said == "-: this cannot go to standard output; name a file"
    assert not list(tmp_path.iterdir())


def test_figures_do_not_go_to_standard_output(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = fails(2, "report", SAMPLE / "paragraphs.csv", "--figures", "-")
    assert said == "-: figures cannot go to standard output; name a folder"
    assert not list(tmp_path.iterdir())


def test_resuming_needs_files(model_path):
    table = SAMPLE / "paragraphs.csv"
    assert "--resume needs files" in fails(2, "predict", table, "--resume", "-m", model_path)


def test_help_lists_every_command_in_its_section_and_stance_alone_shows_it():
    listed = invoke("--help").stdout
    sections = re.split(r"\n\n(?=[A-Z])", listed)
    for section, commands in (
        ("Answer:", "predict explain"),
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
    headings = re.findall(r"^([A-Z][a-z ]+):$", said, re.MULTILINE)
    assert headings == sorted(set(headings), key=headings.index)
    assert "<" not in said
    main = re.search(r"^Options:\n((?:  .*\n)+)", said, re.MULTILINE)[1]
    assert len(re.findall(r"^  -", main, re.MULTILINE)) <= 14
    for example in said.rpartition("Examples:\n")[2].splitlines():
        assert len(example) < 80
        program, typed, *args = shlex.split(example)
        assert program == "stance"
        COMMANDS[typed].make_context(typed, args)  # raises if it does not fit
    assert name in said.rpartition("Examples:\n")[2]


def test_every_parameter_that_has_a_section_is_one_of_a_command():
    known = {parameter.name for command in COMMANDS.values() for parameter in command.params}
    assert {name for names in SECTIONS.values() for name in names} <= known


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("stance pre", "predict"), ("stance predict x --na", "--name-pattern"),
     ("stance predict --abs", "--abstain"),
     ("stance import lab", "labelstudio")],
)  # fmt: skip
def test_a_shell_completes_what_is_typed(typed, offered):
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    run = process(_STANCE_COMPLETE="complete_bash", **words)
    assert run.stdout.decode().split() == [offered]
    wanted = {"_TYPER_COMPLETE_ARGS": typed, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    for shell in ("fish", "zsh"):
        said = process(_STANCE_COMPLETE=f"complete_{shell}", **wanted).stdout.decode()
        assert offered in said
        assert shell == "zsh" or len(said.splitlines()) == 1, said  # each line is a word


def test_the_list_of_commands_fits_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    listed = invoke("--help").stdout
    assert not [line for line in listed.splitlines()[1:] if line.endswith("...")]
    assert max(map(len, listed.splitlines())) <= 80


def test_help_names_values_in_words_of_the_manual(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    wanted = {
        "train": ("--recipe FILE", "--seed N", "--jobs N", "--encoding E"),
        "predict": ("--abstain RATE", "--text-column NAME", "--delimiter C", "--cluster ADDRESS"),
        "evaluate": ("--model MODEL", "--report FILE.html", "--errors FILE.csv"),
    }
    for command, options in wanted.items():
        said = invoke(command, "--help").stdout
        assert [option for option in options if option not in said] == []


@pytest.mark.parametrize("command", [["train", "-o", "m.stance"], ["evaluate"], ["check"]])
def test_a_labelled_table_cannot_be_standard_input(command):
    said = fails(2, *command, "-", stdin="text,actor,stance\n")
    assert said == "-: a labelled table is read twice; name a file"


def test_labelled_tables_of_a_spreadsheet_are_read_by_every_command(
    coded, quick, tmp_path, model_path
):
    table = tmp_path / "mine.csv"
    with table.open("w", encoding="cp1252", errors="replace", newline="") as file:
        csv.writer(file, delimiter="|").writerows(csv.reader(io.StringIO(coded.read_text("utf-8"))))
    form = ("--encoding", "cp1252", "--delimiter", "|")
    model = tmp_path / "m.stance"
    for command in (
        ("check", table),
        ("train", table, "-o", model, "--recipe", quick),
        ("evaluate", table, "-m", model_path),
        ("evaluate", table, "-m", model_path, "--compare", model),
    ):
        result = invoke(*command, *form)
        assert result.exit_code == 0, result.stderr
        assert "CP1252" in result.output
    assert fails(1, "check", table, "--delimiter", "|").endswith("try --encoding cp1252")


def test_a_workbook_is_refused_as_output(model_path, tmp_path):
    said = fails(
        2, "predict", SAMPLE / "paragraphs.csv", "-m", model_path, "-o", tmp_path / "o.ods"
    )
    assert said.endswith(
        "o.ods: tables are written as CSV, TSV, JSON, Excel (.xlsx), Parquet or Arrow; end its "
        "name in .csv, which spreadsheets, R and pandas read"
    )


def test_names_with_escapes_never_reach_the_screen(tmp_path, model_path):
    names = (f"a{HOSTILE}.csv", "[bold]b.csv", "new\nline.csv", "-dash.csv")
    for name in names:
        path = write(tmp_path / name, f"te\x1b[31mxt,text\nx,NATO{HOSTILE} won\n")
        result = invoke("predict", "-m", model_path, "-o", tmp_path / "out.csv", "--force", path)
        assert result.exit_code == 0
        assert result.stdout == ""
        printable(result.stderr)
        assert len(result.stderr.splitlines()) == 7  # with one on the odd column name
        line = fails(1, "predict", "-m", model_path, path, "--text-column", "t" + HOSTILE)
        assert "\\x1b[31m" in line
        if "bold" in name:
            assert "[bold]b.csv" in line
    assert "no such file" in fails(1, "predict", "-m", model_path, tmp_path / f"none{HOSTILE}")


TRUMP = 'text,date\n"Trump, Trump and Trump met the US envoy.",2018-01-01\nNATO met.,2018-01-01\n'


def test_the_summary_says_by_what_each_actor_is_named(tmp_path, model_path):
    source = write(tmp_path / "t.csv", TRUMP)
    command = "predict", "-m", model_path, source, "-o", tmp_path / "out.csv", "--force"
    lines = invoke(*command).stderr.splitlines()
    assert lines[-3:] == [
        "mentions by kind of alias",
        "United States           leader 75 %, name 25 %",
        "by name alone           1 actor",
    ]
    assert invoke(*command, "--quiet").stderr == ""


def test_a_study_of_names_is_no_study_of_leaders(tmp_path, model_path):
    source = write(tmp_path / "t.csv", TRUMP)
    limited = "--aliases", "name, demonym"
    rows = dicts(invoke("predict", "-m", model_path, source, *limited).stdout)
    assert [(row["actor"], row["mentions"]) for row in rows] == [
        ("United States", "1"),
        ("NATO", "1"),
    ]
    assert "Trump" not in invoke("actors", source, *limited).stdout
    assert "leader" not in invoke("actors", *limited, "--json").stdout
    told = fails(1, "explain", "Trump won.", "-m", model_path, *limited)
    assert told.startswith("the text names no actor of the book")
    for command in (("predict", source), ("actors",), ("explain", "NATO won.")):
        line = fails(2, *command, "--aliases", "name,leaders")
        assert line == (
            "--aliases: 'leaders' is not a kind of alias; the kinds are name, demonym, capital, "
            "institution, leader, nickname"
        )


def test_leaders_count_in_office_by_the_column_of_dates(tmp_path, model_path):
    source = write(tmp_path / "t.csv", "text,date,day\nTrump won.,2018-01-01,2022-01-01\n")
    command = "predict", "-m", model_path, source
    result = invoke(*command)
    assert dicts(result.stdout)[0]["actor"] == "United States"
    assert "leaders count only while in office, by the dates in column 'date'" in result.stderr
    assert dicts(invoke(*command, "--date-column", "day").stdout)[0]["actor"] == ""
    assert "no column 'when'" in fails(1, *command, "--date-column", "when")


def test_the_summary_escapes_what_the_data_hold(tmp_path, model_path):
    actor = f"[red]x[/red]{HOSTILE}"
    table = write(tmp_path / "t.csv", f"text,actor\nWe praised {actor}.,{actor}\n")
    result = invoke("predict", "-m", model_path, table, "-o", tmp_path / "out.csv")
    assert result.exit_code == 0
    printable(result.stderr)
    assert "[red]x[/red]\\x1b[31m" in result.stderr


def test_labels_and_coders_with_escapes(tmp_path):
    rows = f"text,actor,stance\nNATO won,NATO,{HOSTILE}\n"
    assert "2" in fails(1, "check", write(tmp_path / "c.csv", rows))


def test_a_closed_pipe_is_not_a_failure(model_path):
    command = f"{shlex.quote(sys.executable)} -m stance predict {SAMPLE / 'paragraphs.csv'}"
    script = f"{command} -m {model_path} | head -n 1; exit ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(b"id,source,date,text,row,")
    assert b"Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("redirection", "status", "said"),
    [
        ("actors > /dev/full", 4, "the disk is full"),
        ("--help > /dev/full", 4, "the disk is full"),
        ("predict PATH > /dev/full", 4, "the disk is full"),
        ("actors >&-", 4, "standard output is closed"),
        ("predict - <&-", 1, "standard input"),
        ("predict no-such-file 2>&-", 1, ""),
    ],
)
def test_streams_that_are_full_or_closed(redirection, status, said):
    redirection = redirection.replace("PATH", str(SAMPLE / "paragraphs.csv"))
    script = f"{shlex.quote(sys.executable)} -m stance {redirection}"
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert run.returncode == status, run.stderr
    if said:
        assert said in one_line(run.stderr)


def test_a_terminal_that_knows_ascii_only(model_path):
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    run = process("explain", "NATO won — “naïvely” 北京.", "-m", model_path, **ascii_only)
    assert run.returncode == 0, run.stderr
    assert run.stdout.isascii()
    assert process("actors", **ascii_only).returncode == 0


def test_an_interrupt_is_status_130_and_leaves_nothing(tmp_path):
    text = "Poland praised NATO and condemned Russia for its attack on Ukraine. " * 3
    table = write(tmp_path / "big.csv", "text\n" + f"{text}\n" * 60_000)
    command = [sys.executable, "-m", "stance", "predict", "-", "-o", str(tmp_path / "out.csv")]
    with table.open("rb") as source:
        run = subprocess.Popen(command, stdin=source, stderr=subprocess.PIPE, text=True)
        while os.lseek(source.fileno(), 0, os.SEEK_CUR) == 0:  # not before it reads
            time.sleep(0.01)
            assert run.poll() is None
        run.send_signal(signal.SIGINT)
        _, stderr = run.communicate(timeout=60)
    assert run.returncode == 130
    assert one_line(stderr) == "interrupted"
    assert [path.name for path in tmp_path.iterdir()] == ["big.csv"]


@pytest.mark.parametrize("step", ["learning stance", "scoring the held-out answers"])
def test_an_interrupt_ends_training_at_once_and_leaves_nothing(tmp_path, step):
    command = [sys.executable, "-m", "stance", "train", "-o", str(tmp_path / "my.stance")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        for line in run.stderr:
            if line.strip() == step:
                break
        start = time.monotonic()
        run.send_signal(signal.SIGINT)
        _, stderr = run.communicate(timeout=60)
    assert time.monotonic() - start < 2  # some hundredths if nobody else needs the processor
    assert run.returncode == 130
    assert one_line(stderr.splitlines()[-1] + "\n") == "interrupted"
    assert not list(tmp_path.iterdir())


def joblib_works(group):
    """Tell whether two processes of a group compute folds."""
    found = 0
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            if (
                os.getpgid(int(path.name)) == group
                and b"LokyProcess" in (path / "cmdline").read_bytes()
            ):
                found += int((path / "stat").read_text().rpartition(")")[2].split()[11]) > 50
    return found == 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_parent_alone_ends_training_with_several_jobs(tmp_path, number):
    command = [sys.executable, "-m", "stance", "train", "-o", str(tmp_path / "my.stance")]
    command += ["--jobs", "2"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, process_group=0
    ) as run:
        while not joblib_works(run.pid):
            time.sleep(0.05)
            assert run.poll() is None
        start = time.monotonic()
        run.send_signal(number)
        assert run.wait(timeout=60) == 128 + number
        assert time.monotonic() - start < 2  # .1 to .4 if nobody else needs the processor
        stderr = run.stderr.read()  # to its end: what clears up after joblib has nothing to say
    said = "interrupted" if number == signal.SIGINT else "terminated"
    assert stderr.splitlines()[-1] == f"stance: {said}"
    assert "Traceback" not in stderr
    assert not list(tmp_path.iterdir())


# --- Memory -----------------------------------------------------------------------------------

BOOK = "NATO " * 2_000_000
NEW = "NATO " + " ".join(map("".join, permutations("abcdefghijkl", 6)))[:4_000_000]


def limited(megabytes, *args, stdin=None):
    """Run a command that may hold so much data."""
    import resource

    size = megabytes << 20
    command = [sys.executable, "-m", "stance", *map(str, args)]
    return subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (size, size)),
        timeout=60,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_a_run_without_memory_ends_in_one_line(tmp_path):
    done = limited(64, "predict", SAMPLE / "paragraphs.csv", "-o", tmp_path / "a.csv")
    assert done.returncode == 1
    assert b"stance: memory ran out" in done.stderr.splitlines()[-1]
    assert b"Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
@pytest.mark.parametrize(
    ("text", "actor", "megabytes", "command"),
    [
        (BOOK, "NATO", 400, "predict IN --quiet -o OUT"),
        (BOOK, "", 400, "predict IN --quiet -o OUT --explain 5 --wide"),
        (NEW, "NATO", 250, "predict IN --quiet -o OUT"),
        (BOOK, "Acme", 400, "predict IN --quiet -o OUT"),
        (BOOK, "NATO", 440, "check IN"),
        (BOOK, "NATO", 440, "evaluate IN"),
        (BOOK, "NATO", 440, "train IN -o OUT --recipe QUICK"),
    ],
)
def test_a_cell_as_long_as_a_book_takes_little_memory(
    coded, quick, tmp_path, text, actor, megabytes, command
):
    head, first, *rows = csv.reader(coded.read_text("utf-8").splitlines(keepends=True))
    first[head.index("text")], first[head.index("actor")] = text, actor
    rows = [head, first, *rows]
    if command.startswith("predict"):
        rows = [["text", "actor"], [text, actor]] if actor else [["text"], [text]]
    with (tmp_path / "in.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    files = {"IN": tmp_path / "in.csv", "OUT": tmp_path / "out", "QUICK": quick}
    found = limited(megabytes, *(files.get(word, word) for word in command.split()))
    assert found.returncode <= (command == "check IN"), found.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_reasons_of_a_long_text_with_several_actors_take_little_memory():
    text = "Poland praised NATO and met Russia, China, Israel and Iran. " * 1000
    found = limited(162, "explain", "-", "--json", stdin=text.encode())
    assert (found.returncode, found.stderr) == (0, b"")
    assert [one["actor"] for one in json.loads(found.stdout)][:2] == ["Poland", "NATO"]
