"""The pages that show commands show what these really print."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas
import pytest
from command import ROOT

ELSEWHERE = {"commands.md"}  # in test_docs.py
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN = re.compile(r"^```(?:console\n\$ |sh\nstance )", re.MULTILINE)
SHOWN = [
    *sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")),
    *(p for p in PAGES if RUN.search(p.read_text("utf-8")) and p.name not in ELSEWHERE),
]


pytestmark = pytest.mark.endurance


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Copies of all pages with what they print now, written by one process."""
    copies = {}
    for page in SHOWN:
        copies[page] = tmp_path_factory.mktemp("page") / page.name
        shutil.copy(page, copies[page])
    command = [sys.executable, ROOT / "docs" / "transcripts.py", *copies.values()]
    subprocess.run(command, check=True, timeout=600)
    return copies


@pytest.mark.skipif(sys.platform == "win32", reason="the pages show a POSIX shell")
@pytest.mark.parametrize("page", SHOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_what_its_commands_print(page, run):
    assert run[page].read_text("utf-8") == page.read_text("utf-8")


@pytest.mark.skipif(not shutil.which("Rscript"), reason="needs R (apt-get install r-base-core)")
def test_the_page_on_r_runs(tmp_path):
    blocks = re.findall(
        r"^```r\n(.*?)^```$", (ROOT / "docs/howto/r.md").read_text("utf-8"), re.M | re.S
    )
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    script = tmp_path / "page.R"
    mine = f'stance <- "{Path(sys.executable).with_name("stance")}"'
    script.write_text("".join(blocks[:4]).replace('stance <- "~/stance/.venv/bin/stance"', mine))
    run = subprocess.run(["Rscript", script], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "United States" in run.stdout
    assert (tmp_path / "to_label.csv").is_file()


@pytest.mark.parametrize("name", ["pandas", "dask"])
def test_the_python_of_a_page_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "howto" / f"{name}.md").read_text("utf-8")
    press = pandas.read_csv(ROOT / "datasets" / "tutorials" / "press.csv", keep_default_na=False)
    df = press.head(100)[["document", "date", "text"]]
    known = {"df": df, "labelled": press.head(100).assign(stance=press["anna"])}
    if name == "dask":
        known["frame"] = pytest.importorskip("dask.dataframe").from_pandas(df, npartitions=2)
    for block in re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        exec(block, known)
    if name == "pandas":
        assert list(known["joined"]["row"].unique()) == list(range(1, 101))
        assert (tmp_path / "mine.stance").is_file()
    else:
        assert len(known["answers"].compute()) >= 100
