"""Paragraphs in, numbered words with mentions and categories out; nothing here knows a model.

text           normalised characters, and many paragraphs joined into one array
keys           64-bit hashes of words, phrases and texts; near-duplicates
string_table   distinct strings, numbered, with properties
tokens         the words of a batch as arrays, and the table of spellings
phrases        fixed phrases found in a batch, with or without regard to case
lexicon        words with polarity, and function words; the languages that come with the package
names          names of persons, and the surnames by which a text means them
actor_tables   actors as tables of TOML files
actors         the actor book; where "US" is told apart from "us"
references     whom a surname, "the alliance" or "both countries" means
words          the reader: mentions as one word each, categories, negation, names
spans          which actor to judge in which paragraph, and where it is named

cues           the words of judgement
clauses        sentences with an actor and a cue, as phrases with a letter each
constructions  the patterns over these letters in which a sentence judges
voices         who acts and who speaks
rejections     judgements that a text takes back
evaluations    how good a sentence calls what an actor does or is
frames         who judges whom
"""
