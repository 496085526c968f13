"""Runs commands in which the Nth call fails, each in a fork of one warm process; see faults.c.

python faults.py LIBRARY PLAN.json   with LIBRARY preloaded; prints a line of JSON for each run
"""

import ctypes
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import traceback
from collections import deque
from itertools import chain
from pathlib import Path

READING, WRITING, STARTING, MEMORY, SHORT = 1, 2, 4, 8, 16
PATIENCE = 30  # seconds after which a run hangs
PART = 5  # records of a part, so that a small table has several


def build(folder):
    """Compile the library; return None where that cannot be done."""
    library = folder / "faults.so"
    source = Path(__file__).with_name("faults.c")
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"]
    if not sys.platform.startswith("linux") or not shutil.which("cc"):
        return None
    return None if subprocess.run(command, capture_output=True, check=False).returncode else library


def sweep(library, root, cases):
    """Run cases; return what each run did: its call that failed, status, messages and files."""
    plan = root / "plan.json"
    plan.write_text(json.dumps({"root": str(root), "cases": cases}))
    done = subprocess.run(
        [sys.executable, __file__, library, plan],
        capture_output=True,
        text=True,
        env=os.environ
        | {"LD_PRELOAD": str(library), "PYTHONPATH": os.pathsep.join(sys.path)}
        | {"OPENBLAS_NUM_THREADS": "1"},  # as in `stance.__main__`
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    library, plan = ctypes.CDLL(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
    library.faults_disarm.restype = ctypes.c_char_p
    root = Path(plan["root"])
    import stance.runs.job

    stance.runs.job.predict_table.__kwdefaults__["size"] = PART
    for case in plan["cases"]:
        _warm(root, case)
        numbers = range(case.get("first", 1), case.get("last", 1_000_000) + 1, case.get("step", 1))
        for number in chain([0], numbers):  # 0 is undisturbed
            found = _run(library, root, case, number)
            if (
                number
                and found["status"]
                and any(".stance-run/" in name for name in found["files"])
            ):
                again = case | {"args": [*case["args"], "--resume"]}
                found["resumed"] = _run(library, root, again, 0, anew=False)
            print(json.dumps(found), flush=True)
            if number and not found["failed"] and not found["status"]:
                break


def _warm(root, case):
    """Load what the command loads, once for all of its runs."""
    _prepare(root, case)
    _redirect(root, keep := deque())
    _command(case)
    for handle, copy in keep:
        os.dup2(copy, handle)


def _prepare(root, case):
    out = root / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    for name in case.get("before", ()):
        source = root / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, out / source.name)
    return out


def _run(library, root, case, number, *, anew=True):
    """Run the command in a fork, and say what came of it."""
    out = _prepare(root, case) if anew else root / "out"
    ends = os.pipe()
    if not (child := os.fork()):
        os.close(ends[0])
        _child(library, root, case, number, ends[1])
    os.close(ends[1])
    with os.fdopen(ends[0], "rb") as pipe:
        failed = pipe.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    files = {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }
    stdout, stderr = ((root / name).read_text(errors="replace") for name in ("stdout", "stderr"))
    return {
        **{"case": case["name"], "number": number, "failed": failed, "status": status},
        **{"stdout": stdout, "stderr": stderr, "files": files},
    }


def _child(library, root, case, number, report):
    status = 1
    signal.alarm(PATIENCE)
    try:
        _redirect(root)
        kinds, lasting, least = case["kinds"], case.get("lasting", 0), case.get("least", 1)
        said = root / "said"
        said.unlink(missing_ok=True)
        if case.get("workers"):
            os.environ |= {"FAULTS": f"{kinds} {number} {lasting} {least} {root}"} if number else {}
        else:
            arm = (os.fsencode(root), kinds if number else 0, ctypes.c_long(number))
            library.faults_arm(*arm, lasting, ctypes.c_size_t(least))
        status = _command(case)
        threading._shutdown()
    finally:
        os.write(report, library.faults_disarm() or (said.exists() and said.read_bytes()) or b"")
        sys.stderr.flush()
        os._exit(status or 0)


def _redirect(root, keep=None):
    for handle, name in ((1, "stdout"), (2, "stderr")):
        if keep is not None:
            keep.append((handle, os.dup(handle)))
        opened = os.open(root / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, handle)
        os.close(opened)


def _command(case):
    from stance.cli import main as run

    sys.argv = ["stance", *case["args"]]
    try:
        run()
    except SystemExit as error:
        return error.code
    except BaseException:
        traceback.print_exc()
    return 1


if __name__ == "__main__":
    main()
