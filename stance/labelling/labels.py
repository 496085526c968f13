"""What a coder says of a pair, and whether the codebook allows it."""

from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from stance.display import shown
from stance.errors import DataError, UsageError
from stance.label_values import HOLDERS, LONGEST_HOLDER
from stance.records import Sentiment, Stance

QUESTIONS = ("holder", "sentiment")
"""What can be asked beside the stance."""

LONGEST_NOTE = 2000


@dataclass(frozen=True, slots=True)
class Label:
    """One coder's decision on one pair; what was not asked is empty."""

    stance: str = ""  # empty only if unsure
    holder: str = ""  # author, other or an actor's name
    sentiment: str = ""
    false_match: bool = False  # what looks like the actor's name means something else
    note: str = ""
    unsure: bool = False  # the coder wants to see it again, or leaves it to the adjudicator

    def agrees(self, other: "Label") -> bool:
        """Return whether two decisions are equal in all that both were asked."""
        if self.unsure or other.unsure:
            return False
        pairs = ((self.holder, other.holder), (self.sentiment, other.sentiment))
        differing = any(one and two and one != two for one, two in pairs)
        same = (self.stance, self.false_match) == (other.stance, other.false_match)
        return same and not differing


def problem(label: Label, asked: Collection[str] = (), actors: Collection[str] = ()) -> str:
    """Return what the codebook forbids about a label, or nothing.

    ``asked`` are questions that need an answer. A holder must be among ``actors`` if there are any.
    """
    holder, taken = label.holder, label.stance in (Stance.AGAINST, Stance.FAVOR)
    if len(label.note) > LONGEST_NOTE:
        return f"the note has more than {LONGEST_NOTE:,} characters; shorten it"
    if label.unsure:
        return "an unsure label has no answer beside its note" if _answers(label) else ""
    if label.stance not in tuple(Stance):
        return f"stance '{shown(label.stance)}' is not one of {', '.join(Stance)}"
    if label.false_match and label.stance != Stance.NEUTRAL:
        return "a false match is neutral"
    if holder and not taken:
        return "only a stance against or in favor has a holder"
    named = not actors or holder in (*HOLDERS, *actors)
    if holder and (len(holder) > LONGEST_HOLDER or not holder.isprintable() or not named):
        return f"holder '{shown(holder)}' is not author, other or a known actor's name"
    if "holder" in asked and taken and not holder:
        return "say whose stance it is"
    if label.sentiment and label.sentiment not in tuple(Sentiment):
        return f"sentiment '{shown(label.sentiment)}' is not one of {', '.join(Sentiment)}"
    if "sentiment" in asked and not label.sentiment:
        return "say which tone the paragraph has"
    return ""


def _answers(label: Label) -> bool:
    return bool(label.stance or label.holder or label.sentiment or label.false_match)


def parse_questions(option: str | None) -> tuple[str, ...]:
    """Read ``holder,sentiment`` as the questions that are asked beside the stance.

    >>> parse_questions("sentiment, holder")
    ('holder', 'sentiment')
    """
    words = {word.strip() for word in (option or "").split(",")} - {""}
    if odd := sorted(words - set(QUESTIONS)):
        raise UsageError(f"--ask: '{shown(odd[0])}' is not one of {', '.join(QUESTIONS)}")
    return tuple(word for word in QUESTIONS if word in words)


def bundled_codebook() -> Path:
    """Return the codebook that comes with the package."""
    bundled = Path(str(files("stance").joinpath("data/codebook.md")))
    if bundled.is_file():
        return bundled
    return Path(__file__).parents[2] / "docs" / "codebook.md"


def read_codebook(path: Path | None) -> str:
    """Return the Markdown of a codebook, ours if none is named."""
    try:
        data = (path or bundled_codebook()).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        what = f"not UTF-8 at byte {error.start + 1}"
        raise DataError(f"{path}: {what}; save the codebook as UTF-8") from error
