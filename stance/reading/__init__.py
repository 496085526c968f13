"""Paragraphs in, numbered words with mentions and categories out; nothing here knows a model.

From text to mentions: text, keys, tokens, lexicon, names, actor_tables, actors and words; then
from words of judgement to who judges whom: cues, clauses, voices, constructions and frames.
"""
