"""Feature blocks over a whole batch of (paragraph, actor) pairs at once."""

from stance.features.blocks import BLOCKS, LEXICAL

__all__ = ["BLOCKS", "LEXICAL"]
