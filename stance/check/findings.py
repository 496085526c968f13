"""What the doctor found, and its JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from stance.evaluation.agreement import AgreementReport
from stance.records import Stance

Severity = Literal["spoils", "warn", "note"]

SEVERITIES: tuple[Severity, ...] = ("spoils", "warn", "note")
"""From worst to least."""

LABELS = tuple(str(label) for label in Stance)


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
