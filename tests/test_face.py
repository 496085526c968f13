"""The face of the package is short and light, and its modules stand on floors."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import stance

PACKAGE = Path(stance.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}
LIBRARY = sorted(name for name in MODULES if not name.startswith("stance.cli"))

ROOMS = (
    *("records", "arrays", "display", "errors", "settings", "files"),
    *("recipe", "reading", "tables", "corpus", "importing"),
    *("features", "model"),
    *("storage", "evaluation", "runs", "actors", "check", "findings"),
    *("screens", "reports", "labelling", "fitting", "estimator", "cli"),
    "__main__",
)
"""From the ground up; a room imports only from rooms before it."""


def imports(name):
    """Names of the package's modules that a module imports, at any depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: a relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            # "from stance.runs import parts" asks for the module, not for its package
            found |= names if names <= set(MODULES) else names | {node.module or ""}
    return {other for other in found if other in MODULES and other not in (name, "stance")}


IMPORTS = {name: imports(name) for name in MODULES}
PAIRS = [(name, other) for name, others in IMPORTS.items() for other in others]
"""A module, and one that it imports."""


def room(name):
    """The room that a module stands in."""
    return name.split(".")[1]


def fresh(code):
    """Run code in a new process and return what it prints."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.split()


def test_the_public_names_are_those_listed():
    assert stance.__all__ == [
        *("Actor", "ActorBook", "Corpus", "Recipe", "StanceClassifier", "StanceError"),
        *("StanceModel", "evaluate", "explain", "load_model", "load_reader"),
        *("read_corpus", "read_recipe"),
        *("save_model", "train"),
    ]
    assert dir(stance) == sorted(stance.__all__)
    nodes = ast.walk(ast.parse((PACKAGE / "__init__.py").read_text("utf-8")))
    typed = {(n.names[0].asname, n.module) for n in nodes if isinstance(n, ast.ImportFrom)}
    assert typed >= {(name, f"stance.{home}") for name, home in stance._HOMES.items()}


def test_no_public_name_hides_a_module_and_an_unknown_one_is_an_attribute_error():
    # Importing a module puts it where the package's name of the same spelling would stand.
    assert [name for name in stance.__all__ if f"stance.{name}" in MODULES] == []
    with pytest.raises(AttributeError, match="module 'stance' has no attribute 'Stanze'"):
        stance.Stanze  # noqa: B018


@pytest.mark.parametrize("code", ["import stance", "import stance; dir(stance)"])
def test_importing_the_package_costs_next_to_nothing(code):
    loaded = set(fresh(f"{code}\nimport sys; print(*sys.modules)"))
    heavy = ("numpy", "scipy", "sklearn", "joblib", "typer", "rich", "pandas", "distributed")
    assert [name for name in heavy if name in loaded] == []


@pytest.mark.parametrize(
    ("imports", "actor", "book"),
    [("stance", "actor", "book"), ("stance.cli", "--actor", "--actors")],
)
def test_errors_name_arguments_in_python_and_options_on_the_command_line(imports, actor, book):
    code = f"""import stance, {imports}
try: stance.explain(stance.load_model(), "It rained.")
except stance.StanceError as error: print(error)"""
    said = f"name one with {actor}, or add its aliases to a book of your own ({book})"
    assert said in " ".join(fresh(code))


def test_there_is_no_circle_of_imports_and_every_module_stands_in_a_room():
    order = list(TopologicalSorter(IMPORTS).static_order())  # raises at a circle
    assert set(order) == set(MODULES)
    assert {room(name) for name in MODULES if name != "stance"} == set(ROOMS)


def test_imports_point_down():
    upward = {
        (name, other)
        for name, other in PAIRS
        if name != "stance"
        if ROOMS.index(room(other)) > ROOMS.index(room(name))
    }
    assert upward == set()


def test_a_module_with_an_underscore_is_imported_by_its_own_room_only():
    outside = [
        (name, other)
        for name, other in PAIRS
        if other.split(".")[-1].startswith("_") and not other.endswith("__main__")
        if not name.startswith(other.rsplit(".", 1)[0])
    ]
    assert outside == []


def test_nothing_outside_the_command_line_imports_it():
    outside = [name for name in LIBRARY if any(o.startswith("stance.cli") for o in IMPORTS[name])]
    assert set(outside) <= {"stance.__main__"}


MAY_EXIT = {
    "stance.__main__": {"sys.exit", "os._exit"},
    "stance.runs.workers": {"os._exit"},  # a worker whose parent has died
}


def calls(name):
    """Names of the functions that a module calls."""
    tree = ast.parse(MODULES[name].read_text("utf-8"))
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("name", LIBRARY)
def test_only_the_command_line_prints_or_exits(name):
    called = calls(name)
    assert not called & {"print", "input", "exit", "quit"}
    printing = ("typer.", "sys.stderr.write", "sys.stdout.write")
    assert not {c for c in called if c.startswith(printing)}
    exits = {c for c in called if c in ("sys.exit", "os._exit")}
    assert exits <= MAY_EXIT.get(name, set())


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_module_opens_with_what_it_is_for(name):
    first = (ast.get_docstring(ast.parse(MODULES[name].read_text("utf-8"))) or "").split("\n")[0]
    assert first.endswith((".", ":")), name
    assert len(first) < 100


@pytest.mark.parametrize("name", LIBRARY)
def test_no_module_runs_code_from_a_file(name):
    # Models and books are data: nothing in the package unpickles, evaluates or executes.
    called = calls(name)
    assert not called & {"eval", "exec", "compile", "__import__", "joblib.load", "pickle.loads"}
    assert "os.system" not in called
    assert "allow_pickle=True" not in MODULES[name].read_text("utf-8")
    if name != "stance.runs.workers":  # which talks to its own child processes through pipes
        assert "pickle.load" not in called
