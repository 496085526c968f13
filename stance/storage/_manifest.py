"""What a model file says about itself: JSON that is checked before anything else is read."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from stance.display import shown
from stance.errors import ModelError
from stance.reading.keys import BANDS
from stance.reading.lexicon import FUNCTIONS
from stance.recipe import CONTROL
from stance.records import Holder, Sentiment, Stance
from stance.storage._archive import MANIFEST, MOST_MEMBER, refusal

FORMAT = "stance-model"
SCHEMA = 1
MOST_MANIFEST = 1 << 24

# Labels of each head, in the order of the file; those of sentiment and holder may be missing.
LABELS: dict[str, tuple[str, ...]] = {"stance": tuple(Stance), "sentiment": tuple(Sentiment)}
LABELS |= {"control": LABELS["stance"], "holder": tuple(Holder)}
TARGETED = ("stance", "holder")  # heads that judge an actor

TERMS = ".terms.txt"  # with which the name of a block's list of them ends; any may be missing
PARTS = {"keys": "uint64", "idf": "float32", "coef": "float32"}  # types of a block's arrays
CALIBRATION = {  # type and greatest value of arrays of which a model has all or none
    "calibration/confidence.npy": ("float32", 1),
    "calibration/predicted.npy": ("int32", len(Stance) - 1),
    "calibration/correct.npy": ("int32", 1),
    "calibration/document.npy": ("int32", 2**31 - 1),
}

Table = Mapping[str, Any]
Layout = tuple[str, tuple[int, ...]]  # type and shape of an array

# --- Schema --------------------------------------------------------------------------------------

# A rule is a type (`object` is any), a pattern, a set of words, `(rule, low, high)` with limits of
# a number or a length, `(None, rule)` where null will do, `[rule]` for lists, `("growing", rule)`
# for those in order, a function of the table that returns its rule, or a dict. Of its keys "x?" may
# be missing, and "*" is for any other.
Rule = Any

_ROWS = (int, 0, 10**12)
_SHARE = (float, 0, 1)
_WEIGHT = (float, 0, 100)
_MOST_FEATURES = 10_000_000
_TEXT = (str, 0, 400)
_INTERVAL = ("growing", ([_SHARE], 2, 2))
_LENGTHS = ("growing", ([(int, 0, 10**6)], 3, 3))
_DIGEST = re.compile("[0-9a-f]{64}")
_BLOCKS = {"blocks": {"*": _WEIGHT}, "*": object}
_WORDS = ([str], 0, 100_000)
_POLARITY = {"positive", "negative", "demand", "none"}

_MACRO_F1 = {"macro_f1": (None, _SHARE), "macro_f1_interval?": (None, _INTERVAL)}
_GROUP = {"n": _ROWS, **_MACRO_F1, "interval?": (None, _INTERVAL), "*": object}
_FEELING = {f"{label}?": {"support": _ROWS, "*": object} for label in Sentiment}
_SCORES = {
    **{f"per_{title}?": {"*": _GROUP} for title in ("corpus", "source", "genre", "actor")},
    **{"sentiment?": {"per_class?": _FEELING, "*": object}, "*": object},
}
_CROSS_VALIDATED = _SCORES | {
    **{"macro_f1": (None, _SHARE), "macro_f1_interval": (None, _INTERVAL)},
    **{"ece": (None, _SHARE), "documents": _ROWS},
    "baselines": {"*": (None, {"macro_f1": (None, (float, -1, 1)), "*": object})},
}
_POINT = dict.fromkeys(("share", "macro_f1", "low", "high"), _SHARE)
_POINT |= dict.fromkeys(("documents", "rows"), (float, 0, 10**12))
_CURVE = {
    **{"points": ([_POINT], 1, 20), "doubling?": (None, ([(float, -1, 1)], 2, 2))},
    **{"why?": _TEXT, "forecast?": object},
}
_HEAD = {
    **{"labels": [str], "targeted": bool, "own": bool, "temperature": (float, 1e-6, 1e6)},
    "blocks": [{"name": str, "weight": _WEIGHT, "features": (int, 0, _MOST_FEATURES)}],
}
_MODEL: dict[str, Rule] = {
    "versions": {**dict.fromkeys(("stance", "python", "numpy", "scikit-learn"), str), "*": str},
    "data": [
        {
            **{"name": str, "sha256": _DIGEST, "rows": _ROWS, "*": object},
            "classes": {f"{label}?": _ROWS for label in Stance},
        }
    ],
    "seed": int,
    "scores": lambda scores: _CROSS_VALIDATED if "macro_f1" in scores else _SCORES,
    "limits": ([str], 0, 100),
    "recipe": {
        **{"name": str, "features": _BLOCKS, "sentiment_features": _BLOCKS},
        **{"holder_features?": _BLOCKS, "*": object},
    },
    "book": dict,
    "lexicon": (
        {
            "function?": {f"{name}?": _WORDS for name in FUNCTIONS},
            "*": {"polarity": _POLARITY, "words": _WORDS, "phrases?": _WORDS, "meaning?": object},
        },
        *(0, 100),
    ),
    "labels": dict,
    "language": object,
    "temperature": float,
    "heads": {"stance": _HEAD, "control": _HEAD, "sentiment?": _HEAD, "holder?": _HEAD},
    "members": {
        "*": {
            **{"sha256": _DIGEST, "bytes": (int, 0, MOST_MEMBER)},
            **{"dtype?": str, "shape?": [(int, 0, _MOST_FEATURES)]},
        }
    },
    "reference?": {
        **{"paragraphs": _ROWS, "unknown": _SHARE, "length": _LENGTHS, "rows": _ROWS},
        **{"familiarity": (None, _SHARE), "actors": {"*": (int, 1, 10**12)}},
        **{"frequent?": ([_TEXT], 0, 1000), "wording?": {"*": [_SHARE]}},
    },
    "repeats?": {
        **{"macro_f1": ([_SHARE], 1, 50), "seeds": [(int, 0, 2**31 - 1)], "mean": _SHARE},
        **{"interval": _INTERVAL, "sd": (None, _SHARE)},
    },
    "learning_curve?": _CURVE,
    "*": object,
}

_KINDS = {dict: "a table", list: "a list", str: "a string", bool: "true or false"}
_KINDS |= {int: "a whole number", float: "a number"}


def _wrong(where: str, value: object, expected: str) -> ModelError:
    return refusal(f"its manifest has {where} = {shown(repr(value))}, not {expected}")


def _check(value: Any, rule: Rule, where: str) -> None:
    """Refuse a value that is not as a rule says."""
    match rule:
        case type():
            number = rule is float and type(value) is int
            if rule is not object and type(value) is not rule and not number:
                raise _wrong(where, value, _KINDS[rule])
        case None, inner:
            if value is not None:
                _check(value, inner, where)
        case "growing", inner:
            _check(value, inner, where)
            if value != sorted(value):
                raise _wrong(where, value, "growing")
        case inner, low, high:
            _check(value, inner, where)
            if not low <= (value if inner in (int, float) else len(value)) <= high:
                items = "" if inner in (int, float) else " items"
                raise _wrong(where, value, f"between {low:,.15g} and {high:,.15g}{items}")
        case [inner]:
            _check(value, list, where)
            for place, item in enumerate(value):
                _check(item, inner, f"{where}.{place}")
        case re.Pattern():
            if type(value) is not str or not rule.fullmatch(value):
                raise _wrong(where, value, f"like {rule.pattern}")
        case set():
            if type(value) is not str or value not in rule:
                raise _wrong(where, value, f"one of {', '.join(sorted(rule))}")
        case _:
            _check(value, dict, where)
            _check_table(value, rule if type(rule) is dict else rule(value), where)


def _check_table(table: Table, rules: dict[str, Rule], where: str) -> None:
    before = f"{where}." if where else ""
    for key in rules:
        if key[-1] not in "?*" and key not in table:
            raise refusal(f"its manifest lacks '{before}{key}'")
    for key, value in table.items():
        rule = rules.get(key, rules.get(f"{key}?", rules.get("*")))
        if rule is None:
            raise refusal(f"its manifest has an unknown key '{before}{shown(key)}'")
        _check(value, rule, before + shown(key))


# --- Reading -------------------------------------------------------------------------------------

_CONTROL = re.compile(r"\\[bfu]|[\x7f-\x9f]")  # characters but tabs and line ends, as JSON has them


def decode_manifest(data: bytes) -> dict[str, Any]:
    """Return a manifest that obeys the schema; a refusal lacks the file's name."""
    if len(data) > MOST_MANIFEST:
        raise refusal(f"its manifest has {len(data):,} bytes; at most {MOST_MANIFEST:,} are read")
    try:
        manifest: dict[str, Any] = json.loads(data.decode())
        text = json.dumps(manifest, ensure_ascii=False, allow_nan=False)
        text.encode()  # raises at half a character
        if odd := _CONTROL.search(text.replace("\\\\", "")):
            raise ValueError(f"a control character, {odd[0]!r}")
    except (ValueError, RecursionError) as error:
        deep = "nested too deep" if isinstance(error, RecursionError) else ""
        why = deep or shown(str(error), 80)
        raise refusal(f"its manifest is not valid JSON ({why})") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise refusal(f"its '{MANIFEST}' is not that of a model", "name one made by `stance train`")
    _check(manifest.get("schema"), int, "schema")
    if manifest["schema"] > SCHEMA:
        newer = f"was written by a newer stance (schema {manifest['schema']})"
        raise refusal(newer, "upgrade stance")
    _check(manifest, _MODEL, "")
    for where, found, expected in _claims(manifest):
        if found != expected:
            raise _wrong(where, found, shown(repr(expected)))
    return manifest


def _claims(manifest: Table) -> Iterator[tuple[str, object, object]]:
    """Yield what follows from the rest of a manifest: where, what it says, and what follows."""
    heads, recipe, members = manifest["heads"], manifest["recipe"], manifest["members"]
    yield "schema", manifest["schema"], SCHEMA
    yield "language", manifest["language"], recipe.get("language")
    yield "temperature", manifest["temperature"], heads["stance"]["temperature"]
    both = {name: list(LABELS[name]) for name in ("stance", "sentiment")}
    yield "labels", manifest["labels"], both
    for name, head in heads.items():
        yield f"heads.{name}.labels", head["labels"], list(LABELS[name])
        yield f"heads.{name}.targeted", head["targeted"], name in TARGETED
        key = "features" if name == "stance" else f"{name}_features"
        known = CONTROL.features.blocks if name == "control" else recipe.get(key, _BLOCKS)["blocks"]
        blocks = [block["name"] for block in head["blocks"]]
        yield f"heads.{name}.blocks", sorted(blocks), sorted(known)
    if repeats := manifest.get("repeats"):
        yield "repeats.seeds", len(repeats["seeds"]), len(repeats["macro_f1"])
    if reference := manifest.get("reference"):
        rows = reference["rows"]
        yield "reference.rows", rows, max(rows, sum(reference["actors"].values()))
        for name, shares in reference.get("wording", {}).items():
            words = len(reference.get("frequent", ()))
            yield f"reference.wording.{shown(name)}", len(shares), words
    arrays = member_arrays(heads, members)
    terms = {name.replace(".keys.npy", TERMS) for name in arrays}
    yield "members", sorted(members.keys() - arrays.keys() - terms), []
    for name, (dtype, shape) in arrays.items():
        yield f"members.{name}.dtype", members.get(name, {}).get("dtype"), dtype
        yield f"members.{name}.shape", members[name].get("shape"), list(shape)


# --- What a model is made of ---------------------------------------------------------------------


def member_arrays(heads: Table, members: Table) -> dict[str, Layout]:
    """Return type and shape of every array that a model with these heads has."""
    arrays: dict[str, Layout] = {}
    for name, head in heads.items():
        labels = len(LABELS[name])
        arrays[f"heads/{name}/intercept.npy"] = ("float64", (labels,))
        for block in head["blocks"]:
            for part, dtype in PARTS.items():
                shape = (block["features"], labels) if part == "coef" else (block["features"],)
                arrays[f"heads/{name}/{block['name']}.{part}.npy"] = (dtype, shape)
    texts = _rows(members, "data/exact.npy")
    arrays["data/exact.npy"] = ("uint64", (texts,))
    arrays["data/bands.npy"] = ("uint64", (texts, BANDS))
    if calibrated := [name for name in CALIBRATION if name in members]:
        rows = _rows(members, calibrated[0])
        arrays |= {name: (dtype, (rows,)) for name, (dtype, _) in CALIBRATION.items()}
    return arrays


def _rows(members: Table, name: str) -> int:
    """Return the rows that a manifest claims for a member."""
    shape = members.get(name, {}).get("shape")
    return int(shape[0]) if shape else 0
