"""The sentences that hold an actor and a cue, as phrases with a letter each.

See `stance.reading.frames` for what the letters mean.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stance.arrays import Bools, Bytes, Ints, Ints8, among
from stance.reading.actor_tables import ALIAS_KINDS
from stance.reading.cues import OWNERS, SIGNALS, Cues
from stance.reading.lexicon import CUES
from stance.reading.tokens import CLITIC_NEGATION, GAP_OTHER
from stance.reading.words import NOBODY, Reader, Words

LONGEST = 80  # words of a sentence that is read
_DEMONYM, _REFERS = map(ALIAS_KINDS.index, ("demonym", "refers"))
_NEAR = 6  # words before an evaluation in which "is" or an actor must stand


class Phrases(NamedTuple):
    """Phrases and marks of some sentences; each sequence has an entry per letter."""

    tags: str
    signals: Mapping[str, Ints]  # the words of the batch that are `SIGNALS`
    word: Sequence[int]  # the head, an index into `Words`
    last: Sequence[int]  # the last word of a fixed phrase, else the head
    first: Sequence[int]  # the first word but for an article
    name: Sequence[int]  # the last mention, -1 for none
    value: Sequence[int]  # how good what it says is, less how bad
    sign: Sequence[int]  # polarity of a judging head
    ours: Sequence[bool]  # begins with "my" or "our"
    quoted: Sequence[bool]
    para: Sequence[int]


def _letters(text: str) -> Bools:
    """Return a table of which letters stand in a text."""
    table = np.zeros(128, np.bool_)
    table[[*map(ord, text)]] = True
    return table


_CUES, _NOMINAL = _letters("VEGBdegcPQTKUj"), _letters("AMsaucJjND0Oq")
_QUALIFYING, _ADJECTIVAL = _letters("DOqpfwyiJM"), _letters("DOqM")

_FOLLOWERS = {"D": "DAMsaucJN", "A": "sacq", "s": "AsauNcJq", **dict.fromkeys("Muac", "sauNcJq")}
_FOLLOWERS |= dict.fromkeys("Oq", "AMsaucJN") | dict.fromkeys("NJ", "sauNcJMq")
_JOINS = np.array([_letters(_FOLLOWERS.get(chr(before), "")) for before in range(128)])
"""Which letter continues a noun phrase after which."""


def _describe(reader: Reader, cues: Cues, types: Ints) -> Bytes:
    """Return what `Cues.describe` tells of some words, of shape (8, n_words)."""
    known = reader.types["letters"]
    # `np.unique` alone would load numpy's masked arrays.
    new = np.flatnonzero(np.bincount(types[known.take(types) == 0]))
    if len(new):
        lower = [reader.types.strings[number].lower() for number in new.tolist()]
        signs = np.append(reader.lexicon.signs, 0).take(reader.types["category"][new])
        functions = reader.types["functions"][new].tolist()
        owned = [OWNERS.get(word, word) for word in lower]  # "its" is "their", too
        for name, numbers in zip(CUES, cues.phrases.describe(owned, owned), strict=True):
            reader.types[name][new] = numbers
        described = b"".join(map(cues.describe, lower, signs.tolist(), functions))
        known[new] = np.frombuffer(described, np.uint64)
    # Eight bytes are fetched at once, as one number.
    return known.take(types).view(np.uint8).reshape(-1, 8).T


def phrases_of(words: Words, reader: Reader, cues: Cues, asked: Bools) -> Phrases | None:
    """Return the phrases of the sentences that matter, None if there are none.

    Of the paragraphs that are asked for, those that name an actor are looked at.
    """
    naming = asked & among(np.arange(len(words)), words.para.take(words.mentions))
    word = np.flatnonzero(naming.take(words.para))
    types = words.type.take(word)
    known = _describe(reader, cues, types)
    letter, noun, sign, value = known[:4].copy()
    sign, value = sign.view(np.int8), value.view(np.int8)
    name, who = words.name.take(word), words.who.take(word)
    proper = name & ~_letters("suF")[noun] & ~_letters("HDO")[letter]  # ": 'They lie'"
    letter[name], letter[proper] = noun[name], ord("N")
    # "don't": of "isn't" and "hasn't" the letter tells more.
    negated = words.clitic.take(word) == CLITIC_NEGATION
    apart = (who >= 0) | negated & (letter == ord("m"))  # "can't rely on"
    letter[negated & ~_letters("bh")[letter]] = ord("m")
    places = words.para.take(word), words.gap.take(word), np.where(apart, -1, types)
    first, length, number = cues.phrases.find(*places, words.types)
    # "a dressing down" is a noun behind its article.
    article = (letter[first] == ord("D")) & (cues.phrase_letter[number] == ord("c"))
    first, length = first + article, length - article
    more = np.zeros(len(word), np.int64)
    more[first] = length - 1
    for step in range(1, int(length.max(initial=1))):
        letter[first[length > step] + step] = ord("x")
    letter[first], noun[first] = cues.phrase_letter[number], 0
    sign[first] = cues.phrase_sign[number]
    trait = letter == ord("j")
    letter[trait], value[trait] = ord("J"), sign[trait]
    named = who != NOBODY
    demonym = named.copy()
    demonym[named] = words.alias_kind.take(word[named]) == _DEMONYM
    letter[named] = np.where(demonym[named], ord("M"), ord("A"))
    marked = np.flatnonzero(known[4])
    bits, marked = known[4][marked], word[marked]
    signalling = {n: marked[bits >> bit & 1 > 0] for bit, n in enumerate(SIGNALS)}
    refers = among(word, signalling["referring"]) & words.sentence_start.take(word)
    chosen = _sentences_with_cues(words, word, letter, (sign != 0, named, refers))
    if not len(chosen):
        return None
    word, letter, noun, more = word[chosen], letter[chosen], noun[chosen], more[chosen]
    sign, value, people = sign[chosen], value[chosen], demonym[chosen]
    # Whom a verb may follow: "Germans" and "Some trust China", but not "Swiss".
    spelled = (words.types.strings[number] for number in words.type[word[people]].tolist())
    people[people] = [text[-1] == "s" != text[-2] for text in spelled]
    some = among(word, signalling["quantities"]) & words.sentence_start.take(word)
    people[:-2] |= some[:-2] & (letter[2:] == ord("A"))
    adverb = letter == ord("L")
    _by_context(words, word, letter, noun, people)
    sign = np.where(adverb & (letter == ord("d")), np.sign(value), sign)
    return _phrases(words, *_with_marks(words, word, letter, more, (sign, value)), signalling)


def _sentences_with_cues(
    words: Words, word: Ints, letter: Bytes, flags: tuple[Bools, Bools, Bools]
) -> Ints:
    """Return the words of the sentences that name or refer to an actor and hold a cue."""
    cue, named, refers = flags
    if not named.any():
        return np.zeros(0, np.int64)
    sentence, para = words.sentence.take(word), words.para.take(word)
    near, support = np.zeros(len(letter), np.bool_), named | refers | _letters("bKyv")[letter]
    for step in range(1, _NEAR + 1):
        same = para[step:] == para[:-step]
        near[step:] |= support[:-step] & same
        near[:-step] |= named[step:] & same
    cue = (cue | _CUES[letter] | _letters("JaL")[letter] & near) & ~named
    sentence = sentence - sentence[0]
    size = int(sentence[-1]) + 1
    fits = np.bincount(sentence, minlength=size) <= LONGEST
    actors = fits & (np.bincount(sentence[named], minlength=size) > 0)
    # "It lies", where the sentence before names an actor, and is read for it.
    second = sentence[np.flatnonzero(refers[1:] & (para[1:] == para[:-1])) + 1]
    second = second[fits.take(second) & actors.take(second - 1)]
    actors[second] = True
    kept = actors & (np.bincount(sentence[cue], minlength=size) > 0)
    kept[second[kept.take(second)] - 1] = True
    return np.flatnonzero(kept.take(sentence))


def _by_context(words: Words, word: Ints, letter: Bytes, noun: Bytes, people: Bools) -> None:
    """Choose between noun and verb by the word before; change ``letter``."""
    sentence = words.sentence.take(word)
    same = np.append(False, (sentence[1:] == sentence[:-1]) & (word[1:] == word[:-1] + 1))
    comma = np.append(True, words.gap.take(word[:-1]) == GAP_OTHER)
    ing = letter == ord("0")
    letter[ing] = np.where(~same | comma, ord("o"), ord("N"))[ing]
    before = np.where(same & ~comma, np.append(0, letter[:-1]), 0)
    adverb = letter == ord("L")
    para = words.para.take(word)
    after = np.append(np.where(para[1:] == para[:-1], letter[1:], 0), 0)
    bravely = adverb & _letters("Ahm")[before] & _letters("orC")[after]  # "bravely rescued them"
    letter[adverb] = np.where(before[adverb] == ord("v"), ord("J"), ord("x"))
    letter[bravely] = ord("d")
    letter[(letter == ord("X")) & _letters("VEBGdeg")[after]] = ord("x")  # "harshly condemned"
    conduct, judged = letter == ord("v"), adverb & (letter == ord("J"))
    letter[conduct] = np.where(np.append(judged[1:], False), ord("b"), ord("o"))[conduct]
    bare = (letter == ord("J")) & ((before == ord("t")) | (before == ord("m")))
    bare |= (letter == ord("N")) & (before == ord("t")) & (after == ord("D"))  # "to block the"
    letter[bare] = ord("o")
    owned = words.possessive.take(np.maximum(word - 1, 0)) & same
    ed = _letters("Ee")[letter] | (letter == ord("o")) & (noun == ord("N"))
    role = owned | np.where(ed, _ADJECTIVAL[before], _QUALIFYING[before])
    role &= ~np.append(False, people[:-1])
    # "earned praise from", and "Praise for" at the beginning
    starts = ~same | (before == ord("b")) & (noun == ord("c"))  # "there was praise for"
    starts &= letter == ord("V")
    role |= ((before == ord("r")) | starts) & _letters("pwyf")[after]
    # "her deep distrust of"
    second = np.append(False, _letters("DO")[before[:-1]] | owned[:-1])
    role |= second & _letters("NsJ")[before] & (noun == ord("c")) & _letters("ftwy")[after]
    verbal = _letters("VEGdegoKUCBrSz")[letter] & (noun > 0) & (words.who.take(word) < 0)
    gerund = _letters("Gg")[letter] & ~_letters("DO")[before] & ~owned
    turned = verbal & role & ~gerund
    letter[turned] = noun[turned]


def _before_colon(words: Words, word: Ints, letter: Bytes, comma: Bools) -> Bools:
    """Tell which words end an actor that begins a sentence and speaks: "UN chief: Israel must"."""
    says, sentence = np.zeros(len(word), np.bool_), words.sentence.take(word)
    places = np.flatnonzero(comma & _letters("As")[letter])
    para, end = words.para.take(word[places]).tolist(), words.end.take(word[places]).tolist()
    colon = [words.texts[number][stop] == ":" for number, stop in zip(para, end, strict=True)]
    for place in places[np.array(colon, np.bool_)].tolist():
        named = letter[np.searchsorted(sentence, sentence[place]) : place + 1]
        says[place] = _letters("AM")[named].any() and _NOMINAL[named].all()
    return says


def _with_marks(
    words: Words, word: Ints, letter: Bytes, more: Ints, signs: tuple[Ints8, Ints8]
) -> tuple[Ints, Bytes, Ints, Ints8, Ints8]:
    """Insert letters for possessives, "n't", speakers, commas, pairs and ends of sentences."""
    sentence = words.sentence.take(word)
    ends = np.append((sentence[1:] != sentence[:-1]), True)
    possessive = words.possessive.take(word) & _NOMINAL[letter]
    # Not where a phrase has the negation: "don't like".
    negated = (words.clitic.take(word) == CLITIC_NEGATION) & _letters("mbh")[letter]
    comma = words.followed("comma", word) & ~ends
    says = _before_colon(words, word, letter, comma)
    comma &= ~says
    refers = words.alias_kind.take(word) == _REFERS
    pair = np.append(refers[1:] & (word[1:] == word[:-1] + 1), False)
    pair &= refers & ~possessive & ~comma
    flags = possessive, negated, says, comma, pair, ends
    places = [np.flatnonzero(flag) + 1 for flag in flags]
    place, marks = np.concatenate(places), np.repeat([*b"qnS,&."], [*map(len, places)])
    sign, value = (np.insert(column, place, 0) for column in signs)
    word, more = (np.insert(column, place, column[place - 1]) for column in (word, more))
    return word, np.insert(letter, place, marks), more, sign, value


def _phrases(
    words: Words, word: Ints, mark: Bytes, more: Ints, sign: Ints8, value: Ints8,
    signals: Mapping[str, Ints],
) -> Phrases:  # fmt: skip
    """Join nouns to phrases, and tell for whom each stands."""
    very = (mark[:-2] == ord("D")) & (mark[1:-1] == ord("x")) & _letters("Jx")[mark[2:]]
    mark[:-2][very] = ord("x")  # "a very good friend" begins with "good"
    nominal = _NOMINAL[mark]
    follows = np.append(False, _JOINS[mark[:-1], mark[1:]])
    # "EU trade policy": a noun between the actor and its act.
    middle = (mark[:-2] == ord("A")) & (mark[1:-1] == ord("N")) & _letters("sac")[mark[2:]]
    follows[1:-1] |= middle & (word[1:-1] == word[:-2] + 1)
    begin = np.flatnonzero(~follows)
    end = np.append(begin[1:], len(mark))
    named = np.where(words.who.take(word) >= 0, np.arange(len(mark)), -1)
    named[~_letters("AM")[mark]] = -1
    name = np.maximum.reduceat(named, begin)
    rest = np.where(name >= 0, name + 1, begin)
    head = mark[end - 1]

    def later(letters: str) -> Bools:
        count = np.append(0, np.cumsum(_letters(letters)[mark]))
        return count.take(end) > count.take(rest)

    worth = np.add.reduceat(value * (nominal & ~_letters("AM")[mark]), begin)
    judged = (head == ord("a")) | (head == ord("J")) & (worth != 0)
    owner = np.where(name >= 0, mark[np.minimum(name + 1, len(mark) - 1)], 0) == ord("q")
    judged |= owner & (head == ord("N")) & (end > name + 2)
    actor = np.select(
        [head == ord("c"), later("s") & ~judged, ~later("saucJN"), judged],
        [*map(ord, "kAAa")], ord("N"),
    )  # fmt: skip
    ours = mark[begin] == ord("O")
    other = np.select(
        [head == ord("c"), worth != 0, ours, head == ord("s"), head == ord("a")],
        [*map(ord, "cJOsl")], ord("N"),
    )  # fmt: skip
    tags = np.where(nominal[begin], np.where(name >= 0, actor, other), mark[begin])
    shown = np.flatnonzero(tags != ord("x"))
    word = word.astype(np.int64)
    last = word[end[shown] - 1]
    first = word[begin + (mark[begin] == ord("D")) * (end > begin + 1)]
    of_phrases = (first, np.where(name >= 0, word[name], -1), worth, sign[end - 1], ours)
    of_words: list[Any] = [words.quoted.take(last), words.para.take(last)]
    columns = last, last + more[end[shown] - 1], *(one[shown] for one in of_phrases), *of_words
    tags = tags[shown].astype(np.uint8)
    views: list[Any] = [memoryview(one) for one in columns]  # few entries are ever looked at
    return Phrases(tags.tobytes().decode("ascii"), signals, *views)
