"""Run the transcripts of pages, and write what their commands print into them.

Usage: python docs/transcripts.py [PAGE.md ...]

Without names, all pages with transcripts are run. Fenced blocks of a page are run in order in a
folder that holds nothing but a copy of ``datasets``. A block that is called by a language
and a file name (``csv first.csv``) is that file; in a ``console`` block, each line that begins with
``$ `` is a command, and what follows is what it prints. A command goes on to the next line after a
backslash or within quotes.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ |= {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}  # before typer looks at them

from typer.testing import CliRunner

from stance.cli import app

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = {"commands.md", "shares.md"}  # made by commands.py; run by tests/test_guides.py
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r'^\$ ((?:[^\n"\\]|\\\n|\\.|"[^"]*")*)', re.MULTILINE)
_STANCE = re.compile(r"(?:(.*) \| )?stance (.*)", re.DOTALL)


def pages() -> list[Path]:
    """Return the pages with transcripts."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    shown = [page for page in found if "```console\n$ " in page.read_text("utf-8")]
    return [page for page in shown if page.name not in ELSEWHERE]


def replayed(page: str) -> str:
    """Return a page with what its commands print now."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "datasets", Path(folder, "datasets"))
        os.chdir(folder)
        try:
            return _BLOCK.sub(_replayed_block, page)
        finally:
            os.chdir(before)


def _replayed_block(block: re.Match[str]) -> str:
    language, name, text = block.groups()
    if name:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    if language != "console":
        return block[0]
    commands = _COMMAND.findall(text)
    lines = "\n".join(f"$ {command}\n{_printed(command)}".rstrip() for command in commands)
    return f"```console\n{lines}\n```"


def _printed(command: str) -> str:
    found = _STANCE.fullmatch(command)
    if not found:
        return _shell(command)
    stdin = _shell(found[1]) if found[1] else None
    words = shlex.split(found[2].replace("\n", " ").replace("\\ ", " "))
    result = CliRunner().invoke(app, words, prog_name="stance", input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return "\n".join(line.rstrip() for line in result.output.splitlines())


def _shell(command: str) -> str:
    return subprocess.run(  # noqa: S602 - of our own pages
        command, shell=True, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:] or pages()):
        path.write_text(replayed(path.read_text("utf-8")), encoding="utf-8")
