"""Vectors of words, learned from texts without labels: words of like use have like vectors.

`fit_head` lets a word learn from words of like use; only the weights of the words themselves go
into a model, so nobody needs the vectors to predict.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stance.arrays import Floats, Floats32, Keys
from stance.display import shown
from stance.errors import DataError
from stance.features.blocks import stem_features
from stance.reading.keys import KeyIndex


@dataclass(frozen=True, slots=True)
class Vectors:
    """A vector per stem."""

    stems: Keys
    values: Floats32  # (n_stems, n_dimensions)

    @classmethod
    def read(cls, path: Path) -> "Vectors":
        """Read what ``training/vectors.py`` has written.

        Raises
        ------
        DataError
            If it is something else.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                # A damaged member comes back as bytes.
                vectors = cls(*(np.asarray(archive[name]) for name in ("stems", "values")))
        except Exception as error:  # whatever numpy raises on another file
            raise DataError(
                f"{path}: no vectors ({shown(str(error), 80)}); make them with training/vectors.py"
            ) from error
        if vectors.stems.dtype != np.uint64 or vectors.values.shape[:1] != vectors.stems.shape:
            raise DataError(f"{path}: no vector per stem; make them with training/vectors.py")
        return vectors

    def of_features(self, block: str, keys: Keys) -> Floats:
        """Return the vector of each feature of a block, zero for what is no known stem."""
        place = KeyIndex(stem_features(block, self.stems)).find(keys)
        return np.where(place[:, None] >= 0, self.values.astype(np.float64)[place], 0.0)
