"""What a model file says of itself: written as JSON, and checked before anything else is read."""

import json
import math
import string
from collections.abc import Mapping
from typing import Any, cast

from stance.display import shown
from stance.reading.lexicon import FUNCTIONS
from stance.recipe import BLOCK_NAMES, TARGET_BLIND
from stance.storage.archive import MANIFEST, MOST_MEMBER, refusal
from stance.storage.arrays import size_of
from stance.storage.fields import Table, between, get, only, share, wrong
from stance.storage.members import LABELS, calibrated_rows, member_arrays, term_lists
from stance.storage.prospects import check_prospects

FORMAT = "stance-model"
SCHEMA = 1

OF_MODEL = (
    "format", "schema", "recipe", "labels", "language", "book", "lexicon", "heads", "temperature",
    "members",
)  # fmt: skip
"""Top-level keys that a model's card does not own."""

OF_CARD = {"versions": dict, "data": list, "seed": int, "scores": dict, "limits": object}
"""Keys that a model card must have; it may have more, such as the reference numbers."""

VERSIONS = ("stance", "python", "numpy", "scikit-learn")

MOST_MANIFEST = 1 << 24
MOST_FEATURES = 10_000_000
MOST_CATEGORIES = 100
MOST_ENTRIES = 100_000
LONGEST_ENTRY = 200

_MOST_LEVELS = 20
_MOST_ROWS = 10**12
_DEEP = "it is nested too deep"
_POLARITIES = ("positive", "negative", "demand", "none")
_MOST_DIGITS = 18  # fits into 64 bits
_CONTROL = frozenset(map(chr, (*range(32), *range(127, 160)))) - frozenset("\t\n\r")


def encode_manifest(manifest: Table) -> bytes:
    """Return the JSON of a manifest, its top-level keys sorted.

    Within them the order stays, for that of actors, categories and blocks has a meaning.
    """
    ordered = {key: _plain(manifest[key]) for key in sorted(manifest)}
    text = json.dumps(ordered, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; a number that is none becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "item"):  # a number of numpy
        return _plain(value.item())
    return str(value) if isinstance(value, str) else value


def decode_manifest(data: bytes | bytearray) -> dict[str, Any]:
    """Return a manifest that obeys the schema; what is refused lacks the file's name."""
    if len(data) > MOST_MANIFEST:
        raise refusal(f"its manifest has {len(data):,} bytes; at most {MOST_MANIFEST:,} are read")
    try:
        found = json.loads(
            bytes(data).decode("utf-8"),
            object_pairs_hook=_table,
            parse_int=_whole,
            parse_float=_number,
            parse_constant=_constant,
        )
        _check_texts(found)
    except (ValueError, RecursionError) as error:
        why = _DEEP if isinstance(error, RecursionError) else shown(str(error), 80)
        raise refusal(f"its manifest is no valid JSON ({why})") from error
    _check(found)
    return cast("dict[str, Any]", found)


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a key stands twice")
    return table


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError("a number is too large")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _check_texts(value: Any) -> None:
    """Refuse nesting without end, control characters and halves of surrogate pairs."""
    level = [value]
    for _ in range(_MOST_LEVELS):
        tables = [item for item in level if isinstance(item, dict)]
        lists = [item for item in level if isinstance(item, list)]
        for text in (*(i for i in level if isinstance(i, str)), *(k for t in tables for k in t)):
            text.encode()
            if not _CONTROL.isdisjoint(text):
                raise ValueError(f"a control character in '{shown(text, 40)}'")
        level = [*(i for t in tables for i in t.values()), *(i for part in lists for i in part)]
        if not level:
            return
    raise ValueError(_DEEP)


# --- Schema --------------------------------------------------------------------------------------


def _check(manifest: object) -> None:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise refusal(f"its '{MANIFEST}' is not that of a model", "name one of `stance train`")
    schema = get(manifest, "schema", int)
    if schema > SCHEMA:
        raise refusal(f"was written by a newer stance (schema {schema})", "upgrade stance")
    if schema != SCHEMA:
        raise wrong("schema", schema, str(SCHEMA))
    for key, kind in OF_CARD.items():
        get(manifest, key, kind)
    for name in VERSIONS:
        get(manifest["versions"], name, str, "versions.")
    for number, source in enumerate(manifest["data"]):
        _check_source(source, f"data.{number}.")
    if "reference" in manifest:
        _check_reference(get(manifest, "reference", dict))
    check_prospects(manifest)
    for key in ("recipe", "book", "lexicon", "heads", "labels", "members"):
        get(manifest, key, dict)
    _check_heads(manifest)
    check_lexicon(manifest["lexicon"])
    _check_members(manifest)


def _check_source(source: object, where: str) -> None:
    if not isinstance(source, dict):
        raise wrong(where[:-1], source, "a table")
    get(source, "name", str, where)
    _check_digest(source, where)
    between(source, "rows", 0, _MOST_ROWS, where)
    classes = get(source, "classes", dict, where)
    for label in classes:
        between(classes, label, 0, _MOST_ROWS, where + "classes.")


def _check_reference(table: Table) -> None:
    where = "reference."
    only(table, ("paragraphs", "unknown", "familiarity", "length", "rows", "actors"), where)
    for key in ("paragraphs", "rows"):
        between(table, key, 0, _MOST_ROWS, where)
    if table.get("familiarity", 0) is not None:  # null where there were too few to tell
        share(table, "familiarity", where)
    share(table, "unknown", where)
    length = get(table, "length", list, where)
    if len(length) != 3 or {type(n) for n in length} != {int} or sorted(length) != length:
        raise wrong(where + "length", length, "three growing whole numbers")
    if length[0] < 0:
        raise wrong(where + "length", length, "numbers of words")
    actors = get(table, "actors", dict, where)
    rows = sum(between(actors, name, 1, _MOST_ROWS, where + "actors.") for name in actors)
    if rows > table["rows"]:
        raise wrong(where + "rows", table["rows"], f"the {rows:,} of its actors or more")


def _check_digest(table: Table, where: str) -> None:
    digest = get(table, "sha256", str, where)
    if len(digest) != 64 or not set(digest) <= set(string.hexdigits.lower()):
        raise wrong(where + "sha256", digest, "64 hexadecimal digits")


def _check_heads(manifest: Table) -> None:
    heads, recipe = manifest["heads"], manifest["recipe"]
    only(heads, tuple(LABELS), "heads.")
    if manifest["labels"] != {name: list(LABELS[name]) for name in ("stance", "sentiment")}:
        raise wrong("labels", manifest["labels"], "those of stance and sentiment")
    if manifest.get("language") != recipe.get("language"):
        raise wrong("language", manifest.get("language"), "that of its recipe")
    for name in LABELS:
        if name in heads or name != "sentiment":
            _check_head(get(heads, name, dict, "heads."), name)
    if get(manifest, "temperature", float) != heads["stance"]["temperature"]:
        raise wrong("temperature", manifest["temperature"], "that of its stance head")
    for name, key in (("stance", "features"), ("sentiment", "sentiment_features")):
        wanted = get(get(recipe, key, dict, "recipe."), "blocks", dict, f"recipe.{key}.")
        blocks = [block["name"] for block in heads[name]["blocks"]] if name in heads else wanted
        if set(blocks) != set(wanted):
            raise wrong(f"heads.{name}.blocks", blocks, "the blocks of its recipe")


def _check_head(head: Table, name: str) -> None:
    where = f"heads.{name}."
    only(head, ("labels", "targeted", "own", "temperature", "blocks"), where)
    if get(head, "labels", list, where) != list(LABELS[name]):
        raise wrong(where + "labels", head["labels"], ", ".join(LABELS[name]))
    if get(head, "targeted", bool, where) != (name == "stance"):
        raise wrong(where + "targeted", head["targeted"], "as such a head is")
    get(head, "own", bool, where)
    if not 1e-6 <= get(head, "temperature", float, where) <= 1e6:
        raise wrong(where + "temperature", head["temperature"], "between 1e-6 and 1e6")
    known = BLOCK_NAMES if name == "stance" else TARGET_BLIND
    seen: set[str] = set()
    for number, block in enumerate(get(head, "blocks", list, where)):
        if not isinstance(block, dict):
            raise wrong(f"{where}blocks.{number}", block, "a table")
        inside = f"{where}blocks.{number}."
        only(block, ("name", "weight", "features"), inside)
        if get(block, "name", str, inside) not in known or block["name"] in seen:
            raise wrong(inside + "name", block["name"], f"another one of {', '.join(known)}")
        seen.add(block["name"])
        if not 0.0 <= get(block, "weight", float, inside) <= 100.0:
            raise wrong(inside + "weight", block["weight"], "between 0 and 100")
        between(block, "features", 0, MOST_FEATURES, inside)


def check_lexicon(tables: Table) -> None:
    """Check the tables of a lexicon: types, names and counts."""
    if len(tables) > MOST_CATEGORIES:
        raise refusal(f"its lexicon has {len(tables)} categories; at most {MOST_CATEGORIES} fit")
    total = 0
    for name in tables:
        where = f"lexicon.{shown(name)}."
        table = get(tables, name, dict, "lexicon.")
        lists = FUNCTIONS if name == "function" else ("words", "phrases")
        if name != "function":
            only(table, (*lists, "meaning", "polarity"), where)
            if get(table, "polarity", str, where) not in _POLARITIES:
                raise wrong(where + "polarity", table["polarity"], f"one of {_POLARITIES}")
            get(table, "words", list, where)
        else:
            only(table, lists, where)
        for key in (key for key in lists if key in table):
            entries = get(table, key, list, where)
            total += len(entries)
            if strange := [e for e in entries if type(e) is not str or len(e) > LONGEST_ENTRY]:
                raise wrong(where + key, strange[0], "short strings")
    if total > MOST_ENTRIES:
        raise refusal(f"its lexicon has {total:,} entries; at most {MOST_ENTRIES:,} are read")


# --- Members -------------------------------------------------------------------------------------


def _check_members(manifest: Table) -> None:
    members: Table = manifest["members"]
    for name in members:
        where = f"members.{shown(name)}."
        table = get(members, name, dict, "members.")
        _check_digest(table, where)
        between(table, "bytes", 0, MOST_MEMBER, where)
    exact = get(members, "data/exact.npy", dict, "members.")
    shape = get(exact, "shape", list, "members.data/exact.npy.")
    texts = shape[0] if shape and type(shape[0]) is int else 0
    wanted = member_arrays(manifest["heads"], texts, calibrated_rows(members))
    for name, (dtype, sizes) in wanted.items():
        table = get(members, name, dict, "members.")
        where = f"members.{name}."
        only(table, ("sha256", "bytes", "dtype", "shape"), where)
        if (table.get("dtype"), table.get("shape")) != (dtype, list(sizes)):
            raise wrong(where + "shape", table.get("shape"), f"{list(sizes)} of {dtype}")
        if min(sizes) < 0 or size_of(dtype, sizes) > table["bytes"]:
            raise wrong(where + "bytes", table["bytes"], "enough for its shape")
    terms = term_lists(manifest["heads"])
    for name in members:
        if name in terms:
            only(members[name], ("sha256", "bytes"), f"members.{name}.")
        elif name not in wanted:
            raise refusal(f"its manifest has an unknown member '{shown(name)}'")
