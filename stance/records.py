"""The records that travel through the package: frozen, slotted, without behaviour."""

from dataclasses import dataclass
from enum import StrEnum


class Stance(StrEnum):
    """Stance of a paragraph toward an actor, in the order of every probability array."""

    AGAINST = "against"
    NEUTRAL = "neutral"
    FAVOR = "favor"


class Sentiment(StrEnum):
    """Tone of a whole paragraph, in the order of every probability array."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Holder(StrEnum):
    """Whose stance it is, in the order of every probability array."""

    AUTHOR = "author"
    ACTOR = "actor"  # one of the book; a table has its name
    OTHER = "other"


NO_ANSWER, AGAINST, NEUTRAL, FAVOR = range(-1, 3)
"""Numbers of the stances, in their order, and of none."""

SIDES = (AGAINST, FAVOR)

ADJUDICATED = "adjudicated"  # the coder whose label settles what others disagree on
UNCERTAIN = "uncertain"  # the answer where the model abstains or knows nothing of the paragraph

ANSWERS = (*map(str, Stance), UNCERTAIN)
TONES = (*map(str, Sentiment), UNCERTAIN)
"""What stands in tables for the numbers of stances, of sentiments, and last for `NO_ANSWER`."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where a paragraph names an actor.

    Attributes
    ----------
    actor : str
        Name of the actor, as in the actor book.
    start, end : int
        Character offsets into the normalised text, 0-based, end-exclusive.
    """

    actor: str
    start: int
    end: int
