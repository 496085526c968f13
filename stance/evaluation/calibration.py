"""How far a model's confidence can be believed, and what is gained by heeding it."""

import numpy as np

from stance.evaluation.answers import Answers
from stance.evaluation.confusion import Ints
from stance.evaluation.figures import Figures, plain
from stance.evaluation.intervals import proportion_interval

BINS = 15
"""Bins of the calibration error and of the reliability curve."""

FLOOR = float(np.finfo(np.float64).eps)
"""Least probability in a log loss, as scikit-learn has it."""

POINTS = 40
"""Most points of a risk-coverage curve."""

CURVES = ("reliability", "risk_coverage")
"""Figures that are lists of points."""


def _bins(answers: Answers) -> Ints:
    """Return the bin of each row: i, of 0 to 14, holds confidences in (i / 15, (i + 1) / 15]."""
    return np.searchsorted(np.arange(1, BINS) / BINS, answers.confidence, side="left")


def calibration_error(answers: Answers) -> float:
    """Return the expected calibration error, between 0 and 1.

    The sum over bins of (rows in bin / rows) * abs(accuracy - mean confidence); the confidence is
    the largest probability and bin i of 15 holds confidences in ((i - 1) / 15, i / 15] (Naeini,
    Cooper and Hauskrecht 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning";
    Guo et al. 2017, "On Calibration of Modern Neural Networks"). Chance alone makes it positive:
    of a few dozen rows it is large for every model.
    """
    surplus = answers.right - answers.confidence
    return float(np.abs(np.bincount(_bins(answers), surplus, BINS)).sum() / len(answers))


def reliability(answers: Answers) -> list[Figures]:
    """Return the bins of `calibration_error` that hold rows, the least confident first.

    Returns
    -------
    list of dict
        low, high (the confidences that the bin holds: above low, up to high), n (rows),
        confidence (their mean), accuracy, and its interval (`intervals.proportion_interval`; None
        where the rows are of one document).
    """
    bins, right, confidence = _bins(answers), answers.right, answers.confidence
    curve = []
    for number in np.unique(bins):
        mine = bins == number
        curve.append(
            {
                "low": number / BINS,
                "high": (number + 1) / BINS,
                "n": mine.sum(),
                "confidence": confidence[mine].mean(),
                "accuracy": right[mine].mean(),
                "interval": proportion_interval(right[mine], answers.document[mine]),
            }
        )
    return [plain(point) for point in curve]


def brier(answers: Answers) -> float:
    """Return the mean squared distance of the probabilities from the truth, between 0 and 2.

    Summed over labels (Brier 1950, "Verification of Forecasts Expressed in Terms of Probability").
    """
    truth = np.eye(len(answers.labels))[answers.gold]
    return float(((answers.probabilities - truth) ** 2).sum(axis=1).mean())


def log_loss(answers: Answers) -> float:
    """Return the mean of -ln(probability of the right label)."""
    right = answers.probabilities[np.arange(len(answers)), answers.gold]
    return float(-np.log(np.clip(right, FLOOR, 1.0)).mean())


def risk_coverage(answers: Answers, points: int = POINTS) -> Figures:
    """Return the error among the answers given when only confident ones are.

    An answer is given where its confidence is at least a threshold, so rows of equal confidence
    come and go together (El-Yaniv and Wiener 2010, "On the Foundations of Noise-free Selective
    Classification"; Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural
    Networks").

    Returns
    -------
    dict
        risk_coverage : list of dict, from all rows to the most confident alone, at most ``points``:
        coverage (share of rows answered), threshold, error (share of them that is wrong), n.
        aurc : the area under the curve, which is the mean error over the thresholds at each row's
        own confidence, between 0 and 1 (Geifman, Uziel and El-Yaniv 2019, "Bias-Reduced
        Uncertainty Estimation for Deep Neural Classifiers").
    """
    order = np.argsort(-answers.confidence, kind="stable")
    confidence = answers.confidence[order]
    # The last row of each run of equal confidences is where a threshold can cut.
    cut = np.flatnonzero(np.append(confidence[1:] < confidence[:-1], True))
    error = np.cumsum(~answers.right[order])[cut] / (cut + 1)
    own = np.diff(cut, prepend=-1)
    wanted = np.ceil(np.linspace(1, 1 / points, points) * len(order)) - 1
    kept = np.unique(np.append(np.searchsorted(cut, wanted), 0))[::-1][:points]
    curve = [
        {
            "coverage": (cut[i] + 1) / len(order),
            "threshold": confidence[cut[i]],
            "error": error[i],
            "n": cut[i] + 1,
        }
        for i in kept
    ]
    return plain({"risk_coverage": curve, "aurc": (error * own).sum() / len(order)})
