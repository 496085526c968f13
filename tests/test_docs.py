"""What the pages tell a reader to type, open or look up exists."""

import re
import shlex
import subprocess
import sys

import pytest
import typer
from command import ROOT

from stance.cli import app
from stance.recipe import read_recipe

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "training/README.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
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


def test_the_page_of_commands_is_current():
    code = "import runpy; print(runpy.run_path('docs/commands.py')['page'](), end='')"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert run.stdout.decode() == (ROOT / "docs" / "commands.md").read_text("utf-8")
