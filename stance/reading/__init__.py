"""Paragraphs in, numbered words with mentions and categories out; nothing here knows a model.

text           normalised characters, and places in them
keys           64-bit hashes of words, phrases and texts; tables of strings; near-duplicates
tokens         the words of a batch as arrays, and the table of spellings
lexicon        words and fixed phrases with polarity, function words; languages of the package
names          names of persons, and whom a surname, "the alliance" or "both countries" means
actor_tables   actors as tables of TOML files
actors         the actor book; where "US" is told apart from "us"
words          which actor to judge where; the reader: mentions as one word each, negation, names

cues           the words of judgement
clauses        sentences with an actor and a cue, as phrases with a letter each
voices         who acts and speaks, and what is denied or taken back
constructions  patterns over these letters, and how good or bad they say that an actor is
frames         who judges whom
"""
