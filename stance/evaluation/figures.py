"""Figures as JSON has them: plain Python values, floats rounded."""

from typing import Any

import numpy as np

Figures = dict[str, Any]
"""Plain Python values for JSON: floats of 6 decimals, no NaN, None where there is no figure."""

DECIMALS = 6


def plain(figures: Figures) -> Figures:
    """Return the figures in plain Python types, floats rounded.

    Examples
    --------
    >>> plain({"n": np.int64(3), "interval": (np.float64(-1e-9), 0.25)})
    {'n': 3, 'interval': [0.0, 0.25]}
    """
    return {key: _plain_value(value) for key, value in figures.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, dict):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain_value(each) for each in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain_value(value.tolist())
    return round(value, DECIMALS) + 0.0 if isinstance(value, float) else value  # no -0.0
