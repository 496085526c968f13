"""What the doctor found: records, JSON and a screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from stance.display import WIDTH, count, shown
from stance.evaluation.agreement import Agreement, AgreementReport, Coefficient
from stance.records import Stance
from stance.screens.lines import cell, columns

Severity = Literal["spoils", "warn", "note"]

SEVERITIES: tuple[Severity, ...] = ("spoils", "warn", "note")
"""From worst to least."""

LABELS = tuple(str(label) for label in Stance)

NAME = 30
"""Columns for the name of a genre or actor."""

CODED = 15
"""Columns for a name in the table of agreement."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing about a corpus.

    Attributes
    ----------
    severity : {"spoils", "warn", "note"}
    check : str
        What was looked for, such as ``duplicates``.
    text : str
        One line: what, where, what to do.
    figures : mapping
        The counts behind it, plain values for JSON.
    """

    severity: Severity
    check: str
    text: str
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        words = {"severity": self.severity, "check": self.check, "text": self.text}
        return words | {"figures": dict(self.figures)}


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of each label in part of a corpus."""

    name: str
    rows: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a JSON object."""
        counts: dict[str, Any] = dict(zip(LABELS, self.rows, strict=True))
        return {"name": self.name, "rows": sum(self.rows)} | counts


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that a check says of a corpus.

    Attributes
    ----------
    files : tuple of (str, int)
        Name and rows of each file.
    rows, documents, texts : int
    classes : tuple of (str, int, int)
        Label, its rows and its documents.
    checks : tuple of str
        Everything that was looked for.
    findings : tuple of Finding
        The worst first.
    genres, actors : tuple of Part
        The most frequent first; an actor of the book by its name there.
    coders : tuple of str
        Columns whose agreement was measured.
    agreement : AgreementReport or None
    """

    files: tuple[tuple[str, int], ...]
    rows: int
    documents: int
    texts: int
    classes: tuple[tuple[str, int, int], ...]
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]
    genres: tuple[Part, ...] = ()
    actors: tuple[Part, ...] = ()
    coders: tuple[str, ...] = ()
    agreement: AgreementReport | None = None

    @property
    def spoils(self) -> bool:
        """Whether something found would spoil a study."""
        return any(finding.severity == "spoils" for finding in self.findings)

    @property
    def passed(self) -> tuple[str, ...]:
        """Checks that found nothing to mend."""
        failed = {finding.check for finding in self.findings if finding.severity != "note"}
        return tuple(check for check in self.checks if check not in failed)

    def to_json(self) -> dict[str, Any]:
        """Return everything as a JSON object."""
        return {
            "spoils": self.spoils,
            "files": [{"name": name, "rows": rows} for name, rows in self.files],
            "rows": self.rows,
            "documents": self.documents,
            "texts": self.texts,
            "classes": {name: {"rows": r, "documents": d} for name, r, d in self.classes},
            "findings": [finding.to_json() for finding in self.findings],
            "passed": list(self.passed),
            "genres": [part.to_json() for part in self.genres],
            "actors": [part.to_json() for part in self.actors],
            "coders": list(self.coders),
            "agreement": self.agreement and self.agreement.to_json(),
        }

    def lines(self, *, genres: int = 8, actors: int = 12) -> list[str]:
        """Return a screen, each line under 80 columns.

        Parameters
        ----------
        genres, actors : int
            How many to list; the rest is counted.
        """
        found = [line for finding in self.findings for line in _finding_lines(finding)]
        tables = [*_shares("genre", self.genres, genres), *_shares("actor", self.actors, actors)]
        passed = wrapped(f"passed: {', '.join(self.passed)}") if self.passed else []
        parts = (self._head(), found, passed, tables, self._agreement(), [self._verdict()])
        lines: list[str] = []
        for part in filter(None, parts):
            lines += ["", *part] if lines else part
        return [line.rstrip() for line in lines]

    def _head(self) -> list[str]:
        files = ", ".join(f"{shown(name, 40)} ({rows:,})" for name, rows in self.files)
        counts = "  ".join(
            f"{name} {rows:,} ({_percent(rows, self.rows)} %)" for name, rows, _ in self.classes
        )
        sizes = [(self.rows, "row"), (self.documents, "document"), (self.texts, "text")]
        return [*wrapped(files), ", ".join(count(n, noun) for n, noun in sizes), counts]

    def _agreement(self) -> list[str]:
        if self.agreement is None:
            return []
        names = " and ".join(shown(name, 20) for name in self.coders)
        head = f"{'':<{CODED}} units  " + "".join(
            f"{name:<18}" for name in ("alpha", "AC1", "kappa")
        )
        report = self.agreement
        rows = [("all", report.overall), *report.per_label.items(), *report.per_group.items()]
        listed = [_coded(name, part) for name, part in rows]
        return [*wrapped(f"agreement of {names} [95 % interval]"), head, *listed]

    def _verdict(self) -> str:
        number = sum(finding.severity == "spoils" for finding in self.findings)
        if number:
            return f"{count(number, 'finding')} would spoil a study; examples are file:row"
        return "nothing found that would spoil a study; examples are file:row"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f}" if whole else "-"


def _finding_lines(finding: Finding) -> list[str]:
    return wrapped(finding.text, f"{finding.severity:<8}", " " * 8)


def _shares(title: str, parts: Sequence[Part], most: int) -> list[str]:
    if not parts:
        return []
    head = f"{title + ' (% of rows)':<{NAME}}{'rows':>9}"
    lines = [head + "".join(f"{name:>10}" for name in LABELS)]
    for part in parts[:most]:
        rows = sum(part.rows)
        cells = "".join(f"{_percent(number, rows):>10}" for number in part.rows)
        lines.append(f"{cell(part.name or '(empty)', NAME)}{rows:>9,}{cells}")
    if len(parts) > most:
        rest = sum(sum(part.rows) for part in parts[most:])
        lines.append(f"and {count(len(parts) - most, 'more ' + title)} in {count(rest, 'row')}")
    return lines


def _coded(name: str, part: Agreement) -> str:
    cells = "".join(f"{_figure(c):<18}" for c in (part.alpha, part.ac1, part.kappa))
    return f"{cell(name, CODED)}{part.units:>6,}  {cells}"


def _figure(coefficient: Coefficient) -> str:
    if coefficient.value is None:
        return "-"
    if coefficient.interval is None:
        return _hundredths(coefficient.value)
    low, high = map(_hundredths, coefficient.interval)
    return f"{_hundredths(coefficient.value)} [{low}, {high}]"


def _hundredths(value: float) -> str:
    """Return the value in four characters at most, for three intervals in a line.

    >>> [_hundredths(value) for value in (0.967, -0.204, -1.0, 1.0)]
    ['.97', '-.20', '-1', '1.00']
    """
    text = f"{value:.2f}"
    return "-1" if text == "-1.00" else text.replace("0.", ".", 1)


def wrapped(text: str, first: str = "", rest: str = "  ") -> list[str]:
    """Return the text in lines of a screen; a word wider than a line is broken.

    Examples
    --------
    >>> wrapped("two files", "note: ")
    ['note: two files']
    """
    lines, line = [], first
    for word in text.split(" "):
        gap = "" if line in (first, rest) else " "
        if gap and columns(line + gap + word) > WIDTH:
            lines.append(line)
            line, gap = rest, ""
        line += gap
        for char in word:
            if columns(line) + columns(char) > WIDTH:
                lines.append(line)
                line = rest
            line += char
    return [*lines, line]
