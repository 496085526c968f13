"""Actors that texts name: aliases counted, names that a book lacks, and books made of names."""

import json
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from stance.display import count, shown
from stance.errors import DataError
from stance.reading.actor_tables import are_terms
from stance.reading.actors import ActorBook
from stance.reading.names import name_words, surname
from stance.reading.text import count_cut, cut_note
from stance.records import Form, InputOptions
from stance.tables import Inputs, open_inputs, open_table
from stance.tables.columns import column, find_dates, months_of, optional_column

LEAST, MOST = 2, 100  # documents that use a name, and names that are printed
OFTENER = 5  # times that a surname may be used for each full name that it belongs to
AROUND = 4  # words of context on each side
LONGEST = 200  # characters of a comment


def count_aliases(
    book: ActorBook, inputs: Inputs, reading: InputOptions
) -> tuple[dict[str, Any], list[str]]:
    """Count rows that name actors, and their aliases; also return notes on the inputs.

    Where these have a column of dates, leaders count only while in office.
    """
    aliases, rows_by_actor = defaultdict[str, Counter[str]](Counter), Counter[str]()
    rows = named = cut = 0
    with open_inputs(inputs, reading) as table:
        text = column(table, reading.text_column, "--text-column")
        dates = find_dates(table, reading) if book.has_terms else None
        for block in table.chunks:
            cut += count_cut(block.columns[text])
            months = months_of(block.columns[dates[0]], dates[1]) if dates else None
            for _, batch, mentions in book.scan(block.columns[text], months):
                para, actor = mentions.para.tolist(), mentions.actor.tolist()
                span = batch.start[mentions.first], batch.end[mentions.last]
                for row, number, start, end in zip(para, actor, *span, strict=True):
                    aliases[book.names[number]][batch.texts[row][start:end]] += 1
                pairs = sorted({*zip(para, actor, strict=True)})
                rows_by_actor.update(book.names[number] for _, number in pairs)
                rows += len(batch)
                named += len({*para})
        notes = [*inputs.notes, *table.notes, *[cut_note(cut)] * (cut > 0)]
    ranked = rows_by_actor.most_common()
    actors = {a: {"rows": n, "aliases": dict(aliases[a].most_common())} for a, n in ranked}
    return {"rows": rows, "rows_with_actor": named, "actors": actors}, notes


def book_of_people(path: Path, **form: Unpack[Form]) -> str:
    """Return the TOML of an actor book with the persons of a table, and their parties."""
    terms, notes = defaultdict[str, list[str]](list), dict[str, str]()
    parties, known = defaultdict[str, set[str]](set), name_words()
    titles = "|".join(known["titles"] - known["ordinary"] - known["months"])  # "Smith, June"
    titled = re.compile(rf"(?i)(,) *(?:(?:{titles})\.? +)+(?=\w)|(,.+), *(?:{titles})\.?$")
    spelling = dict[str, str]()  # case does not tell names apart
    with open_table(path, **form) as table:
        column(table, "name", hint="; rename the column that holds full names to 'name'")  # raises
        wanted = ("name", "party", "country", "from", "to")
        places = {name: optional_column(table, name) for name in wanted}
        for record in table:
            cells = {n: "" if p is None else record.cells[p].strip() for n, p in places.items()}
            full = titled.sub(r"\1\2", cells["name"])  # not "Müller, Dr. Anna", "Müller, Anna, Dr."
            last, comma, given = full.partition(",")  # "Müller, Anna", not "Kennedy, Jr."
            given = given.lstrip()
            plain = not comma or "," in given or given.rstrip(".").lower() in known["suffixes"]
            name = full if plain else f"{given} {last}"
            name, term = spelling.setdefault(name.lower(), name), [cells["from"], cells["to"]]
            if not are_terms(term):
                ends = " and ".join(f"'{shown(day)}'" for day in term)
                advice = "write a first and a last day such as 2024-10-01, or nothing"
                raise DataError(f"{table.where(record)}: 'from' and 'to' are {ends}; {advice}")
            terms[name] += term
            notes[name] = "; ".join(filter(None, (cells["country"], cells["party"])))
            if cells["party"]:
                parties[cells["party"]].add(cells["country"])
    tables, unnamed = list[str](), len(terms.pop("", ())) // 2
    for name, days in terms.items():
        aliases = filter(None, (name, surname(name)))
        office = dict.fromkeys(aliases, days) if any(days) else {}
        tables.append(_toml(name, "person", notes[name], office))
    for party, countries in parties.items():
        if party not in terms:
            named = ", ".join(sorted(filter(None, countries)))
            tables.append(_toml(party, "organisation", named, {}))
    if not tables:
        raise DataError(f"{path}: no name in it; write one person in each row")
    if unnamed:
        warnings.warn(f"{path}: {count(unnamed, 'row')} without a name, left out", stacklevel=2)
    text = "\n".join(tables)
    ActorBook.from_toml(text, str(path))  # raises
    return text


def discover(
    book: ActorBook, inputs: Inputs, reading: InputOptions
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the names that the book lacks, the most frequent first, and notes on the inputs.

    Each has ``name``, ``kind``, ``documents`` (how many use it; rows, without such a column) and
    ``context``. A surname alone counts for the one full name that it belongs to, a person's, and
    "Read Tom Price" for "Tom Price".
    """
    uses = defaultdict[str, dict[str, str]](dict)  # by name and document: the first context
    spelling, rows = dict[str, str](), 0  # case does not tell names apart
    seen = set[str]()  # the first documents
    with open_inputs(inputs, reading) as table:
        place = column(table, reading.text_column, "--text-column")
        document = optional_column(table, "document")
        for block in table.chunks:
            for row, (text, names) in enumerate(book.unknown_names(block.columns[place])):
                where = "" if document is None else block.columns[document][row].strip()
                where = where or f"\0{rows + row}"
                seen |= {where} if len(seen) < LEAST else set()
                for name, start, _ in names:
                    name = spelling.setdefault(name.lower(), name)
                    if where not in uses[name]:  # of a long text, only the words near are split
                        words = len(name.split()) + AROUND
                        before = text[:start].rsplit(maxsplit=AROUND)[-AROUND:]
                        after = text[start:].split(maxsplit=words)[:words]
                        uses[name][where] = " ".join(before + after)
            rows += len(block)
        notes = [*inputs.notes, *table.notes]
    persons = _merge(uses)
    new = (use for use in uses.items() if book.number(use[0]) < 0 and not book.owned(use[0])[1])
    often = [(name, contexts) for name, contexts in new if len(contexts) >= min(LEAST, len(seen))]
    often.sort(key=lambda use: (-len(use[1]), use[0]))
    first = f"; the first {MOST} are printed" if len(often) > MOST else ""
    what = "not in the book" + f" and in {LEAST} documents or more" * (len(seen) >= LEAST)
    notes.append(f"{count(len(often), 'name')} {what}{first}")
    kinds = {name: "person" if name in persons else "other" for name, _ in often[:MOST]}
    listed = ((n, kinds[n], len(used), next(iter(used.values()))) for n, used in often[:MOST])
    keys = ("name", "kind", "documents", "context")
    return [dict(zip(keys, one, strict=True)) for one in listed], notes


def _merge(uses: dict[str, dict[str, str]]) -> set[str]:
    """Count names as the full names that they are or end in; return those with surnames."""

    def merged(name: str, full: str) -> bool:
        if rarer := len(uses[name]) <= OFTENER * len(uses[full]):
            uses[full] |= uses.pop(name)
        return rarer

    for name in sorted(uses, key=len, reverse=True):
        person = name.partition(" of ")[0]  # "Tom Price of Ohio"
        words, last = person.split(" "), surname(person)
        ends = (" ".join(words[place:]) for place in range(1, len(words) - 1))
        shorter = (one for one in (person, *ends) if one != name and surname(one) == last != "")
        if (full := next((one for one in shorter if one in uses), None)) is not None:
            merged(name, full)
    owners = Counter(map(surname, uses))
    surnames = [(surname(name), name) for name in uses if surname(name) in uses]
    return {name for last, name in surnames if owners[last] == 1 and merged(last, name)}


def discovered_toml(names: Sequence[dict[str, Any]]) -> str:
    """Return names that `discover` found as the TOML of an actor book."""
    notes = (f"{count(one['documents'], 'document')}: {one['context']}" for one in names)
    pairs = zip(names, notes, strict=True)
    return "\n".join(_toml(one["name"], one["kind"], note, {}) for one, note in pairs)


def _toml(name: str, kind: str, note: str, office: dict[str, list[str]]) -> str:
    """Return a table of an actor book, below a comment."""
    quoted = partial(json.dumps, ensure_ascii=False)
    lines = [f"# {shown(note, LONGEST)}"] if note else []
    lines += [f"[{quoted(name)}]", f"kind = {quoted(kind)}", f"name = [{quoted(name)}]"]
    lines += [] if " " in name else [f"case = [{quoted(name)}]"]  # "House" is no house
    if office:
        days = ", ".join(f"{quoted(alias)} = {quoted(known)}" for alias, known in office.items())
        lines.append(f"office = {{ {days} }}")
    return "\n".join(lines) + "\n"
