"""The pages that show commands show what these really print."""

import shutil
import subprocess
import sys

import pytest
from command import ROOT


@pytest.mark.parametrize("name", ["inputs.md", "import.md", "tables.md"])
def test_a_page_shows_what_its_commands_print(tmp_path, name):
    page = ROOT / "docs" / name
    copy = shutil.copy(page, tmp_path / name)
    subprocess.run(
        [sys.executable, ROOT / "docs" / "transcripts.py", copy], check=True, timeout=120
    )
    assert copy.read_text("utf-8") == page.read_text("utf-8")
