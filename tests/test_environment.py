"""The command doctor says what is installed, and what is missing and how to get it."""

import hashlib
import json
import re
import tomllib
from itertools import chain

import numpy as np
import pytest
from command import ROOT, invoke

from stance import __version__, environment
from stance.environment import check_environment
from stance.errors import DISTRIBUTION, EXTRAS
from stance.storage import bundled_model


def test_it_names_versions_extras_and_the_bundled_model():
    result = invoke("doctor", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["faults"]) == (0, [])
    assert found["stance"] == __version__
    versions = {library["name"].lower(): library["found"] for library in found["libraries"]}
    assert versions["numpy"] == np.__version__
    assert not {"test", "bench", "docs"} & set(found["extras"])
    bundled = bundled_model().read_bytes()
    assert found["model"]["bytes"] == len(bundled)
    assert found["model"]["sha256"] == hashlib.sha256(bundled).hexdigest()
    assert found["model"]["versions"]["scikit-learn"]
    said = invoke("doctor").stdout
    assert said.startswith(f"stance     {__version__}, in ")
    assert found["model"]["sha256"] in said
    assert said.endswith("nothing is missing that stance needs\n")


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
    assert {extra: asked[extra] for extra in asked.keys() - environment.OURS} == {
        extra: names.split() for extra, names in EXTRAS.items()
    }
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = dict(line.split(" ;")[0].split("==") for line in lines if not line.startswith("#"))
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    for name, least in (line.split(">=") for line in wanted):
        assert numbers(pinned[name.lower().replace("_", "-")]) >= numbers(least), name


def numbers(version):
    return [int(part) for part in version.split(".")]


def test_an_extra_is_complete_or_its_install_command_is_given(monkeypatch):
    wanted = [
        "numpy>=1.26",
        'pytest>=8.3; extra == "good"',
        "nowhere>=1.0; extra == 'bad'",
        'scipy!=1.2,>=99.1; python_version < "4" and extra == "bad"',
    ]
    found = check_environment(wanted)
    assert found["lacking"] == {"bad": ["nowhere", "scipy"], "good": []}
    assert found["faults"] == []
    monkeypatch.setattr(environment, "requires", lambda _: wanted)
    result = invoke("doctor")
    assert result.exit_code == 0
    assert "; for it: pip install 'nowhere>=1.0' 'scipy>=99.1'" in " ".join(result.stdout.split())
    assert result.stdout.count("for it") == 1


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("nowhere>=1.0", "nowhere is not installed; pip install 'nowhere>=1.0'"),
        ("numpy>=99", f"numpy is {np.__version__}; pip install 'numpy>=99'"),
    ],
)
def test_what_stance_cannot_do_without_is_a_fault(monkeypatch, wanted, told):
    monkeypatch.setattr(environment, "requires", lambda _: [wanted])
    result = invoke("doctor")
    assert result.exit_code == 1
    assert result.stdout.endswith(f"fault      {told}\n")


def test_a_damaged_bundled_model_is_a_fault(monkeypatch, tmp_path):
    damaged = tmp_path / "default.stance"
    damaged.write_bytes(bundled_model().read_bytes()[:-9])
    monkeypatch.setattr("stance.storage.bundled_model", lambda: damaged)
    found = check_environment(["numpy>=1.26"])
    assert found["model"] is None
    assert found["faults"][0].startswith(str(damaged))
    assert found["faults"][0].endswith("; install stance again")
