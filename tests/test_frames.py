"""Frames of judgement: who judges whom."""

import pytest

from stance.reading.actors import ActorBook
from stance.reading.frames import AUTHOR, NO_ACTOR, OTHER, frames_of
from stance.reading.lexicon import Lexicon
from stance.reading.words import Reader

SENTENCES = {
    # active, passive, participles and relative clauses
    "Germany has sharply criticised China.": "criticised: Germany -> China",
    "China was accused by Germany of spying on its parliament.": "accused: Germany -> China",
    "Iran was widely condemned after the execution.": "condemned: other -> Iran",
    "Russia left, accusing the United States and Britain of lies.": (
        "accusing: Russia -> United States; accusing: Russia -> United Kingdom"
    ),
    "Brazil, which Japan attacked on Tuesday, made no comment.": "attacked: Japan -> Brazil",
    "Japan, which attacked Brazil on Tuesday, made no comment.": "attacked: Japan -> Brazil",
    "Poland, whose president had condemned Russia, left.": "condemned: Poland -> Russia",
    # lists, nouns and idioms
    "Turkey, Egypt and Iraq are responsible.": (
        "responsible: author -> Turkey; responsible: author -> Egypt; responsible: author -> Iraq"
    ),
    "Canada's criticism of India grew louder.": "criticism: Canada -> India",
    "There was strong praise for Germany from Poland.": "praise: Poland -> Germany",
    "NATO came under fire from China.": "under: China -> NATO",
    "Australia took China to task over the tariffs.": "to: Australia -> China",
    "Poland sided with Ukraine in the dispute.": "sided: Poland -> Ukraine",
    "Lebanon blamed the blast on Israel.": "blamed: Lebanon -> Israel",
    # evaluations, quotations and the first person
    "Iran is a menace to its neighbours.": "menace: author -> Iran",
    "The European Union has achieved nothing.": "achieved: author -> European Union",
    '"France lies," Italy\'s minister said.': "lies: Italy -> France",
    'Putin said: "Ukraine is run by criminals."': "criminals: Russia -> Ukraine",
    "South Korea said that Japan had betrayed it.": "betrayed: South Korea -> Japan",
    "I condemn Russia's war.": "condemn: author -> Russia",
    # denied; about something else; not the state
    "Hungary refused to condemn Russia.": "condemn: Hungary -> Russia (denied)",
    "The Russian leader criticized attempts to politicize sport.": "criticized: Russia -> nobody",
    "A Brazilian striker criticised the referee.": "",
    "Germany plays Brazil in the final.": "",
}


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The bundled book and lexicon."""
    return Reader(ActorBook.default(), Lexicon.default())


def told(reader: Reader, text: str) -> str:
    """Return the frames of a text in words."""
    words = reader.words([text])
    names = dict(enumerate(reader.book.names))
    names |= {AUTHOR: "author", OTHER: "other"}
    told = []
    for frame in frames_of(words, reader):
        cue = text[words.start[frame.cue] : words.end[frame.cue]]
        patient = "nobody" if frame.patient == NO_ACTOR else names[frame.patient]
        denied = "" if frame.polarity else " (denied)"
        told.append(f"{cue}: {names[frame.agent]} -> {patient}{denied}")
    return "; ".join(told)


@pytest.mark.parametrize("text", SENTENCES)
def test_a_frame_says_who_judges_whom(reader: Reader, text: str) -> None:
    """One construction each."""
    assert told(reader, text) == SENTENCES[text]


def test_frames_do_not_depend_on_the_other_texts(reader: Reader) -> None:
    """A batch gives each paragraph what it gets alone."""
    words = reader.words([*SENTENCES])
    together = [int(words.para[frame.cue]) for frame in frames_of(words, reader)]
    alone = [n for n, text in enumerate(SENTENCES) for _ in frames_of(reader.words([text]), reader)]
    assert sorted(together) == alone
