"""Words for messages: what may be shown of the user's data, and counts."""

from collections.abc import Sequence

WIDTH = 79  # columns of a line
SHOWN = 60  # characters of a cell that a message shows


def shown(text: str, limit: int = SHOWN) -> str:
    r"""Return the text fit for a terminal: what does not print is escaped, the rest is cut short.

    Escapes every control character, direction mark and lone surrogate, so that no cell can
    colour, hide or forge a message.

    >>> shown("\x1b[31mNATO\n")
    '\\x1b[31mNATO\\n'
    """
    cut = text[:limit]
    if not cut.isprintable():
        cut = "".join(char if char.isprintable() else _escape(char) for char in cut)
    return cut if len(text) <= limit else cut + "…"


def shown_path(path: object) -> str:
    """Return a path fit for a terminal, as `shown` does."""
    return shown(str(path), 200)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def count(number: int, noun: str) -> str:
    """Return the number with its noun.

    >>> count(1, "record"), count(1200, "record")
    ('1 record', '1,200 records')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def joined(names: Sequence[str]) -> str:
    """Return names as a sentence lists them.

    >>> joined(["anna", "ben", "cleo"])
    'anna, ben and cleo'
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def brief(name: str, limit: int = 200, /, **parts: object) -> str:
    """Return a representation of an object that fits into three lines of a terminal.

    >>> brief("Corpus", rows=1200, files=("a", "b"))
    "Corpus(rows=1200, files=('a', 'b'))"
    """
    shown_parts = (f"{key}={' '.join(repr(value).split())}" for key, value in parts.items())
    return shown(f"{name}({', '.join(shown_parts)})", limit)
