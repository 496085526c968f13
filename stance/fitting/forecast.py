"""What a learning curve foretells: an inverse power law fitted to a few of its points."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stance.arrays import Floats
from stance.display import count
from stance.evaluation.answers import plain
from stance.evaluation.intervals import percentile_interval
from stance.fitting.repeats import Repeats

POWERS = np.geomspace(0.05, 2.0, 60)
"""Exponents that are tried: from nearly logarithmic to nearly flat."""

FORESEEN = (1.25, 2.0)
"""How many times the labels there are a forecast looks at: a quarter more, and as many again."""

FEWEST = 100
"""Documents below which nothing is foretold.

From 50 documents of NewsMTSC the range of a doubling missed the true gain in 4 of 20 draws and was
9 points wide; from 100 and more it missed none or one (``training/forecasts.py``).
"""

POINTS = 4
"""Points below which three parameters fit anything."""

POOR = 0.02
"""Macro-F1 that the points may stray from the fitted curve, root of the weighted mean square.

On 20 draws of 100 documents of NewsMTSC it was below 0.019 in 95 %, of 200 below 0.0115.
"""


@dataclass(frozen=True, slots=True)
class PowerLaws:
    """Curves y = top - gap * x ** -power, one per draw.

    Attributes
    ----------
    top : ndarray of shape (n_draws,)
        What the curve tends to, at most 1.
    gap : ndarray of shape (n_draws,)
        How far below that it is at x = 1; never negative, since more labels do not harm.
    power : ndarray of shape (n_draws,)
        One of `POWERS`.
    error : ndarray of shape (n_draws,)
        Root of the weighted mean square of what the curve leaves over.
    """

    top: Floats
    gap: Floats
    power: Floats
    error: Floats

    def gain(self, factor: float) -> Floats:
        """Return how much y grows from x = 1 to x = factor."""
        grown: Floats = self.gap * (1 - factor**-self.power)
        return grown


def fit_power_laws(size: Floats, scores: Floats) -> PowerLaws:
    """Fit an inverse power law to each draw of a learning curve by weighted least squares.

    The law and the weights, which are proportional to the size, are those of Figueroa, Zeng-
    Treitler, Kandula and Ngo 2012, "Predicting sample size required for classification
    performance" (BMC Medical Informatics and Decision Making 12:8). For each exponent the best
    ``top`` and ``gap`` have a closed form; the exponent with the least error is taken.

    Parameters
    ----------
    size : ndarray of shape (n_points,)
        How much was learned from, in units of what a forecast starts from.
    scores : ndarray of shape (n_draws, n_points)
        Between 0 and 1.

    Examples
    --------
    >>> size = np.array([0.1, 0.2, 0.4, 0.7, 1.0])
    >>> law = fit_power_laws(size, (0.7 - 0.1 * size**-POWERS[30])[None])
    >>> law.top.round(4).tolist(), law.gap.round(4).tolist(), law.gain(2.0).round(4).tolist()
    ([0.7], [0.1], [0.0202])
    """
    weight = size / size.sum()
    basis = size ** -POWERS[:, None]  # (n_powers, n_points)
    centre, mean = basis @ weight, scores @ weight
    spread = (basis - centre[:, None]) * weight
    gap = -(scores @ spread.T) / (spread * basis).sum(axis=1)  # (n_draws, n_powers)
    gap = np.maximum(gap, 0.0)
    top = mean[:, None] + gap * centre
    capped = ((1 - scores) * weight) @ basis.T / (basis**2 @ weight)  # the best gap where top is 1
    top, gap = np.minimum(top, 1.0), np.where(top > 1, capped, gap)
    left = scores[:, None] - top[..., None] + gap[..., None] * basis
    error = np.sqrt((left**2) @ weight)
    best = error.argmin(axis=1)
    rows = np.arange(len(scores))
    return PowerLaws(top[rows, best], gap[rows, best], POWERS[best], error[rows, best])


def learning_curve(repeats: Repeats, bounds: Floats, drawn: Floats, rows: int) -> dict[str, Any]:
    """Return the points of a learning curve, and what more labels would gain.

    Parameters
    ----------
    repeats : Repeats
    bounds : ndarray of shape (2, n_shares)
    drawn : ndarray of shape (draws, n_shares)
        As `Repeats.bounds` and `Repeats.draw` return them.
    rows : int
        Labels that the model is fitted on: a forecast starts from these.

    Returns
    -------
    dict
        points, a list of {share, documents, rows, macro_f1, low, high}: what was learned from, in
        the mean of folds and repeats, the mean macro-F1 and its 95 % interval. forecast {more_rows,
        gain, text, doubled {more_rows, gain, text}}: gains of macro-F1 over the model on all rows,
        95 % intervals, from refitting the curve to each draw. They hold for new documents of the
        same kind and labelling, and as far as the power law goes on beyond the points. In its
        place None and ``why`` where nothing can be foretold.
    """
    mean = repeats.scores.mean(axis=0)
    columns = (repeats.shares, repeats.documents, repeats.rows, mean, *bounds)
    names = ("share", "documents", "rows", "macro_f1", "low", "high")
    points = [dict(zip(names, point, strict=True)) for point in zip(*columns, strict=True)]
    found = _forecast(repeats, drawn, rows)
    foretold = {"forecast": None, "why": found} if isinstance(found, str) else {"forecast": found}
    return plain({"points": points} | foretold)


def _forecast(repeats: Repeats, drawn: Floats, rows: int) -> dict[str, Any] | str:
    """Return a forecast, or why there is none."""
    if why := _unknowable(repeats):
        return why
    size = np.array(repeats.rows) / rows
    law = fit_power_laws(size, repeats.scores.mean(axis=0)[None])
    if law.error[0] > POOR:
        return f"the points stray {100 * law.error[0]:.1f} from any curve that levels off"
    laws = fit_power_laws(size, drawn)
    near, far = (_gain(laws, rows, factor) for factor in FORESEEN)
    return near | {"doubled": far}


def _unknowable(repeats: Repeats) -> str:
    """Return why nothing can be foretold from so little, or an empty string."""
    documents, points = len(repeats.confusion), len(repeats.shares)
    if documents < FEWEST:
        return f"{count(documents, 'document')} are too few to foretell from; label {FEWEST}"
    if len(repeats.seeds) < 2:
        return (
            "one repeat does not show the luck of the folds; the recipe needs repeats = 2 or more"
        )
    if points < POINTS:
        return f"only {points} parts of the documents hold every class; label more of the rare ones"
    return ""


def _gain(laws: PowerLaws, rows: int, factor: float) -> dict[str, Any]:
    """Return what about so many times the labels would gain."""
    more = _two_digits((factor - 1) * rows)
    low, high = percentile_interval(laws.gain(1 + more / rows))
    text = f"about {more:,} more labels would gain {_points(low, high)}"
    return {"more_rows": more, "gain": [low, high], "text": text}


def _two_digits(value: float) -> int:
    """Return a whole number with two digits that count.

    >>> _two_digits(776.5), _two_digits(25)
    (780, 25)
    """
    return int(float(f"{value:.2g}"))


def _points(low: float, high: float) -> str:
    """Return a range of macro-F1 in percentage points.

    >>> _points(0.0101, 0.0204), _points(0.0003, 0.008), _points(0, 0.0003)
    ('1.0 to 2.0 points', 'at most 0.8 points', 'less than 0.1 points')
    """
    first, last = f"{100 * low:.1f}", f"{100 * high:.1f}"
    if last == "0.0":
        return "less than 0.1 points"
    return f"at most {last} points" if first == "0.0" else f"{first} to {last} points"
