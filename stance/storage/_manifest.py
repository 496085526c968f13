"""What a model file says about itself: JSON that is checked before anything else is read."""

import json
import math
import re
from typing import Any

from stance.display import shown
from stance.reading.lexicon import FUNCTIONS
from stance.recipe import BLOCK_NAMES, TARGET_BLIND
from stance.settings import (
    Check,
    SchemaError,
    anything,
    entries,
    equal,
    items,
    nullable,
    number,
    of,
    one_of,
    ruled,
    such,
    table,
    wrong,
)
from stance.storage._archive import MANIFEST, MOST_MEMBER, refusal
from stance.storage._members import (
    LABELS,
    TARGETED,
    Table,
    calibrated_rows,
    claimed_rows,
    member_arrays,
    size_of,
    term_lists,
)

FORMAT = "stance-model"
SCHEMA = 1

OF_MODEL = (  # top-level keys that a model's card does not own
    *("format", "schema", "recipe", "labels", "language", "book", "lexicon", "heads"),
    *("temperature", "members"),
)

MOST_MANIFEST = 1 << 24
MOST_VALUES = 2_000_000  # of JSON, about; each takes up to a hundred bytes of memory
MOST_FEATURES = 10_000_000
MOST_CATEGORIES = 100
MOST_ENTRIES = 100_000
LONGEST_ENTRY = 200
LONGEST_TEXT = 400

_MOST_LEVELS = 20
_DEEP = "it is nested too deep"
_MOST_DIGITS = 18  # fits into 64 bits
_CONTROL = frozenset(map(chr, (*range(32), *range(127, 160)))) - frozenset("\t\n\r")


def decode_manifest(data: bytes | bytearray) -> dict[str, Any]:
    """Return a manifest that obeys the schema; a refusal lacks the file's name."""
    if len(data) > MOST_MANIFEST:
        raise refusal(f"its manifest has {len(data):,} bytes; at most {MOST_MANIFEST:,} are read")
    if data.count(b",") > MOST_VALUES:
        raise refusal(f"its manifest has more than {MOST_VALUES:,} values")
    try:
        found: dict[str, Any] = json.loads(
            bytes(data).decode("utf-8"),
            object_pairs_hook=_pairs,
            parse_int=_whole,
            parse_float=_number,
            parse_constant=_constant,
        )
        _check_texts(found)
    except (ValueError, RecursionError) as error:
        why = _DEEP if isinstance(error, RecursionError) else shown(str(error), 80)
        raise refusal(f"its manifest is not valid JSON ({why})") from error
    try:
        _check_version(found)
        _MODEL(found, "")
        _check_agreement(found)
        _check_members(found)
    except SchemaError as error:
        raise refusal(f"its manifest {error.of_table}") from error
    return found


# --- JSON without its oddities -------------------------------------------------------------------


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError("a number is too large")
    return int(text)


def _number(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError("a number is too large")
    return value


def _constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _check_texts(value: Any) -> None:
    """Refuse nesting without end, control characters and halves of surrogate pairs."""
    level = [value]
    for _ in range(_MOST_LEVELS):
        tables = [item for item in level if isinstance(item, dict)]
        lists = [item for item in level if isinstance(item, list)]
        texts = [*(i for i in level if isinstance(i, str)), *(k for t in tables for k in t)]
        together = "".join(texts)
        together.encode()
        if not _CONTROL.isdisjoint(together):
            odd = next(text for text in texts if not _CONTROL.isdisjoint(text))
            raise ValueError(f"a control character in '{shown(odd, 40)}'")
        level = [*(i for t in tables for i in t.values()), *(i for part in lists for i in part)]
        if not level:
            return
    raise ValueError(_DEEP)


# --- Schema --------------------------------------------------------------------------------------


_ROWS = number(int, 0, 10**12)
_SHARE = number(float, 0, 1)
_DIGEST = such(of(str), re.compile("[0-9a-f]{64}").fullmatch, "64 hexadecimal digits")
_TEXT = such(of(str), lambda text: len(text) <= LONGEST_TEXT, f"at most {LONGEST_TEXT} characters")
_PAIR = such(items(_SHARE), lambda ends: len(ends) == 2, "a lower and an upper bound")
_INTERVAL = such(_PAIR, lambda ends: ends[0] <= ends[1], "a lower and an upper bound")
_WHOLE = such(of(list), lambda n: len(n) == 3 and {*map(type, n)} == {int}, "three whole numbers")
_LENGTHS = such(_WHOLE, lambda n: [0, *n] == sorted([0, *n]), "three growing numbers of words")
_CLASSES = table(optional=dict.fromkeys(LABELS["stance"], _ROWS))
_SOURCE = {"name": of(str), "sha256": _DIGEST, "rows": _ROWS, "classes": _CLASSES}

_F1 = {"macro_f1": nullable(_SHARE)}
_INTERVALS = dict.fromkeys(("macro_f1_interval", "interval"), nullable(_INTERVAL))
_GROUPS = entries(table(_F1 | {"n": _ROWS}, _INTERVALS, closed=False))
_FEELINGS = dict.fromkeys(LABELS["sentiment"], table({"support": _ROWS}, closed=False))
_SCORES = _F1 | {"macro_f1_interval": nullable(_INTERVAL), "ece": nullable(_SHARE)}
_BASELINES = entries(nullable(table({"macro_f1": nullable(number(float, -1, 1))}, closed=False)))
_SCORES |= {"documents": _ROWS, "baselines": _BASELINES}  # one of them is a difference
_MORE_SCORES = {f"per_{title}": _GROUPS for title in ("corpus", "source", "genre", "actor")}
_CLASS_SCORES = dict.fromkeys(("precision", "recall", "f1"), _SHARE) | {"support": _ROWS}
_MORE_SCORES["per_class"] = table(
    dict.fromkeys(LABELS["stance"], table(_CLASS_SCORES, closed=False))
)
_MORE_SCORES["sentiment"] = table(optional={"per_class": table(optional=_FEELINGS)}, closed=False)


def _scores(value: Any, where: str) -> None:
    """Check the cross-validated scores; a model may have none."""
    known = "macro_f1" in of(dict)(value, where)
    table(_SCORES if known else {}, _MORE_SCORES, closed=False)(value, where)


def _consistent(reference: Table, where: str) -> None:
    if (rows := sum(reference["actors"].values())) > reference["rows"]:
        raise wrong(f"{where}.rows", reference["rows"], f"the {rows:,} of its actors or more")
    words = len(reference.get("frequent", ()))
    for name, shares in reference.get("wording", {}).items():
        if len(shares) != words:
            raise wrong(
                f"{where}.wording.{name}", len(shares), f"a share for each of {words} words"
            )


_REFERENCE = {"paragraphs": _ROWS, "unknown": _SHARE, "length": _LENGTHS, "rows": _ROWS}
_REFERENCE |= {"familiarity": nullable(_SHARE), "actors": entries(number(int, 1, 10**12))}
_WORDING = {"frequent": items(_TEXT, 0, 1000), "wording": entries(items(_SHARE, 0, 1000))}


def _seeds(repeats: Table, where: str) -> None:
    seeds = repeats["seeds"]
    good = len(seeds) == len(repeats["macro_f1"])
    if not good or not all(type(seed) is int and 0 <= seed < 2**31 for seed in seeds):
        raise wrong(f"{where}.seeds", seeds, "a seed for each score")


_REPEATS = {"macro_f1": items(_SHARE, 1, 50, "numbers"), "seeds": of(list), "mean": _SHARE}
_REPEATS |= {"interval": _INTERVAL, "sd": nullable(_SHARE)}

_POINT = dict.fromkeys(("share", "macro_f1", "low", "high"), _SHARE)
_POINT |= dict.fromkeys(("documents", "rows"), number(float, 0, 10**12))
_POINTS = items(table(_POINT), 1, 20, "points")
_GAIN = nullable(items(number(float, -1, 1), 2, 2, "bounds"))
_curve = table({"points": _POINTS}, {"doubling": _GAIN, "why": _TEXT, "forecast": anything})


def _words(value: Any, where: str) -> None:
    for entry in of(list)(value, where):
        if type(entry) is not str or len(entry) > LONGEST_ENTRY:
            raise wrong(where, entry, "short strings")


_FUNCTION = table(optional=dict.fromkeys(FUNCTIONS, _words))
_CATEGORY = table(
    {"polarity": one_of("positive", "negative", "demand", "none"), "words": _words},
    {"phrases": _words, "meaning": anything},
)


def _lexicon(value: Any, where: str) -> None:
    if len(of(dict)(value, where)) > MOST_CATEGORIES:
        raise refusal(f"its lexicon has {len(value)} categories; at most {MOST_CATEGORIES} fit")
    for name, lists in value.items():
        (_FUNCTION if name == "function" else _CATEGORY)(lists, f"{where}.{shown(name)}")
    total = sum(len(part) for t in value.values() for part in t.values() if type(part) is list)
    if total > MOST_ENTRIES:
        raise refusal(f"its lexicon has {total:,} entries; at most {MOST_ENTRIES:,} are read")


def _head(name: str) -> Check:
    targeted = name in TARGETED
    known = BLOCK_NAMES if targeted else TARGET_BLIND
    another = f"another one of {', '.join(known)}"

    def different(blocks: list[Table], where: str) -> None:
        left = list(known)
        for at, block in enumerate(blocks):
            if block["name"] not in left:
                raise wrong(f"{where}.{at}.name", block["name"], another)
            left.remove(block["name"])

    features = number(int, 0, MOST_FEATURES)
    block = table({"name": of(str), "weight": number(float, 0, 100), "features": features})
    checks = {
        "labels": equal(list(LABELS[name]), ", ".join(LABELS[name])),
        "targeted": equal(targeted, str(targeted).lower()),
        "own": of(bool),
        "temperature": number(float, 1e-6, 1e6),
        "blocks": ruled(items(block), different),
    }
    return table(checks)


_MEMBER = {"sha256": _DIGEST, "bytes": number(int, 0, MOST_MEMBER)}
_BLOCKS = table({"blocks": entries(number(float, 0, 100))}, closed=False)
_LABELS = {name: list(LABELS[name]) for name in ("stance", "sentiment")}
_VERSIONS = ("stance", "python", "numpy", "scikit-learn")
_MODEL = table(
    {
        "versions": ruled(table(dict.fromkeys(_VERSIONS, of(str)), closed=False), entries(of(str))),
        "data": items(table(_SOURCE, closed=False)),
        "seed": of(int),
        "scores": _scores,
        "limits": items(of(str), 0, 100),
        "recipe": table(
            {"name": of(str), "features": _BLOCKS, "sentiment_features": _BLOCKS},
            {"holder_features": _BLOCKS},
            closed=False,
        ),
        "book": of(dict),
        "lexicon": _lexicon,
        "labels": equal(_LABELS, "those of stance and sentiment"),
        "language": anything,
        "temperature": of(float),
        "heads": table(
            {"stance": _head("stance"), "control": _head("control")},
            {name: _head(name) for name in ("sentiment", "holder")},
        ),
        "members": entries(table(_MEMBER, closed=False)),
    },
    {
        "reference": ruled(table(_REFERENCE, _WORDING), _consistent),
        "repeats": ruled(table(_REPEATS), _seeds),
        "learning_curve": _curve,
    },
    closed=False,
)


def _check_version(manifest: object) -> None:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise refusal(f"its '{MANIFEST}' is not that of a model", "name one made by `stance train`")
    schema = table({"schema": of(int)}, closed=False)(manifest, "")["schema"]
    if schema > SCHEMA:
        raise refusal(f"was written by a newer stance (schema {schema})", "upgrade stance")
    if schema != SCHEMA:
        raise wrong("schema", schema, str(SCHEMA))


def _check_agreement(manifest: Table) -> None:
    """Check that what stands in two places is the same in both."""
    heads, recipe = manifest["heads"], manifest["recipe"]
    if manifest["language"] != recipe.get("language"):
        raise wrong("language", manifest["language"], "that of its recipe")
    if manifest["temperature"] != heads["stance"]["temperature"]:
        raise wrong("temperature", manifest["temperature"], "that of its stance head")
    keys = {"stance": "features", "sentiment": "sentiment_features", "holder": "holder_features"}
    for name, key in keys.items():
        if name not in heads:
            continue
        wanted = recipe.get(key, {}).get("blocks", {})
        blocks = [block["name"] for block in heads[name]["blocks"]]
        if set(blocks) != set(wanted):
            raise wrong(f"heads.{name}.blocks", blocks, "the blocks of its recipe")


def _check_members(manifest: Table) -> None:
    """Check that the members are those that the heads call for, of the right types and shapes."""
    heads, members = manifest["heads"], manifest["members"]
    texts = claimed_rows(members.get("data/exact.npy", {}))
    arrays = member_arrays(heads, texts, calibrated_rows(members))
    required = {name: _array(*layout) for name, layout in arrays.items()}
    table(required, dict.fromkeys(term_lists(heads), table(_MEMBER)))(members, "members")


def _array(dtype: str, shape: tuple[int, ...]) -> Check:
    expected = f"{list(shape)} of {dtype}"
    kinds = {"dtype": equal(dtype, dtype), "shape": equal(list(shape), expected)}

    def large_enough(member: Table, where: str) -> None:
        if member["bytes"] < size_of(dtype, shape):
            raise wrong(f"{where}.bytes", member["bytes"], "enough for its shape")

    return ruled(table({**_MEMBER, **kinds}), large_enough)
