"""Soft tests: what is promised of each change of a paragraph, though it may fail."""

from dataclasses import dataclass

from stance.stress.perturbations import (
    Change,
    add_neutral_before,
    add_neutral_behind,
    add_opposite,
    as_written,
    ask_for_added,
    change_details,
    change_speaker,
    double,
    give_to_other,
    mistype,
    mistype_deciding,
    name_capital,
    name_government,
    negate,
    negate_plain,
    swap_actor,
    to_lower,
    to_upper,
    turn_to_blame,
    turn_to_praise,
    write_points,
)


@dataclass(frozen=True, slots=True)
class SoftTest:
    """A change and what is promised of it.

    Attributes
    ----------
    name, promise : str
    change : callable
    needs : str
        What a model's actor book must have for any trial.
    """

    name: str
    promise: str
    change: Change
    needs: str = "an actor of kind state, organisation or other with an alias that is no adjective"


_TWO = "two actors of kind state, organisation or other"

SOFT_TESTS = (
    SoftTest("as written", "A seed paragraph gets the label that it was written for.", as_written),
    SoftTest(
        "actor swapped",
        "Another actor of the same kind in the actor's place gets the actor's answer.",
        swap_actor,
        "two actors of one kind",
    ),
    SoftTest(
        "government for the name",
        'The answer stays when "the Russian government" stands for "Russia".',
        name_government,
        "a state with a demonym",
    ),
    SoftTest(
        "capital for the name",
        'The answer stays when "Moscow" stands for "Russia".',
        name_capital,
        "an actor with a capital",
    ),
    SoftTest(
        "abbreviation with points",
        'The answer stays when "the U.S." stands for "the US".',
        write_points,
        "an actor with an abbreviation with and without points",
    ),
    SoftTest(
        "neutral sentence in front",
        "The answer stays when an unrelated neutral sentence opens the paragraph.",
        add_neutral_before,
    ),
    SoftTest(
        "neutral sentence behind",
        "The answer stays when an unrelated neutral sentence ends the paragraph.",
        add_neutral_behind,
    ),
    SoftTest("paragraph doubled", "The answer stays when all is said twice.", double),
    SoftTest(
        "person, place, number changed",
        "The answer stays when persons, places and numbers are others.",
        change_details,
    ),
    SoftTest(
        "quotation by someone else",
        "The answer stays when somebody else without a side says the same.",
        change_speaker,
    ),
    SoftTest(
        "quotation by another actor",
        "The answer stays when a spokeswoman for another actor says the same.",
        give_to_other,
        _TWO,
    ),
    SoftTest(
        "opposite stance added: first actor",
        "The answer stays when another actor gets the opposite stance in an added sentence.",
        add_opposite,
        _TWO,
    ),
    SoftTest(
        "opposite stance added: second actor",
        "The actor of the added sentence gets the opposite answer.",
        ask_for_added,
        _TWO,
    ),
    SoftTest(
        "deciding verb negated",
        "A stance that was found goes when the deciding verb is negated.",
        negate,
        "a model that finds the stance of a seed paragraph",
    ),
    SoftTest(
        "plain verb negated",
        "A neutral paragraph gets no other answer when its plain verb is negated.",
        negate_plain,
    ),
    SoftTest(
        "praise turned into blame",
        "Where praise becomes blame the answer is against.",
        turn_to_blame,
    ),
    SoftTest(
        "blame turned into praise",
        "Where blame becomes praise the answer is favor.",
        turn_to_praise,
    ),
    SoftTest("typing error", "The answer stays when a word is mistyped.", mistype),
    SoftTest(
        "typing error in the deciding word",
        "The answer stays when the word that decides is mistyped.",
        mistype_deciding,
    ),
    SoftTest("all capitals", "The answer stays when all is written in capitals.", to_upper),
    SoftTest(
        "no capitals",
        "The answer stays when nothing has a capital.",
        to_lower,
        "an actor with a name that counts in any spelling",
    ),
)
"""Every soft test, in the order of the report."""
