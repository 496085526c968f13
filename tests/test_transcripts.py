"""The pages that show commands show what these really print."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ELSEWHERE = {"commands.md", "shares.md"}  # in test_docs.py and test_guides.py
SHOWN = [
    page
    for page in PAGES
    if "```console\n$ " in page.read_text("utf-8") and page.name not in ELSEWHERE
]


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_what_its_commands_print(tmp_path, page):
    copy = Path(shutil.copy(page, tmp_path))
    subprocess.run(
        [sys.executable, ROOT / "docs" / "transcripts.py", copy], check=True, timeout=120
    )
    assert copy.read_text("utf-8") == page.read_text("utf-8")
