"""What Windows says differently: a pipe that nobody reads, a file that is open, a drive letter."""

import errno
import os
import sys
from pathlib import Path
from unittest import mock

import pytest
import typer

from stance import errors
from stance.cli import _terminal
from stance.errors import OutputError
from stance.files import write_whole

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.fixture
def windows(monkeypatch):
    monkeypatch.setattr(errors, "ON_WINDOWS", True)


def test_a_reader_that_is_gone_is_no_failure_there(windows, monkeypatch, capsys):
    closed = []
    monkeypatch.setattr(os, "dup2", lambda *_: closed.append(True))
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1)

    def command():
        raise OSError(errno.EINVAL, "Invalid argument")

    with pytest.raises(typer.Exit) as caught:
        _terminal.catching(command)()
    assert (caught.value.exit_code, closed, capsys.readouterr().err) == (0, [True], "")


def test_an_output_that_excel_has_open_is_named_as_such(windows, monkeypatch, tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("mine")
    refused = PermissionError(errno.EACCES, "The process cannot access the file")
    monkeypatch.setattr(Path, "replace", mock.Mock(side_effect=refused))
    with pytest.raises(OutputError, match=r"a.csv: no permission, or open in another program"):
        write_whole(target, b"text", force=True)
    assert target.read_text() == "mine"
    assert [*tmp_path.iterdir()] == [target]
