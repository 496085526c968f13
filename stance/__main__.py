"""Entry point of the ``stance`` command and of ``python -m stance``."""

import gc
import os
import signal
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # While modules load, and after the last word, Ctrl-C ends without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Modules and a model are 90,000 objects that stay, beside as many that do not: to look for
    # garbage among them, while they load and again at the end, takes a sixth of a first answer.
    gc.set_threshold(400_000)
    # Fits are held to one thread, so that they can be repeated; to begin others takes a while.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Processes of --jobs begin in the working folder, and shall import nothing that lies there.
    os.environ["PYTHONSAFEPATH"] = "1"
    # The process that clears up after joblib's would report what a signal made them leave.
    quiet = "ignore:resource_tracker:UserWarning"
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), quiet]))
    try:
        from stance.cli import main as run

        run()
    except SystemExit as end:
        if end.code or "joblib" in sys.modules:  # which clears up at the end
            raise
        sys.stdout.flush()
        os._exit(0)  # to free a model takes a twentieth of a first answer
    except MemoryError:
        os.write(2, b"stance: memory ran out; close other programs or raise the limit\n")
        raise SystemExit(1) from None
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
