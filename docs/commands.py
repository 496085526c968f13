"""Write docs/commands.md from the help of every command.

Usage: python docs/commands.py
"""

import os
from pathlib import Path

os.environ |= {"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}  # before typer looks at them

from typer.main import get_command
from typer.testing import CliRunner

from stance.cli import app

PAGE = Path(__file__).with_name("commands.md")

OPENING = """\
# Commands

Every command with its help, as `stance COMMAND --help` prints it. `python docs/commands.py` writes
this page; a test compares it with the code.

`stance --install-completion` teaches your shell (bash, zsh, fish or PowerShell) to complete
commands, options and names of formats with the tab key, once you open a new terminal.
"""


def page() -> str:
    """Return the page."""
    names = list(get_command(app).commands)  # type: ignore[attr-defined]
    parts = [OPENING, _block("stance", "--help")]
    for name in names:
        parts += [f"## {name}\n", _block("stance", name, "--help")]
    return "\n".join(parts)


def _block(*words: str) -> str:
    shown = CliRunner().invoke(app, words[1:], prog_name="stance").stdout
    lines = "\n".join(line.rstrip() for line in shown.strip().splitlines())
    return f"```console\n$ {' '.join(words)}\n{lines}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
