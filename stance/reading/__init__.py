"""Text in, numbered words, mentions and keys out: nothing here knows a model."""
