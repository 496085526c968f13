"""Feature blocks over a whole batch of (paragraph, actor) pairs at once."""

from stance.features.blocks import BLOCKS, LEXICAL, symbols
from stance.features.events import Events
from stance.features.pairs import Pairs
from stance.reading.words import Reader

__all__ = ["BLOCKS", "LEXICAL", "separate_events", "symbols"]


def separate_events(name: str, reader: Reader, pairs: Pairs) -> list[Events]:
    """Return the occurrences of a block's features, one `Events` per set of features."""
    found = BLOCKS[name](reader, pairs)
    return [events for joint in found for events in joint.by_pair().apart()]
