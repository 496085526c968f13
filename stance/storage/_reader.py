"""The files of the deep reader: the encoder, and how its answers are mixed with the linear ones."""

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np

from stance.arrays import Floats32
from stance.errors import ModelError
from stance.model.deep import HEADS, DeepReader, Layer, Mixture
from stance.settings import read_settings
from stance.storage._archive import MANIFEST, decode_array, opened, refusal

READER, MIXTURES = "reader.stance", "reader.toml"

_LAYERS = ("trunk", *HEADS)
_AGAIN = "install stance again"


def load_reader(reads: Literal["all", "unsure"], folder: Path | None = None) -> DeepReader:
    """Load the deep reader, which answers beside the bundled model.

    Nothing in its files is ever run. Raises `ModelError` if one is missing or damaged.

    Parameters
    ----------
    reads : {"all", "unsure"}
        Which pairs of a paragraph and an actor it reads: all, or those of which the linear model
        is unsure.
    folder : Path, optional
        Where its files are; those of the package if omitted.

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
    folder = folder or Path(str(files("stance").joinpath("data")))
    mixtures = read_settings(folder / MIXTURES, "mixtures", ModelError)

    def array(name: str) -> Floats32:
        return decode_array(contents[name], "float32", tuple(members[name]["shape"]), name)

    with opened(folder / READER, _AGAIN) as archive:
        try:
            members = json.loads(archive.read(MANIFEST))["members"]
            contents = archive.verified(members)
            layers = {n: Layer(array(f"{n}/weight.npy"), array(f"{n}/bias.npy")) for n in _LAYERS}
            network = contents["network.onnx"]
            pieces = json.loads(contents["pieces.json"])["model"]["vocab"]
            mixture = {name: Mixture(**mixtures[name]) for name in HEADS}
            unsure = float(mixtures["unsure"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise refusal(f"it or {MIXTURES} beside it is damaged") from error
    hashes = {name: member["sha256"] for name, member in members.items()}
    text = json.dumps(hashes, sort_keys=True)
    return DeepReader(
        network=network,
        pieces=pieces,
        layers=layers,
        mixtures=mixture,
        below=unsure if reads == "unsure" else np.inf,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )
