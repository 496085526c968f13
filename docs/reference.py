"""Write what the code says into the pages of the reference.

Usage: python docs/reference.py

``commands.md`` is made of the help of every command. In the pages of ``reference/``, each line
``<!-- table: NAME -->`` stands above a table that is made of a record's fields and docstring.
"""

import dataclasses
import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

os.environ |= {"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}  # before typer looks at them

from typer.main import get_command
from typer.testing import CliRunner

from stance import recipe
from stance.cli import app
from stance.settings import SchemaError

DOCS = Path(__file__).parent

COMMANDS = """\
# Commands

Every command with its help, as `stance COMMAND --help` prints it. `python docs/reference.py` writes
this page; a test compares it with the code.

`stance --install-completion` teaches your shell (bash, zsh, fish or PowerShell) to complete
commands, options and names of formats with the tab key, once you open a new terminal.
"""

_TABLE = re.compile(r"(<!-- table: (\w+) -->\n)(?:\|.*\n)*")


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each page that is made of the code, and what it should say."""
    yield DOCS / "commands.md", _commands()
    for path in sorted((DOCS / "reference").glob("*.md")):
        page = path.read_text("utf-8")
        yield path, _TABLE.sub(lambda found: found[1] + _keys(getattr(recipe, found[2])), page)


def _commands() -> str:
    names = list(get_command(app).commands)  # type: ignore[attr-defined]
    parts = [COMMANDS, _help("stance", "--help")]
    for name in names:
        parts += [f"## {name}\n", _help("stance", name, "--help")]
    return "\n".join(parts)


def _help(*words: str) -> str:
    shown = CliRunner().invoke(app, words[1:], prog_name="stance").stdout
    lines = "\n".join(line.rstrip() for line in shown.strip().splitlines())
    return f"```console\n$ {' '.join(words)}\n{lines}\n```\n"


def _keys(record: Any) -> str:
    """Return a table of the keys that make a record: values, default and meaning."""
    hints, said = get_type_hints(record, include_extras=True), _meanings(record)
    rows = []
    for field in dataclasses.fields(record):
        value = getattr(record(), field.name)
        table = dataclasses.is_dataclass(value)
        default = "" if table else f"`{_toml(value)}`"
        values = "a table, below" if table else _values(hints[field.name])
        rows.append((f"`{field.name}`", values, default, said[field.name]))
    lines = [("key", "value", "default", "meaning"), ("---",) * 4, *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _meanings(record: Any) -> dict[str, str]:
    """Return what the docstring says of each attribute."""
    listed = inspect.getdoc(record).partition("----------\n")[2] + "\n"  # type: ignore[union-attr]
    found = re.findall(r"^([\w, ]+) : .*\n((?: {4}.*\n)+)", listed, re.MULTILINE)
    said = {names: " ".join(text.split()).replace("``", "`") for names, text in found}
    return {name: text for names, text in said.items() for name in names.split(", ")}


def _values(hint: Any) -> str:
    """Return which values a key takes, in the words of the error that refuses others."""
    check, words = recipe._check_of(hint), []
    for odd in (None, 10**13):
        try:
            check(odd, "key")
        except SchemaError as error:
            words.append(re.fullmatch(r"'key' must be (.*), not .*", str(error))[1])
    return " ".join(dict.fromkeys(words))


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        items = ", ".join(f"{key} = {_toml(item)}" for key, item in value.items())
        return f"{{ {items} }}" if items else "{}"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


if __name__ == "__main__":
    for path, page in pages():
        path.write_text(page, encoding="utf-8")
