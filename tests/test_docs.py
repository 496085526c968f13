"""What the pages tell a reader to type, open or look up exists."""

import ast
import json
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import fields
from functools import cache

import numpy as np
import pytest
import typer
from command import ROOT, SAMPLE, invoke

import stance
from stance.cli import app
from stance.corpus.rows import OPTIONAL
from stance.errors import StanceError
from stance.evaluation import evaluate
from stance.model.explanation import Explanation
from stance.reading.actor_tables import ALIAS_KINDS, Actor
from stance.recipe import BLOCK_NAMES, read_recipe
from stance.storage import bundled_model, read_manifest

NAMES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "training/README.md")
PAGES = [ROOT / name for name in NAMES] + sorted((ROOT / "docs").rglob("*.md"))
COMMANDS = re.compile(
    r"```(?:sh|console)\n(.*?)```|^    (stance [^\n]*)|`(stance \w+ [^`]* -[^`]*)`",
    re.DOTALL | re.MULTILINE,
)


def commands_in(page):
    """Return the words of each `stance ...` command that a page tells a reader to type."""
    blocks = COMMANDS.findall(page.read_text("utf-8").replace("\\\n", " "))
    lines = re.findall(
        r'^(?:\$ )?(stance (?:[^"\n]|"[^"]*")*|.*&& stance [^\n]*)',
        "\n".join(piece for block in blocks for piece in block),
        re.MULTILINE,
    )
    pieces = [piece for line in lines for piece in re.split(r"&&|\|", line)]
    words = [shlex.split(piece, comments=True) for piece in pieces]
    return [found[1:] for found in words if found[:1] == ["stance"]]


WITH_COMMANDS = [page for page in PAGES if commands_in(page)]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_parses(page):
    root = typer.main.get_command(app)
    for name, *args in commands_in(page):
        if name.startswith("-"):
            continue
        command = root.get_command(root.make_context("stance", [name]), name)
        assert command, name
        if "--help" not in args:
            command.make_context(name, list(args))  # exits where an option does not exist


def test_every_example_in_python_uses_what_exists():
    for page in PAGES:
        for block in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            compile(block, str(page), "exec")
            for name in re.findall(r"\bstance\.(\w+)", block):
                assert hasattr(stance, name), f"{page}: stance.{name}"


def test_there_are_commands():
    assert sum(len(commands_in(page)) for page in WITH_COMMANDS) > 60


def test_recipes_and_scripts_that_a_page_names_exist():
    named = set()
    for page in PAGES:
        text = page.read_text("utf-8")
        named |= set(re.findall(r"training/([\w-]+\.toml)", text))
        named |= set(re.findall(r"^\| `([\w-]+\.toml)`", text, re.MULTILINE))
        for script in re.findall(r"training/(\w+\.py)", text):
            assert (ROOT / "training" / script).is_file(), f"{page}: {script}"
    shipped = {path.name for path in (ROOT / "training").glob("*.toml")}
    assert named == shipped
    for name in shipped:
        assert read_recipe(ROOT / "training" / name)


def test_the_data_sets_that_a_page_names_exist():
    for page in PAGES:
        for name in re.findall(r"datasets/[\w/.-]+\w", page.read_text("utf-8")):
            assert (ROOT / name).exists(), f"{page}: {name}"


def test_the_pages_that_are_made_of_the_code_are_current():
    code = "import runpy; print([str(path) for path, page in runpy.run_path('docs/reference.py')"
    code += "['pages']() if path.read_text('utf-8') != page])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert run.stdout.decode().strip() == "[]", "run python docs/reference.py"


# --- The pages of the reference ---


def documented(page, heading):
    """Return the names that the first column of a table below a heading explains."""
    text = (ROOT / "docs" / "reference" / page).read_text("utf-8").partition(heading)[2]
    table = re.search(r"^(?:\|.*\n)+", text, re.MULTILINE)[0]
    return {
        name
        for line in table.splitlines()
        for name in re.findall(r"`([\w.]+)`", line.split(" | ")[0])
    }


ACTOR = Actor("A", alone=frozenset({"A"}), exclusions=("B",), office={"A": ("", "")})


@pytest.mark.parametrize(
    ("page", "heading", "names"),
    [
        ("columns.md", "`evaluate` and `check` read", {"text", "actor", "stance", *OPTIONAL}),
        ("actors.md", "thanked", {*ALIAS_KINDS, *ACTOR.to_table()}),
        ("../explanation/features.md", "## ", {*BLOCK_NAMES}),
        ("outputs.md", "keys: explain", {part.name for part in fields(Explanation)}),
    ],
)
def test_a_table_explains_every_name_and_no_other(page, heading, names):
    assert documented(page, heading) == names


def test_the_columns_of_predict_are_explained(tmp_path):
    options = ("--explain", "1", "--abstain", "0.1")
    invoke("predict", SAMPLE / "paragraphs.csv", "-o", tmp_path / "out.csv", *options)
    header = (tmp_path / "out.csv").read_text("utf-8").split("\n", 1)[0].split(",")
    assert set(header[header.index("row") :]) == documented("columns.md", "What `predict` writes")


def test_the_exit_statuses_and_the_keys_of_a_manifest_are_explained():
    table = (ROOT / "docs" / "reference" / "outputs.md").read_text("utf-8")
    statuses = {int(number) for number in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    raised = {kind.exit_status for kind in [StanceError, *StanceError.__subclasses__()]}
    assert statuses == {0, 130} | raised
    found = read_manifest(bundled_model())
    assert documented("model.md", "## Manifest") >= set(found)


def test_the_keys_of_an_evaluation_are_explained(corpus):
    told = documented("outputs.md", "keys: evaluate")
    found = evaluate(stance.load_model(), corpus.take(np.arange(150)))
    assert told >= set(found)
    assert told - set(found) <= {"sentiment", "leakage", "holder"}


def test_the_keys_of_shares_are_explained(tmp_path):
    invoke("predict", SAMPLE / "paragraphs.csv", "-o", tmp_path / "out.csv")
    found = json.loads(invoke("shares", tmp_path / "out.csv", "--json").stdout)
    assert documented("outputs.md", "keys: shares") == set(found)


# --- Plain language ---

BETTER = {
    r"entit(?:y|ies)|annotators?|utili[sz]e[sd]?|leverag\w+|in order to|surest|foretells?": (
        "the words of docs/glossary.md, or a plain word"
    ),
    r"(?:is|are) no (?:stance|table|text|number|name|date|topic|model|word)s?": "is not a …",
    r"tells?(?! (?:\S+ ){0,6}(?:apart|from)\b)": "say, show, decide",
}
LONGEST = 45  # words of a sentence
# Relative clauses and genitives that hang on a pronoun where the reader wants a noun.
NOUNLESS = (
    r"\b(?:that|those) of\b|\bthose (?:that|which|who|whose|with|without|given)\b"
    r"|\bas \w+ has it\b|\bwhose is\b"
)
MOST_NOUNLESS = 2


def prose(page):
    """Return the sentences of a page, without code, tables, headings and addresses."""
    text = re.sub(
        r"```.*?^```|`[^`]*`|<!--.*?-->", "CODE", page.read_text("utf-8"), flags=re.S | re.M
    )
    text = re.sub(r"^(?:    .*|[|#>].*)$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    for paragraph in re.split(r"\n\s*\n|\n(?=[-*\d])", text):
        yield from re.split(r"(?<=[.!?:;])\s", " ".join(paragraph.split()))


@cache
def texts():
    """Return what a user may read, of pages, code and templates, with their places."""
    pages = [(str(page.relative_to(ROOT)), text) for page in PAGES for text in prose(page)]
    return [*pages, *messages()]


def messages():
    """Yield the texts in code and templates that a user may read, with their places."""
    for path in (*(ROOT / "stance").rglob("*.j2"), ROOT / "stance/data/help.toml"):
        yield (
            str(path.relative_to(ROOT)),
            re.sub(r"<[^>]*>|{[%{#].*?[%}#]}", " ", path.read_text("utf-8")),
        )
    formats = tomllib.loads((ROOT / "stance/data/imports.toml").read_text("utf-8"))
    for name, form in formats.items():
        for text in (form.get("advice", ""), *form.get("notes", ())):
            yield f"stance/data/imports.toml: {name}", text
    for path in sorted((ROOT / "stance").rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and " " in text and id(node) not in docstrings:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def test_pages_and_messages_are_in_plain_words():
    found = [
        f"{place}: '{match[0]}' ({better}) in: {text}"
        for wrong, better in BETTER.items()
        for place, text in texts()
        for match in re.finditer(rf"\b(?:{wrong})\b", text, re.IGNORECASE)
    ]
    assert not found, "\n".join(found)


def test_few_clauses_lack_their_noun():
    nounless = [
        f"{place}: '{match[0]}' in: {text[max(match.start() - 60, 0) : match.end() + 40]}"
        for place, text in texts()
        for match in re.finditer(NOUNLESS, text, re.IGNORECASE)
    ]
    assert len(nounless) <= MOST_NOUNLESS, "\n".join(nounless)


def test_sentences_are_short():
    long = [
        f"{page.relative_to(ROOT)}: {text}"
        for page in PAGES
        for text in prose(page)
        if len(text.split()) > LONGEST
    ]
    assert not long, "\n".join(long)


def test_addresses_are_well_formed():
    for page in PAGES:
        for address in re.findall(r"\]\((\w+:[^)]*)\)", page.read_text("utf-8")):
            assert re.fullmatch(r"https://[\w.-]+\.[a-z]{2,}(?:/[\w./#%?=&+-]*)?", address), address


def test_what_the_readme_says_of_the_model_is_what_was_measured():
    measured = (ROOT / "training" / "README.md").read_text("utf-8")
    kinds = (ROOT / "docs" / "explanation" / "limits.md").read_text("utf-8")
    said = re.findall(
        r"^\| .* \| [\d.]+ \| [\d.]+ \|$", (ROOT / "README.md").read_text("utf-8"), re.M
    )
    assert len(said) == 5
    assert all(f"\n{row}" in kinds for row in said)
    news = re.search(r"^\| news: .*? \| ([\d.]+) \| ([\d.]+) \|", kinds, re.M)
    starter = re.search(r"^\| invented .*? \| ([\d.]+) \| ([\d.]+) \|", kinds, re.M)
    assert f"Pooled: macro-F1 {news[1]}, target-blind {news[2]};" in measured
    block = measured[measured.index("stance evaluate datasets/starter/starter_test.csv") :]
    assert re.search(r"macro-F1 ([\d.]+)", block)[1] == starter[1]
    assert re.search(r"target-blind +macro-F1 ([\d.]+)", block)[1] == starter[2]
