"""Files of models and of the deep reader: zips of numbers and text, read without running code."""

import hashlib
import io
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np

from stance import __version__
from stance.arrays import Floats32
from stance.display import shown, shown_path
from stance.errors import ModelError, OutputError, UsageError
from stance.files import DATA, AtomicGroup, check_output
from stance.model import StanceModel, model_of
from stance.model.abstention import Calibration
from stance.model.deep import HEADS, DeepReader, Layer, Mixture
from stance.model.heads import BlockWeights, Head
from stance.reading.actors import ActorBook
from stance.reading.keys import BANDS, TextHashes
from stance.reading.lexicon import Lexicon
from stance.recipe import Recipe, recipe_from_table
from stance.storage import _archive as zips
from stance.storage._archive import DEFAULT, MANIFEST, Archive, named, opened, refusal

_OF_MODEL = (  # top-level keys of the manifest that a model's card does not own
    *("format", "schema", "recipe", "labels", "language", "book", "lexicon", "heads"),
    *("temperature", "members"),
)
_GREATEST = 1e9  # of a learned number; keeps sums and squares far from overflow

# --- Writing -------------------------------------------------------------------------------------


def dump_model(model: StanceModel) -> bytes:
    """Return the bytes of a model's file; the same model gives the same bytes."""
    heads = {name: head for name in zips.LABELS if (head := getattr(model, name)) is not None}
    contents, members = {}, {}
    for name, value in sorted(_values(model, heads).items()):
        if dtype := zips.array_type(name):
            data, layout = zips.encode_array(value, dtype), {"dtype": dtype, "shape": value.shape}
        else:  # terms, one on each line, what does not print escaped
            data, layout = "".join(f"{shown(term, len(term))}\n" for term in value).encode(), {}
        contents[name] = data
        members[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), **layout}
    manifest = {
        **model.card,
        "format": zips.FORMAT,
        "schema": zips.SCHEMA,
        "recipe": asdict(model.recipe),
        "labels": {name: zips.LABELS[name] for name in ("stance", "sentiment")},
        "language": model.recipe.language,
        "book": model.book.to_tables(),
        "lexicon": model.lexicon.source,
        "heads": {
            name: {
                "labels": head.labels,
                "targeted": head.targeted,
                "own": head.per_actor,
                "temperature": float(head.temperature),
                "blocks": [
                    {"name": b.name, "weight": float(b.weight), "features": len(b.keys)}
                    for b in head.blocks
                ],
            }
            for name, head in heads.items()
        },
        "temperature": float(model.stance.temperature),
        "members": members,
    }
    return zips.pack(manifest, contents)


def _values(model: StanceModel, heads: Mapping[str, Head]) -> dict[str, Any]:
    """Return the arrays and lists of terms of a model by the names of their members."""
    marks = model.fingerprints
    values: dict[str, Any] = {"data/exact.npy": marks.exact, "data/bands.npy": marks.bands}
    for name in zips.CALIBRATION:
        values[f"calibration/{name}.npy"] = getattr(model.calibration, name)
    for name, head in heads.items():
        values[f"heads/{name}/intercept.npy"] = head.intercept
        for block in head.blocks:
            stem = f"heads/{name}/{block.name}"
            values |= {f"{stem}.{part}.npy": getattr(block, part) for part in zips.PARTS}
            values |= {f"{stem}{zips.TERMS}": block.terms} if block.terms else {}
    return values


def save_model(model: Any, path: Path | str, *, force: bool = False) -> None:
    """Write a model to a file, usually ``.stance``, which appears under its name only when whole.

    The model is a `StanceModel`, a fitted `StanceClassifier`, or a fitted search for one. Raises
    `OutputError` if the file cannot be written, or exists and ``force`` is not given, and
    `ModelError` if the model is one that `load_model` would refuse.
    """
    path, model = Path(path), model_of(model)
    check_model_output(path, force=force)
    if model.deep is not None:
        advice = "save dataclasses.replace(model, deep=None), and load the reader again beside it"
        raise ModelError(f"{shown_path(path)}: a file holds no deep reader; {advice}")
    data = dump_model(model)
    with named(path):
        _read_model(Archive(io.BytesIO(data)))
    with AtomicGroup() as group:
        group.write(path, data, force=force)


def check_model_output(path: Path, *, force: bool) -> None:
    """Raise what `save_model` would raise because of the name alone, before any work is done."""
    if path.suffix.lower() in zips.PICKLES:
        reason = f"a {path.suffix} would be refused later; use .stance"
        raise OutputError(f"{shown_path(path)}: {reason}")
    check_output(path, force=force)


# --- Reading -------------------------------------------------------------------------------------

BUNDLED = (DEFAULT, zips.SPEECHES)  # names of the models that come with stance


def bundled_model(name: str = DEFAULT) -> Path:
    """Return the file of a model that comes with the package."""
    return DATA / f"{name}.stance"


def model_file(path: Path | str | None) -> Path:
    """Return where a model is: a file, a bundled one unless a file is called so, or the default."""
    name = DEFAULT if path is None else str(path)
    is_bundled = path is None or (name in BUNDLED and not Path(name).is_file())
    return bundled_model(name) if is_bundled else Path(name)


def load_model(path: Path | str | None = None) -> StanceModel:
    """Load a model file, or the default model if none is named; "speeches" is bundled, too.

    Nothing in the file is ever run. Raises `ModelError` if it is missing, damaged or no model.

    >>> import stance
    >>> model = stance.load_model()
    >>> judged = model.judge(["Poland praised NATO.", "It rained."])
    >>> judged.actor, judged.para.tolist(), judged.stance.shape
    (('Poland', 'NATO'), [0, 0], (2, 3))
    """
    with opened(model_file(path)) as archive:
        return _read_model(archive)


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what a model file says about itself, if it can be loaded."""
    with opened(path) as archive:
        _read_model(archive, with_reader=False)
        return zips.decode_manifest(archive.read(MANIFEST))


def _read_model(archive: Archive, *, with_reader: bool = True) -> StanceModel:
    data = archive.read(MANIFEST)
    manifest = zips.decode_manifest(data)
    contents = _Contents(archive, manifest["members"], len(data))
    recipe = recipe_from_table(manifest["recipe"], "its recipe")
    names = manifest["heads"]
    heads: dict[str, Any] = {n: _make_head(n, names[n], recipe, contents) for n in names}
    repeated = [manifest.get(name) for name in ("labels", "language", "temperature")]
    labels = {name: [*zips.LABELS[name]] for name in ("stance", "sentiment")}
    if repeated != [labels, recipe.language, heads["stance"].temperature]:
        raise refusal("'labels', 'language' or 'temperature' differs from its recipe or heads")
    texts = contents.size("data/exact.npy")
    marks = contents.array("data/exact.npy", texts), contents.array("data/bands.npy", texts, BANDS)
    rows = contents.size("calibration/confidence.npy")
    arrays = {name: contents.array(f"calibration/{name}.npy", rows) for name in zips.CALIBRATION}
    for name, most in zips.CALIBRATION.items():
        if not ((arrays[name] >= 0) & (arrays[name] <= most)).all():
            raise refusal(f"'calibration/{name}.npy' has a value not between 0 and {most:,}")
    arrays["correct"] = arrays["correct"].astype(np.bool_)
    if contents.unused:
        raise refusal(f"its member '{shown(min(contents.unused))}' belongs to no part of it")
    encoder = load_reader("all") if recipe.deep and with_reader else None
    if encoder and manifest.get("deep_reader") != encoder.sha256:
        here = f"it learned with a different deep reader from the one in stance {__version__}"
        raise refusal(here, "train it again, or install the version that `stance inspect` names")
    return StanceModel(
        book=ActorBook.from_tables(manifest["book"], "its actor book"),
        lexicon=Lexicon.from_tables(manifest["lexicon"], recipe.language),
        recipe=recipe,
        **heads,
        fingerprints=TextHashes(*marks),
        encoder=encoder,
        card={key: value for key, value in manifest.items() if key not in _OF_MODEL},
        calibration=Calibration(**arrays),
        digest=hashlib.sha256(data).hexdigest(),
    )


class _Contents:
    """The members of a model, each of which belongs to one part of it, as its manifest says."""

    def __init__(self, archive: Archive, members: Mapping[str, zips.Table], size: int) -> None:
        sizes = {name: member["bytes"] for name, member in members.items()} | {MANIFEST: size}
        for name, _ in sorted(sizes.items() ^ archive.sizes.items()):
            raise refusal(f"damaged: '{shown(name)}' is missing, or not as the manifest says")
        self._members = members
        self.unused = {n: archive.read(n, member["sha256"]) for n, member in members.items()}

    def size(self, name: str) -> int:
        """Return the rows of an array, as the manifest says; 0 if it has none."""
        return int((*self._members.get(name, {}).get("shape", ()), 0)[0])

    def array(self, name: str, *shape: int) -> Any:
        """Return an array, which must have a shape and usable numbers."""
        dtype, member = zips.array_type(name), self._members.get(name, {})
        if (member.get("dtype"), member.get("shape")) != (dtype, [*shape]):
            raise refusal(f"'{name}' is not the {dtype} of shape {shape} by the manifest")
        array = zips.decode_array(self.unused.pop(name), dtype, shape, name)
        if array.dtype.kind == "f" and not (np.abs(array) <= _GREATEST).all():
            raise refusal(f"'{name}' has a value that is not a usable number")
        return array

    def terms(self, name: str, size: int) -> Sequence[str]:
        """Return a list of so many terms, each of them on a line; empty if there is none."""
        if (data := self.unused.pop(name, None)) is None:
            return ()
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise refusal(f"'{name}' is not UTF-8 at byte {error.start}") from error
        if data.count(b"\n") != size or text[-1:] not in "\n":
            raise refusal(f"'{name}' has not {size:,} whole lines")
        return zips.Terms(text)


def _make_head(name: str, table: zips.Table, recipe: Recipe, contents: _Contents) -> Head:
    blocks, labels, targeted = list[BlockWeights](), zips.LABELS[name], name in zips.TARGETED
    known = recipe.head(name)[0].blocks
    if table["labels"] != [*labels] or table["targeted"] != targeted:
        raise refusal(f"'heads.{name}' judges other labels than {', '.join(labels)}")
    if sorted(block["name"] for block in table["blocks"]) != sorted(known):
        raise refusal(f"'heads.{name}' has other blocks than its recipe, {', '.join(known)}")
    for block in table["blocks"]:
        stem, size = f"heads/{name}/{block['name']}", block["features"]
        parts = {part: contents.array(f"{stem}.{part}.npy", size) for part in zips.PARTS[:2]}
        coef = contents.array(f"{stem}.coef.npy", size, len(labels))
        if not (parts["keys"][1:] > parts["keys"][:-1]).all():
            raise refusal(f"'{stem}.keys.npy' is not sorted without repetition")
        terms = contents.terms(f"{stem}{zips.TERMS}", size)
        weight = float(block["weight"])
        blocks.append(BlockWeights(block["name"], weight, **parts, coef=coef, terms=terms))
    intercept = contents.array(f"heads/{name}/intercept.npy", len(labels))
    temperature = float(table["temperature"])
    return Head(labels, targeted, tuple(blocks), intercept, temperature, table["own"])


# --- The deep reader -----------------------------------------------------------------------------

READER, MIXTURES = zips.READER, "reader.toml"


def digest_of(name: str) -> str:
    """Return the `digest` of a bundled model, without loading it."""
    with opened(bundled_model(name)) as archive:
        return hashlib.sha256(archive.read(MANIFEST)).hexdigest()


def load_reader(
    reads: Literal["all", "unsure"], folder: Path | None = None, model: str = DEFAULT
) -> DeepReader:
    """Load the deep reader, which answers beside a bundled model.

    Nothing in its files is ever run. Raises `ModelError` if one is missing or damaged, and
    `UsageError` if an argument is not one of those below.

    Parameters
    ----------
    reads : {"all", "unsure"}
        Which pairs of a paragraph and an actor it reads: all, or those of which the linear model
        is unsure.
    folder : Path, optional
        Where its files are; those of the package if omitted.
    model : {"default", "speeches"}
        The model beside which it answers; beside another one, it is refused.

    Returns
    -------
    DeepReader
        To be set as the `deep` of a model.

    Examples
    --------
    >>> import dataclasses, stance
    >>> deep = dataclasses.replace(stance.load_model(), deep=stance.load_reader("all"))
    >>> deep.judge(["Poland praised NATO."]).stance.shape
    (2, 3)
    """
    for name, value, known in (("reads", reads, ("all", "unsure")), ("model", model, BUNDLED)):
        if value not in known:
            raise UsageError(f"{name} is '{known[0]}' or '{known[1]}', not {value!r}")
    digest = "" if folder else digest_of(model)  # mixtures of its own answer beside any model
    folder = folder or DATA

    def array(name: str) -> Floats32:
        return zips.decode_array(contents[name], "float32", tuple(members[name]["shape"]), name)

    with opened(folder / READER) as archive:
        try:
            settings = tomllib.loads((folder / MIXTURES).read_text("utf-8"))
            members = json.loads(archive.read(MANIFEST))["members"]
            contents = {n: archive.read(n, member["sha256"]) for n, member in members.items()}
            names = ("trunk", *HEADS)
            layers = {n: Layer(array(f"{n}/weight.npy"), array(f"{n}/bias.npy")) for n in names}
            network = contents["network.onnx"]
            pieces = json.loads(contents["pieces.json"])["model"]["vocab"]
            mixtures = {name: Mixture(**settings[model][name]) for name in HEADS}
            below = settings["unsure"] if reads == "unsure" else np.inf
            numbers = np.array([[m.linear, m.deep, *m.offset] for m in mixtures.values()])
            size, width = len(layers["trunk"].bias), layers["sentiment"].weight.shape[1]
            heads = [(3, size), (3,)] * 2 + [(3, width), (3,)]
            parts = [part for layer in layers.values() for part in layer]
            fit = [part.shape for part in parts] == [(size, 3 * width), (size,), *heads]
            fit &= numbers.shape == (3, 5) and 0 <= settings["unsure"] <= 1
            if not (fit and all(np.isfinite(part).all() for part in (numbers, *parts))):
                raise ValueError
        except (KeyError, TypeError, ValueError, AttributeError, OSError, RecursionError) as error:
            raise refusal(f"it or {MIXTURES} beside it is damaged or missing") from error
    text = json.dumps({name: member["sha256"] for name, member in members.items()}, sort_keys=True)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    reader = DeepReader(network, pieces, layers, mixtures, below, sha256, digest)
    _ = reader.session  # opened now, so that nothing is lacking later
    return reader
