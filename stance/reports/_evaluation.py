"""The page on an evaluation: what scores say in words, their charts and tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, log10
from pathlib import Path
from typing import Any

from stance.corpus import Source
from stance.display import count, shown
from stance.files import AtomicGroup
from stance.records import UNCERTAIN
from stance.reports import _charts as charts
from stance.reports import _page as page
from stance.reports._charts import SHARES, Axis, Estimate, Line, share_axis
from stance.reports._figures import (
    ROWS,
    Cell,
    Column,
    Data,
    Figure,
    points,
    signed,
    text_column,
    with_interval,
)
from stance.reports._paragraphs import Mistake
from stance.screens import Figures, percent, ranged
from stance.screens.scores import gain_text
from stance.storage import model_hash

HEIGHT = 260  # pixels of a curve that stands alone
HEATS = 5  # shades of a share, from none to all
MOST_GROUPS = 20  # groups in a chart; tables have all

RIVALS = {  # name of each baseline, and what it does
    "target_blind": ("target-blind words", "the same training data, blind to the actor"),
    "lexicon": ("polarity lexicon", "counts good and bad words near the actor"),
    "majority": ("majority label", "always the most frequent label"),
}
DIVISIONS = {  # title of each breakdown, and the name of one group
    "per_actor": ("Actors", "actor"),
    "per_source": ("Sources", "source"),
    "per_genre": ("Genres", "genre"),
    "per_year": ("Years", "year"),
    "per_corpus": ("Corpora", "corpus"),
}
KINDS: dict[str, tuple[str, str, charts.Tone]] = {  # name of a class's score, form, tone
    "precision": ("precision", "diamond", "quietly"),
    "recall": ("recall", "square", "quietly"),
    "f1": ("F1", "dot", "ink"),
}
MACRO_F1 = with_interval("macro-F1, %", "macro_f1", "macro_f1_low", "macro_f1_high")


@dataclass(frozen=True, slots=True)
class Score:
    """A score between 0 and 1, or a difference of two, with its interval."""

    name: str
    value: float
    interval: tuple[float, float] | None
    note: str = ""

    @classmethod
    def of(cls, name: str, part: Figures, key: str = "macro_f1", interval: str = "") -> "Score":
        """Return a score of an evaluation by its key."""
        return cls(name, part[key], interval_of(part.get(interval or f"{key}_interval")))

    @property
    def words(self) -> str:
        """The score as a sentence has it."""
        return ranged(self.value, self.interval)

    @property
    def cells(self) -> tuple[Cell, Cell, Cell]:
        """The score as a table has it."""
        return (self.value, *(self.interval or (None, None)))

    def line(self) -> Line:
        """Return the score as a chart has it."""
        words = self.words + (f", {self.note}" if self.note else "")
        return Line(
            page.named(self.name, charts.PHONE), words, (Estimate(self.value, self.interval),)
        )


@dataclass(frozen=True, slots=True)
class Rival:
    """A baseline, what it does, and by how much the model's macro-F1 is above its own."""

    score: Score
    what: str
    gain: Score | None

    @property
    def verdict(self) -> str:
        """Whether the model is better, in words that the rival's name ends."""
        if self.gain is None or self.gain.interval is None:
            return "the documents are too few to show whether the model is better than"
        low, high = self.gain.interval
        if high < 0:
            return "the model is shown to be worse than"
        return f"the model is {'' if low > 0 else 'not '}shown to be better than"


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """All that the page on an evaluation rests on."""

    scores: Figures  # as `stance.evaluation.Report.to_json` returns them
    card: Figures  # the model's
    sources: Sequence[Source]  # corpora that it was evaluated on
    mistakes: Sequence[Mistake] = ()  # wrong answers to show
    model: tuple[str, str] | None = None  # name and sha256 of its file
    rivals: Mapping[str, Rival] = field(init=False)

    def __post_init__(self) -> None:
        parts, rivals = self.scores["baselines"], {}
        for key, (name, what) in RIVALS.items():
            if part := parts.get(key):
                gain = part.get("difference")
                score = Score.of(name, part)
                rivals[key] = Rival(score, what, Score.of(name, gain) if gain else None)
        object.__setattr__(self, "rivals", rivals)

    @property
    def macro_f1(self) -> Score:
        """The headline."""
        return Score.of("this model", self.scores)

    @property
    def accuracy(self) -> Score:
        """Share of right answers."""
        return Score.of("accuracy", self.scores, "accuracy")

    @property
    def notes(self) -> list[str]:
        """What to beware of."""
        tone = (self.scores.get("sentiment") or {}).get("notes", [])
        return [*map(str, self.scores.get("notes", [])), *(f"sentiment: {note}" for note in tone)]

    @property
    def confidence(self) -> float | None:
        """Mean probability of the answers."""
        bins = self.scores.get("reliability") or []
        rows = sum(each["n"] for each in bins)
        return sum(each["n"] * each["confidence"] for each in bins) / rows if rows else None

    @property
    def surest_half(self) -> Figures | None:
        """The point of the risk curve nearest to one half of the rows answered."""
        curve = self.scores.get("risk_coverage") or []
        return min(curve, key=lambda each: abs(each["coverage"] - 0.5), default=None)


def interval_of(value: Any) -> tuple[float, float] | None:
    """Return an interval of an evaluation."""
    return None if value is None else (float(value[0]), float(value[1]))


def _scores(name: str, title: str, scores: Sequence[Score], data: Data, axis: Axis) -> Figure:
    return Figure(name, title, charts.whiskers([each.line() for each in scores], axis), data)


def _rivals_figure(report: EvaluationReport) -> Figure:
    scores = [report.macro_f1, *(rival.score for rival in report.rivals.values())]
    does = ["", *(rival.what for rival in report.rivals.values())]
    rows = [[score.name, *score.cells, what] for score, what in zip(scores, does, strict=True)]
    columns = (text_column("model"), *MACRO_F1, Column("what it does", "what"))
    return _scores(
        "rivals", "Macro-F1 beside baselines", scores, Data("baselines", columns, rows), SHARES
    )


def _gains_figure(gains: Sequence[Score]) -> Figure:
    """Draw the differences to the rivals, both scored on the same documents."""
    lines = []
    for gain in gains:
        words = points(gain.value, gain.interval, 1)
        lines.append(Line(f"more than {gain.name}", words, (Estimate(gain.value, gain.interval),)))
    widest = max(abs(end) for line in lines for end in line.estimates[0].ends)
    most = max(0.1, ceil(10 * widest) / 10)
    axis = Axis(-most, most, tuple((at, signed(100 * at)) for at in (-most, 0, most)), 0)
    columns = with_interval("difference, points", "difference", kind="signed")
    rows = [[gain.name, *gain.cells] for gain in gains]
    data = Data("gains", (text_column("baseline"), *columns), rows)
    return Figure("gains", "Difference to baselines", charts.whiskers(lines, axis), data)


def _classes_figure(scores: Figures, name: str) -> Figure:
    known = scores.get("per_class_intervals") or {}
    lines, rows = [], list[list[Cell]]()
    for label, part in scores["per_class"].items():
        marks = []
        rows.append([label, part["support"]])
        for key, (_, form, tone) in KINDS.items():
            ends = interval_of(known.get(label, {}).get(key))
            marks.append(Estimate(part[key], ends, tone, form))
            rows[-1] += (part[key], *(ends or (None, None)))
        lines.append(Line(label, count(part["support"], "row"), tuple(marks)))
    columns = [text_column("class"), ROWS]
    for key, (title, _, _) in KINDS.items():
        columns += with_interval(f"{title}, %", key, f"{key}_low", f"{key}_high")
    legend = [(form, tone, title) for title, form, tone in KINDS.values()]
    data, pieces = Data(f"{name}-scores", columns, rows), charts.whiskers(lines)
    return Figure(f"{name}-chart", "Scores by class", pieces, data, legend=legend)


def _confusion(scores: Figures) -> Data:
    labels, withheld = list(map(str, scores["labels"])), scores.get("withheld") or {}
    silent = [UNCERTAIN] * any(withheld.values())
    columns = (Column(label, label, "count") for label in (*labels, *silent))
    rows = [
        [label, *row, *(withheld[label] for _ in silent)]
        for label, row in zip(labels, scores["confusion"], strict=True)
    ]
    return Data("confusion", (text_column("labelled"), *columns), rows)


def _reliability_figure(found: Sequence[Figures]) -> Figure:
    rows, marks = [], []
    for each in found:
        right = Score.of(f"{each['low']:.2f}–{each['high']:.2f}", each, "accuracy", "interval")
        rows.append([right.name, each["n"], each["confidence"], *right.cells])
        marks.append((each["confidence"], Estimate(right.value, right.interval)))
    ticks = ((0.4, "40"), (0.6, "60"), (0.8, "80"), (1.0, "100 %"))
    x = Axis(min(1 / 3, *(confidence for confidence, _ in marks)), 1, ticks)
    sure = Column("mean probability, %", "confidence", "share")
    columns = (Column("probability", "bin"), ROWS, sure, *with_interval("right, %", "accuracy"))
    pieces = charts.curve(marks, x, SHARES, height=HEIGHT, equality=True)
    data = Data("reliability", columns, rows)
    return Figure("reliability-chart", "Probability and accuracy", pieces, data)


def _risk_figure(found: Sequence[Figures]) -> Figure:
    ordered = sorted(found, key=lambda each: float(each["coverage"]))
    marks = [(each["coverage"], Estimate(each["error"])) for each in ordered]
    given = Column("answers given, %", "coverage", "share")
    wrong = Column("wrong among them, %", "error", "share")
    columns = (given, ROWS, wrong, Column("least probability", "threshold", "number"))
    rows = [[each[key] for key in ("coverage", "n", "error", "threshold")] for each in ordered]
    y = share_axis(max(each["error"] for each in ordered))
    pieces, data = charts.curve(marks, SHARES, y, height=HEIGHT), rows[::-1]
    title = "Error by share of answers given"
    return Figure("risk-chart", title, pieces, Data("risk-coverage", columns, data))


def _divisions(scores: Figures) -> Iterator[tuple[str, bool, int, Figure]]:
    """Yield breakdowns of more than one group: title, whether charted, groups, and the figure."""
    for key, (title, noun) in DIVISIONS.items():
        parts = scores.get(key, {})
        if len(parts) <= (key == "per_corpus"):
            continue
        groups = []
        for name, part in parts.items():
            ends = interval_of(part.get("interval", part.get("macro_f1_interval")))
            ends = None if ends and ends[0] == ends[1] else ends  # all documents score the same
            note = f"n {part['n']:,}{'' if part.get('trusted', True) else ', few'}"
            groups.append((Score(name, part["macro_f1"], ends, note), part))
        calibrated = any("ece" in part for part in parts.values())
        columns = [Column(noun, "group"), ROWS, *MACRO_F1]
        columns += [Column("calibration error, %", "ece", "share")] * calibrated
        rows = [
            [score.name, part["n"], *score.cells, *[part.get("ece")] * calibrated]
            for score, part in groups
        ]
        data = Data(key.replace("_", "-"), columns, rows)
        trusted = any(part.get("trusted", True) for part in parts.values())
        charted = trusted or len(groups) <= MOST_GROUPS
        drawn = [score for score, _ in groups[:MOST_GROUPS]] if charted else []
        name, label = f"{key}-chart", f"Macro-F1 of {title}"
        made = (
            _scores(name, label, drawn, data, SHARES) if charted else Figure(name, label, [], data)
        )
        yield title, charted, len(groups), made


def _stress_figure(tests: Sequence[Figures]) -> Figure:
    rates, rows = [], []
    for test in tests:
        note = f"{test['failures']:,} of {test['n']:,}"
        rates.append(Score(test["name"], test["rate"], interval_of(test["interval"]), note))
        told = [test["name"], test.get("promise", "")]
        rows.append([*told, test["n"], test["failures"], *rates[-1].cells])
    texts = map(text_column, ("test", "promise"))
    counts = (Column(name, name, "count") for name in ("cases", "failures"))
    data = Data("stress", (*texts, *counts, *with_interval("rate, %", "rate")), rows)
    axis = share_axis(max(end for rate in rates for end in rate.line().estimates[0].ends))
    return _scores("stress-chart", "Rates of failure", rates, data, axis)


def _zoomed(ends: Sequence[float]) -> Axis:
    """Return a scale that holds some scores and is at least 20 points long."""
    return share_axis(max(ends), max(0.0, min(*ends, max(ends) - 0.2)))


def _learning_figure(found: Sequence[Figures]) -> Figure:
    marks = []
    for each in sorted(found, key=lambda each: float(each["rows"])):
        band = None if each.get("low") is None else (each["low"], each["high"])
        marks.append((log10(max(1, each["rows"])), Estimate(each["macro_f1"], band)))
    first, last = marks[0][0], marks[-1][0]
    ends = ((first, f"{10**first:,.0f}"), (last, f"{10**last:,.0f} rows"))
    x = Axis(first, last, ends) if last > first else Axis(first - 1, first + 1, ())
    y = _zoomed([end for _, each in marks for end in each.ends])
    part = Column("share of training data, %", "share", "share")
    documents = Column("documents", "documents", "count")
    columns = (part, ROWS, documents, *with_interval("macro-F1, %", "macro_f1"))
    keys = ("share", "rows", "documents", "macro_f1", "low", "high")
    data = Data("learning-curve", columns, [[each.get(key) for key in keys] for each in found])
    pieces, words = (
        charts.curve(marks, x, y, height=HEIGHT),
        [(e["rows"], e["macro_f1"]) for e in found],
    )
    told = "; ".join(f"{rows:,.0f} rows {percent(score)}" for rows, score in words)
    title = "Macro-F1 by size of the training data"
    return Figure("learning-chart", title, pieces, data, told)


def write_evaluation(
    path: Path,
    scores: Figures,
    card: Figures,
    sources: Sequence[Source],
    mistakes: Sequence[Mistake],
    together: AtomicGroup,
    *,
    model: Path | None = None,
    force: bool = False,
) -> None:
    """Write the page on an evaluation, as a part of what is written together."""
    file = (model.name, model_hash(model)) if model else None
    report = EvaluationReport(scores, card, sources, mistakes, file)
    together.write(path, compose(report), force=force)


def compose(report: EvaluationReport) -> bytes:
    """Return the page."""
    scores, card = report.scores, report.card
    conflict = scores.get("conflict") or {"n": 0}
    tests = (scores.get("stress") or {}).get("tests", [])
    curve, repeats = card.get("learning_curve") or {}, card.get("repeats")
    reliability, risk = scores.get("reliability"), scores.get("risk_coverage")
    tone = scores.get("sentiment")
    gains = [rival.gain for rival in report.rivals.values() if rival.gain]
    figures: dict[str, Any] = {
        "rivals": _rivals_figure(report),
        "gains": gains and _gains_figure(gains),
        "classes": _classes_figure(scores, "classes"),
        "reliability": reliability and _reliability_figure(reliability),
        "risk": risk and _risk_figure(risk),
        "divisions": list(_divisions(scores)),
        "stress": tests and _stress_figure(tests),
        "tone": tone and _classes_figure(tone, "sentiment"),
        "learning": curve.get("points") and _learning_figure(curve["points"]),
    }
    columns = (text_column("corpus"), ROWS, text_column("sha256"))
    tested: list[list[Cell]] = [[own.name, own.rows, own.sha256] for own in report.sources]
    trained = [[part["name"], part["rows"], part["sha256"]] for part in card.get("data", [])]
    return page.render(
        "evaluation",
        1,
        title=f"Evaluation of {shown(report.model[0], 80) if report.model else 'a stance model'}",
        **{"report": report, "figures": figures, "repeats": repeats},
        **{"scores": scores, "conflict": conflict, "tone": tone, "tests": tests},
        **{name: scores.get(name) for name in ("leakage", "uncertain")},
        versions=", ".join(f"{name} {n}" for name, n in card.get("versions", {}).items()),
        confusion=_confusion(scores),
        gain=gain_text(curve) if figures["learning"] else "",
        tested=Data("evaluated-on", columns, tested),
        trained=Data("trained-on", columns, trained),
        **{"heats": HEATS, "most_groups": MOST_GROUPS},
    )
