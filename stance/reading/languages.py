"""Languages: the books and lexicons that come with the package, and endings that inflect names."""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import product
from math import prod
from typing import Any

from stance.display import shown
from stance.errors import ActorError
from stance.settings import hint

MOST_ALIASES = 100_000  # of a book, its exclusions among them
MOST_FORMS = 1000  # of one alias

_REFERENCE = re.compile(r"\|(\w+)")


def languages() -> tuple[str, ...]:
    """Return the languages that have a bundled actor book and lexicon."""
    folders = files("stance").joinpath("data").iterdir()
    return tuple(sorted(f.name for f in folders if f.joinpath("lexicon.toml").is_file()))


def bundled(language: str, name: str) -> str | None:
    """Return the text of a language's file, None if there is none."""
    file = files("stance").joinpath("data", language, name)
    return file.read_text("utf-8") if file.is_file() else None


def inflected(tables: Mapping[str, Any], endings: object, where: str) -> dict[str, Any]:
    """Return an actor book's tables, in which every list holds all forms of its entries.

    >>> book = {"Russia": {"name": ["Росси|я", "РФ"]}}
    >>> inflected(book, {"я": ["я", "и", "ю", "ей"]}, "mine.toml")
    {'Russia': {'name': ['Россия', 'России', 'Россию', 'Россией', 'РФ']}}
    """
    if not isinstance(endings, dict) or not all(map(_are_endings, endings.values())):
        raise ActorError(f"{where}: 'endings' must be a table of lists of endings, such as {_LIKE}")

    made = 0

    def forms(entry: object, place: str) -> Sequence[object]:
        nonlocal made
        if not isinstance(entry, str):
            return [entry]  # the book's own check says what is wrong with it
        first, *parts = _REFERENCE.split(entry)
        for name in parts[::2]:
            if name not in endings:
                advice = hint(name, list(endings))
                raise ActorError(f"{place}: no endings '{name}' for '{shown(entry)}'. {advice}")
        if (size := prod(len(endings[name]) for name in parts[::2])) > MOST_FORMS:
            raise ActorError(
                f"{place}: '{shown(entry)}' has {size:,} forms; the limit is {MOST_FORMS:,}"
            )
        if (made := made + size) > 2 * MOST_ALIASES:  # lists of `case` repeat aliases
            raise ActorError(f"{place}: more than {2 * MOST_ALIASES:,} forms; use fewer endings")
        choices = [endings[name] for name in parts[::2]]
        return [first + "".join(map("".join, zip(own, parts[1::2], strict=True)))
                for own in product(*choices)]  # fmt: skip

    def every(value: object, place: str) -> object:
        if isinstance(value, list):
            return list(dict.fromkeys(form for entry in value for form in forms(entry, place)))
        if isinstance(value, dict):
            return {form: days for entry, days in value.items() for form in forms(entry, place)}
        return value

    return {
        actor: {key: every(value, f"{where}: actor '{actor}': '{key}'")
                for key, value in table.items()} if isinstance(table, dict) else table
        for actor, table in tables.items()
    }  # fmt: skip


_LIKE = 'я = ["я", "и", "ю", "ей"]'


def _are_endings(value: object) -> bool:
    return isinstance(value, list) and value != [] and all(isinstance(v, str) for v in value)
