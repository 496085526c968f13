"""Run the transcripts of a page, and write what its commands print into it.

Usage: python docs/transcripts.py [docs/inputs.md]

Fenced blocks of a page are run in order in an empty folder. A block that is called by a language
and a file name (``csv first.csv``) is that file; in a ``console`` block, each line that begins with
``$ `` is a command, and what follows is what it prints.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ |= {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}  # before typer looks at them

from typer.testing import CliRunner

from stance.cli import app

_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STANCE = re.compile(r"(?:(.*) \| )?stance (.*)")


def replayed(page: str) -> str:
    """Return a page with what its commands print now."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
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
    commands = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
    lines = "\n".join(f"$ {command}\n{_printed(command)}".rstrip() for command in commands)
    return f"```console\n{lines}\n```"


def _printed(command: str) -> str:
    found = _STANCE.fullmatch(command)
    if not found:
        return _shell(command)
    stdin = _shell(found[1]) if found[1] else None
    result = CliRunner().invoke(app, shlex.split(found[2]), prog_name="stance", input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return "\n".join(line.rstrip() for line in result.output.splitlines())


def _shell(command: str) -> str:
    return subprocess.run(  # noqa: S602 - of our own pages
        command, shell=True, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:] or ["docs/inputs.md"]):
        path.write_text(replayed(path.read_text("utf-8")), encoding="utf-8")
