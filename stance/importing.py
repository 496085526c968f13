"""Public data sets in, corpus tables out."""

import json
from collections.abc import Callable, Iterator
from operator import index
from pathlib import Path
from typing import Any

from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.records import Stance
from stance.tables import column, open_table, write_table

COLUMNS = ("id", "document", "actor", "spans", "stance", "text")
_LONGEST_PLACE = 40  # digits of the two ends of a place; int() refuses thousands of them

Row = tuple[str, str, str, str, str, str]


def import_corpus(form: str, source: Path, target: Path, *, force: bool = False) -> str:
    """Convert a public data set, in one of the `FORMATS`, to a corpus table; report the result."""
    if form not in FORMATS:
        raise UsageError(f"unknown format '{shown(form)}'; choose among {', '.join(FORMATS)}")
    with write_table(target, COLUMNS, force=force, inputs=[source]) as writer:
        rows = 0
        for row in FORMATS[form](source):
            writer.write(row)
            rows += 1
        if not rows:
            raise DataError(f"{source}: no rows of {form} in it; name a file of the set")
    return f"{source}: {count(rows, 'row')} of {form} written to {target}"


# --- NewsMTSC --------------------------------------------------------------------------------

_POLARITY = {2.0: Stance.AGAINST, 4.0: Stance.NEUTRAL, 6.0: Stance.FAVOR}
_ADVICE = "name a file of the set, such as train.jsonl"


def _newsmtsc(path: Path) -> Iterator[Row]:
    """Yield one row per target; its ``to`` is exclusive, whatever the set's readme says."""
    for number, record in _json_lines(path):
        where = f"{path}:{number}"
        try:
            text = _string(record["sentence_normalized"])
            # The first three parts of the id name the article.
            document = "_".join(record["primary_gid"].split("_")[:3])
            for target in record["targets"]:
                start, end = index(target["from"]), index(target["to"])
                if not 0 <= start < end <= len(text):
                    raise DataError(f"{where}: target {start}:{end} lies outside the sentence")
                stance = _POLARITY[float(target["polarity"])]
                name = _string(target["mention"])
                yield str(target["Input.gid"]), document, name, f"{start}:{end}", stance, text
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            what = f"{type(error).__name__} at {shown(str(error))}"
            raise DataError(f"{where}: not a NewsMTSC sentence ({what}); {_ADVICE}") from error


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 1
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, json.loads(line.decode("utf-8-sig"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        what = f"not UTF-8 at byte {error.start + 1} of the line"
        raise DataError(
            f"{path}:{number}: {what}; download the file again, or save it as UTF-8"
        ) from error
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{number}: not JSON at column {error.colno}; {_ADVICE}") from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 10,000 brackets
        raise DataError(f"{path}:{number}: too long or too deep for JSON; {_ADVICE}") from error


# --- RuSentNE --------------------------------------------------------------------------------

_LABELS = {"-1": Stance.AGAINST, "0": Stance.NEUTRAL, "1": Stance.FAVOR}


def _rusentne(path: Path) -> Iterator[Row]:
    """Yield one row per entity; rows of one sentence share a document."""
    documents: dict[str, str] = {}
    with open_table(path, delimiter="tab") as table:
        names = ("sentence", "entity", "entity_pos_start_rel", "entity_pos_end_rel", "label")
        places = [column(table.columns, name, table.name) for name in names]
        for record in table:
            text, entity, *rest = (record.cells[place] for place in places)
            low, high, label = (cell.strip() for cell in rest)
            where = f"{table.name}:{record.line}"
            if label not in _LABELS:
                known = ", ".join(_LABELS)
                raise DataError(f"{where}: label '{shown(label)}' is not one of {known}")
            digits = low.isdecimal() and high.isdecimal() and len(low + high) < _LONGEST_PLACE
            if not (digits and int(low) < int(high) <= len(text)):
                what = f"{shown(low)}:{shown(high)}"
                raise DataError(f"{where}: {what} does not lie inside the sentence")
            document = documents.setdefault(text, f"s{len(documents) + 1}")
            yield str(record.number), document, entity, f"{low}:{high}", _LABELS[label], text


FORMATS: dict[str, Callable[[Path], Iterator[Row]]] = {"newsmtsc": _newsmtsc, "rusentne": _rusentne}
