"""What a model file says about itself: JSON that is checked before anything else is read."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from stance.display import shown
from stance.reading.lexicon import FUNCTIONS
from stance.records import Holder, Sentiment, Stance
from stance.settings import SchemaError, anything, entries, items, number, of, one_of, such, table
from stance.storage._archive import MANIFEST, MOST_BYTES, refusal

FORMAT = "stance-model"
SCHEMA = 1

# Labels of each head, in the order of the file; those of sentiment and holder may be missing.
LABELS: dict[str, tuple[str, ...]] = {"stance": tuple(Stance), "sentiment": tuple(Sentiment)}
LABELS |= {"control": LABELS["stance"], "holder": tuple(Holder)}
TARGETED = ("stance", "holder")  # heads that judge an actor

TERMS = ".terms.txt"  # with which the name of a block's list of them ends; any may be missing
PARTS = ("keys", "idf", "coef")  # arrays of a block
CALIBRATION = {"confidence": 1, "predicted": len(Stance) - 1, "correct": 1, "document": 2**31 - 1}
"""Greatest values of these arrays."""
TYPES = {"keys": "uint64", "idf": "float32", "coef": "float32", "intercept": "float64"}
TYPES |= {"exact": "uint64", "bands": "uint64"}
TYPES |= {name: "float32" if name == "confidence" else "int32" for name in CALIBRATION}

Table = Mapping[str, Any]


def array_type(name: str) -> str:
    """Return the type of the numbers in a member, such as "stem.keys.npy"; empty if no array."""
    *_, last, ending = re.split("[./]", f"/{name}")
    return TYPES.get(last, "") if ending == "npy" else ""


# --- Schema --------------------------------------------------------------------------------------

_STRING = of(str)
_ROWS = number(int, 0, 10**12)
_SHARE = number(float, 0, 1)
_WEIGHT = number(float, 0, 100)
_FEATURES = number(int, 0, 10_000_000)
_WORDS = such(of(list), lambda words: {*map(type, words)} <= {str}, "a list of texts")
_DIGEST = such(_STRING, re.compile("[0-9a-f]{64}").fullmatch, "a sha256")
_BLOCKS = table({"blocks": entries(_WEIGHT)}, others=anything)
_REFERENCE = table(
    {"unknown": _SHARE, "familiarity": _SHARE, "rows": _ROWS, "actors": entries(_ROWS)}
)
_DATA = table(
    {"name": _STRING, "sha256": _DIGEST, "rows": _ROWS}
    | {"classes": table(optional=dict.fromkeys(Stance, _ROWS))},
    others=anything,
)
_CATEGORY = table(
    {"polarity": one_of("positive", "negative", "demand", "none"), "words": _WORDS},
    {"phrases": _WORDS, "meaning": anything},
)
_FUNCTIONS = table(optional=dict.fromkeys(FUNCTIONS, _WORDS))
_BLOCK = table({"name": _STRING, "weight": _WEIGHT, "features": _FEATURES})
_HEAD = table(
    {"labels": items(_STRING), "targeted": of(bool), "own": of(bool), "blocks": items(_BLOCK)}
    | {"temperature": number(float, 1e-6, 1e6)}
)
_MEMBER = table(
    {"sha256": _DIGEST, "bytes": number(int, 0, MOST_BYTES)},
    {"dtype": _STRING, "shape": items(_FEATURES)},
)
_RECIPE = table({"name": _STRING, "features": _BLOCKS}, others=anything)
_VERSIONS = dict.fromkeys(("stance", "python", "numpy", "scikit-learn"), _STRING)
_MODEL = table(
    {
        "versions": table(_VERSIONS, others=_STRING),
        "data": items(_DATA),
        "seed": of(int),
        "scores": of(dict),  # with repeats and the curve only shown
        "recipe": _RECIPE,
        "limits": _WORDS,
        "book": of(dict),
        "lexicon": table(optional={"function": _FUNCTIONS}, others=_CATEGORY),
        "language": _STRING,
        "members": entries(_MEMBER),
        "reference": _REFERENCE,
        "heads": table({"stance": _HEAD, "control": _HEAD}, {"sentiment": _HEAD, "holder": _HEAD}),
    },
    {"deep_reader": _DIGEST},
    anything,
)

# --- Reading -------------------------------------------------------------------------------------

_CONTROL = re.compile(r"\\[bfu]|[\x7f-\x9f]")  # characters but tabs and line ends, as JSON has them


def _finite(number: str) -> float:
    if not math.isfinite(value := float(number)):
        raise ValueError(f"{shown(number, 20)} is not a finite number")
    return value


def decode_manifest(data: bytes) -> dict[str, Any]:
    """Return a manifest that obeys the schema; a refusal lacks the file's name."""
    try:
        text = data.decode()
        manifest: dict[str, Any] = json.loads(text, parse_constant=_finite, parse_float=_finite)
        if "\\u" in text:  # not as `pack` writes it: half a character, perhaps
            text = json.dumps(manifest, ensure_ascii=False)
            text.encode()
        if odd := _CONTROL.search(text.replace("\\\\", "")):
            raise ValueError(f"a control character, {odd[0]!r}")
    except (ValueError, RecursionError) as error:
        raise refusal(f"its manifest is not valid JSON ({shown(str(error), 80)})") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        what = f"its '{MANIFEST}' does not describe a model"
        raise refusal(what, "name one made by `stance train`")
    if manifest.get("schema") != SCHEMA or manifest["schema"] is True:
        what = f"has schema {shown(repr(manifest.get('schema')))}, this stance reads {SCHEMA}"
        raise refusal(what, "upgrade stance, or train a new model")
    try:
        _MODEL(manifest, "")
    except SchemaError as error:
        raise refusal(f"its manifest: {error}") from error
    return manifest
