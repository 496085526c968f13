"""The command doctor says what is installed, and what is missing and how to get it."""

import hashlib
import re
import shutil
import sys
import tomllib
from itertools import chain

import numpy as np
import pytest
from command import ROOT, fails, invoke, write

from stance import __version__
from stance.errors import DISTRIBUTION, EXTRAS
from stance.storage import bundled_model


def test_it_names_versions_extras_and_the_bundled_model(monkeypatch):
    monkeypatch.setattr(
        "importlib.metadata.requires", lambda _: ["numpy>=2.0", 'x>=1; extra == "y"']
    )
    monkeypatch.setitem(EXTRAS, "bad", "nowhere numpy")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # which is not needed
    screen = invoke("doctor").stdout
    assert screen.startswith(f"stance     {__version__}, in ")
    assert f"libraries  numpy {np.__version__}\n" in screen
    digest = hashlib.sha256(bundled_model().read_bytes()).hexdigest()
    assert f"bad        nowhere -, numpy {np.__version__}; to add it: pip install nowhere" in screen
    assert digest in screen
    assert screen.endswith("nothing is missing that stance needs\n")


@pytest.mark.parametrize(
    ("extra", "library", "command"),
    [
        ("dask", "distributed", "predict t.csv --cluster tcp://a:1 -o o.csv"),
        ("excel", "python_calamine", "predict a.xlsx"),
        ("excel", "xlsxwriter", "predict t.csv -o o.xlsx"),
        ("html", "trafilatura", "predict a.html"),
        ("html", "trafilatura", "predict a.html t.csv --rejects bad.csv"),  # as for every page
        ("label", "uvicorn", "label t.csv --coder anna"),
        ("parquet", "pyarrow", "predict a.parquet"),
        ("parquet", "pyarrow", "predict t.csv -o o.parquet"),
        ("zst", "zstandard", "predict t.csv.zst"),
    ],
)
def test_what_needs_an_extra_says_how_to_install_it(tmp_path, monkeypatch, extra, library, command):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, library, None)
    write(tmp_path / "t.csv", "text,actor\nNATO met.,NATO\n")
    for name, begins in {"a.html": b"", "a.xlsx": b"PK\3\4", "a.parquet": b"PAR1"}.items():
        (tmp_path / name).write_bytes(begins)
    (tmp_path / "t.csv.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    line = fails(1, *command.split())
    assert line.endswith(f"needs the extra '{extra}': pip install {EXTRAS[extra]}")
    assert not [*tmp_path.glob("o.*"), *tmp_path.glob("bad.csv")]


def test_a_library_that_cannot_be_loaded_says_why(tmp_path, monkeypatch):
    write(tmp_path / "onnxruntime.py", "raise ImportError('libort.so is missing')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    line = fails(1, "explain", "Poland praised NATO.", "--deep")
    assert line.endswith("loaded (libort.so is missing): pip install -U onnxruntime")


def test_the_version_is_the_same_wherever_it_stands():
    cited = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {__version__}\n" in cited
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "stance/__init__.py"


def test_messages_and_constraints_name_what_pyproject_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {
        extra: [re.split("[><=]", line)[0] for line in lines]
        for extra, lines in project["optional-dependencies"].items()
    }
    assert project["name"] == DISTRIBUTION
    assert {extra: asked[extra] for extra in asked.keys() - {"bench", "docs", "test"}} == {
        extra: names.split() for extra, names in EXTRAS.items()
    }
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = dict(line.split(" ;")[0].split("==") for line in lines if not line.startswith("#"))
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    for name, least in (line.split(">=") for line in wanted):
        assert numbers(pinned[name.lower().replace("_", "-")]) >= numbers(least), name


def numbers(version):
    return [int(part) for part in version.split(".")]


def test_what_stance_cannot_do_without_is_a_fault(monkeypatch, tmp_path):
    shutil.copytree(bundled_model().parent, tmp_path / "data")
    monkeypatch.setattr("stance.storage.DATA", tmp_path / "data")
    monkeypatch.setattr("importlib.metadata.requires", lambda _: ["numpy>=2.0"])
    for name in ("reader", "speeches", "default"):
        damaged = tmp_path / "data" / f"{name}.stance"
        damaged.write_bytes(damaged.read_bytes()[:-9])
        ran = invoke("doctor")
        assert ran.exit_code == 1
        assert f"fault{damaged}:iscutoff" in "".join(ran.stdout.split())  # which is wrapped
        assert ran.stdout.endswith("install stance again\n")
    monkeypatch.setattr("importlib.metadata.requires", lambda _: ["nowhere>=1.0"])
    ran = invoke("doctor")
    assert ran.exit_code == 1
    assert "\nfault      nowhere is not installed\n" in ran.stdout
