"""The model that is used if none is named."""

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from stance.errors import ModelError, OutputError
from stance.model.judging import StanceModel
from stance.storage import load_model as read_model
from stance.storage import read_manifest, save_model


def bundled_model() -> Path | None:
    """Return the model that comes with the package, if one does."""
    path = Path(str(files("stance").joinpath("data/default.stance")))
    return path if path.is_file() else None


def cache_folder() -> Path:
    """Return the user's cache folder for models; ``STANCE_CACHE`` overrides the platform's."""
    if own := os.environ.get("STANCE_CACHE"):
        return Path(own)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "stance" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "stance"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stance"


def default_model(tell: Callable[[str], None]) -> Path:
    """Return the file of the bundled model, or of one trained; ``tell`` gets what to say of it."""
    if bundled := bundled_model():
        return bundled
    path = cache_folder() / f"starter-{_fingerprint()[:16]}.stance"
    if path.is_file():
        try:
            read_manifest(path)
            return path
        except ModelError:
            tell(f"{path}: the cached model is damaged; training a new one")
    tell("training a model on the starter corpus, once; later runs reuse it")
    model = _train()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_model(model, path, force=True)
    except (OSError, OutputError) as error:
        tell(f"the model cannot be kept for later runs: {error}")
        folder = tempfile.mkdtemp(prefix="stance-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        path = Path(folder) / path.name
        save_model(model, path)
    return path


def load_model(path: Path | str | None = None) -> StanceModel:
    """Load a model file, or the model that comes with the package if none is named.

    Parameters
    ----------
    path : Path or str, optional
        A file that `stance.save_model` or ``stance train`` wrote. Nothing in it is ever run.

    Returns
    -------
    StanceModel

    Raises
    ------
    ModelError
        If the file is missing, damaged or anything but a model.

    Examples
    --------
    >>> import stance
    >>> model = stance.load_model()
    >>> judged = model.judge(["Poland praised NATO.", "It rained."])
    >>> judged.actor, judged.para.tolist(), judged.stance.shape
    (('Poland', 'NATO'), [0, 0], (2, 3))
    """
    return read_model(Path(path) if path is not None else default_model(lambda _: None))


def _train() -> StanceModel:
    from stance.corpus import bundled_corpus, read_corpus
    from stance.fitting import train
    from stance.reading.actors import ActorBook
    from stance.recipe import read_recipe

    recipe = read_recipe().validated_once()
    return train(recipe, read_corpus([bundled_corpus()]), ActorBook.default()).model


def _fingerprint() -> str:
    """Hash everything but the machine that the model depends on: code, data and versions."""
    from importlib.metadata import version

    from stance.corpus import bundled_corpus

    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    for name in ("data/english/actors.toml", "data/english/lexicon.toml"):
        digest.update(files("stance").joinpath(name).read_bytes())
    digest.update(bundled_corpus().read_bytes())
    for name in ("stance", "numpy", "scikit-learn", "PyStemmer"):
        digest.update(f"{name} {version(name)}".encode())
    return digest.hexdigest()
