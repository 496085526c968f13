"""What a training tells beside its scores: repeats, learning curve, forecast, advice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stance.display import wrap

if TYPE_CHECKING:
    from stance.fitting.advice import Advice

SPREAD = (
    "± is the standard deviation between them: the luck of the folds, no sampling error; "
    "[low, high] is the 95 % interval of their mean, whole documents resampled"
)

KIND = "of macro-F1; 95 % intervals, for new documents of the same kind and coding"


@dataclass(frozen=True, slots=True)
class Prospects:
    """What the luck of the folds is, what more labels would gain, and where they are missing.

    Attributes
    ----------
    repeats : mapping
        As `stance.fitting.repeats.Repeats.figures` returns it.
    learning_curve : mapping or None
        As `stance.fitting.forecast.learning_curve` returns it; None where the recipe goes without.
    advice : sequence of Advice
        The most useful first.
    """

    repeats: Mapping[str, Any]
    learning_curve: Mapping[str, Any] | None
    advice: "Sequence[Advice]"

    def card(self) -> dict[str, Any]:
        """Return what a model's card keeps."""
        curve = {} if self.learning_curve is None else {"learning_curve": self.learning_curve}
        return {"repeats": self.repeats, **curve}

    def to_json(self) -> dict[str, Any]:
        """Return everything as one object for JSON."""
        return self.card() | {"advice": [each.to_json() for each in self.advice]}

    def lines(self) -> list[str]:
        """Return a plain-text screen, each line under 80 columns."""
        found = wrap(repeats_text(self.repeats))
        if self.repeats["sd"] is not None:
            found += wrap(f"({SPREAD})", "  ")
        if self.learning_curve is not None:
            found += ["", *_curve_table(self.learning_curve["points"])]
            found += wrap(forecast_text(self.learning_curve), "  ")
        if self.advice:
            found += ["", "where labels are missing, the most useful first"]
            found += [line for each in self.advice for line in wrap(each.text, "  ")]
        return found


def repeats_text(repeats: Mapping[str, Any]) -> str:
    """Return mean, spread and interval of repeated cross-validations.

    >>> repeats_text({"macro_f1": [0.59, 0.61], "mean": 0.6, "sd": 0.014, "interval": [0.57, 0.63]})
    '2 cross-validations with other folds: macro-F1 60.0 ± 1.4 [57.0, 63.0]'
    """
    low, high = repeats["interval"]
    figure = f"{100 * repeats['mean']:.1f}"
    bounds = f"[{100 * low:.1f}, {100 * high:.1f}]"
    if repeats["sd"] is None:
        return f"1 cross-validation: macro-F1 {figure} {bounds}"
    number = len(repeats["macro_f1"])
    spread = f"{100 * repeats['sd']:.1f}"
    return f"{number} cross-validations with other folds: macro-F1 {figure} ± {spread} {bounds}"


def forecast_text(curve: Mapping[str, Any]) -> str:
    """Return what more labels would gain, or why that cannot be told."""
    found = curve["forecast"]
    if found is None:
        return f"no forecast of what more labels would gain: {curve['why']}"
    return f"{found['text']}, {found['doubled']['text'].replace(' labels would gain', '')} ({KIND})"


def _curve_table(points: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["learned from                      macro-F1  95 % interval"]
    for point in points:
        sizes = f"{point['rows']:>9,.0f} rows of {point['documents']:>7,.0f} documents"
        bounds = f"[{100 * point['low']:.1f}, {100 * point['high']:.1f}]"
        lines.append(f"{sizes}  {100 * point['macro_f1']:>8.1f}  {bounds}")
    return lines
