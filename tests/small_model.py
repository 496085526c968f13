"""A small model made by hand, and ways to spoil its file."""

import hashlib
import io
import json
import os
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stance.errors import ModelError
from stance.features import lay_out
from stance.features.blocks import BLOCKS
from stance.features.occurrences import name_keys
from stance.model import StanceModel
from stance.model.abstention import calibrate
from stance.model.heads import BlockWeights, Head
from stance.reading.actor_tables import Actor
from stance.reading.actors import ActorBook
from stance.reading.keys import hash_texts
from stance.reading.lexicon import Lexicon
from stance.reading.words import Reader, make_query
from stance.recipe import Features, Recipe
from stance.records import Sentiment, Stance
from stance.storage import dump_model, load_model, read_manifest

TEXTS = [
    "Poland praised NATO and condemned Russia for its attack.",
    "Russia did not welcome the new sanctions, said a NATO official.",
    "NATO met in Brussels.",
    "Warsaw's strong friendship with NATO failed to please Moscow.",
]

LEXICON = {
    "praise": {"meaning": "praise", "polarity": "positive", "words": ["praise", "welcome"]},
    "crit": {"polarity": "negative", "words": ["condemn"], "phrases": ["failed to please"]},
    "function": {
        **{"negators": ["not"], "reporting": ["said"], "hypothetical": ["would"]},
        **{"concession": ["although"], "first_person": ["we"], "prepositions": ["of"]},
    },
}

CARD = {
    "versions": {"stance": "0.1.0", "python": "3.11.7", "numpy": "2.4.6", "scikit-learn": "1.8.0"},
    "data": [
        {
            "name": "starter",
            "sha256": "ab" * 32,
            "rows": 4,
            "classes": {"against": 1, "neutral": 1, "favor": 2},
        }
    ],
    "seed": 20,
    "scores": {
        "macro_f1": 0.691,
        "macro_f1_interval": [0.67, 0.71],
        "ece": None,
        "documents": 12,
        "baselines": {"majority": {"macro_f1": 0.3}},
    },
    "limits": ["English news only"],
    "reference": {"unknown": 1.0, "familiarity": 0.0, "rows": 4, "actors": {}},
    "note": "Łódź – naïve “quotes”",
}


def small_model(*, sentiment: bool = True, own: bool = False) -> StanceModel:
    """Return a model whose coefficients are random, but whose features occur in `TEXTS`."""
    book = ActorBook(
        [
            Actor("Russia", "state", {"name": ("Russia",), "capital": ("Moscow",)}),
            Actor(
                "NATO",
                "organisation",
                {"name": ("NATO",)},
                frozenset({"NATO"}),
                exclusions=("non NATO",),
            ),
            Actor("Łotwa", aliases={"name": ("Łotwa",)}),
        ]
    )
    recipe = Recipe(
        features=Features(
            {"stem": 1.0, "cross": 0.6, "class": 0.4}, per_actor="separate" if own else False
        ),
        sentiment_features=Features({"stem": 1.0}),
        corpora={"starter": 2.0},
    )
    lexicon = Lexicon.from_tables(LEXICON, recipe.language)
    reader = Reader(book, lexicon, recipe.language)
    heads = {
        "stance": _head(reader, recipe.features, tuple(Stance), targeted=True),
        "sentiment": _head(reader, recipe.sentiment_features, tuple(Sentiment), targeted=False),
        "control": _head(reader, recipe.head("control")[0], tuple(Stance), targeted=False),
    }
    return StanceModel(
        book=book,
        lexicon=lexicon,
        recipe=recipe,
        stance=heads["stance"],
        sentiment=heads["sentiment"] if sentiment else None,
        control=heads["control"],
        fingerprints=hash_texts(TEXTS),
        card=CARD,
        calibration=calibrate(np.zeros((0, 3)), *np.zeros((2, 0), np.int64), seed=0),
    )


def _head(reader: Reader, features: Features, labels: tuple[str, ...], *, targeted: bool) -> Head:
    random = np.random.default_rng(7)
    query = make_query(reader.book, TEXTS, ["NATO"] * len(TEXTS))
    words, para = query.read(reader, apart=True)
    actor = query.actor if targeted else np.full(len(TEXTS), -1)
    own = bool(features.per_actor)
    pairs = lay_out(words, para, actor, name_keys(query.names) if own else None)
    blocks = []
    for name, weight in features.blocks.items():
        keys = [one.flat().keys(pairs.named) for one in BLOCKS[name](reader, pairs)]
        keys = np.unique(np.concatenate(keys))
        idf = (1 + random.random(len(keys))).astype(np.float32)
        coef = random.normal(size=(len(keys), len(labels))).astype(np.float32)
        terms = tuple(f"{name} term {number} é" for number in range(len(keys)))
        blocks.append(BlockWeights(name, weight, keys, idf, coef, terms))
    return Head(labels, targeted, tuple(blocks), np.array([0.1, -0.2, 1 / 3]), 1.7, own)


Change = Callable[[dict[str, Any]], object]


def members_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: Mapping[str | zipfile.ZipInfo, bytes], method: int = 8) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return sink.getvalue()


def spoiled(
    data: bytes, members: Mapping[str, bytes] | None = None, manifest: Change = lambda _: None
) -> bytes:
    """Return a model file with other members, to which sizes and hashes are adapted first."""
    contents = members_of(data) | dict(members or {})
    table = json.loads(contents["manifest.json"])
    for name in members or {}:
        if name in table["members"]:
            digest = hashlib.sha256(contents[name]).hexdigest()
            table["members"][name] |= {"sha256": digest, "bytes": len(contents[name])}
    manifest(table)
    contents["manifest.json"] = json.dumps(table).encode()
    return zipped(contents)


def refused(tmp_path: Path, data: bytes, match: str, name: str = "a.stance") -> None:
    """Expect a refusal in one line for this reason."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ModelError, match=match):
        read_manifest(path)
    with pytest.raises(ModelError, match=match) as caught:
        load_model(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    assert "; " in message
    assert caught.value.exit_status == 3


def loads_or_refuses(path: Path, data: bytes) -> bytes | None:
    """Return the bytes of the model that the file holds, None where it is refused."""
    path.write_bytes(data)
    try:
        return dump_model(load_model(path))
    except ModelError as error:
        message = str(error)
    assert message.isprintable()
    assert len(message) < 900
    return None


class Bomb:
    """Creates a folder when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("exploded",))


def npy(array: Any, *, pickled: bool = False) -> bytes:
    """Return an array as numpy saves it."""
    sink = io.BytesIO()
    np.save(sink, array, allow_pickle=pickled)
    return sink.getvalue()


def npy_header(shape: str, descr: str = "'<u8'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text
