"""Run the transcripts of pages and notebooks, and write what they print into them.

Usage: python docs/transcripts.py [PAGE.md | NOTEBOOK.ipynb | datasets/sample/read.png ...]

Without names, all notebooks and pages with transcripts are run, each in a folder that holds nothing
but a copy of ``datasets``. Fenced blocks of a page are run in order. A block that is called by a
language and a file name (``csv first.csv``) is that file; in a ``console`` block, each line that
begins with ``$ `` is a command, and what follows is what it prints. A command goes on to the next
line after a backslash or within quotes. Where the page has a line "…", output is cut: as many lines
are kept before and after it as there were. A ``sh`` block that begins with `stance` is run, too,
and must succeed; so must a comment that begins with ``$ ``, which no reader sees. Where `stance
label` would show its page, a coder labels by the file ``coders.csv`` of the page (columns id,
actor, and one for each coder), or all as neutral.
"""

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from unittest import mock

os.environ |= {"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}  # before typer looks at them

import nbclient
import nbformat
from typer.testing import CliRunner

from stance.cli import app
from stance.cli._terminal import tell
from stance.labelling import Session
from stance.model import StanceModel
from stance.storage import bundled_model, load_model

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = {"commands.md"}  # made by commands.py
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$|<!-- \$ (.*?) -->", re.MULTILINE | re.DOTALL)
_RUN = re.compile(r"^```(?:console\n\$ |sh\nstance )", re.MULTILINE)
_COMMAND = re.compile(r'^\$ ((?:[^\n"\\]|\\\n|\\.|"[^"]*")*)', re.MULTILINE)
_STANCE = re.compile(r"(?:(.*) \| )?stance (.*)", re.DOTALL)


def pages() -> list[Path]:
    """Return the notebooks and the pages with transcripts."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    shown = [page for page in found if _RUN.search(page.read_text("utf-8"))]
    notebooks = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
    return [*notebooks, *(page for page in shown if page.name not in ELSEWHERE)]


SAMPLE = ROOT / "datasets" / "sample"
_STUDY = """\
zcat datasets/speeches/speeches_test.csv.gz | sed '1s/,stance,/,label,/' | grep -E \
'^id,|,random,.*,(China|European Union|Iran|Israel|North Korea|Palestine|Russia|Ukraine|\
United Nations|United States),(against|neutral|favor),' > speeches.csv
stance predict speeches.csv --model speeches --prefix p_ -o answers.csv
stance sample answers.csv --prefix p_ -n 300 -o to_label.csv
stance import table to_label.csv -o labelled.csv --map stance=label
stance report answers.csv --prefix p_ --model speeches --audit labelled.csv --figures figures \
  --title "Stance in speeches at the United Nations, 2014-2019"
"""
_SHOT = (
    "chromium --headless --no-sandbox --hide-scrollbars --screenshot=a.png "
    "--window-size={} {} 2>/dev/null\n"
)
_PRESS = "pngquant --quality 60-90 --strip --output {0} a.png\noptipng -quiet {0}\n"
_PICTURES = {  # what each is made by
    "net.svg": _STUDY + "cp figures/net.svg .\n",
    "report.png": _STUDY + _SHOT.format("1200,1500", "answers.html") + _PRESS.format("report.png"),
    "read.png": "stance read datasets/sample/article.txt -o page.html --deep all\n"
    + _SHOT.format("1280,1140", '"file://$PWD/page.html#p5a0"')
    + _PRESS.format("read.png"),
}


def draw(name: str) -> None:
    """Draw a picture of the sample anew, and write its hash into the card beside it."""
    with _folder() as folder:
        for command in _PICTURES[name].replace("\\\n", "").splitlines():
            _printed(command, must_succeed=True)
        data = Path(folder, name).read_bytes()
    card = SAMPLE / "card.toml"
    said = f'"{name}" = "{sha256(data).hexdigest()}"'
    text = re.sub(rf'^"{name}" = ".*"$', said, card.read_text("utf-8"), flags=re.MULTILINE)
    card.write_text(text, encoding="utf-8")
    (SAMPLE / name).write_bytes(data)


@contextmanager
def _folder() -> Iterator[str]:
    """Work in a folder that holds nothing but a copy of ``datasets``."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "datasets", Path(folder, "datasets"))
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(before)


def replayed(page: Path) -> str:
    """Return a page or notebook with what it prints now."""
    text = page.read_text("utf-8")
    with _folder():
        return _executed(text) if page.suffix == ".ipynb" else _BLOCK.sub(_replayed_block, text)


def _executed(text: str) -> str:
    """Return a notebook with what its cells print now, and nothing of this machine."""
    notebook = nbformat.reads(text, as_version=4)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbclient.NotebookClient(notebook, timeout=100, kernel_name="python3").execute()
    for number, cell in enumerate(notebook.cells, 1):
        cell.id, cell.metadata = f"cell-{number}", {}
    notebook.metadata = {"kernelspec": kernel}
    written: str = nbformat.writes(notebook)
    return f"{written}\n"


def _replayed_block(block: re.Match[str]) -> str:
    language, name, text, unseen = block.groups()
    if unseen:
        for command in unseen.split("\n&& "):
            _printed(command, must_succeed=True)
        return block[0]
    if name:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    if language == "sh" and text.startswith("stance "):
        for command in text.replace("\\\n", " ").splitlines():
            _printed(command.partition("  #")[0].strip(), must_succeed=True)
    if language != "console":
        return block[0]
    found = list(_COMMAND.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    lines = "\n".join(
        f"$ {match[1]}\n{_like(text[match.end() : end], _printed(match[1]))}".rstrip()
        for match, end in zip(found, ends, strict=True)
    )
    return f"```console\n{lines}\n```"


def _like(before: str, now: str) -> str:
    """Return what is printed now, cut where the page cut it before."""
    old, new = before.strip("\n").splitlines(), now.splitlines()
    if "…" not in old:
        return now
    first = old.index("…")
    last = len(new) - (len(old) - first - 1)
    return "\n".join([*new[:first], "…", *new[last:]])


def _printed(command: str, *, must_succeed: bool = False) -> str:
    found = _STANCE.fullmatch(command)
    if not found:
        return _shell(command)
    stdin = _shell(found[1]) if found[1] else None
    words = shlex.split(found[2].replace("\n", " ").replace("\\ ", " "))
    once = mock.patch("stance.storage.load_model", _load_once)
    label = mock.patch("stance.labelling.server.serve", _label)
    with once, label, warnings.catch_warnings(action="default"):  # each command warns anew
        warnings.showwarning = lambda message, *_, **__: tell(f"note: {message}")
        result = CliRunner().invoke(app, words, prog_name="stance", input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    if must_succeed and result.exit_code:
        raise SystemExit(f"{command}: {result.output}")
    return "\n".join(line.rstrip() for line in result.output.splitlines())


@cache
def _load(path: Path, _: int) -> StanceModel:
    return load_model(path)


def _load_once(path: Path | None) -> StanceModel:
    """Load a model, unless the same file was loaded before."""
    path = path or bundled_model()
    return _load(path, path.stat().st_mtime_ns) if path.is_file() else load_model(path)


def _label(session: Session, _: str, announce: Callable[[str], None], *, browser: bool) -> None:
    """Label all that a session shows, in place of a person in a browser."""
    announce("http://127.0.0.1:51234/…")
    said, at = {}, session.task.columns.index("id")
    if Path("coders.csv").is_file():
        with Path("coders.csv").open(encoding="utf-8", newline="") as file:
            said = {(row["id"], row["actor"]): row[session.coder] for row in csv.DictReader(file)}
    pairs = {pair.key: (pair.cells[at], pair.actor) for pair in session.task.pairs}
    while key := session.next()["pair"]:
        session.save(key, {"stance": said[pairs[key]] if said else "neutral"})


def _shell(command: str) -> str:
    return subprocess.run(  # noqa: S602 - of our own pages
        command, shell=True, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:] or pages()):
        if path.resolve().parent == SAMPLE:
            draw(path.name)
        else:
            path.write_text(replayed(path.resolve()), encoding="utf-8")
