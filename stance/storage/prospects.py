"""What a manifest may tell of repeats and a learning curve; a model need not have either."""

from typing import Any

from stance.storage.fields import Table, between, get, interval, only, share, shares, wrong

MOST_REPEATS = 50
MOST_POINTS = 20
MOST_ROWS = 10**12
LONGEST_TEXT = 400


def check_prospects(manifest: Table) -> None:
    """Check the keys ``repeats`` and ``learning_curve``, where there are any."""
    if "repeats" in manifest:
        _check_repeats(get(manifest, "repeats", dict))
    if "learning_curve" in manifest:
        _check_curve(get(manifest, "learning_curve", dict))


def _check_repeats(repeats: Table) -> None:
    where = "repeats."
    only(repeats, ("seeds", "macro_f1", "mean", "sd", "interval"), where)
    scores = shares(repeats, "macro_f1", where, MOST_REPEATS)
    seeds: list[Any] = get(repeats, "seeds", list, where)
    if len(seeds) != len(scores) or not all(type(s) is int and 0 <= s < 2**31 for s in seeds):
        raise wrong(where + "seeds", seeds, "a seed for each score")
    share(repeats, "mean", where)
    interval(repeats, "interval", where)
    if get(repeats, "sd", object, where) is not None:
        share(repeats, "sd", where)


def _check_curve(curve: Table) -> None:
    where = "learning_curve."
    points: list[Any] = get(curve, "points", list, where)
    if not 1 <= len(points) <= MOST_POINTS:
        raise wrong(where + "points", points, f"one to {MOST_POINTS} points")
    for number, point in enumerate(points):
        if not isinstance(point, dict):
            raise wrong(f"{where}points.{number}", point, "a table")
        _check_point(point, f"{where}points.{number}.")
    if get(curve, "forecast", object, where) is None:
        only(curve, ("points", "forecast", "why"), where)
        _check_text(curve, "why", where)
        return
    only(curve, ("points", "forecast"), where)
    forecast = get(curve, "forecast", dict, where)
    _check_gain(forecast, where + "forecast.", ("doubled",))
    _check_gain(get(forecast, "doubled", dict, where + "forecast."), where + "forecast.doubled.")


def _check_point(point: Table, where: str) -> None:
    only(point, ("share", "documents", "rows", "macro_f1", "low", "high"), where)
    for key in ("share", "macro_f1", "low", "high"):
        share(point, key, where)
    for key in ("documents", "rows"):
        if not 0 <= get(point, key, float, where) <= MOST_ROWS:
            raise wrong(where + key, point[key], f"between 0 and {MOST_ROWS:,}")


def _check_gain(gain: Table, where: str, more: tuple[str, ...] = ()) -> None:
    only(gain, ("more_rows", "gain", "text", *more), where)
    between(gain, "more_rows", 0, MOST_ROWS, where)
    interval(gain, "gain", where)
    _check_text(gain, "text", where)


def _check_text(table: Table, key: str, where: str) -> None:
    text: str = get(table, key, str, where)
    if len(text) > LONGEST_TEXT:
        raise wrong(where + key, text, f"at most {LONGEST_TEXT} characters")
