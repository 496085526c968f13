"""Entry point of the ``stance`` command and of ``python -m stance``."""

from stance.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
