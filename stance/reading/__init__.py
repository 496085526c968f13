"""Paragraphs in, numbered words with mentions and categories out; nothing here knows a model.

text       normalised characters, and many paragraphs joined into one array
keys       64-bit hashes of words, phrases and texts; near-duplicates
tokens     the words of a batch as arrays, and the table of spellings
phrases    fixed phrases found in a batch, with or without regard to case
lexicon    words with polarity, and function words; the languages that come with the package
actors     the actor book; where "US" is told apart from "us"
words      the reader: mentions as one word each, categories, negation, names
spans      which actor to judge in which paragraph, and where it is named
"""
