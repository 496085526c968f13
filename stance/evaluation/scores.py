"""Scores of answers: whole, by label, by actor, and of their probabilities."""

from collections.abc import Iterator, Sequence

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.display import count
from stance.evaluation.answers import (
    Answers,
    Figures,
    accuracy,
    check_rows,
    f1_scores,
    macro_f1,
    plain,
    share,
)
from stance.evaluation.intervals import (
    DRAWS,
    FEWEST,
    SEED,
    TRUSTED,
    proportion_interval,
    rare_strata,
    right_shares,
    stratified,
)

BINS = 15  # bins of the calibration error and of the reliability curve

LEAST_CHANCE = float(np.finfo(np.float64).eps)
"""Least probability in a log loss, as in scikit-learn."""

POINTS = 40  # most points of a risk-coverage curve
CURVES = ("reliability", "risk_coverage")  # figures that are lists of points


def score(answers: Answers, *, draws: int = DRAWS, seed: int = SEED) -> Figures:
    """Score answers against gold labels.

    A withheld answer is wrong: a miss of its gold label, and no answer of any label. The figures
    of probabilities (ece, brier, log_loss, reliability) are of all rows, withheld or not. Intervals
    resample documents (`intervals.interval`), those with a rare label apart from the others
    (`intervals.rare_strata`); the notes say where that was done and where an interval cannot be
    trusted.

    Returns
    -------
    dict
        n, accuracy, accuracy_interval, macro_f1, macro_f1_interval, answered {n, accuracy,
        macro_f1, macro_f1_interval} of the rows whose answer is not withheld (None where there is
        none), withheld {label: rows}, per_class, per_class_intervals {label: precision, recall,
        f1}, per_actor (where actors are given), confusion (rows gold, columns answered), labels,
        ece, brier, log_loss, reliability, risk_coverage and aurc, uncertain (share of rows
        withheld), documents, trusted (False where the intervals cannot be believed), notes.

    Raises
    ------
    DataError
        If there are no rows.
    """
    check_rows(answers)
    by_document = answers.confusion()
    total, brief = by_document.sum(axis=0), brief_score(answers, draws, seed)
    figures: Figures = {
        "n": brief["n"],
        "accuracy": brief["accuracy"],
        "accuracy_interval": stratified(accuracy, by_document, draws, seed),
        "macro_f1": brief["macro_f1"],
        "macro_f1_interval": brief["macro_f1_interval"],
        "answered": _answered(answers, brief, draws, seed),
        "withheld": dict(zip(answers.labels, total[:, -1].astype(np.int64), strict=True)),
        "per_class": _per_class(answers.labels, total),
        "per_class_intervals": _class_intervals(answers, by_document, draws, seed),
        "per_actor": None if answers.actor is None else _per_actor(answers, draws, seed),
        "confusion": total[:, :-1].astype(np.int64),
        "labels": list(answers.labels),
        "ece": brief["ece"],
        "brier": brier(answers),
        "log_loss": log_loss(answers),
        "reliability": reliability(answers),
        **risk_coverage(answers),
        "uncertain": answers.uncertain,
        "documents": brief["documents"],
        "trusted": brief["trusted"],
        "notes": [
            *document_notes(answers.labels, by_document),
            *_notes(answers.labels, total, brief["macro_f1_interval"]),
        ],
    }
    if answers.actor is None:
        del figures["per_actor"]
    return plain(figures)


def _answered(answers: Answers, brief: Figures, draws: int, seed: int) -> Figures:
    """Return the main scores of the rows whose answer is not withheld."""
    names = ("n", "accuracy", "macro_f1", "macro_f1_interval")
    if answers.answered is None or answers.answered.all():
        return {name: brief[name] for name in names}
    if not answers.answered.any():
        return dict.fromkeys(names) | {"n": 0}
    part = brief_score(answers.take(answers.answered), draws, seed)
    return {name: part[name] for name in names}


def _per_class(labels: Sequence[str], confusion: Floats) -> Figures:
    hits, support = np.diagonal(confusion), confusion.sum(axis=1)
    columns = {
        "precision": share(hits, confusion.sum(axis=0)[:-1]),
        "recall": share(hits, support),
        "f1": f1_scores(confusion),
        "support": support.astype(np.int64),
    }
    return {
        label: {name: column[at] for name, column in columns.items()}
        for at, label in enumerate(labels)
    }


def _class_intervals(answers: Answers, by_document: Floats, draws: int, seed: int) -> Figures:
    """Return 95 % intervals of precision, recall and F1 of each label.

    Precision and recall are shares of rows; F1 is resampled, and None where every resample scores
    the same. All are None for a label that is right, or answered, in fewer than `FEWEST` documents.
    """
    low, high = stratified(f1_scores, by_document, draws, seed)
    found: Figures = {}
    for number, label in enumerate(answers.labels):
        precision, recall = (
            right_shares(answers.right[rows], answers.document[rows])
            for rows in (answers.predicted == number, answers.gold == number)
        )
        bounds = (low[number], high[number]) if low[number] < high[number] else None
        enough = min(precision.documents, recall.documents) >= FEWEST
        found[label] = {
            "precision": precision.intervals[1] if enough else None,
            "recall": recall.intervals[1] if enough else None,
            "f1": bounds if enough else None,
        }
    return found


def brief_score(answers: Answers, draws: int, seed: int) -> Figures:
    """Return n, macro_f1 and its interval, accuracy, ece, documents and trusted, as in `score`."""
    by_document = answers.confusion()
    total = by_document.sum(axis=0)
    bounds = stratified(macro_f1, by_document, draws, seed)
    return plain(
        {
            "n": len(answers),
            "macro_f1": macro_f1(total),
            "macro_f1_interval": bounds,
            "accuracy": accuracy(total),
            "ece": calibration_error(answers),
            "documents": len(by_document),
            # Documents enough, and not all scored alike.
            "trusted": bool(bounds[0] < bounds[1]) and not doubts(answers.labels, by_document),
        }
    )


def _per_actor(answers: Answers, draws: int, seed: int) -> Figures:
    """Score each actor, the most frequent first, over the labels that occur with it.

    Its interval resamples the documents that name it; None below `FEWEST` documents, where its
    reliability curve is empty too.
    """
    scores = {}
    for name, rows in actor_rows(answers):
        mine = answers.take(rows)
        enough = len(np.unique(mine.document)) >= FEWEST
        part = brief_score(mine, draws if enough else 1, seed)
        scores[name] = {
            "n": part["n"],
            "macro_f1": part["macro_f1"],
            "interval": part["macro_f1_interval"] if enough else None,
            "trusted": part["trusted"],
            "ece": part["ece"],
            "brier": brier(mine),
            "reliability": reliability(mine) if enough else [],
        }
    return scores


def actor_rows(answers: Answers) -> Iterator[tuple[str, Ints]]:
    """Yield each actor and its rows, the most frequent first, equally frequent ones by name."""
    names, place = np.unique(np.array(answers.actor, dtype=object), return_inverse=True)
    counts = np.bincount(place.reshape(-1), minlength=len(names))
    rows = np.split(np.argsort(place.reshape(-1), kind="stable"), np.cumsum(counts)[:-1])
    for number in np.argsort(-counts, kind="stable"):  # names are sorted already
        yield str(names[number]), rows[number]


# --- Probabilities ---


def _bins(answers: Answers) -> Ints:
    return np.searchsorted(np.arange(1, BINS) / BINS, answers.confidence, side="left")


def _likely_right(answers: Answers) -> Bools:
    """Return whether each row's most probable label is the gold one, withheld or not."""
    hit: Bools = answers.best == answers.gold
    return hit


def calibration_error(answers: Answers) -> float:
    """Return the expected calibration error, between 0 and 1.

    The sum over bins of (rows in bin / rows) * abs(accuracy - mean confidence); the confidence is
    the largest probability and bin i of 15 holds confidences in ((i - 1) / 15, i / 15] (Naeini,
    Cooper and Hauskrecht 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning").
    Chance alone makes it positive: with a few dozen rows it is large for every model.
    """
    surplus = _likely_right(answers) - answers.confidence
    return float(np.abs(np.bincount(_bins(answers), surplus, BINS)).sum() / len(answers))


def reliability(answers: Answers) -> list[Figures]:
    """Return the bins of `calibration_error` that hold rows, the least confident first.

    Each has low, high (its confidences are above low, up to high), n (rows), confidence (their
    mean), accuracy, and interval (None where the rows are of one document).
    """
    bins, right, confidence = _bins(answers), _likely_right(answers), answers.confidence
    return [
        plain(
            {
                "low": number / BINS,
                "high": (number + 1) / BINS,
                "n": mine.sum(),
                "confidence": confidence[mine].mean(),
                "accuracy": right[mine].mean(),
                "interval": proportion_interval(right[mine], answers.document[mine]),
            }
        )
        for number in np.unique(bins)
        for mine in [bins == number]
    ]


def brier(answers: Answers) -> float:
    """Return the mean squared distance of the probabilities from the truth, between 0 and 2.

    Summed over labels (Brier 1950, "Verification of Forecasts Expressed in Terms of Probability").
    """
    truth = np.eye(len(answers.labels))[answers.gold]
    return float(((answers.probabilities - truth) ** 2).sum(axis=1).mean())


def log_loss(answers: Answers) -> float:
    """Return the mean of -ln(probability of the right label)."""
    right = answers.probabilities[np.arange(len(answers)), answers.gold]
    return float(-np.log(np.clip(right, LEAST_CHANCE, 1.0)).mean())


def risk_coverage(answers: Answers, points: int = POINTS) -> Figures:
    """Return the error among the answers given if only confident ones are.

    An answer is given where its confidence is at least a threshold, so rows of equal confidence
    come and go together (El-Yaniv and Wiener 2010, "On the Foundations of Noise-free Selective
    Classification"; Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural
    Networks"). Answers that are withheld in any case have a confidence of 0 here.

    Returns
    -------
    dict
        risk_coverage, a list from all rows to the most confident alone, at most ``points``:
        coverage (share of rows answered), threshold, error (share of them that is wrong), n; and
        aurc, the area under the curve, which is the mean error over the thresholds at each row's
        own confidence (Geifman, Uziel and El-Yaniv 2019, "Bias-Reduced Uncertainty Estimation for
        Deep Neural Classifiers").
    """
    own = answers.confidence
    own = own if answers.answered is None else np.where(answers.answered, own, 0.0)
    order = np.argsort(-own, kind="stable")
    confidence = own[order]
    # The last row of each run of equal confidences is where a threshold can cut.
    cut = np.flatnonzero(np.append(confidence[1:] < confidence[:-1], True))
    error = np.cumsum(~answers.right[order])[cut] / (cut + 1)
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
    aurc = (error * np.diff(cut, prepend=-1)).sum() / len(order)
    return plain({"risk_coverage": curve, "aurc": aurc})


# --- Whether an interval can be trusted ---


def doubts(labels: Sequence[str], confusion: Floats) -> list[str]:
    """Return why an interval cannot be trusted: too few documents, of all or with a label."""
    documents = (confusion.sum(axis=2) > 0).sum(axis=0).tolist()
    reasons = [
        f"{label} occurs in only {count(number, 'document')}; label {FEWEST} or more with it"
        for label, number in zip(labels, documents, strict=True)
        if 0 < number < FEWEST
    ]
    if len(confusion) < TRUSTED:
        rests = f"it rests on {count(len(confusion), 'document')}; label {TRUSTED} or more"
        reasons.insert(0, rests)
    return [f"the interval cannot be trusted: {reason}" for reason in reasons]


def document_notes(labels: Sequence[str], confusion: Floats) -> list[str]:
    """Return what a reader must know about the documents that an interval rests on."""
    notes = doubts(labels, confusion)
    if rare := [labels[number - 1] for number in np.unique(rare_strata(confusion)) if number]:
        notes.append(
            f"rare: {', '.join(rare)}; the bootstrap draws documents with a rare label apart from "
            "the others (stratified), so that no sample lacks it"
        )
    return notes


def _notes(labels: Sequence[str], confusion: Floats, bounds: Sequence[float]) -> list[str]:
    notes = []
    if bounds[0] == bounds[1]:
        notes.append("every resample scores the same; that does not make the score exact")
    unseen = [label for label, n in zip(labels, confusion.sum(axis=1), strict=True) if not n]
    if unseen:
        notes.append(
            f"no row is labelled {' or '.join(unseen)}; macro-F1 is the mean over the labels that "
            "occur in gold or answers"
        )
    return notes
