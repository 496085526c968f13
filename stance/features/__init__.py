"""Feature blocks over a whole batch of (paragraph, actor) pairs at once."""

from stance.features.blocks import BLOCKS, LEXICAL
from stance.features.occurrences import Occurrences, key_strings
from stance.features.pairs import Pairs

__all__ = ["BLOCKS", "LEXICAL", "Occurrences", "Pairs", "key_strings"]
